"""How many examples Hypothesis tries: three profiles, chosen by the environment variable `HYPOTHESIS_PROFILE`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final

from hypothesis import HealthCheck, settings

USUAL: Final = 100
SHARES: Final = {"dev": 0.2, "ci": 1.0, "deep": 20.0}
LEAST: Final = 5
CHOSEN: Final = os.environ.get("HYPOTHESIS_PROFILE", "dev")


def scaled(number: int) -> int:
    """`number` is the `ci` profile's; the others try a part of it, or more."""
    return max(min(number, LEAST), round(number * SHARES[CHOSEN]))


def examples(number: int, *, suppress: Sequence[HealthCheck] = (), **options: Any) -> settings:
    """A decorator: this property is tried with `number` examples under `ci`. No time makes it fail, whatever it suppresses."""
    return settings(
        max_examples=scaled(number), suppress_health_check=[HealthCheck.too_slow, *suppress], deadline=None, **options
    )


def load_profile() -> None:
    """No deadline in any of them: the machine may be slow, and a hash is meant to be."""
    if CHOSEN not in SHARES:
        raise ValueError(f"HYPOTHESIS_PROFILE={CHOSEN!r}: use one of {', '.join(SHARES)}")
    settings.register_profile(
        CHOSEN, max_examples=scaled(USUAL), deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
    )
    settings.load_profile(CHOSEN)

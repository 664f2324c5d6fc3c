"""The plugin of pytest, by the entry point `watchword`: inert until a test asks for one of its fixtures.

Its names begin with `watchword_`, no fixture is autouse, and nothing else of watchword is loaded with it: a coverage of
somebody's package that begins later misses none of its lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # loaded by the fixture that makes one
    from watchword.testing import Clock, FakeIssuer, LoopbackIssuer, SeededRandom

__all__ = ["watchword_clock", "watchword_issuer", "watchword_loopback_issuer", "watchword_random"]

pytest.register_assert_rewrite("watchword.testing.conformance")


@pytest.fixture
def watchword_clock() -> Clock:
    """Time that stands until the test moves it: for guard, store and client."""
    from watchword.testing import Clock  # noqa: PLC0415 -- inert when unused

    return Clock()


@pytest.fixture
def watchword_random() -> SeededRandom:
    """Octets that are the same in every run."""
    from watchword.testing import SeededRandom  # noqa: PLC0415 -- inert when unused

    return SeededRandom()


@pytest.fixture
def watchword_issuer(watchword_clock: Clock, watchword_random: SeededRandom) -> Iterator[FakeIssuer]:
    """An issuer of tokens in the process, by the test's clock."""
    from watchword.testing import FakeIssuer  # noqa: PLC0415 -- inert when unused

    with FakeIssuer(clock=watchword_clock, random=watchword_random) as issuer:
        yield issuer


@pytest.fixture
def watchword_loopback_issuer(watchword_clock: Clock, watchword_random: SeededRandom) -> Iterator[LoopbackIssuer]:
    """The same over a socket of this machine."""
    from watchword.testing import LoopbackIssuer  # noqa: PLC0415 -- inert when unused

    with LoopbackIssuer(clock=watchword_clock, random=watchword_random) as issuer:
        yield issuer

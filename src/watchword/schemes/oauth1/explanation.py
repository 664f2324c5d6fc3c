"""Why an OAuth 1 request was refused."""

from __future__ import annotations
from collections.abc import Sequence
from typing import Any
from watchword.core.scheme import Check


def explain_oauth1(*a: Any) -> tuple[str, Sequence[Check]]:
    return "", ()

"""The dates of claims (RFC 7519 §2, NumericDate) as the drop-ins take them, and the leeway with which they are compared."""

from __future__ import annotations

import math
from datetime import timedelta

from watchword.schemes.jwt.checks import YEAR_10000

__all__ = ["date_of", "seconds_of"]


def seconds_of(leeway: object) -> float:
    """`leeway` in seconds.

    Raises:
        TypeError: neither a number nor a timedelta; with NaN no token would ever expire.

    >>> seconds_of(timedelta(minutes=1))
    60.0
    """
    found = leeway.total_seconds() if isinstance(leeway, timedelta) else leeway
    if not isinstance(found, (int, float)) or not math.isfinite(found):
        raise TypeError("leeway is a number of seconds, or a timedelta")
    return found


def date_of(value: object) -> float | None:
    """A NumericDate, or, as both libraries have it, its digits as a text; None: neither.

    >>> date_of("1700000000"), date_of(True), date_of(1e300)
    (1700000000, None, None)
    """
    if type(value) is int and 0 <= value < YEAR_10000:  # nearly always
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 12:
        value = int(value)
    if type(value) not in (int, float) or not -YEAR_10000 < value < YEAR_10000:  # type: ignore[operator]
        return None
    return value  # type: ignore[return-value]

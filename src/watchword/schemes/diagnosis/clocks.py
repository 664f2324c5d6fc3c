"""What a time that is off says: a request that waited, a clock that is wrong, a time zone, another unit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from watchword.core.scheme import Check
from watchword.schemes.freshness import Freshness

__all__ = ["EPOCHS", "clock_check", "time_guesses"]

NEAR = 1800
"""Seconds before and after a time in which every second is tried."""

EPOCHS: Final = (
    ("since 2001 (Apple)", -978307200), ("since 1900 (NTP)", 2208988800), ("since 1904 (HFS)", 2082844800),
    ("since 1980 (GPS)", -315964800), ("since 1601", 11644473600), ("since the year 1", 62135596800),
)  # fmt: skip
"""Where other programs begin to count: words, and the seconds that their numbers have more than those since 1970."""
_UNITS: Final = (
    ("milliseconds", 1e3), ("microseconds", 1e6), ("nanoseconds", 1e9), ("100 nanoseconds", 1e7), ("minutes", 1 / 60),
    ("hours", 1 / 3600), ("days", 1 / 86400),
)  # fmt: skip
_NO_CLOCK: Final = 10 * 365 * 86400
"""A number below it is nobody's time of today."""

QUARTER = 900
"""Time zones differ by multiples of a quarter of an hour."""
MOST = 14 * 3600
"""And by at most so much from UTC."""


def clock_check(component: str, signed: float, now: float, freshness: Freshness) -> Check:
    """The check of a time at which a request says that it was signed.

    Args:
        component: where it says so: "authorization timestamp".
        signed: the time, in seconds since the epoch.
        now: the time at which it is judged.
        freshness: the rule by which it is judged.

    >>> clock_check("header date", 1000.0, 4630.0, Freshness(max_age=300, skew=30)).mend
    "signed 3630 s ago, which is one hour and 30 s: the client's clock is in another time zone; send UTC"
    >>> clock_check("header date", 29_952_201.0, 1_797_132_060.0, Freshness(max_age=300, skew=30)).mend
    'the time is in minutes: send seconds since 1970-01-01 in UTC'
    """
    age = now - signed
    passed = freshness.holds(signed, now)
    earliest = "any time" if freshness.max_age is None else f"{now - freshness.max_age:.0f}"
    expected = f"{earliest} to {now + freshness.skew:.0f}"
    return Check("time", passed, component, expected, f"{signed:.0f}", "" if passed else _mend(age, signed, now))


def _mend(age: float, signed: float, now: float) -> str:
    if not math.isfinite(signed):
        return "that is no time: send seconds since 1970-01-01 in UTC"
    if now > _NO_CLOCK and (other := _in_other_terms(signed, now)):
        return f"{other}: send seconds since 1970-01-01 in UTC"
    said = f"signed {age:.0f} s ago" if age > 0 else f"signed {-age:.0f} s in the future"
    quarters = round(abs(age) / QUARTER)
    rest = abs(age) - quarters * QUARTER
    if quarters and quarters * QUARTER <= MOST and abs(rest) <= 120 and (quarters % 4 == 0 or abs(rest) <= 30):
        zone = f"which is {_hours(quarters)} {'and' if rest >= 0 else 'less'} {abs(rest):.0f} s"
        return f"{said}, {zone}: the client's clock is in another time zone; send UTC"
    if age > 0:
        return f"{said}: sign anew for every request (a queue, a retry?), and set both clocks (NTP)"
    return f"{said}: set both clocks (NTP)"


def _in_other_terms(signed: float, now: float) -> str:
    """What the number says in another unit, from another beginning, or of no time of today; "" if it is none of these."""
    for unit, factor in _UNITS:
        if abs(signed / factor - now) < 86400:
            return f"the time is in {unit}"
    for since, more in EPOCHS:
        if abs(signed - more - now) < 86400:
            return f"the time is in seconds {since}"
    return (
        "that is no time of today, but a duration, a counter or a clock that was never set"
        if signed < _NO_CLOCK
        else ""
    )


def _hours(quarters: int) -> str:
    if quarters == 4:
        return "one hour"
    return f"{quarters // 4} hours" if quarters % 4 == 0 else f"{quarters * 15} minutes"


def time_guesses(signed: int) -> Iterator[int]:
    """The times that a request may have been signed with, if its time was changed afterwards; 3,756 at most.

    >>> list(time_guesses(1_000_000))[:3]
    [1000001, 999999, 1000002]
    """
    for away in (*range(1, NEAR + 1), *range(NEAR + QUARTER, MOST + 1, QUARTER), 86400, *range(172800, 864000, 86400)):
        yield signed + away
        if signed >= away:
            yield signed - away
    for factor in (1000, 1_000_000):
        yield signed * factor
        yield signed // factor

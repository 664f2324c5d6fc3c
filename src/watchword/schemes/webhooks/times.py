"""How senders write the time of a webhook: seconds or milliseconds since the epoch, or RFC 3339."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple

__all__ = ["TIME_FORMATS", "TimeFormat"]


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class TimeFormat(NamedTuple):
    """One way to write a time.

    Args:
        pattern: what it looks like.
        read: the time, in seconds since the epoch, of octets that look so. It raises ValueError for a day or an hour that does
            not exist.
        write: the other way round. It raises OverflowError for a year that can't be written.
        words: completes "this is not …".
    """

    pattern: bytes
    read: Callable[[bytes], float]
    write: Callable[[float], str]
    words: str


def _seconds(now: float) -> str:
    return str(int(now))


def _from_milliseconds(text: bytes) -> float:
    return int(text) / 1000


def _milliseconds(now: float) -> str:
    return str(round(now * 1000))


def _from_rfc3339(text: bytes) -> float:
    return datetime.fromisoformat(text.decode("ascii")).timestamp()


def _rfc3339(now: float) -> str:
    return (_EPOCH + timedelta(seconds=int(now))).strftime("%Y-%m-%dT%H:%M:%SZ")


TIME_FORMATS: Final[Mapping[str, TimeFormat]] = MappingProxyType({
    "seconds": TimeFormat(rb"(?:[1-9][0-9]{0,11}+|0)", int, _seconds, "a number of seconds since the epoch"),
    "milliseconds": TimeFormat(
        rb"(?:[1-9][0-9]{0,14}+|0)", _from_milliseconds, _milliseconds, "a number of milliseconds since the epoch"
    ),
    # RFC 3339 §5.6. Its letters may be small, which no sender uses; two spellings of one time would be two messages.
    "rfc3339": TimeFormat(
        rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})",
        _from_rfc3339, _rfc3339, "a time as 2026-01-31T12:00:00Z (RFC 3339)",
    ),
})  # fmt: skip

"""A time as other programs write it: units, formats, zones, epochs."""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from time import gmtime, strftime, strptime
from typing import Final

from watchword.schemes.diagnosis.clocks import EPOCHS, time_guesses

__all__ = ["days_of", "near_times", "within_second", "written_times"]

_BASIC: Final = "%Y%m%dT%H%M%SZ"
"""The form of SigV4."""
_SECONDS: Final = "%Y-%m-%dT%H:%M:%S"
_RFC3339: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z")

_LAST: Final = 253402300800
"""The end of the year 9999."""
_FORMATS: Final = (
    "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S+00:00", "%Y-%m-%dT%H:%M:%S.000Z", "%Y-%m-%dT%H:%M:%S.000000Z",
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S+00:00", "%Y%m%dT%H%M%SZ", "%Y%m%d%H%M%S", "%Y%m%dT%H%M%S", "%Y-%m-%dT%H:%M:%S+0000",
    "%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%d", "%Y%m%d", "%Y-%m-%dT%H:%MZ", "%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S UTC %Y",
    "%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d/%b/%Y:%H:%M:%S +0000",
)  # fmt: skip


def _read(value: bytes) -> tuple[int, Callable[[int], bytes]] | None:
    """A time in seconds since the epoch, and what writes others in its form: seconds, milliseconds, RFC 3339, or SigV4's."""
    if value.isdigit() and len(value) <= 12:
        return int(value), lambda t: b"%d" % t
    if value.isdigit() and len(value) <= 15:
        rest = int(value[-3:])
        return int(value[:-3]), lambda t: b"%d" % (t * 1000 + rest)
    try:
        text = value.decode("ascii")
        if text[8:9] == "T":
            return timegm(strptime(text, _BASIC)), lambda t: strftime(_BASIC, gmtime(t)).encode()
        found = _RFC3339.fullmatch(text)
        if found is None:
            return None
        end = f"{found[2] or ''}Z"
        return timegm(strptime(found[1], _SECONDS)), lambda t: f"{strftime(_SECONDS, gmtime(t))}{end}".encode()
    except ValueError:
        return None


def days_of(value: bytes) -> Iterator[bytes]:
    """The day of a time, as keys are derived by it.

    >>> list(days_of(b"1700000000"))
    [b'20231114', b'2023-11-14']
    """
    read = _read(value)
    if read is not None and 0 <= read[0] < _LAST:
        yield from (strftime(form, gmtime(read[0])).encode() for form in ("%Y%m%d", "%Y-%m-%d"))


def near_times(value: bytes) -> Iterator[bytes]:
    """The times that a request may have been signed with, if its time was changed afterwards, in the form of `value`.

    >>> next(near_times(b"20260101T000000Z")), next(near_times(b"1700000000000")), next(near_times(b"2026-01-01T00:00:00.5Z"))
    (b'20260101T000001Z', b'1700000001000', b'2026-01-01T00:00:01.5Z')
    """
    read = _read(value)
    if read is None:
        return
    t, write = read
    for other in time_guesses(t):
        if other < _LAST:
            yield write(other)


def within_second(value: bytes) -> Iterator[tuple[str, bytes]]:
    """The milliseconds of a second that is sent as a number of seconds: a client may sign its clock's time, and send it cut.

    >>> next(within_second(b"1700000000")), list(within_second(b"20260101T000000Z"))
    (('in milliseconds', b'1700000000000'), [])
    """
    if value.isdigit() and len(value) <= 12:
        for rest in range(1000):
            yield "in milliseconds", b"%b%03d" % (value, rest)
            yield "as a number with a fraction", b"%b.%03d" % (value, rest)


def written_times(value: bytes) -> Iterator[tuple[float, str, bytes]]:
    """Other ways to write a time in seconds since the epoch: cost, words that complete "signs the time …", octets.

    >>> {words: octets for _, words, octets in written_times(b"1700000000")}["in milliseconds"]
    b'1700000000000'
    """
    read = _read(value)
    if read is None:
        return
    t = read[0]
    if not value.isdigit() or len(value) > 12:
        yield 1, "in seconds since the epoch", b"%d" % t
    for words, factor in (("in milliseconds", 1000), ("in microseconds", 10**6), ("in nanoseconds", 10**9)):
        yield 1, words, b"%d" % (t * factor)
    for words, number in (
        ("in minutes", t // 60),
        ("in hours", t // 3600),
        ("in days", t // 86400),
        ("in seconds, not milliseconds", t // 1000),
    ):
        yield 2, words, b"%d" % number
    yield 1.2, "as a number with .0", b"%d.0" % t
    yield 1.5, "as a number with six decimals", b"%d.000000" % t
    yield 1.5, "as a number with three decimals", b"%d.000" % t
    yield 2, "as a number with two decimals", b"%d.00" % t
    yield 1.6, "as a number with an exponent", f"{t:e}".encode()
    yield 1.6, "as a number with an exponent", repr(float(t) * 1e9).encode()
    yield 1.6, "as a number with an exponent", f"{t:.3g}".encode()
    yield 1.6, "as a number with an exponent", f"{t:G}".encode()
    yield 2, "in hex digits", b"%x" % t
    yield 2, "in hex digits, in capitals", b"%X" % t
    yield 2, "in hex digits with 0x before them", b"0x%x" % t
    yield 2, "in whole days of a spreadsheet", b"%d" % (t // 86400 + 25569)
    yield 2, "with thousands marked", f"{t:,}".encode()
    yield 1.6, "as a Windows FILETIME", b"%d" % ((t + 11644473600) * 10**7)
    yield 1.6, "as .NET ticks", b"%d" % ((t + 62135596800) * 10**7)
    yield 2, "as days of a spreadsheet", f"{t / 86400 + 25569}".encode()
    for words, away in EPOCHS:
        yield 1.8, f"in seconds {words}", b"%d" % (t + away)
        yield 2.2, f"in milliseconds {words}", b"%d" % ((t + away) * 1000)
    if not 86400 <= t < _LAST - 86400:
        return
    moment = datetime.fromtimestamp(t, UTC)
    for each in (moment - timedelta(days=1), moment + timedelta(days=1)):
        yield 2, f"as {each.strftime('%Y%m%d')}", each.strftime("%Y%m%d").encode()
    yield 1.2, "as an HTTP date", formatdate(t, usegmt=True).encode()
    yield 1.6, "as a date of mails", formatdate(t).encode()
    for form in _FORMATS:
        yield 1.4, f"as {moment.strftime(form)}", moment.strftime(form).encode()
    for quarters in range(-56, 57):
        if quarters and (quarters % 4 == 0 or quarters % 2 == 0):
            local = moment + timedelta(minutes=15 * quarters)
            zone = f"{'+' if quarters > 0 else '-'}{abs(quarters) // 4:02d}:{abs(quarters) % 4 * 15:02d}"
            for form in ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"):
                yield 2.5, f"as the local time of {zone}", local.strftime(form).encode()
                yield 2.5, f"as the local time of {zone}", local.strftime(form).encode() + zone.encode()
            yield 2.5, f"as the local time of {zone}, read as UTC", b"%d" % (t + 900 * quarters)

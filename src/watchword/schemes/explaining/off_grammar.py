"""What any reader sees of a list of parameters that is off the grammar: times in other units and forms, marks that are missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

__all__ = ["odd_marks", "odd_times"]

_TIME: Final = re.compile(
    r"(?<![\w-])(created|expires|t|ts|time|date|exp|iat|[\w-]*timestamp)[ \t]*=([^,;&]*)", re.IGNORECASE
)
MAX_TIMES: Final = 4
"""Parameters that are looked at."""
_SINCE_1970: Final = range(10**9, 4 * 10**9)
"""The seconds of the years 2001 to 2096."""
_UNITS: Final = (
    ("milliseconds", 10**3, 0), ("microseconds", 10**6, 0), ("nanoseconds", 10**9, 0),
    ("a Windows file time, units of 100 ns since 1601", 10**7, 11644473600), ("ticks of .NET, units of 100 ns since the year 1", 10**7, 62135596800),
)  # fmt: skip
_NOT_NUMBERS: Final = (
    (r"@?\d{4}-\d\d-\d\d(?:[T ].*)?|\d{8}T\d{6}Z?", "a date in the text form of ISO 8601"),
    (r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b.*", "a date as HTTP and mails write it"),
    (r"\d+\.\d*", "a number with a decimal fraction"),
    (r"\d+(?:\.\d+)?[eE][+-]?\d+", "a number with an exponent"),
    (r"-\d+", "a negative number"),
    (r"NaN|nan|undefined|null|None|nil|Infinity|", "empty, or no number at all"),
    (r"(?:0x)?(?=\d*[A-Fa-f])[0-9A-Fa-f]{6,}", "in hex digits"),
)


def odd_times(name: str, value: str) -> Iterator[str]:
    """What is odd about the times in a list of parameters, or about the value of the parameter or field `name`.

    >>> list(odd_times("authorization", "HMAC id=a,timestamp=2026-01-01T00:00:00Z,nonce=b"))
    ['timestamp is a date in the text form of ISO 8601, not a number of seconds since 1970']
    >>> list(odd_times("timestamp", "1767225600000")), list(odd_times("timestamp", "1767225600"))
    (['timestamp is in milliseconds, not a number of seconds since 1970'], [])
    """
    found = _TIME.findall(f"{name}={value}") if _TIME.fullmatch(f"{name}=") else _TIME.findall(value)
    for called, text in found[:MAX_TIMES]:
        what = _odd(text.strip(' \t"').partition('"')[0])
        if what:
            yield f"{called} is {what}, not a number of seconds since 1970"


def _odd(text: str) -> str:
    if text.isascii() and text.isdigit():
        number = int(text[:32])
        return next(
            (what if what[1] == " " or what[0] == "t" else f"in {what}" for what, factor, away in _UNITS if number // factor - away in _SINCE_1970),
            "",
        )  # fmt: skip
    return next((what for pattern, what in _NOT_NUMBERS if re.fullmatch(pattern, text)), "")


def odd_marks(value: str) -> Iterator[str]:
    """What is odd about a dictionary of byte sequences or of lists: the fields of RFC 9421 and RFC 9530 (RFC 9651 §3.2, §3.3.5).

    >>> list(odd_marks(":AAAA:")), list(odd_marks("sig1=:AAAA")), list(odd_marks("sig1=:AAAA:"))
    (['its label is missing: no name and = stand in front, as in a dictionary'], ['its second colon is missing: it was cut, or ends early'], [])
    """
    bare = re.sub(r'"[^"]*"', "", value)
    if re.search(r"[ \t]=|=[ \t]", bare):
        yield "a blank (white space) stands beside ="
    name, mark, rest = (part.strip() for part in bare.partition("="))
    name = name.rpartition(",")[2].strip()
    if not mark or name[:1] in ("", ":", "("):
        yield "its label is missing: no name and = stand in front, as in a dictionary"
    elif not re.fullmatch(r"[a-z*][a-z0-9_.*-]*", name):
        yield "its label has a character that no name in a dictionary has, a capital letter perhaps"
    elif rest.startswith(":"):
        inner, end, _ = rest[1:].partition(":")
        if not end:
            yield "its second colon is missing: it was cut, or ends early"
        elif re.fullmatch(r"[A-Za-z0-9+/]*=*", inner) is None:
            yield "what stands between its colons is no base64"
        elif len(inner) % 4:
            yield f"{len(inner)} characters of base64 stand between its colons, no multiple of 4: it was cut, or its padding is missing"
    elif rest.startswith("("):
        listed = value[value.find("(") + 1 :].partition(")")[0]
        if re.search(r"[,;] *\"|\",", listed):
            yield "commas or semicolons stand between the names of the list, where a space belongs"
        if re.search(r"'", listed):
            yield "the names of the list are in ' (single quotes), not in \""
        elif re.search(r"(?:^| )[A-Za-z@]", re.sub(r'"[^"]*"', '""', listed)):
            yield "names of the list aren't quoted: they are tokens, where strings in \" belong"
        if rest.count("(") > rest.count(")"):
            yield "the closing parenthesis is missing: it was cut, or ends early"
    elif "=:" not in rest and "=(" not in rest:
        yield "the value is not between colons, as a byte sequence is"

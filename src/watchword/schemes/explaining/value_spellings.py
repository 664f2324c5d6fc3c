"""One value of a field or parameter, as other programs spell it: numbers, times, encodings, separators, quotes."""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from watchword.schemes.diagnosis.text_axes import base64_octets, decoded, undone
from watchword.schemes.explaining.unread import PARAMETER

__all__ = ["AMPERSANDS", "part_that_differs", "respelled"]

MAX_VALUE: Final = 4096
"""Octets of a value that is spelled otherwise."""

_PREFIX: Final = re.compile(rb"(?:sha-?(?:1|256|512)|v\d+a?|hmac(?:-sha\d+)?|md5|t|s)[=,: ]|0x", re.IGNORECASE)
_PREFIXES: Final = (b"sha256=", b"sha1=", b"v1,", b"v1=", b"v0=")
_QUOTED: Final = re.compile(rb'([A-Za-z][\w-]*+)[ \t]*+=[ \t]*+"([^"]*+)"')
AMPERSANDS: Final = (
    ("with HTML escapes: &amp; for &", b"&amp;"), ("with \\u0026 for &, as JSON has it", b"\\u0026"), ("with ; for &", b";"), ("with its & percent-encoded", b"%26"),
)  # fmt: skip
"""What becomes of the ampersands of a query."""
_LATE: Final = frozenset({"in base64", "in hex"})


def respelled(value: bytes) -> Iterator[tuple[str, bytes]]:
    """What `value` may have been meant to be, with how it came instead.

    >>> [what for what, other in respelled(b"1700000000123") if other == b"1700000000"]
    ['in milliseconds']
    """
    if not value or len(value) > MAX_VALUE:
        return
    seen = {value}
    for what, other in _spellings(value):
        if other and other not in seen:
            seen.add(other)
            yield what, other


def _spellings(value: bytes) -> Iterator[tuple[str, bytes]]:
    yield "with white space around it", value.strip()
    yield from ((what, change(value)) for what, change in _GRAMMAR)
    yield "in capitals", value.lower()
    yield "in small letters", value.upper()
    yield from _times(value)
    for what, octets in _octets(value):
        for _, encode in _ENCODERS:
            bare = encode is _in_colons and not value.startswith(b":")
            yield f"{what}, without the colons around a byte sequence" if bare else what, encode(octets)
    prefix = _PREFIX.match(value)
    if prefix is not None:
        rest = value[prefix.end() :]
        yield f"after {prefix[0].decode()}", rest
        for what, octets in _octets(rest):
            for _, encode in _ENCODERS:
                yield what, prefix[0] + encode(octets)
                yield f"after {prefix[0].decode()}", encode(octets)
    for text in _PREFIXES:
        yield f"without {text.decode()} before it", text + value
        if prefix is not None:
            yield f"after {prefix[0].decode()}", text + value[prefix.end() :]
    yield from ((what, other) for what, other in undone(value) if what not in _LATE)
    for one, other in ((b"-", b"_"), (b"_", b"-"), (b".", b":"), (b" ", b""), (b":", b"")):
        yield f"with {one.decode()} in it", value.replace(one, other)


def _octets(value: bytes) -> Iterator[tuple[str, bytes]]:
    """What the value is an encoding of."""
    for what, octets in _encoded(value) if len(value) >= 16 else ():
        yield what, octets
        yield f"{what}, its octets in the opposite order", octets[::-1]


def _encoded(value: bytes) -> Iterator[tuple[str, bytes]]:
    for what, octets in decoded(value):
        if "base64" not in what:
            yield what.replace("decoded from", "in"), octets
    octets_or_none = base64_octets(value)
    if octets_or_none is not None:
        yield "in another encoding", octets_or_none
    if value.startswith(b":") and value.endswith(b":"):
        yield from _encoded(value[1:-1])


def _in_colons(octets: bytes) -> bytes:
    return b":%b:" % b64encode(octets)


_ENCODERS: Final[tuple[tuple[str, Callable[[bytes], bytes]], ...]] = (
    ("hex", lambda octets: octets.hex().encode()),
    ("base64", b64encode),
    ("base64url", lambda octets: urlsafe_b64encode(octets).rstrip(b"=")),
    ("base64 without padding", lambda octets: b64encode(octets).rstrip(b"=")),
    ("base64url with padding", urlsafe_b64encode),
    ("structured octets", _in_colons),
)


def _with_commas(value: bytes) -> bytes:
    word, space, rest = value.partition(b" ")
    return word + space + re.sub(rb'(["\w=])\s+(?=[A-Za-z][\w-]*=["\w])', rb"\1, ", rest)


def _written_as_json(value: bytes) -> bytes:
    """The members of a JSON object as parameters, after the word before it."""
    word, brace, rest = value.partition(b"{")
    return word + re.sub(rb'"([\w-]+)"\s*:\s*', rb"\1=", rest.strip().removesuffix(b"}")) if brace else value


_GRAMMAR: Final[tuple[tuple[str, Callable[[bytes], bytes]], ...]] = (
    ("without commas between the parameters", _with_commas),
    (
        "with a semicolon or & between the parameters, not a comma",
        lambda text: re.sub(rb"\s*[;&]\s*(?=[A-Za-z])", b", ", text),
    ),
    ("with ' for \"", lambda text: text.replace(b"'", b'"')),
    ("with doubled quotes", lambda text: text.replace(b'""', b'"')),
    ("with a colon for = in the parameters", lambda text: re.sub(rb'([A-Za-z][\w-]*)\s*:\s*(?=["\w])', rb"\1=", text)),
    ("with names in another case", lambda text: re.sub(rb"[A-Za-z][\w-]*(?==)", lambda match: match[0].lower(), text)),
    (
        "with - or _ in the names",
        lambda text: re.sub(rb"[A-Za-z][\w-]*(?==)", lambda match: re.sub(rb"[-_]", b"", match[0]), text),
    ),
    ("without quotes around the values", lambda text: re.sub(rb'=([^",\s=]+)', rb'="\1"', text)),
    ("with quotes around the values", lambda text: text.replace(b'"', b"")),
    (
        "with a comma after the scheme word or at its end",
        lambda text: re.sub(rb"^(\S+?),\s*", rb"\1 ", text).rstrip(b", ;"),
    ),
    ("in JSON", _written_as_json),
)


def _times(value: bytes) -> Iterator[tuple[str, bytes]]:
    """The same time in seconds since the epoch, or as ISO 8601 writes it in one piece."""
    text = value.decode("latin-1")
    if re.fullmatch(r"\d{12,19}(?:\.\d+)?", text):
        size = len(text.partition(".")[0])
        for digits, what in ((3, "in milliseconds"), (6, "in microseconds"), (9, "in nanoseconds")):
            if 9 <= size - digits <= 11:
                yield what, text[: size - digits].encode()
    if re.fullmatch(r"\d{1,11}\.\d*", text):
        yield "with a fraction", text.partition(".")[0].encode()
    if re.fullmatch(r"\d+\.?\d*e\+?\d+", text, re.IGNORECASE):
        yield "in exponential form", b"%d" % int(float(text)) if float(text) < 1e15 else b""
    if re.fullmatch(r"\+?0*\d+", text):
        yield "with a sign or zeros before it", b"%d" % int(text)
    if re.fullmatch(r"[\d,_' ]+", text):
        yield "with separators between its digits", re.sub(r"\D", "", text).encode()
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text.strip())
        except (ValueError, IndexError, TypeError):
            continue
        if 1970 < moment.year < 9999 and not text.isdigit():
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            yield "as a date", b"%d" % moment.timestamp()
            yield "as a date of another form", moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ").encode()
    if re.fullmatch(r"\d{10}", text):
        yield "in seconds since the epoch", datetime.fromtimestamp(int(text), UTC).strftime("%Y%m%dT%H%M%SZ").encode()


def part_that_differs(one: bytes, other: bytes) -> str:
    """The parameter in which alone two values of a field differ, blanks within its quotes too; "" if there is no one.

    >>> part_that_differs(b'HMAC id="a", mac="b"', b'HMAC id="a", mac="b "')
    'mac'
    """
    blanks_alone = one.translate(None, b" \t") == other.translate(None, b" \t")
    parameters = _QUOTED if blanks_alone else PARAMETER
    mine, theirs = parameters.findall(one), parameters.findall(other)
    if [pair[0] for pair in mine] != [pair[0] for pair in theirs]:
        return ""
    names = {pair[0][0] for pair in zip(mine, theirs, strict=True) if pair[0] != pair[1]}
    return names.pop().decode("latin-1") if len(names) == 1 else ""

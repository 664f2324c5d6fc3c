"""Octets in another spelling: what a client may have taken as a part, or as the key, instead of the octets that were agreed on.

And a proof that was damaged, and a name that is nearly right.
"""

from __future__ import annotations

import json
import re
from base64 import b32decode, b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from binascii import unhexlify
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from html import escape, unescape
from typing import Final
from unicodedata import normalize
from urllib.parse import quote, unquote_to_bytes

from watchword.crypto.usual_hashes import hashed

__all__ = ["SPELLINGS", "damaged", "decoded", "near", "respelled", "secret_guesses"]

_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")
_BOM: Final = b"\xef\xbb\xbf"
_TRIPLE: Final = re.compile(rb"%[0-9A-F]{2}")
_PREFIXES: Final = (b"whsec_", b"sk_", b"Bearer ", b"AWS4", b"sha256=", b"hex:", b"base64:")

_DECODERS: Final[tuple[tuple[str, Callable[[bytes], bytes]], ...]] = (
    ("decoded from hex", unhexlify),
    ("decoded from base64", lambda text: b64decode(text + b"=" * (-len(text) % 4), validate=True)),
    ("decoded from base64url", lambda text: urlsafe_b64decode(text + b"=" * (-len(text) % 4))),
    ("decoded from base64, what is none passed over", lambda text: b64decode(text + b"=" * (-len(text) % 4))),
    ("decoded from base32", lambda text: b32decode(text + b"=" * (-len(text) % 8), casefold=True)),
)


def respelled(octets: bytes) -> Iterator[tuple[str, bytes]]:
    r"""Other spellings of a part of what is signed, or of a key, each with words that complete "the client signs the part …".

    >>> [what for what, other in respelled(b"\x01\x02") if other == b"0102"]
    ['as hex text instead of its octets']
    """
    return _new(octets, _spellings(octets))


def secret_guesses(secret: bytes) -> Iterator[tuple[str, bytes]]:
    r"""Other spellings of `secret`, each with words that complete "the client signs with the secret …".

    The octets are for trying out; only the words may be shown.

    >>> [what for what, octets in secret_guesses(b"whsec_Ag==") if octets == b"\x02"]
    ['without its prefix and decoded from base64']
    """
    return _new(secret, _of_secret(secret))


def _new(octets: bytes, spellings: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    seen = {octets}
    for what, other in spellings:
        if other not in seen:
            seen.add(other)
            yield what, other


def decoded(text: bytes) -> Iterator[tuple[str, bytes]]:
    r"""What `text` may encode, in each alphabet that it fits.

    >>> next(decoded(b"0102"))
    ('decoded from hex', b'\x01\x02')
    """
    for what, decode in _DECODERS:
        try:
            yield what, decode(text)
        except ValueError:
            continue


def _of_secret(secret: bytes) -> Iterator[tuple[str, bytes]]:
    yield from _spellings(secret)
    _, mark, rest = secret.partition(b"_")
    for prefix in _PREFIXES:
        if secret.startswith(prefix):
            mark, rest = prefix, secret[len(prefix) :]
        yield f"with the prefix {prefix.decode()}", prefix + secret
        yield f"as base64 text with the prefix {prefix.decode()}", prefix + b64encode(secret)
    if mark:
        yield "without its prefix", rest
        yield from ((f"without its prefix and {what}", octets) for what, octets in decoded(rest))
    yield "with & behind it", secret + b"&"
    for name in ("sha256", "sha1", "md5", "sha512"):
        try:
            digest = hashed(name, secret)
        except ValueError:
            continue
        yield f"hashed by {name} first", digest
        yield f"hashed by {name} first, as hex text", digest.hex().encode()
        yield f"hashed by {name} first, as base64 text", b64encode(digest)
    yield "twice", secret + secret
    yield "cut to its first 32 octets", secret[:32]
    yield "cut to its first 16 octets", secret[:16]
    for name in _SETTINGS:
        yield f"as the line {name}=… of its settings", name.encode() + b"=" + secret
    yield "without the name that is before its =", secret.partition(b"=")[2] or secret
    yield from _twice(secret)


def _twice(secret: bytes) -> Iterator[tuple[str, bytes]]:
    """As it was pasted, and then read wrongly."""
    for one in _PASTED:
        try:
            pasted = _BY_WORDS[one](secret)
        except ValueError:
            continue
        for two in (*_PASTED, *_READ) if pasted != secret else ():
            try:
                yield f"{one}, {two}", _BY_WORDS[two](pasted)
            except ValueError:
                continue
        if pasted != secret:
            yield f"{one}, hashed by sha256, as hex text", hashed("sha256", pasted).hex().encode()
            yield f"{one}, hashed by sha256", hashed("sha256", pasted)


def _spellings(octets: bytes) -> Iterator[tuple[str, bytes]]:
    for what, change in SPELLINGS:
        try:
            yield what, change(octets)
        except ValueError:  # it is no text, or not in that alphabet
            continue


def _hex(octets: bytes) -> bytes:
    return octets.hex().encode()


def _percent(octets: bytes) -> bytes:
    return quote(octets, safe="-._~").encode()


def _lower(text: bytes) -> bytes:
    return _TRIPLE.sub(lambda match: match[0].lower(), text)


def _lines(octets: bytes, end: bytes) -> bytes:
    return octets.replace(b"\r\n", b"\n").replace(b"\n", end)


def _json(octets: bytes) -> bytes:
    return json.dumps(octets.decode()).encode()


SPELLINGS: Final[tuple[tuple[str, Callable[[bytes], bytes]], ...]] = (
    ("as hex text instead of its octets", _hex),
    ("as base64 text instead of its octets", b64encode),
    ("as base64url text instead of its octets", urlsafe_b64encode),
    ("as base64 text without padding instead of its octets", lambda octets: b64encode(octets).rstrip(b"=")),
    ("as base64url text without padding instead of its octets", lambda octets: urlsafe_b64encode(octets).rstrip(b"=")),
    ("as hex text in capitals instead of its octets", lambda octets: _hex(octets).upper()),
    ("with a line break at its end", lambda octets: octets + b"\n"),
    ("with a line break (CRLF) at its end", lambda octets: octets + b"\r\n"),
    ("with a space at its end", lambda octets: octets + b" "),
    ("with a space before it", lambda octets: b" " + octets),
    ("with a tab at its end", lambda octets: octets + b"\t"),
    ("with two line breaks at its end", lambda octets: octets + b"\n\n"),
    ("without its last line break", lambda octets: octets.rstrip(b"\r\n")),
    ("without the white space around it", bytes.strip),
    *_DECODERS,
    ("in lower case", bytes.lower),
    ("in upper case", bytes.upper),
    ("with capitals at its words' beginnings", bytes.title),
    ("in quotes", lambda octets: b'"%b"' % octets),
    ("in single quotes", lambda octets: b"'%b'" % octets),
    ("without the quotes around it", lambda octets: octets.strip(b"\"'`")),
    ("percent-encoded", _percent),
    ("percent-encoded, / left as it is", lambda octets: quote(octets, safe="/-._~").encode()),
    ("percent-encoded with lower-case digits", lambda octets: _lower(_percent(octets))),
    ("percent-encoded twice", lambda octets: _percent(_percent(octets))),
    ("percent-decoded", unquote_to_bytes),
    ("with each + read as a space", lambda octets: octets.replace(b"+", b" ")),
    ("with each space read as +", lambda octets: octets.replace(b" ", b"+")),
    ("with HTML escapes", lambda octets: escape(octets.decode()).encode()),
    ("with HTML escapes read", lambda octets: unescape(octets.decode()).encode("utf-8", "replace")),
    ("as a JSON string", _json),
    ("with JSON escapes", lambda octets: _json(octets)[1:-1]),
    ("as a JSON string with its quotes, / escaped", lambda octets: _json(octets).replace(b"/", b"\\/")),
    ("with each / as \\/", lambda octets: octets.replace(b"/", b"\\/")),
    ("with each \\ doubled", lambda octets: octets.replace(b"\\", b"\\\\")),
    ("as Python prints octets, b'…'", lambda octets: repr(octets).encode()),
    ("in typographic quotes", lambda octets: "\u201c".encode() + octets + "\u201d".encode()),
    ("in the other alphabet of base64, - and _", lambda octets: octets.translate(_TO_URL)),
    ("in the other alphabet of base64, + and /", lambda octets: octets.translate(_FROM_URL)),
    ("without its padding", lambda octets: octets.rstrip(b"=")),
    ("with padding", lambda octets: octets + b"=" * (-len(octets) % 4)),
    ("with its line ends as CRLF", lambda octets: _lines(octets, b"\r\n")),
    ("with its line ends as LF", lambda octets: _lines(octets, b"\n")),
    ("with \\n as two characters for each line end", lambda octets: _lines(octets, b"\\n")),
    ("without its line ends", lambda octets: _lines(octets, b"")),
    ("without its spaces", lambda octets: octets.replace(b" ", b"")),
    ("with a byte order mark before it", lambda octets: _BOM + octets),
    ("without the byte order mark before it", lambda octets: octets.removeprefix(_BOM)),
    ("cut at its first NUL", lambda octets: octets.partition(b"\0")[0]),
    ("with a NUL at its end", lambda octets: octets + b"\0"),
    ("with its octets written as UTF-8 characters", lambda octets: octets.decode("latin-1").encode()),
    ("with everything replaced that is not UTF-8", lambda octets: octets.decode("utf-8", "replace").encode()),
    ("in UTF-16", lambda octets: octets.decode().encode("utf-16-le")),
    ("in UTF-16 with a byte order mark", lambda octets: b"\xff\xfe" + octets.decode().encode("utf-16-le")),
    ("in UTF-16 (big-endian)", lambda octets: octets.decode().encode("utf-16-be")),
    ("in NFC", lambda octets: normalize("NFC", octets.decode()).encode()),
    ("in NFD", lambda octets: normalize("NFD", octets.decode()).encode()),
    ("in ISO 8859-1 instead of UTF-8", lambda octets: octets.decode().encode("latin-1", "replace")),
    ("in Windows-1252 instead of UTF-8", lambda octets: octets.decode().encode("cp1252", "replace")),
    ("read as Windows-1252 and written as UTF-8", lambda octets: octets.decode("cp1252", "replace").encode()),
    ("in UTF-8 that was read as ISO 8859-1 before, put right", lambda octets: octets.decode().encode("latin-1")),
    ("in UTF-8 that was read as Windows-1252 before, put right", lambda octets: octets.decode().encode("cp1252")),
    ("with ? for what is not ASCII", lambda octets: octets.decode().encode("ascii", "replace")),
    ("in base64 twice", lambda octets: b64encode(b64encode(octets))),
    ("in base64 of its hex text", lambda octets: b64encode(_hex(octets))),
    ("as base64 text, with a line break at its end", lambda octets: b64encode(octets) + b"\n"),
    ("as hex text, with a line break at its end", lambda octets: _hex(octets) + b"\n"),
    ("backwards", lambda octets: octets[::-1]),
    ("that is empty: it isn't set", lambda _: b""),
)
"""The spellings by their words, likeliest first; a ValueError says that octets have no such spelling."""


_BY_WORDS: Final = dict(SPELLINGS)
_SETTINGS: Final = (
    "SECRET",
    "KEY",
    "TOKEN",
    "PASSWORD",
    "API_KEY",
    "API_SECRET",
    "SECRET_KEY",
    "WEBHOOK_SECRET",
    "secret",
    "key",
)
_PASTED: Final = (
    "with a line break at its end", "with a line break (CRLF) at its end", "with a space at its end", "in quotes", "in single quotes",
    "without the white space around it", "without its last line break", "without the quotes around it", "with a byte order mark before it",
)  # fmt: skip
_READ: Final = (
    "as hex text instead of its octets", "as base64 text instead of its octets", "as base64url text instead of its octets",
    "as base64 text without padding instead of its octets", "in upper case", "in lower case", "percent-encoded", "in UTF-16",
    *(what for what, _ in _DECODERS),
)  # fmt: skip


def damaged(genuine: str, received: str) -> str:
    """What happened to a proof (a MAC, a signature, a digest) that is nearly the genuine one; "" if it is another.

    It says how much and where, never what belongs there.

    >>> damaged("c2lnbmF0dXJlIG9mIGEgcmVxdWVzdA", "c2lnbmF0dXJlIG9mIGEgcmVxdWVzdX")
    'it was changed at 1 of its 30 characters, the first of them at 29'
    """
    if genuine == received or not genuine:
        return ""
    if genuine.lower() == received.lower():
        return "its case was changed"
    if len(received) >= 8 and genuine.startswith(received):
        return f"it was cut to {len(received)} of its {len(genuine)} characters"
    if received.startswith(genuine):
        return f"{len(received) - len(genuine)} characters were added to it"
    if len(genuine) != len(received):
        return ""
    at = [place for place, (one, other) in enumerate(zip(genuine, received, strict=True)) if one != other]
    if len(at) > len(genuine) // 3:  # of two that have nothing to do with each other, more than nine tenths differ
        return ""
    return f"it was changed at {len(at)} of its {len(genuine)} characters, the first of them at {at[0]}"


def near(name: str, known: Iterable[str]) -> str:
    """The known name that `name` may have been meant to be; "" if none is near.

    >>> near("robot_1", ["robot-1", "billing"])
    'robot-1'
    """
    names = {each.strip().lower(): each for each in known}
    found = get_close_matches(name.strip().lower()[:256], list(names)[:1000], n=1, cutoff=0.75)
    return names[found[0]] if found else ""

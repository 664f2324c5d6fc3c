"""Percent-encoding, as other programs write it: paths, queries and forms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations, islice
from typing import Final
from urllib.parse import quote, unquote_to_bytes

__all__ = ["MAX_PLACES", "RECODED", "recoded", "written"]

MAX_PLACES: Final = 12
"""Segments, parameters or encoded octets that are tried one by one."""
MAX_PARSED: Final = 256
"""Parameters that are parsed and written again."""
MAX_TOGETHER: Final = 6
"""Characters of which every combination is encoded."""

_TRIPLE: Final = re.compile(rb"%[0-9A-Fa-f]{2}")
_BAD_PERCENT: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_UNRESERVED: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_RESERVED: Final = b"~!$'()*,;:@=&+/?[]|^\"<>{}`-_."
RECODED: Final = (
    "percent-encoding was changed on the way: the target is signed exactly as sent, so nothing may normalise it"
)


def recoded(text: bytes, *, keep: bytes) -> Iterator[bytes]:
    """`text` as other encoders write it. `keep` are the separators, which are not encoded.

    >>> b"/%7Ea" in list(recoded(b"/~a", keep=b"/"))
    True
    """
    triples = list(dict.fromkeys(_TRIPLE.findall(text)))[:MAX_PLACES]
    yield _TRIPLE.sub(lambda match: match[0].upper(), text)
    yield _TRIPLE.sub(lambda match: match[0].lower(), text)
    yield _TRIPLE.sub(_if_unreserved, text)
    reserved = [bytes([octet]) for octet in _RESERVED if octet in text and octet not in keep]
    for char in reserved:
        yield text.replace(char, b"%%%02X" % ord(char))
        yield text.replace(char, b"%%%02x" % ord(char))
    for triple in triples:
        yield text.replace(triple, unquote_to_bytes(triple))
    yield unquote_to_bytes(text)
    kept = keep.decode()
    for base in (unquote_to_bytes(text), text):
        for safe in ("", "~", "!'()*~", "!$'()*,;:@~", "!$&'()*+,;=:@~", ",:", "%~"):
            encoded = quote(base, safe=kept + safe).encode()
            yield encoded
            yield _TRIPLE.sub(lambda match: match[0].lower(), encoded)
    yield from _part_by_part(text, keep)
    yield text.replace(b"%", b"%25")
    yield text.replace(b"%25", b"%")
    yield text.replace(b"+", b"%20")
    yield text.replace(b"%20", b"+")
    yield text.replace(b" ", b"%20")
    yield _BAD_PERCENT.sub(b"%25", text)
    yield from _one_by_one(text, reserved)
    few = reserved[:MAX_TOGETHER]
    for count in range(2, len(few) + 1):
        for chars in combinations(few, count):
            encoded = text
            for char in chars:
                encoded = encoded.replace(char, b"%%%02X" % ord(char))
            yield encoded


def _part_by_part(text: bytes, keep: bytes) -> Iterator[bytes]:
    """One segment or value decoded, and the others as they are."""
    part = rb"[^%" + re.escape(keep) + rb"]*+%[^" + re.escape(keep) + rb"]*+"
    for match in islice(re.finditer(part, text), MAX_PLACES):
        yield text[: match.start()] + unquote_to_bytes(match[0]) + text[match.end() :]


def _one_by_one(text: bytes, reserved: list[bytes]) -> Iterator[bytes]:
    """One octet, not all of its kind: an encoder that knows where in a URI it is treats the same octet in two ways."""
    places = [match.start() for match in _TRIPLE.finditer(text)][:MAX_PLACES]
    for at in places:
        yield text[:at] + unquote_to_bytes(text[at : at + 3]) + text[at + 3 :]
        yield text[:at] + text[at : at + 3].swapcase() + text[at + 3 :]
    wanted = b"".join(reserved)
    for at in [index for index, octet in enumerate(text) if octet in wanted][:MAX_PLACES]:
        yield text[:at] + b"%%%02X" % text[at] + text[at + 1 :]


def _if_unreserved(match: re.Match[bytes]) -> bytes:
    octet = unquote_to_bytes(match[0])
    return octet if octet in _UNRESERVED else match[0]


def written(text: bytes) -> Iterator[bytes]:
    """`text`, parameters of a query or a form, as libraries write what they have parsed.

    >>> b"a=x%20y&b=~" in list(written(b"a=x+y&b=%7E"))
    True
    """
    params = [param.partition(b"=")[::2] for param in text.split(b"&")[:MAX_PARSED]]
    pairs = [[unquote_to_bytes(part.replace(b"+", b" ")) for part in param] for param in params]
    yield from _as_written(pairs)
    if any(not value for _, value in pairs):  # whose = was added
        yield from _as_written([pair if pair[1] else pair[:1] for pair in pairs])
    if b"+" in text:  # decoded once too often: it was %2B
        yield from _as_written([list(map(unquote_to_bytes, param)) for param in params])


def _as_written(pairs: list[list[bytes]]) -> Iterator[bytes]:
    for safe in ("", "*", "!'()*", "!'()*,:@/;$", "/", "/?:@!$'()*,;"):
        for tilde in (b"~", b"%7E"):
            for space in (b"+", b"%20"):
                yield b"&".join(
                    b"=".join(
                        quote(part, safe=safe + " ").encode().replace(b" ", space).replace(b"~", tilde) for part in pair
                    )
                    for pair in pairs
                )

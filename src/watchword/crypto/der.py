"""Recognising keys and certificates in DER (ITU-T X.690) by how they are built, whatever their algorithm.

Nothing is loaded and no identifier is looked up: an algorithm that nobody here knows is recognised all the same.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final, NamedTuple

__all__ = ["holds_a_key"]

_INTEGER: Final = 0x02
_BIT_STRING: Final = 0x03
_OCTET_STRING: Final = 0x04
_IDENTIFIER: Final = 0x06
_SEQUENCE: Final = 0x30
_EXPLICIT: Final = 0xA0
_CONSTRUCTED: Final = 0x20
_DEPTH: Final = 24
_NUMBERS: Final = 40
"""Octets that the numbers of a key have together, at least: those of an RSA key of 512 bits have 66."""


class _Element(NamedTuple):
    tag: int
    content: bytes
    inside: tuple[_Element, ...]


class _NotDER(Exception):
    pass


def holds_a_key(octets: bytes) -> bool:
    """Whether these octets, to the last one, are a key, a certificate, or anything else that is signed or names a key's kind.

    That is SubjectPublicKeyInfo, certificates of every version, requests and revocation lists (RFC 5280 §4.1, §5.1, RFC 2986
    §4), private keys (RFC 5958 §2), bundles (RFC 5652 §3, RFC 7292 §4), and the bare numbers of RFC 8017 §A.1 and RFC 5915 §3.
    Several of them may follow each other.

    >>> holds_a_key(bytes.fromhex("302a300506032b6570032100") + bytes(32)), holds_a_key(bytes(32))
    (True, False)
    """
    if len(octets) < 16 or octets[0] != _SEQUENCE:
        return False
    try:
        return any(map(_is_key, _elements(octets, _DEPTH)))
    except _NotDER:
        return False


def _elements(octets: bytes, depth: int) -> tuple[_Element, ...]:
    found = []
    start = 0
    while start < len(octets):
        element, start = _element(octets, start, depth)
        found.append(element)
    return tuple(found)


def _element(octets: bytes, start: int, depth: int) -> tuple[_Element, int]:
    """The element at `start`, and where the next one is."""
    if depth == 0 or start + 2 > len(octets):
        raise _NotDER
    tag, length = octets[start], octets[start + 1]
    start += 2
    if tag & 0x1F == 0x1F or tag == 0:  # numbers above 30 occur in no key
        raise _NotDER
    if length == 0x80:
        return _unmeasured(octets, tag, start, depth)
    if length > 0x80:
        size = length - 0x80
        if size > 4:
            raise _NotDER
        length = int.from_bytes(octets[start : start + size])
        start += size
    end = start + length
    if end > len(octets):
        raise _NotDER
    content = octets[start:end]
    return _Element(tag, content, _elements(content, depth - 1) if tag & _CONSTRUCTED else ()), end


def _unmeasured(octets: bytes, tag: int, start: int, depth: int) -> tuple[_Element, int]:
    """An element that ends where it says so (X.690 §8.1.3.6): bundles are often written like that."""
    if not tag & _CONSTRUCTED:
        raise _NotDER
    inside = []
    while octets[start : start + 2] != b"\0\0":
        element, start = _element(octets, start, depth - 1)
        inside.append(element)
    return _Element(tag, b"", tuple(inside)), start + 2


def _is_key(element: _Element) -> bool:
    inside = element.inside
    if element.tag == _SEQUENCE and inside:
        first, *others = inside
        if others and all(each.tag == _INTEGER for each in inside[:9]):
            return sum(len(each.content) for each in inside) >= _NUMBERS
        if others and first[:2] == (_INTEGER, b"\x01") and others[0].tag == _OCTET_STRING:
            return True
    return any(_is_named(one, next_) for one, next_ in pairwise(inside)) or any(map(_is_key, inside))


def _is_named(one: _Element, next_: _Element) -> bool:
    """Whether this is an algorithm with octets of it, or a type with its content."""
    if one.tag == _IDENTIFIER:
        return next_.tag == _EXPLICIT
    named = one.tag == _SEQUENCE and bool(one.inside) and one.inside[0].tag == _IDENTIFIER
    return named and next_.tag in (_BIT_STRING, _OCTET_STRING)

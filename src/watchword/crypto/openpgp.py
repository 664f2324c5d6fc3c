"""Recognising the keys of OpenPGP (RFC 9580) in their binary form, as `gpg --export` writes them."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["holds_a_transferable_key"]

_KEY_PACKETS: Final = frozenset((5, 6, 7, 14))
"""RFC 9580 §5.5.1: secret and public keys, and their subkeys."""
_WITH_NUMBERS: Final = frozenset((1, 2, 3, 16, 17))
_WITH_CURVE: Final = frozenset((18, 19, 22))
_PLAIN: Final = {25: 32, 26: 56, 27: 32, 28: 57}
"""The octets of X25519, X448, Ed25519 and Ed448 keys (RFC 9580 §5.5.5)."""


class _Packet(NamedTuple):
    kind: int
    body: bytes
    end: int


def holds_a_transferable_key(octets: bytes) -> bool:
    """Whether this is a sequence of packets, to the last octet, that begins with a key (RFC 9580 §10.1).

    >>> holds_a_transferable_key(bytes.fromhex("c62a06000000001b00000020") + bytes(32)), holds_a_transferable_key(bytes(32))
    (True, False)
    """
    start, first = 0, True
    while start < len(octets):
        packet = _packet(octets, start)
        if packet is None or (first and not (packet.kind in _KEY_PACKETS and _is_key(packet.body))):
            return False
        start, first = packet.end, False
    return not first


def _packet(octets: bytes, start: int) -> _Packet | None:
    """The packet at `start` (RFC 9580 §4.2); None: there is none."""
    head = octets[start]
    if not head & 0x80:
        return None
    if head & 0x40:
        kind, size = head & 0x3F, _size(octets, start + 1)
    else:
        kind, width = head >> 2 & 0x0F, (1, 2, 4, 0)[head & 3]
        size = (int.from_bytes(octets[start + 1 : start + 1 + width]), width) if width else None
    if kind == 0 or size is None:
        return None
    begin = start + 1 + size[1]
    end = begin + size[0]
    return _Packet(kind, octets[begin:end], end) if end <= len(octets) else None


def _size(octets: bytes, start: int) -> tuple[int, int] | None:
    """The length of a body, and how many octets say it (RFC 9580 §4.2.1)."""
    first = octets[start] if start < len(octets) else 0xE0
    if first < 192:
        return first, 1
    if first < 224:
        return (first - 192 << 8) + int.from_bytes(octets[start + 1 : start + 2]) + 192, 2
    return (int.from_bytes(octets[start + 1 : start + 5]), 5) if first == 255 else None


def _is_key(body: bytes) -> bool:
    """Whether this is the body of a key packet of version 4 or 6 (RFC 9580 §5.5.2)."""
    if len(body) < 16 or body[0] not in (4, 6):
        return False
    algorithm, rest = body[5], body[6:] if body[0] == 4 else body[10:]
    if algorithm in _PLAIN:
        # A version 6 key says how long its material is.
        return int.from_bytes(body[6:10]) == _PLAIN[algorithm] if body[0] == 6 else len(rest) == _PLAIN[algorithm]
    if algorithm in _WITH_CURVE:
        return 5 <= rest[0] <= 10 and rest[1] in (0x2A, 0x2B)
    bits = int.from_bytes(rest[:2])
    top = rest[2] if len(rest) > 2 else 0
    return algorithm in _WITH_NUMBERS and 512 <= bits <= 16384 and top.bit_length() == (bits - 1) % 8 + 1

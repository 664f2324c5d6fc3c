"""The checksums that a trailer may carry: x-amz-checksum-crc32, -crc32c, -crc64nvme, -sha1, -sha256.

They show that a body arrived as it was sent, not who sent it. crc32 is zlib's and the hashes OpenSSL's; crc32c and crc64nvme
are tables in Python, some ten megaoctets a second.
"""

from __future__ import annotations

import zlib
from base64 import b64encode
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final, Protocol

from watchword.crypto.digests import new

__all__ = ["ALGORITHMS", "PREFIX", "Checksum", "checksum"]

PREFIX: Final = b"x-amz-checksum-"


class Checksum(Protocol):
    """A checksum in the making."""

    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


class _Crc32:
    """CRC-32 of IEEE 802.3."""

    __slots__ = ("_value",)

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4)


class _TableCrc:
    """A reflected CRC whose register begins and ends inverted."""

    __slots__ = ("_ones", "_size", "_table", "_value")

    def __init__(self, polynomial: int, size: int) -> None:
        self._table = _table(polynomial)
        self._size = size
        self._ones = self._value = (1 << 8 * size) - 1

    def update(self, data: bytes, /) -> None:
        value, table = self._value, self._table
        for octet in data:
            value = table[(value ^ octet) & 0xFF] ^ (value >> 8)
        self._value = value

    def digest(self) -> bytes:
        return (self._value ^ self._ones).to_bytes(self._size)


@cache
def _table(polynomial: int) -> Sequence[int]:
    table = []
    for octet in range(256):
        value = octet
        for _ in range(8):
            value = (value >> 1) ^ (polynomial if value & 1 else 0)
        table.append(value)
    return tuple(table)


ALGORITHMS: Final[dict[str, Callable[[], Checksum]]] = {
    "crc32": _Crc32,
    "crc32c": lambda: _TableCrc(0x82F63B78, 4),  # RFC 9260 appendix A
    "crc64nvme": lambda: _TableCrc(0x9A6C9329AC4BC9B5, 8),  # NVM Command Set Specification 1.0 §5.2.1.3.4
    "sha1": lambda: new("sha-1"),
    "sha256": lambda: new("sha-256"),
}


def checksum(algorithm: str, data: bytes) -> bytes:
    """The base64 text of a checksum.

    >>> checksum("crc32", b"123456789"), checksum("crc32c", b"123456789"), checksum("crc64nvme", b"123456789")
    (b'y/Q5Jg==', b'4waSgw==', b'rosUhgp5mIg=')
    """
    made = ALGORITHMS[algorithm]()
    made.update(data)
    return b64encode(made.digest())

"""The hashes that a client may have taken instead of the right one: for `explain`, which tries them out, never to accept."""

from __future__ import annotations

import hashlib
from functools import cache

__all__ = ["hashed", "keyed", "usual_hashes"]

_NAMES = (
    "sha256", "sha1", "sha512", "md5", "sha384", "sha224", "sha512_256", "sha3_256", "sha3_512", "sha3_384", "blake2b", "blake2s",
    "sha512_224", "sha3_224",
)  # fmt: skip


@cache
def usual_hashes() -> tuple[str, ...]:
    """The names, likeliest first, of those that this host computes.

    >>> usual_hashes()[0]
    'sha256'
    """
    return tuple(name for name in _NAMES if _computed(name))


def _computed(name: str) -> bool:
    try:
        hashed(name, b"")
    except ValueError:  # FIPS mode, or an OpenSSL without it
        return False
    return True


def hashed(name: str, data: bytes) -> bytes:
    """The hash of `data` by hashlib's `name`.

    Raises:
        ValueError: this host does not compute it.

    >>> hashed("sha1", b"abc").hex()[:16]
    'a9993e364706816a'
    """
    return hashlib.new(name, data).digest()


def keyed(name: str, key: bytes, data: bytes) -> bytes:
    """The hash of `data` by a hash that takes a key itself: "blake2s" or "blake2b" (RFC 7693 §2.9), each with 32 octets of result.

    >>> keyed("blake2s", b"key", b"abc") == hashlib.blake2s(b"abc", key=b"key").digest()
    True
    """
    if name == "blake2s":
        return hashlib.blake2s(data, key=key[:32]).digest()
    return hashlib.blake2b(data, key=key[:64], digest_size=32).digest()

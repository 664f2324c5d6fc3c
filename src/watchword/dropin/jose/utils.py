"""The part of python-jose's `jose.utils` that programs use: base64url (RFC 7515 §2), whole numbers in it, `at_hash`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from watchword.crypto.digests import Hashed
from watchword.crypto.encoding import b64url_encode
from watchword.dropin._dates import seconds_of
from watchword.dropin._octets import force_bytes, from_base64url, is_pem_format, is_ssh_key

__all__ = [
    "base64_to_long", "base64url_decode", "base64url_encode", "calculate_at_hash", "ensure_binary", "int_arr_to_long",
    "is_pem_format", "is_ssh_key", "long_to_base64", "long_to_bytes", "timedelta_total_seconds",
]  # fmt: skip

ensure_binary = force_bytes


def long_to_bytes(n: int, blocksize: int = 0) -> bytes:
    """A whole number in so many octets, or as few as it needs, the most significant first."""
    return n.to_bytes(blocksize or max(1, (n.bit_length() + 7) // 8))


def long_to_base64(data: int, size: int = 0) -> bytes:
    """A whole number in base64url (RFC 7518 §2, Base64urlUInt), of so many octets or as few as it needs.

    >>> long_to_base64(65537), long_to_base64(1, size=3)
    (b'AQAB', b'AAAB')
    """
    return b64url_encode(long_to_bytes(data, size))


def int_arr_to_long(arr: Sequence[int]) -> int:
    """The whole number that octets are, the most significant first."""
    return int.from_bytes(bytes(arr))


def base64_to_long(data: str | bytes) -> int:
    """The whole number that `data` encodes.

    Raises:
        ValueError: it is not base64url.

    >>> base64_to_long("AQAB")
    65537
    """
    return int.from_bytes(from_base64url(force_bytes(data)))


def calculate_at_hash(access_token: str, hash_alg: Callable[[bytes], Hashed]) -> str:
    """`at_hash` (OpenID Connect Core 1.0 §3.1.3.6): the left half of the hash of an access token, in base64url.

    Args:
        access_token: the token.
        hash_alg: the hash of the ID token's algorithm, one of `ALGORITHMS.HASHES` or of hashlib.
    """
    found = hash_alg(access_token.encode()).digest()
    return b64url_encode(found[: len(found) // 2]).decode()


def base64url_decode(input: bytes) -> bytes:  # noqa: A002 -- python-jose's name
    r"""What `input` encodes; padding may be there.

    Raises:
        ValueError: another alphabet, stray bits, or padding that is not whole.

    >>> base64url_decode(b"__4="), base64url_decode(b"__4")
    (b'\xff\xfe', b'\xff\xfe')
    """
    return from_base64url(input)


def base64url_encode(input: bytes) -> bytes:  # noqa: A002 -- python-jose's name
    r"""`input` in base64url, without padding.

    >>> base64url_encode(b"\xff\xfe")
    b'__4'
    """
    return b64url_encode(input)


def timedelta_total_seconds(delta: timedelta) -> int:
    """How many whole seconds `delta` lasts."""
    return int(seconds_of(delta))

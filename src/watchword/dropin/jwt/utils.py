"""The part of PyJWT's `jwt.utils` that programs use: base64url (RFC 7515 §2) of octets and of whole numbers."""

from __future__ import annotations

from watchword.crypto.encoding import b64url_decode, b64url_encode
from watchword.dropin._octets import force_bytes, is_pem_format, is_ssh_key

__all__ = [
    "base64url_decode", "base64url_encode", "bytes_to_number", "force_bytes", "from_base64url_uint", "is_pem_format", "is_ssh_key",
    "number_to_bytes", "to_base64url_uint",
]  # fmt: skip


def number_to_bytes(num: int, num_bytes: int) -> bytes:
    """A whole number in so many octets, the most significant first."""
    return num.to_bytes(num_bytes)


def bytes_to_number(string: bytes) -> int:
    """The whole number that octets are, the most significant first."""
    return int.from_bytes(string)


def base64url_encode(input: bytes) -> bytes:  # noqa: A002 -- PyJWT's name
    r"""`input` in base64url, without padding.

    >>> base64url_encode(b"\xff\xfe")
    b'__4'
    """
    return b64url_encode(input)


def base64url_decode(input: str | bytes) -> bytes:  # noqa: A002 -- PyJWT's name
    r"""What `input` encodes.

    Raises:
        ValueError: padding, another alphabet, or stray bits.

    >>> base64url_decode("__4")
    b'\xff\xfe'
    """
    return b64url_decode(force_bytes(input))


def to_base64url_uint(val: int, *, bit_length: int | None = None) -> bytes:
    """A whole number (RFC 7518 §2, Base64urlUInt), in as many octets as `bit_length` asks for or as it needs.

    Raises:
        ValueError: negative, or too large for `bit_length`.

    >>> to_base64url_uint(65537)
    b'AQAB'
    """
    if val < 0:
        raise ValueError("Must be a positive integer")
    size = max(1, ((bit_length or val.bit_length()) + 7) // 8)
    try:
        return b64url_encode(val.to_bytes(size))
    except OverflowError:
        raise ValueError(f"this number does not fit into {bit_length} bits") from None


def from_base64url_uint(val: str | bytes) -> int:
    """The whole number that `val` encodes.

    Raises:
        ValueError: as `base64url_decode`.

    >>> from_base64url_uint("AQAB")
    65537
    """
    return int.from_bytes(base64url_decode(val))

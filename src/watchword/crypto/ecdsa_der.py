"""ECDSA's signatures in DER (RFC 3279 §2.2.3, SEC 1 §C.8), as most who are not JOSE write them, and as `Key` has them: r || s.

Imported when a key for such signatures is read: it loads OpenSSL's asymmetric half.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

__all__ = ["from_der", "to_der"]


def from_der(signature: bytes, size: int) -> bytes:
    """r || s, of `size` octets together (RFC 7518 §3.4).

    Raises:
        ValueError: it is not DER, something follows it, or a number is negative or too large.

    >>> from_der(bytes.fromhex("3006020101020102"), 64).hex().replace("00", "")
    '0102'
    """
    r, s = decode_dss_signature(signature)
    if r < 0 or s < 0 or max(r, s).bit_length() > size * 4:
        raise ValueError("a number of the signature is out of range")
    return r.to_bytes(size // 2) + s.to_bytes(size // 2)


def to_der(signature: bytes) -> bytes:
    r"""The DER of r || s.

    >>> to_der(bytes(31) + b"\1" + bytes(31) + b"\2").hex()
    '3006020101020102'
    """
    half = len(signature) // 2
    return encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))

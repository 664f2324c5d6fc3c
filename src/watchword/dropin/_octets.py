"""Octets as callers and tokens spell them, for every drop-in that reads JOSE."""

from __future__ import annotations

from contextlib import suppress

from watchword.crypto.encoding import b64url_decode

__all__ = ["force_bytes", "from_base64url", "is_pem_format", "is_ssh_key"]


def force_bytes(value: str | bytes) -> bytes:
    r"""`value` as octets; text in UTF-8.

    Raises:
        TypeError: neither text nor octets. ValueError: text that has no UTF-8.

    >>> force_bytes("ä")
    b'\xc3\xa4'
    """
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise TypeError("Expected a string or bytes value")
    try:
        return value.encode()
    except UnicodeEncodeError:  # its text would show the value, which may be a secret
        raise ValueError("a text with half of a surrogate pair has no UTF-8") from None


def from_base64url(text: bytes) -> bytes:
    r"""What `text` encodes in base64url (RFC 4648 §5). Padding is taken if it is whole: AWS's load balancers write it.

    Raises:
        ValueError: another alphabet, stray bits, or padding that does not fill the text up.

    >>> from_base64url(b"__4"), from_base64url(b"__4=")
    (b'\xff\xfe', b'\xff\xfe')
    """
    try:
        return b64url_decode(text)
    except ValueError:
        stripped = text.rstrip(b"=")
    if not len(text) % 4 and 0 < len(text) - len(stripped) <= 2:
        with suppress(ValueError):
            return b64url_decode(stripped)
    raise ValueError("not base64url")


def is_pem_format(key: bytes) -> bool:
    """Whether there is a PEM (RFC 7468) in it.

    >>> is_pem_format(b"secret")
    False
    """
    return b"-----BEGIN " in key and b"-----END " in key


def is_ssh_key(key: bytes) -> bool:
    """Whether it begins as an OpenSSH public key does.

    >>> is_ssh_key(b"ssh-ed25519 AAAA")
    True
    """
    return key.startswith((b"ssh-ed25519", b"ssh-rsa", b"ssh-dss", b"ecdsa-sha2-nistp"))

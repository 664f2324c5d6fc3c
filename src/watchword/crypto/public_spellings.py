"""Recognising key files where a secret is asked for, in every spelling that peers were fooled by.

Whoever verifies HMAC with the octets of a public key as the secret lets everybody sign (RFC 8725 §2.1). No pattern here
is likely in random octets: the shortest has 40 bits fixed besides a length that must be exact.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64
from typing import Final

__all__ = ["looks_like_a_key_file"]

# PEM (RFC 7468) and RFC 4716 have their line anywhere: explanatory text may come before it.
_ARMOUR: Final = re.compile(rb"-----BEGIN [A-Z0-9 ]+-----|---- BEGIN SSH2 |PuTTY-User-Key-File-")
_SSH: Final = re.compile(rb"(?:ssh-(?:rsa|dss|ed25519|ed448)|ecdsa-sha2-|sk-ssh-|sk-ecdsa-)")  # RFC 4253 §6.6
_SSH_WIRE: Final = re.compile(rb"\x00\x00\x00.(?:ssh-|ecdsa-sha2-|sk-)", re.DOTALL)
# A JWK, a set (RFC 7517 §4.1, §5.1), a list of them, or the text of one as a JSON string.
_JWK: Final = re.compile(rb'[\[\s"]*\{.*"(?:kty|keys|\\u00..)[^"]*"\s*:', re.DOTALL)
_LENGTH: Final = rb"(?:[\x00-\x7f]|\x81.|\x82..)"
# After the outer SEQUENCE: SubjectPublicKeyInfo, certificate, PKCS #1 public, PKCS #1/#8/SEC 1 private.
_DER_INSIDE: Final = re.compile(
    rb"\x30" + _LENGTH + rb"\x06[\x03-\x0b][\x28-\x2b\x67]"  # an AlgorithmIdentifier starts with an OBJECT IDENTIFIER
    rb"|\x30" + _LENGTH + rb"\xa0\x03\x02\x01"  # a certificate says its version
    rb"|\x30\x82..\x02" + _LENGTH + rb"."  # unless that is 1
    rb"|\x02\x82..\x00"  # a modulus of 2048 bits or so
    rb"|\x02\x81[\x40-\xff]\x00"  # a smaller one
    rb"|\x02\x01[\x00\x01](?:\x30|\x02\x81|\x02\x82|\x04[\x1c-\x42])",
    re.DOTALL,
)


def looks_like_a_key_file(octets: bytes) -> bool:
    """Whether these octets are a public or private key, a certificate or a JWK, in any of their spellings.

    >>> looks_like_a_key_file(b"  ssh-ed25519 AAAAC3NzaC1lZDI1NTE5"), looks_like_a_key_file(b"a long secret of its own")
    (True, False)
    """
    if _is_one(octets):
        return True
    text = b"".join(octets.removeprefix(b"\xef\xbb\xbf").split())
    try:  # any of them, base64-encoded: DER without its armour, or a PEM or JWK that came by way of an environment
        inner = a2b_base64(text.translate(bytes.maketrans(b"-_", b"+/")) + b"==")
    except Error:
        return False
    return _is_one(inner)


def _is_one(octets: bytes) -> bool:
    """Whether this is a key in its own spelling, not encoded once more."""
    if _is_der(octets) or _SSH_WIRE.match(octets) or _ARMOUR.search(octets):
        return True
    text = octets.removeprefix(b"\xef\xbb\xbf").strip()
    return _SSH.match(text) is not None or _JWK.match(text) is not None


def _is_der(octets: bytes) -> bool:
    """Whether this is one DER SEQUENCE, to the last octet, that starts as keys and certificates do."""
    if len(octets) < 16 or octets[0] != 0x30:
        return False
    first, start = octets[1], 2
    if first > 0x82:
        return False
    if first > 0x80:
        start += first - 0x80
        length = int.from_bytes(octets[2:start])
    else:
        length = first
    return start + length == len(octets) and _DER_INSIDE.match(octets, start) is not None

"""Recognising keys and certificates where a secret is asked for, however they are spelt and wrapped.

Whoever verifies HMAC with the octets of a public key as the secret lets everybody sign (RFC 8725 §2.1). Nothing that is
recognised here is likely in random octets: it has 40 bits fixed at least.
"""

from __future__ import annotations

import re
from base64 import b32decode
from binascii import Error as Base64Error
from binascii import a2b_base64, unhexlify
from collections.abc import Iterator
from typing import Final

from watchword.core.rejection import ConfigurationError
from watchword.crypto.der import holds_a_key
from watchword.crypto.openpgp import holds_a_transferable_key

__all__ = ["looks_like_a_key_file", "refuse_key_files"]

# PEM (RFC 7468, RFC 9580 §6.2), RFC 4716 and XML have their line anywhere: other text may come before it.
_ARMOUR: Final = re.compile(
    rb"-----(?:BEGIN|END) [A-Z0-9 ]+-----|---- BEGIN SSH2 |PuTTY-User-Key-File-"
    rb"|<(?:\w+:)?(?:RSAKeyValue|ECKeyValue|DSAKeyValue|DEREncodedKeyValue|X509Certificate)\b"
)
_SSH: Final = re.compile(rb"(?:ssh-(?:rsa|dss|ed25519|ed448)|ecdsa-sha2-|sk-ssh-|sk-ecdsa-)[\w.@-]*+\s++AAAA")
# RFC 4253 §6.6: the name with its length. OpenSSH's own private keys begin with their name.
_SSH_WIRE: Final = re.compile(
    rb"\x00\x00\x00[\x04-\x40](?:ssh-|ecdsa-sha2-|sk-ssh-|sk-ecdsa-|rsa-sha2-|x509v3-)|openssh-key-v1\x00"
)
# A JWK (RFC 7517 §4.1), wherever in a text it is, in JSON, as one of its texts, or as YAML or Python show it.
_JWK: Final = re.compile(rb"""\bkty\\*+["']?\s*+:\s*+\\*+["']?(?:RSA|EC|OKP|oct|AKP)\b|["']keys\\*+["']\s*+:\s*+\[""")

_ESCAPED: Final = re.compile(rb"\\(?:u00([0-9A-Fa-f]{2})|x([0-9A-Fa-f]{2})|(.))|%([0-9A-Fa-f]{2})", re.DOTALL)
_CONTROLS: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_DATA: Final = re.compile(rb"\s*data:[^,]{0,200},", re.IGNORECASE)
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_-]{40,}")
_BASE32: Final = re.compile(rb"(?:[A-Z2-7]{8}){8,}[A-Z2-7]{0,7}+", re.IGNORECASE)
_HEX: Final = re.compile(rb"(?:[0-9A-Fa-f]{2}){24,}")
_BETWEEN_HEX: Final = re.compile(rb"0x|\\x|[\s:,;-]", re.IGNORECASE)
_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_SHORTEST: Final = 44
"""Octets of the shortest key in a structure, SubjectPublicKeyInfo of Ed25519; wrapped it is longer."""
_LAYERS: Final = 5
"""How often something may be wrapped: a PEM in base64 in JSON in base64."""
_LINES: Final = 8
"""How many lines may come before one that begins a key without its armour."""
_MOST: Final = 64
"""How many texts are looked into in each layer."""

# The uncompressed points of NIST's curves, Bitcoin's and the Brainpool ones (SEC 1 §2.3.3), by their length.
_CURVES: Final = {
    65: ("SECP256R1", "SECP256K1", "BrainpoolP256R1"),
    97: ("SECP384R1", "BrainpoolP384R1"),
    129: ("BrainpoolP512R1",),
    133: ("SECP521R1",),
}


def refuse_key_files(secret: bytes) -> None:
    """Nothing, unless this is a key or a certificate: a public key is no secret.

    Raises:
        ConfigurationError: it is. The message holds nothing of it.
    """
    if looks_like_a_key_file(secret):
        raise ConfigurationError(
            "this is a public or private key or a certificate (PEM, DER, SSH, JWK, OpenPGP), and a public key is no secret; "
            "load it with Key.from_pem or Key.from_jwk for its own algorithm (RFC 8725 §2.1)"
        )


def looks_like_a_key_file(octets: bytes) -> bool:
    """Whether these octets are or hold a public or private key, a certificate or a JWK.

    They are recognised in base64, base64url, base32 and hexadecimal digits, in UTF-16, within quotes, JSON and `data:` URLs, with
    escaped line ends and percent-encoding, and in several of these at once. Raw octets that are no structure, as the 32 of an
    Ed25519 key, look like those of a secret.

    >>> looks_like_a_key_file(b"  ssh-ed25519 AAAAC3NzaC1lZDI1NTE5"), looks_like_a_key_file(b"a long secret of its own")
    (True, False)
    """
    layer = [octets]
    for _ in range(_LAYERS):
        if any(map(_is_one, layer)):
            return True
        layer = list(dict.fromkeys(inner for outer in layer for inner in _unwrapped(outer)))[:_MOST]
        if not layer:
            return False
    return any(map(_is_one, layer))


def _is_one(octets: bytes) -> bool:
    """Whether this is a key in its own spelling, not wrapped once more."""
    return (
        holds_a_key(octets)
        or _SSH_WIRE.match(octets) is not None
        or _ARMOUR.search(octets) is not None
        or _SSH.search(octets) is not None
        or _JWK.search(octets) is not None
        or holds_a_transferable_key(octets)
        or _is_point(octets)
    )


def _is_point(octets: bytes) -> bool:
    """Whether this is a point of a curve, uncompressed: one text in 2**256 is, and begins like one."""
    names = _CURVES.get(len(octets))
    if names is None or octets[0] != 0x04:
        return False
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 -- loads OpenSSL's asymmetric half

    for name in names:
        try:
            ec.EllipticCurvePublicKey.from_encoded_point(getattr(ec, name)(), octets)
        except ValueError:
            continue
        return True
    return False


# ---- wrappings ---------------------------------------------------------------------------------------------------------


def _unwrapped(octets: bytes) -> Iterator[bytes]:
    """What these octets may hold, one wrapping taken off."""
    if len(octets) < _SHORTEST:
        return
    if octets[:1] in b"\x03\x04" and len(octets) > 2:  # a string of DER around a point
        yield octets[2:] if octets[1] < 0x80 else octets[3:]
    for end in (b"\n", b"\r\n"):  # an editor's; a key may itself end in one of these octets
        if octets.endswith(end):
            yield octets.removesuffix(end)
    if address := _DATA.match(octets):
        yield octets[address.end() :]
    if octets.count(0) * 3 > len(octets):  # UTF-16 and UTF-32
        yield octets.replace(b"\0", b"").strip(b"\xff\xfe")
    if b"\\" in octets or b"%" in octets:
        yield _ESCAPED.sub(_unescaped, octets)
    lines = octets.split()
    for count in range(min(len(lines), _LINES)):
        for run in _BASE64.findall(b"".join(lines[count:])):
            yield _from_base64(run)
    for line in lines[:_MOST]:
        for run in _BASE64.findall(line):
            yield _from_base64(run)
    for run in _BASE32.findall(b"".join(lines)):
        yield _from_base32(run)
    for run in _HEX.findall(_BETWEEN_HEX.sub(b"", octets)):
        yield unhexlify(run)


def _unescaped(found: re.Match[bytes]) -> bytes:
    digits = found[1] or found[2] or found[4]
    if digits is not None:
        return unhexlify(digits)
    return _CONTROLS.get(found[3], found[3])


def _from_base64(run: bytes) -> bytes:
    whole = run[:-1] if len(run) % 4 == 1 else run
    try:
        return a2b_base64(whole.translate(_STANDARD) + b"==")
    except Base64Error:
        return b""


def _from_base32(run: bytes) -> bytes:
    try:
        return b32decode(run + b"=" * (-len(run) % 8), casefold=True)
    except Base64Error:
        return b""

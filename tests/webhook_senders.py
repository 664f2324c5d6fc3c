"""Every sender of webhooks that is known by name, with secrets for both halves and a body that it might send."""

from __future__ import annotations

import base64
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from watchword.schemes.webhooks import PROFILES, WebhookProfile

NOW = 1_700_000_000.0
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Sender(NamedTuple):
    """What one sender signs with, and what its receiver is given; `stranger` is somebody else's, to sign with."""

    profile: str
    signing: str
    verifying: str
    stranger: str
    body: bytes
    headers: dict[str, str]

    @property
    def row(self) -> WebhookProfile:
        return PROFILES[self.profile]


def ecdsa_pair(number: int) -> tuple[str, str]:
    """A private and a public key of P-256, in base64 of DER."""
    private: EllipticCurvePrivateKey = derive_private_key(number, SECP256R1())
    pkcs8 = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    spki = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(pkcs8).decode(), base64.b64encode(spki).decode()


def ed25519_pair(seed: bytes) -> tuple[str, str]:
    """A private and a public key of Ed25519, in hexadecimal digits."""
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    return seed.hex(), public.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def _secrets(row: WebhookProfile) -> tuple[str, str, str]:
    if row.algorithm == "ed25519":
        return *ed25519_pair(bytes(range(32))), bytes(range(1, 33)).hex()
    if row.algorithm == "ecdsa-p256-sha256":
        return *ecdsa_pair(7), ecdsa_pair(8)[0]
    shared, other = bytes(range(32)), bytes(range(1, 33))
    if row.secret == "hex":
        return shared.hex(), shared.hex(), other.hex()
    if row.secret == "whsec":
        spelt = ["whsec_" + base64.b64encode(octets).decode() for octets in (shared, other)]
        return spelt[0], spelt[0], spelt[1]
    return "a shared secret", "a shared secret", "a secret of others"


def _sender(row: WebhookProfile) -> Sender:
    signing, verifying, stranger = _secrets(row)
    if "form" in row.parts:
        return Sender(row.name, signing, verifying, stranger, b"CallSid=CA1&From=%2B1415&Text=a+b%20c", FORM)
    body = b'{"type":"invoice.paid","data":{"n":1}}'
    if row.timestamp_member:
        body = b'{"type":"invoice.paid","%b":%d}' % (row.timestamp_member.encode(), NOW * 1000)
    return Sender(row.name, signing, verifying, stranger, body, JSON)


SENDERS = {name: _sender(row) for name, row in PROFILES.items()}

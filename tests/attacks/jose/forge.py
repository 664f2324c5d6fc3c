"""Tokens as attackers write them: any header, any payload, any signature, spelled as they like."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from watchword import JWTVerifier, Key, Reason, Rejected
from watchword.crypto.encoding import b64url_encode

NOW = 1_700_000_000
SECRET = bytes(range(32))
KEY = Key.from_secret(SECRET, algorithm="HS256", key_id="k1")
CLAIMS = {"sub": "admin", "exp": NOW + 60}
VERIFIER = JWTVerifier(KEY, clock=lambda: NOW)
RSA = rsa.generate_private_key(65537, 2048)
PUBLIC_PEM = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def segment(value):
    return b64url_encode(value if isinstance(value, bytes) else json.dumps(value).encode())


def forge(header, payload=CLAIMS, *, secret=SECRET):
    """A token with a genuine HMAC under `secret`, or with an empty signature."""
    signing_input = segment(header) + b"." + segment(payload)
    signature = b"" if secret is None else hmac.digest(secret, signing_input, hashlib.sha256)
    return (signing_input + b"." + b64url_encode(signature)).decode()


def assert_unread(work):
    """Of `tests.counting.calls`: neither decoded nor authenticated, and not walked through."""
    assert not {"a2b_base64", "b64url_decode", "hmac_digest"} & work.keys()
    assert work.total() < 2000


def refused(token, verifier=VERIFIER):
    """Why; before and after the verifier has seen a genuine token."""
    reasons = set()
    for _ in range(2):
        with pytest.raises(Rejected) as caught:
            verifier.verify(token)
        reasons.add(caught.value.reason)
        if verifier is VERIFIER:
            assert verifier.verify(forge({"alg": "HS256", "kid": "k1"})).subject == "admin"
    (reason,) = reasons
    assert isinstance(reason, Reason)
    return reason

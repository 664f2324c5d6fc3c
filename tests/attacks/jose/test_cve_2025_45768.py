"""CVE-2025-45768 (PyJWT): keys that are too short to keep anything (RFC 7518 §3.2, §3.3)."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from watchword import ConfigurationError, Key
from watchword.crypto.encoding import b64url_encode
from watchword.dropin import jwt


ENFORCING = jwt.PyJWT({"enforce_minimum_key_length": True})
"""Else the drop-in warns, as PyJWT does, of keys that nothing else here takes: tests/dropin/test_jwt_keys.py."""


@pytest.mark.parametrize(("name", "least"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_a_secret_has_the_size_of_its_hash(name, least):
    jwk = {"kty": "oct", "alg": name, "k": b64url_encode(bytes(range(least - 1))).decode()}
    for make in (
        lambda: Key.from_secret(bytes(range(least - 1)), algorithm=name),
        lambda: Key.from_jwk(jwk),
        lambda: ENFORCING.encode({}, jwt.PyJWK(jwk)),
        lambda: ENFORCING.encode({}, bytes(range(least - 1)), algorithm=name),
    ):
        with pytest.raises(ConfigurationError, match=str(least)):
            make()
    assert Key.from_secret(bytes(range(least)), algorithm=name).can_sign


def test_a_modulus_has_2048_bits():
    key = rsa.generate_private_key(65537, 1024)
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for make in (
        lambda: Key.from_pem(pem, algorithm="RS256"),
        lambda: Key.from_openssl(key, algorithm="RS256"),
        lambda: ENFORCING.encode({}, key, algorithm="PS256"),
    ):
        with pytest.raises(ConfigurationError, match="2048"):
            make()

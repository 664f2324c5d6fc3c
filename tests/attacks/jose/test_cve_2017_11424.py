"""CVE-2017-11424 (PyJWT), CVE-2023-48223 (fast-jwt): a public key in PKCS #1 as an HMAC secret."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization

from tests.attacks.jose.forge import NOW, RSA, forge, refused
from watchword import ConfigurationError, JWTVerifier, Key, Reason
from watchword.dropin import jwt

PKCS1 = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1)


@pytest.mark.parametrize("public", [PKCS1, PKCS1.strip(), PKCS1.replace(b"\n", b"\r\n"), PKCS1.replace(b"\n", b"")])
def test_a_pkcs1_public_key_is_no_secret(public):
    forged = forge({"alg": "HS256"}, secret=public)
    with pytest.raises(jwt.InvalidKeyError, match="no secret"):
        jwt.decode(forged, public, algorithms=["HS256", "RS256"])
    with pytest.raises(ConfigurationError, match="no secret"):
        Key.from_secret(public, algorithm="HS256")


def test_the_key_itself_serves_for_its_own_algorithm():
    verifier = JWTVerifier(Key.from_pem(PKCS1, algorithm="RS256"), clock=lambda: NOW)
    assert refused(forge({"alg": "HS256"}, secret=PKCS1), verifier) is Reason.WRONG_ALGORITHM
    token = jwt.encode({"sub": "alice"}, RSA, algorithm="RS256")
    assert verifier.verify(token).subject == "alice"
    assert jwt.decode(token, PKCS1, algorithms=["HS256", "RS256"]) == {"sub": "alice"}

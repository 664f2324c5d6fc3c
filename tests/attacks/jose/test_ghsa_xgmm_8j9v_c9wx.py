"""GHSA-xgmm-8j9v-c9wx, -r6x4-923q-g947, -ffc3-869f-jxw9, -p4g4-x82p-q773, -w2cx-738m-mc7w (PyJWT): other spellings.

A public key as a JWK, a JWK set or a list of JWKs, behind a byte order mark, in base64, or in DER, as an HMAC secret.
"""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives import serialization

from tests.attacks.jose.forge import PUBLIC_PEM, RSA, forge
from watchword import ConfigurationError, Key
from watchword.dropin import jwt

JWK = Key.from_pem(PUBLIC_PEM, algorithm="RS256").to_jwk()
TEXT = json.dumps(JWK).encode()
DER = RSA.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
PKCS1 = RSA.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
SPELLINGS = {
    "JWK": TEXT,
    "JWK, indented": json.dumps(JWK, indent=2).encode(),
    "JWK, kty last": json.dumps({"n": JWK["n"], "e": JWK["e"], "kty": "RSA"}).encode(),
    "JWK, escaped": TEXT.replace(b'"kty"', b'"\\u006bty"'),
    "JWK, byte order mark": b"\xef\xbb\xbf" + TEXT,
    "JWK, white space": b"\n\t " + TEXT + b"\n",
    "JWK set": json.dumps({"keys": [JWK]}).encode(),
    "list of JWKs": json.dumps([JWK]).encode(),
    "text of a JWK": json.dumps(TEXT.decode()).encode(),
    "PEM, byte order mark": b"\xef\xbb\xbf" + PUBLIC_PEM,
    "PEM, in base64": base64.b64encode(PUBLIC_PEM),
    "JWK, in base64url": base64.urlsafe_b64encode(TEXT),
    "DER": DER,
    "DER, in base64": base64.b64encode(DER),
    "DER, in base64url": base64.urlsafe_b64encode(DER).rstrip(b"="),
    "DER of PKCS #1": PKCS1,
    "DER of PKCS #1, in base64": base64.encodebytes(PKCS1),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_public_key_is_no_secret_however_it_is_spelled(spelling):
    public = SPELLINGS[spelling]
    with pytest.raises(ConfigurationError, match="no secret"):
        Key.from_secret(public, algorithm="HS256")
    with pytest.raises(jwt.InvalidKeyError, match="no secret"):
        jwt.decode(forge({"alg": "HS256"}, secret=public), public, algorithms=["HS256", "RS256"])

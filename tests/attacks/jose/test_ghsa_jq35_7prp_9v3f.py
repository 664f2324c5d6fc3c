"""GHSA-jq35-7prp-9v3f (PyJWT): the header names a permitted algorithm, the key verifies by another one."""

from __future__ import annotations

import json

import pytest

from tests.attacks.jose.forge import CLAIMS, NOW, RSA, refused, segment
from watchword import JWTVerifier, Key, KeySet, Reason
from watchword.crypto.encoding import b64url_encode
from watchword.dropin import jwt


@pytest.mark.parametrize(("named", "made"), [("RS256", "RS512"), ("RS512", "RS256"), ("PS256", "RS256")])
def test_header_key_and_permission_have_to_agree(named, made):
    signer = Key.from_openssl(RSA, algorithm=made, key_id="k1")
    signing_input = segment({"alg": named, "kid": "k1"}) + b"." + segment(json.dumps(CLAIMS).encode())
    token = (signing_input + b"." + b64url_encode(signer.sign(signing_input))).decode()
    jwk = signer.to_jwk()
    for permitted in ([named], [made], [named, made], None):
        with pytest.raises(jwt.InvalidAlgorithmError):
            jwt.decode(token, jwt.PyJWK(jwk), algorithms=permitted)
    verifier = JWTVerifier(KeySet.from_jwks({"keys": [jwk]}), clock=lambda: NOW)
    assert refused(token, verifier) is Reason.WRONG_ALGORITHM

"""GHSA-8wjv-2p76-3863, GHSA-w6j9-cwv2-h6wq (PyJWT): nesting and malformed sets that end in another error than is declared."""

from __future__ import annotations

import json

import pytest

from tests.attacks.jose.forge import SECRET, VERIFIER, forge
from watchword import Key, KeySet, Rejected
from watchword.dropin import jwt

DEEP = [b"[" * 5000, b'{"a":' * 2000, b'{"a":' + b"[" * 4000 + b"]" * 4000 + b"}", b'{"a":' * 40 + b"1" + b"}" * 40]


@pytest.mark.parametrize("deep", DEEP, ids=range(len(DEEP)))
def test_nesting_is_an_error_as_any_other(deep):
    for token in (forge(deep), forge({"alg": "HS256", "kid": "k1"}, deep)):
        with pytest.raises(Rejected):
            VERIFIER.verify(token)
        with pytest.raises(jwt.DecodeError):
            jwt.decode(token, SECRET, algorithms=["HS256"])
        with pytest.raises(jwt.DecodeError):
            jwt.decode(token, options={"verify_signature": False})
    with pytest.raises(jwt.InvalidKeyError):
        jwt.PyJWK.from_json(deep)
    with pytest.raises(jwt.PyJWKSetError):
        jwt.PyJWKSet.from_json(deep)


@pytest.mark.parametrize(
    "member",
    [None, 7, "text", [], [[]], {}, {"kty": None}, {"kty": {}}, {"kty": "RSA", "n": 1, "e": 1}, {"kty": "EC", "crv": []},
     {"kty": "oct", "k": {}}, {"kty": "OKP", "crv": "Ed25519", "x": None}, {"kty": "RSA", "alg": [], "n": "AQAB", "e": "AQAB"},
     {"kty": "RSA", "kid": 7}, {"kty": "EC", "crv": "P-256", "x": "", "y": "", "key_ops": 7}],
)  # fmt: skip
def test_one_bad_member_spoils_no_set(member):
    good = Key.generate("ES256", key_id="good").to_jwk()
    data = {"keys": [member, good]}
    assert [key.key_id for key in jwt.PyJWKSet.from_dict(data)] == ["good"]
    assert [key.key_id for key in KeySet.from_jwks(json.dumps(data)).keys] == ["good"]

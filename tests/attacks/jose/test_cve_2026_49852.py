"""CVE-2026-49852 (joserfc), CVE-2026-44351 (fast-jwt), GHSA-pxh4-856f-4h89 (PyJWT): an empty secret, which everybody knows."""

from __future__ import annotations

import pytest

from tests.attacks.jose.forge import forge
from watchword import ConfigurationError, Key, KeySet
from watchword.dropin import jwt

TOKEN = forge({"alg": "HS256"}, secret=b"")


@pytest.mark.parametrize("key", ["", b"", None, {}, [], "\0", b"\0" * 31, " " * 31])
def test_nothing_is_no_secret(key):
    with pytest.raises(ConfigurationError):
        Key.from_secret(key, algorithm="HS256")
    error = jwt.InvalidKeyError if isinstance(key, (str, bytes)) else TypeError
    for options in ({}, {"enforce_minimum_key_length": False}, {"enforce_minimum_key_length": True}):
        with pytest.raises(error):
            jwt.decode(TOKEN, key, algorithms=["HS256"], options=options)
        with pytest.raises(error):
            jwt.PyJWT(options).encode({"sub": "admin"}, key)


@pytest.mark.parametrize("k", ["", "AA", None, 0, [], "===="])
def test_nor_is_it_in_a_jwk(k):
    jwk = {"kty": "oct", "alg": "HS256", "k": k, "kid": "1"}
    for make in (Key.from_jwk, lambda members: KeySet.from_jwks({"keys": [members]}), jwt.PyJWK):
        with pytest.raises(ConfigurationError):
            make(jwk)
    with pytest.raises(jwt.PyJWKSetError):
        jwt.PyJWKSet([jwk])
    with pytest.raises(ConfigurationError):
        Key.from_jwk({"kty": "oct", "alg": "HS256"})

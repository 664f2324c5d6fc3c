"""CVE-2026-27962 (Authlib): no key is configured for a token, so the one in its own header is taken (RFC 7515 §4.1.3)."""

from __future__ import annotations

import json

import pytest

from tests.attacks.jose.forge import CLAIMS, NOW, refused
from watchword import ConfigurationError, JWTVerifier, Key, KeySet, Reason
from watchword.crypto import jose
from watchword.dropin import jwt

ATTACKER = Key.generate("ES256", key_id="k1")
TOKEN = jose.sign(json.dumps(CLAIMS).encode(), ATTACKER, header={"jwk": ATTACKER.to_jwk()})


@pytest.mark.parametrize("keys", [None, "", [], {}, ()])
def test_without_a_key_nothing_is_verified(keys):
    with pytest.raises(ConfigurationError):
        JWTVerifier(keys)
    with pytest.raises(jwt.InvalidKeyError if keys == "" else TypeError):
        jwt.decode(TOKEN, keys, algorithms=["ES256"])
    with pytest.raises(ConfigurationError):
        KeySet([])


def test_a_key_of_the_same_name_is_not_replaced_by_it():
    ours = Key.generate("ES256", key_id="k1")
    verifier = JWTVerifier(ours, clock=lambda: NOW)
    assert refused(TOKEN, verifier) is Reason.WRONG_SIGNATURE
    assert refused(TOKEN, JWTVerifier(Key.generate("ES256", key_id="k2"), clock=lambda: NOW)) is Reason.UNKNOWN_KEY
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(TOKEN, ours, algorithms=["ES256"])

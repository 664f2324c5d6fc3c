"""A token that brings its own key: jwk, jku, x5u, x5c, and key ids that are paths or queries (CVE-2018-0114, RFC 8725 §3.10)."""

from __future__ import annotations

import json
import socket

import pytest

from tests.attacks.jose.forge import NOW, VERIFIER, forge, refused, segment
from watchword import JWTVerifier, Key, KeySet, Reason
from watchword.crypto.encoding import b64url_encode

MINE = Key.generate("HS256")
OWN_JWK = {"kty": "oct", "k": b64url_encode(MINE.secret_bytes()).decode(), "alg": "HS256"}


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("a header made us connect somewhere")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize(
    "header",
    [
        {"jwk": OWN_JWK}, {"jwk": OWN_JWK, "kid": "k1"}, {"jku": "https://evil.example/jwks.json"},
        {"x5u": "https://evil.example/cert.pem"}, {"x5c": ["MIIB"]}, {"x5t": "AAAA"}, {"jwk": OWN_JWK, "jku": "http://[::1]/"},
    ],
)  # fmt: skip
def test_a_key_in_the_header_is_never_used(header, no_network):
    assert refused(forge({"alg": "HS256", **header}, secret=MINE.secret_bytes())) is Reason.WRONG_SIGNATURE


def test_an_embedded_public_key_is_never_used(no_network):
    attacker = Key.generate("EdDSA")
    signing_input = (
        segment({"alg": "EdDSA", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}}) + b"." + segment({})
    )
    token = (signing_input + b"." + segment(attacker.sign(signing_input))).decode()
    assert refused(token, JWTVerifier(Key.generate("EdDSA"), clock=lambda: NOW)) is Reason.WRONG_SIGNATURE


KEY_IDS = ["../../../../dev/null", "/dev/null", "/proc/sys/kernel/randomize_va_space", "k1' OR '1'='1", "k1\0", "K1", "k1 ", "",
           "http://evil.example/k1", "a" * 4000, "__class__", "\u212a1"]  # fmt: skip


@pytest.mark.parametrize("key_id", KEY_IDS)
@pytest.mark.parametrize("secret", [b"", b"\n", b"2\n", bytes(range(32))])
def test_a_key_id_is_looked_up_and_nothing_else(key_id, secret, no_network):
    assert refused(forge({"alg": "HS256", "kid": key_id}, secret=secret)) is Reason.UNKNOWN_KEY


@pytest.mark.parametrize("key_id", [None, 1, True, ["k1"], {"k1": 1}, 1.5])
def test_a_key_id_is_a_text(key_id):
    assert refused(forge({"alg": "HS256", "kid": key_id})) is Reason.MALFORMED_CREDENTIALS


def test_bogus_key_ids_cost_no_signature_check():
    tried = []
    keys = [Key.generate("HS256", key_id=str(number)) for number in range(50)]
    for key in keys:
        key.verifier = lambda data, signature: tried.append(1)
    refused(forge({"alg": "HS256", "kid": "x"}), JWTVerifier(KeySet(keys), clock=lambda: NOW))
    refused(forge({"alg": "HS256"}), JWTVerifier(KeySet(keys), clock=lambda: NOW))
    assert not tried


def test_the_header_is_data_and_so_may_hold_anything_unused():
    token = forge({"alg": "HS256", "jwk": OWN_JWK, "jku": "https://evil.example"})
    assert VERIFIER.verify(token).key_id == "k1"
    assert json.loads(json.dumps(OWN_JWK))["k"] not in repr(VERIFIER)

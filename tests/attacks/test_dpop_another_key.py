"""Proofs by keys that the token doesn't name, or that prove nothing: foreign, of another type, weak, or no keys at all."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.schemes.dpop_world import CLIENT, TOKEN, guard_at, proof_of, refusal_of, request_with, token_for, verifier
from watchword import Guard, Key, Policy, Reason, Rejected
from watchword.crypto.encoding import b64url_encode
from watchword.schemes.dpop.proof import PROOF_ALGORITHMS, ath_of, key_in
from watchword.stores import MemoryStore
from watchword.testing import Clock

P256, P384 = CLIENT.to_jwk(), Key.generate("ES384").to_jwk()
RSA, ED = Key.generate("RS256").to_jwk(), Key.generate("EdDSA").to_jwk()


def number(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()


def octets(value: bytes) -> str:
    return b64url_encode(value).decode()


KEYS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "P-384 for ES256": ("ES256", P384),
    "P-384 that calls itself P-256": ("ES256", {**P384, "crv": "P-256"}),
    "P-256 for ES384": ("ES384", P256),
    "P-256 for ES256K": ("ES256K", P256),
    "EC for RS256": ("RS256", P256),
    "EC that calls itself RSA": ("ES256", {**P256, "kty": "RSA"}),
    "OKP for ES256": ("ES256", ED),
    "EC for EdDSA": ("EdDSA", P256),
    "X25519 for EdDSA": ("EdDSA", {"kty": "OKP", "crv": "X25519", "x": octets(bytes([7]) * 32)}),
    "a point that is not on the curve": ("ES256", {**P256, "y": P256["x"]}),
    "a point at zero": ("ES256", {**P256, "x": octets(bytes(32)), "y": octets(bytes(32))}),
    "a coordinate too long": ("ES256", {**P256, "x": octets(bytes(33))}),
    "a coordinate too short": ("ES256", {**P256, "x": octets(bytes(31))}),
    "a padded coordinate": ("ES256", {**P256, "x": P256["x"] + "="}),
    "a point of small order": ("EdDSA", {**ED, "x": octets(b"\x01" + bytes(31))}),
    "another point of small order": ("Ed25519", {**ED, "x": octets(bytes(32))}),
    "exponent 1": ("RS256", {**RSA, "e": "AQ"}),
    "an even exponent": ("RS256", {**RSA, "e": "Ag"}),
    "an exponent as long as the modulus": ("RS256", {**RSA, "e": RSA["n"]}),
    "a short modulus": ("RS256", {**RSA, "n": number(2**1023 + 1)}),
    "an endless modulus": ("RS256", {**RSA, "n": number(2**40000 + 1)}),
    "members that are no texts": ("ES256", {"kty": "EC", "crv": ["P-256"], "x": {}, "y": None}),
    "a type that is a list": ("ES256", {**P256, "kty": ["EC"]}),
    "half of a surrogate pair": ("ES256", {**P256, "x": "\ud800"}),
    "nothing": ("ES256", {}),
    "a private key": ("ES256", CLIENT.to_jwk(private=True)),
    "a shared secret": ("ES256", {**P256, "k": "c2VjcmV0"}),
}


@pytest.mark.parametrize("name", KEYS)
def test_what_proves_nothing_is_no_key(name: str):
    algorithm, jwk = KEYS[name]
    members = {member: value for member, value in jwk.items() if member not in ("alg", "use")}
    with pytest.raises(Rejected) as caught:
        key_in({"alg": algorithm, "jwk": members}, PROOF_ALGORITHMS)
    assert (caught.value.reason, caught.value.rejection.where) == (Reason.MALFORMED_CREDENTIALS, "dpop jwk")
    assert not any(
        isinstance(value, str) and len(value) > 20 and value in str(caught.value) for value in members.values()
    )


@pytest.mark.parametrize("algorithm", ["none", "HS256", "hs256", "es256", "dir", "ECDH-ES", ""])
def test_an_algorithm_that_proves_nothing_is_refused(algorithm: str):
    with pytest.raises(Rejected) as caught:
        key_in({"alg": algorithm, "jwk": P256}, PROOF_ALGORITHMS)
    assert (caught.value.reason, caught.value.rejection.where) == (Reason.WRONG_ALGORITHM, "dpop alg")


def test_what_a_key_says_of_itself_changes_nothing():
    """Whose key it is follows from what makes it; names, uses and addresses beside it are the sender's own words."""
    clock, other = Clock(), Key.generate("ES256")
    public = {name: other.to_jwk()[name] for name in ("kty", "crv", "x", "y")}
    words = {"kid": "issuer", "jkt": CLIENT.thumbprint(), "x5t#S256": CLIENT.thumbprint(), "n": RSA["n"], "e": RSA["e"]}
    header = {"jwk": {**public, **words}, "kid": "issuer", "jku": "https://evil.example", "x5c": ["AA"]}
    request = request_with(proof_of(clock, by=other, header=header))
    assert refusal_of(guard_at(clock), request)[:2] == (Reason.BINDING_MISMATCH, "cnf jkt")


def raw(head: str, claims: str) -> str:
    signing_input = b64url_encode(head.encode()) + b"." + b64url_encode(claims.encode())
    return (signing_input + b"." + b64url_encode(CLIENT.sign(signing_input))).decode()


@pytest.mark.parametrize("place", ["jwk", "jwk member", "alg", "htu"])
def test_a_member_that_is_said_twice_is_refused_at_every_depth(place: str):
    clock, other = Clock(), Key.generate("ES256").to_jwk()
    key = json.dumps({name: P256[name] for name in ("kty", "crv", "x", "y")})
    claims = json.dumps(
        {"jti": "j", "htm": "GET", "htu": "https://api.example/orders", "iat": int(clock.now), "ath": ath_of(TOKEN.encode())}
    )  # fmt: skip
    head = f'{{"typ":"dpop+jwt","alg":"ES256","jwk":{key}}}'
    guard_at(clock).verify(request_with(raw(head, claims)))
    if place == "jwk":
        head = f'{head[:-1]},"jwk":{json.dumps(other)}}}'
    elif place == "jwk member":
        head = head.replace(key, f'{key[:-1]},"x":"{other["x"]}"}}')
    elif place == "alg":
        head = f'{head[:-1]},"alg":"ES384"}}'
    else:
        claims = f'{claims[:-1]},"htu":"https://api.example/admin"}}'
    assert refusal_of(guard_at(clock), request_with(raw(head, claims)))[:2] == (Reason.MALFORMED_CREDENTIALS, "dpop")


@pytest.mark.parametrize(
    "cnf",
    [
        {"jkt": CLIENT.thumbprint() + "="}, {"jkt": [CLIENT.thumbprint()]}, [{"jkt": CLIENT.thumbprint()}],
        {"jwk": {"jkt": CLIENT.thumbprint()}}, {"JKT": CLIENT.thumbprint()}, {"jkt": CLIENT.thumbprint().swapcase()},
        {"jkt": CLIENT.thumbprint(), "kid": "a"}, {"jkt": ""}, {"jkt": None}, {"jkt": True}, {"jkt": "\ud800"}, {}, None, "jkt",
    ],
)  # fmt: skip
def test_a_token_that_names_the_key_in_another_way_is_not_bound_to_it(cnf: object):
    clock, token = Clock(), token_for(CLIENT, cnf=cnf)
    request = request_with(proof_of(clock, ath=ath_of(token.encode())), token)
    reason, where, challenge = refusal_of(guard_at(clock), request)
    assert reason in (Reason.BINDING_MISMATCH, Reason.BINDING_MISSING, Reason.WRONG_CLAIM)
    assert where.startswith("cnf")
    assert b'error="invalid_token"' in challenge


@pytest.mark.parametrize("joined", [", ", ",", " "])
def test_two_proofs_that_a_proxy_made_one_field_of_are_none(joined: str):
    clock = Clock()
    both = joined.join((proof_of(clock), proof_of(clock, jti="another")))
    assert refusal_of(guard_at(clock), request_with(both))[:2] == (Reason.MALFORMED_CREDENTIALS, "dpop")


def test_keys_of_refused_requests_are_not_remembered():
    clock, remembering = Clock(), verifier()
    guard = Guard([remembering], MemoryStore(clock=clock), policy=Policy(clock=clock))
    for count in range(50):
        refusal_of(guard, request_with(proof_of(clock, by=Key.generate("EdDSA"), jti=str(count))))
    assert len(remembering._provers) == 0
    guard.verify(request_with(proof_of(clock)))
    assert len(remembering._provers) == 1

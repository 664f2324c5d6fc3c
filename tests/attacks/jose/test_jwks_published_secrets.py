"""Keys that a publisher ought not to publish prove nothing; keys for something else are not used to verify."""

from __future__ import annotations

import json

import pytest

from tests.stores.issuer import Issuer, new_key
from watchword import Guard, JWTVerifier, Key, KeySet, Policy, Reason, Rejected, Request
from watchword.crypto.encoding import b64url_encode

GOOD = new_key("good")
SECRET = Key.from_secret(bytes(range(32)), algorithm="HS256", key_id="s")
PRIVATE = new_key("private")


def rejected(issuer, remote, token):
    guard = Guard([JWTVerifier(remote, clock=issuer.clock)], policy=Policy(clock=issuer.clock))
    with pytest.raises(Rejected) as caught:
        guard.verify(Request("GET", "https", "a", "/", {"Authorization": f"Bearer {token}"}))
    return caught.value.reason


@pytest.mark.parametrize(
    ("jwk", "key"),
    [
        (SECRET.to_jwk(private=True), SECRET),
        ({**GOOD.to_jwk(), "kid": "s", "k": b64url_encode(bytes(range(32))).decode(), "alg": "HS256"}, SECRET),
        (PRIVATE.to_jwk(private=True), PRIVATE),
        ({**PRIVATE.to_jwk(), "use": "enc"}, PRIVATE),
        ({**PRIVATE.to_jwk(), "key_ops": ["deriveKey"]}, PRIVATE),
        ({**PRIVATE.to_jwk(), "key_ops": ["sign"]}, PRIVATE),
        ({**PRIVATE.to_jwk(), "alg": "none"}, PRIVATE),
        ({**PRIVATE.to_jwk(), "alg": "HS256"}, PRIVATE),
        ({**PRIVATE.to_jwk(), "alg": "ES384"}, PRIVATE),
        ({**PRIVATE.to_jwk(), "alg": ["ES256"]}, PRIVATE),
        ({**PRIVATE.to_jwk(), "crv": "P-384"}, PRIVATE),
        ({**PRIVATE.to_jwk(), "x": PRIVATE.to_jwk()["y"]}, PRIVATE),
    ],
)
def test_such_a_key_is_passed_over_and_the_others_serve(jwk, key):
    with Issuer() as issuer:
        issuer.body = json.dumps({"keys": [jwk, GOOD.to_jwk()]}).encode()
        remote = issuer.remote()
        remote.refresh()  # no token that a secret signed has them fetched
        assert rejected(issuer, remote, issuer.token(key)) in {Reason.UNKNOWN_KEY, Reason.WRONG_ALGORITHM}
        assert [len(remote.snapshot()), len(remote.snapshot().skipped)] == [1, 1]
        assert JWTVerifier(remote, clock=issuer.clock).verify(issuer.token(GOOD)).key_id == "good"


def test_a_second_key_under_a_known_key_id_does_not_replace_the_first():
    usurper = new_key("good")
    with Issuer() as issuer:
        issuer.body = json.dumps({"keys": [GOOD.to_jwk(), usurper.to_jwk(), GOOD.to_jwk()]}).encode()
        remote = issuer.remote()
        assert rejected(issuer, remote, issuer.token(usurper)) is Reason.WRONG_SIGNATURE
        assert [skipped.key_id for skipped in remote.snapshot().skipped] == ["good", "good"]


def test_a_key_that_names_no_algorithm_is_bound_to_one_and_never_to_two():
    rsa = Key.generate("RS256", key_id="r")
    jwk = {name: value for name, value in rsa.to_jwk().items() if name != "alg"}
    other = Key.from_jwk({**rsa.to_jwk(private=True), "alg": "PS256"})
    with Issuer() as issuer:
        issuer.body = json.dumps({"keys": [jwk, GOOD.to_jwk()]}).encode()
        bound = issuer.remote(algorithms=["RS256", "ES256"])
        bound.refresh()
        assert rejected(issuer, bound, issuer.token(other)) is Reason.WRONG_ALGORITHM
        assert JWTVerifier(bound, clock=issuer.clock).verify(issuer.token(rsa)).key_id == "r"
        both = issuer.remote(algorithms=["RS256", "PS256", "ES256"])
        assert rejected(issuer, both, issuer.token(rsa)) in {Reason.UNKNOWN_KEY, Reason.WRONG_ALGORITHM}
        assert "both fit" in both.snapshot().skipped[0].reason


def test_a_published_set_shows_no_secret_and_no_private_part():
    shown = json.dumps(KeySet([SECRET, PRIVATE, Key.generate("RS256", key_id="r")]).to_jwks())
    members = set().union(*json.loads(shown)["keys"])
    assert members <= {"kty", "crv", "x", "y", "n", "e", "alg", "use", "kid"}
    assert '"s"' not in shown

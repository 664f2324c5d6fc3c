"""Claims of every kind in a proof that is signed well: nothing else than a verdict comes of them, and no secret is shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.schemes.dpop_world import CLIENT, TOKEN, guard_at, proof_of, refusal_of, request_with
from watchword import Guard, Identity, Reason, Rejected, Request, explain
from watchword.crypto.encoding import b64url_encode
from watchword.schemes.dpop.proof import read_proof
from watchword.testing import Clock

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = ("jti", "htm", "htu", "iat", "ath", "nonce", "exp", "nbf")


def judged(guard: Guard, request: Request) -> Identity[Any] | Rejected:
    try:
        return guard.verify(request)
    except Rejected as rejected:
        return rejected


@given(name=st.sampled_from(NAMES), value=JSON, nonces=st.booleans())
def test_any_claim_gives_a_verdict_and_an_explanation_that_agrees(name: str, value: Any, nonces: bool):
    clock = Clock()
    request = request_with(proof_of(clock, **{name: value}))
    guard = guard_at(clock, nonces=nonces)
    verdict = judged(guard, request)
    explanation = explain(request, guard_at(clock, nonces=nonces), at=clock.now)
    if isinstance(verdict, Rejected) and name != "nonce":
        assert verdict.refusal is not None
        assert verdict.refusal.response().status in (400, 401)
        assert explanation.causes
    assert TOKEN not in str(explanation)


@pytest.mark.parametrize("name", ["jti", "htm", "htu", "ath", "nonce"])
def test_half_of_a_surrogate_pair_is_refused_wherever_a_text_is_read(name: str):
    clock = Clock()
    guard = guard_at(clock, nonces=name == "nonce")
    reason, where, challenge = refusal_of(guard, request_with(proof_of(clock, **{name: "a\ud800"})))
    assert (reason, where.startswith("dpop")) == (Reason.WRONG_CLAIM, True)
    assert b"invalid_dpop_proof" in challenge


@pytest.mark.parametrize(
    "iat", [True, False, None, [], "1700000000", 1e300, -1e300, 10**20, -(10**20), 1.5, -1, 253_402_300_800]
)
def test_a_time_that_is_none_or_not_now_is_refused(iat: object):
    clock = Clock()
    reason, where, _ = refusal_of(guard_at(clock), request_with(proof_of(clock, iat=iat)))
    assert (reason in (Reason.WRONG_CLAIM, Reason.EXPIRED), where) == (True, "dpop iat")


@pytest.mark.parametrize("text", ["[" * 3000, '{"a":' * 900, "1" * 5000, "NaN", "Infinity", "-", "\x00", '"\\u00"'])
@pytest.mark.parametrize("part", ["header", "claims"])
def test_json_that_is_made_to_overflow_is_malformed(part: str, text: str):
    clock = Clock()
    genuine = proof_of(clock).split(".")
    said = b64url_encode(f'{{"z":{text}}}'.encode()).decode()
    proof = ".".join((said, *genuine[1:]) if part == "header" else (genuine[0], said, genuine[2]))
    assert refusal_of(guard_at(clock), request_with(proof))[1] == "dpop"


def test_ids_that_look_alike_are_two_and_one_id_is_one_however_it_is_escaped():
    clock = Clock()
    guard = guard_at(clock)
    for jti in ("\u00e9", "e\u0301", "E\u0301", "\u00e9 ", "\u00e9\x00", "\U0001f600" * 256):
        guard.verify(request_with(proof_of(clock, jti=jti)))
    said = {**read_proof(proof_of(clock).encode()).claims, "jti": "\u00e9"}
    escaped, plain = json.dumps(said).encode(), json.dumps(said, ensure_ascii=False).encode()
    assert escaped != plain
    for claims in (escaped, plain):
        signing_input = proof_of(clock).split(".")[0].encode() + b"." + b64url_encode(claims)
        proof = (signing_input + b"." + b64url_encode(CLIENT.sign(signing_input))).decode()
        assert refusal_of(guard, request_with(proof))[0] is Reason.REPLAYED


def test_one_proof_is_used_up_however_ecdsa_signs_it_again():
    """(r, -s) is a signature too: what is used up is the id, not the octets."""
    clock = Clock()
    guard, proof = guard_at(clock), proof_of(clock)
    guard.verify(request_with(proof))
    head, claims, _ = proof.split(".")
    again = b64url_encode(CLIENT.sign(f"{head}.{claims}".encode())).decode()
    assert refusal_of(guard, request_with(f"{head}.{claims}.{again}"))[0] is Reason.REPLAYED


@pytest.mark.parametrize(("claim", "reason"), [("exp", Reason.EXPIRED), ("nbf", Reason.NOT_YET_VALID)])
def test_a_proof_that_says_when_it_is_good_is_good_then_only(claim: str, reason: Reason):
    clock = Clock()
    now = int(clock.now)
    late, good = (now - 5, now + 1) if claim == "exp" else (now + 6, now)
    assert refusal_of(guard_at(clock), request_with(proof_of(clock, **{claim: late})))[:2] == (reason, f"dpop {claim}")
    refused = refusal_of(guard_at(clock), request_with(proof_of(clock, **{claim: "soon"})))
    assert refused[:2] == (Reason.WRONG_CLAIM, f"dpop {claim}")
    assert guard_at(clock).verify(request_with(proof_of(clock, **{claim: good}))).subject == "alice"


@pytest.mark.parametrize(
    "htu",
    [
        "https://alice:hunter2@api.example/orders", "https://api.example/orders?access_token=hunter2",
        "https://api.example/orders#hunter2", "https://" + "a" * 200 + "hunter2@api.example/", "https://hunter2" + "a" * 200 + "@h/",
    ],
)  # fmt: skip
def test_an_explanation_shows_no_secret_that_a_client_wrote_into_the_url(htu: str):
    clock = Clock()
    explanation = explain(request_with(proof_of(clock, htu=htu)), guard_at(clock), at=clock.now)
    assert "hunter2" not in f"{explanation}{explanation!r}{explanation.checks}"
    assert "https://" in str(explanation.checks)


def test_an_explanation_of_a_time_holds_for_the_time_that_it_tells_of():
    clock = Clock()
    now = int(clock.now)
    for iat in (now - 60, now + 6):
        explanation = explain(request_with(proof_of(clock, iat=iat)), guard_at(clock), at=clock.now)
        assert explanation.causes[0].expected == f"later than {now - 60}, and at most {now + 5}"

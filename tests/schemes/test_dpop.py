"""DPoP (RFC 9449): a bound token and its proof are taken once, for one method and one URL, and for nothing else."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.schemes.dpop_world import (
    CLAIMS, CLIENT, ISSUER, TOKEN, guard_at, proof_of, refusal_of, request_with, token_for, verifier,
)  # fmt: skip
from watchword import (
    ConfigurationError, DPoPAuth, DPoPVerifier, Guard, JWTVerifier, Key, KeySet, OAuth2Verifier, Policy, PublicURL, Reason, Rejected,
    Request, Response, explain,
)  # fmt: skip
from watchword.crypto import jose
from watchword.effects import Received, Send
from watchword.schemes.dpop.proof import PROOF_ALGORITHMS, ath_of, is_nonce, key_in, make_proof, read_proof, resource_of
from watchword.stores import MemoryStore
from watchword.testing import Clock, signed
from watchword.transport.flow import ClientContext, run

RFC = json.loads((Path(__file__).parent.parent / "vectors" / "dpop" / "rfc9449.json").read_text("utf-8"))
URL = "https://api.example/orders?page=2"


# ---- the RFC's own example -------------------------------------------------------------------------------------------


def test_the_proof_of_the_rfc_verifies_and_says_what_the_rfc_says():
    proof = read_proof(RFC["proof"].encode())
    key = key_in(proof.header, PROOF_ALGORITHMS)
    key.verify(proof.signing_input, proof.signature)
    assert key.thumbprint() == RFC["jkt"]
    assert ath_of(RFC["access_token"].encode()) == proof.text("ath") == RFC["ath"]
    assert (proof.text("htm"), proof.text("htu"), proof.text("jti"), proof.made()) == (
        RFC["method"], RFC["url"], RFC["jti"], RFC["iat"],
    )  # fmt: skip


# ---- genuine ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", PROOF_ALGORITHMS)
def test_each_algorithm_proves(algorithm: str):
    clock, key = Clock(), Key.generate(algorithm)
    made = signed(DPoPAuth(token_for(key), key), "GET", URL, clock=clock)
    identity = guard_at(clock).verify(made.request)
    assert (identity.subject, identity.scheme, identity.key_id) == ("alice", "dpop", "issuer")


def test_a_proof_is_taken_once_however_long_the_token_lives():
    clock = Clock()
    guard = guard_at(clock)
    request = signed(DPoPAuth(TOKEN, CLIENT), "GET", URL, clock=clock).request
    guard.verify(request)
    for later in (0.0, 30.0, 59.0):
        clock.advance(later - (clock.now - 1_700_000_000.0))
        assert refusal_of(guard, request)[0] is Reason.REPLAYED
    clock.advance(1.0)
    assert refusal_of(guard, request)[:2] == (Reason.EXPIRED, "dpop iat")


def test_two_keys_never_use_up_each_others_ids():
    clock, other = Clock(), Key.generate("ES256")
    guard = guard_at(clock)
    guard.verify(request_with(proof_of(clock)))
    token = token_for(other)
    guard.verify(request_with(proof_of(clock, by=other, ath=ath_of(token.encode())), token))


def test_bound_and_unbound_tokens_are_taken_by_one_guard_each_by_its_own_word():
    clock = Clock()
    tokens = JWTVerifier(ISSUER, issuer="https://id.example", audience="orders")
    guard = Guard([tokens, DPoPVerifier(tokens)], MemoryStore(clock=clock), policy=Policy(clock=clock))
    unbound = jose.sign(json.dumps(CLAIMS).encode(), ISSUER)
    assert (
        guard.verify(Request("GET", "https", "api.example", "/", {"Authorization": f"Bearer {unbound}"})).scheme
        == "jwt"
    )
    assert guard.verify(request_with(proof_of(clock))).scheme == "dpop"
    as_bearer = Request(
        "GET", "https", "api.example", "/orders", {"Authorization": f"Bearer {TOKEN}", "DPoP": proof_of(clock)}
    )
    assert refusal_of(guard, as_bearer)[0] is Reason.BINDING_MISSING  # RFC 9449 §7.2
    assert refusal_of(guard, request_with(proof_of(clock, jti="another"), unbound))[0] is Reason.BINDING_MISSING


def test_access_tokens_of_rfc_9068_are_taken_by_their_own_rules():
    clock = Clock()
    tokens = OAuth2Verifier(ISSUER, issuer="https://id.example", audience="orders")
    guard = Guard([DPoPVerifier(tokens)], MemoryStore(clock=clock), policy=Policy(clock=clock))
    now = int(clock.now)
    claims = {
        **CLAIMS,
        "client_id": "app",
        "iat": now,
        "exp": now + 60,
        "jti": "1",
        "cnf": {"jkt": CLIENT.thumbprint()},
    }
    token = jose.sign(json.dumps(claims).encode(), ISSUER, header={"typ": "at+jwt"})
    assert guard.verify(request_with(proof_of(clock, ath=ath_of(token.encode())), token)).subject == "alice"
    assert refusal_of(guard, request_with(proof_of(clock)))[0] is Reason.WRONG_TYPE


# ---- wrong -----------------------------------------------------------------------------------------------------------

Mistake = Callable[[Clock], Request]
OTHER = Key.generate("ES256")
SECRET = Key.from_secret(bytes(range(32)), algorithm="HS256")


def _two_proofs(clock: Clock) -> Request:
    lines = [("Authorization", f"DPoP {TOKEN}"), ("DPoP", proof_of(clock)), ("DPoP", proof_of(clock, jti="b"))]
    return Request("GET", "https", "api.example", "/orders", lines)


def _by_the_key_of_another(clock: Clock) -> Request:
    public = {name: value for name, value in CLIENT.to_jwk().items() if name in ("kty", "crv", "x", "y")}
    return request_with(proof_of(clock, by=OTHER, header={"jwk": public}))


MISTAKES: Mapping[str, tuple[Mistake, Reason, str]] = {
    "no proof": (lambda clock: request_with(None), Reason.BINDING_MISSING, "dpop"),
    "two proofs": (_two_proofs, Reason.MALFORMED_CREDENTIALS, "dpop"),
    "not a JWT": (lambda clock: request_with("abc"), Reason.MALFORMED_CREDENTIALS, "dpop"),
    "too long": (lambda clock: request_with("a" * 9000), Reason.HEADER_TOO_LARGE, "dpop"),
    "critical": (lambda clock: request_with(_with_crit(clock)), Reason.UNKNOWN_CRITICAL, "dpop"),
    "typ": (lambda clock: request_with(proof_of(clock, header={"typ": "JWT"})), Reason.WRONG_TYPE, "dpop typ"),
    "method": (lambda clock: request_with(proof_of(clock, htm="POST")), Reason.WRONG_CLAIM, "dpop htm"),
    "method in lower case": (lambda clock: request_with(proof_of(clock, htm="get")), Reason.WRONG_CLAIM, "dpop htm"),
    "path": (lambda clock: request_with(proof_of(clock, htu="https://api.example/order")), Reason.WRONG_TARGET, "dpop htu"),
    "host": (lambda clock: request_with(proof_of(clock, htu="https://api.example.org/orders")), Reason.WRONG_TARGET, "dpop htu"),
    "scheme": (lambda clock: request_with(proof_of(clock, htu="http://api.example/orders")), Reason.WRONG_TARGET, "dpop htu"),
    "port": (lambda clock: request_with(proof_of(clock, htu="https://api.example:8443/orders")), Reason.WRONG_TARGET, "dpop htu"),
    "user information": (
        lambda clock: request_with(proof_of(clock, htu="https://a@api.example/orders")), Reason.WRONG_TARGET, "dpop htu",
    ),
    "a path alone": (lambda clock: request_with(proof_of(clock, htu="/orders")), Reason.WRONG_TARGET, "dpop htu"),
    "no id": (lambda clock: request_with(proof_of(clock, leave_out="jti")), Reason.MISSING_CLAIM, "dpop jti"),
    "an id that is a number": (lambda clock: request_with(proof_of(clock, jti=7)), Reason.WRONG_CLAIM, "dpop jti"),
    "an empty id": (lambda clock: request_with(proof_of(clock, jti="")), Reason.WRONG_CLAIM, "dpop jti"),
    "an endless id": (lambda clock: request_with(proof_of(clock, jti="a" * 257)), Reason.WRONG_CLAIM, "dpop jti"),
    "no hash of the token": (lambda clock: request_with(proof_of(clock, leave_out="ath")), Reason.MISSING_CLAIM, "dpop ath"),
    "the hash of another token": (
        lambda clock: request_with(proof_of(clock, ath=ath_of(b"another"))), Reason.WRONG_CLAIM, "dpop ath",
    ),
    "no method": (lambda clock: request_with(proof_of(clock, leave_out="htm")), Reason.MISSING_CLAIM, "dpop htm"),
    "no URL": (lambda clock: request_with(proof_of(clock, leave_out="htu")), Reason.MISSING_CLAIM, "dpop htu"),
    "no time": (lambda clock: request_with(proof_of(clock, leave_out="iat")), Reason.MISSING_CLAIM, "dpop iat"),
    "a time that is a text": (lambda clock: request_with(proof_of(clock, iat="now")), Reason.WRONG_CLAIM, "dpop iat"),
    "a time in milliseconds": (
        lambda clock: request_with(proof_of(clock, iat=int(clock.now * 1000))), Reason.WRONG_CLAIM, "dpop iat",
    ),
    "an old one": (lambda clock: request_with(proof_of(clock, iat=int(clock.now) - 60)), Reason.EXPIRED, "dpop iat"),
    "one of the future": (lambda clock: request_with(proof_of(clock, iat=int(clock.now) + 6)), Reason.NOT_YET_VALID, "dpop iat"),
    "the key of another": (lambda clock: request_with(proof_of(clock, by=OTHER)), Reason.BINDING_MISMATCH, "cnf jkt"),
    "signed by another": (_by_the_key_of_another, Reason.WRONG_SIGNATURE, "dpop signature"),
    "no key": (lambda clock: request_with(proof_of(clock, header={"jwk": None})), Reason.MISSING_CLAIM, "dpop jwk"),
    "a key that is a text": (lambda clock: request_with(proof_of(clock, header={"jwk": "x"})), Reason.MISSING_CLAIM, "dpop jwk"),
    "no curve": (
        lambda clock: request_with(proof_of(clock, header={"jwk": {"kty": "EC"}})), Reason.MALFORMED_CREDENTIALS, "dpop jwk",
    ),
    "a private key": (
        lambda clock: request_with(proof_of(clock, header={"jwk": CLIENT.to_jwk(private=True)})),
        Reason.MALFORMED_CREDENTIALS, "dpop jwk",
    ),
    "a shared secret": (lambda clock: request_with(_by_a_secret(clock)), Reason.WRONG_ALGORITHM, "dpop alg"),
}  # fmt: skip


def _by_a_secret(clock: Clock) -> str:
    claims = {
        "jti": "j",
        "htm": "GET",
        "htu": "https://api.example/orders",
        "iat": int(clock.now),
        "ath": ath_of(TOKEN.encode()),
    }
    header = {"typ": "dpop+jwt", "jwk": SECRET.to_jwk(private=True)}
    return jose.sign(json.dumps(claims).encode(), SECRET, header=header)


def _with_crit(clock: Clock) -> str:
    head, rest = proof_of(clock).split(".", 1)
    del head
    from watchword.crypto.encoding import b64url_encode

    return (
        b64url_encode(json.dumps({"typ": "dpop+jwt", "alg": "ES256", "crit": ["x"], "x": 1}).encode()).decode()
        + "."
        + rest
    )


@pytest.mark.parametrize("name", MISTAKES)
def test_a_wrong_proof_is_refused_where_it_is_wrong_and_the_client_hears_the_words_of_the_rfc(name: str):
    clock = Clock()
    make, reason, where = MISTAKES[name]
    found, place, challenge = refusal_of(guard_at(clock), make(clock))
    assert (found, place) == (reason, where)
    error = b'error="invalid_token"' if where == "cnf jkt" else b'error="invalid_dpop_proof"'
    assert error in challenge or reason is Reason.HEADER_TOO_LARGE
    assert b"algs=" in challenge or reason is Reason.HEADER_TOO_LARGE


@pytest.mark.parametrize(
    "name", [name for name, (_, _, where) in MISTAKES.items() if where.startswith(("dpop ", "cnf"))]
)
def test_the_explanation_names_the_part_that_the_guard_refuses_for(name: str):
    clock = Clock()
    make, reason, where = MISTAKES[name]
    request, guard = make(clock), guard_at(clock)
    explanation = explain(request, guard, at=clock.now)
    assert (explanation.reason, explanation.where) == (reason, where)
    first = explanation.causes[0]
    assert where.split()[-1 if where.startswith("dpop") else 0] in f"{first.name} {first.component}"
    assert first.expected
    assert first.received
    assert first.mend
    assert TOKEN not in str(explanation)


def test_the_tokens_own_verifier_speaks_first_so_nobody_has_signatures_checked_by_a_key_of_his_own():
    clock = Clock()
    forged = jose.sign(json.dumps({**CLAIMS, "cnf": {"jkt": OTHER.thumbprint()}}).encode(), OTHER)
    guard = Guard(
        [DPoPVerifier(JWTVerifier(KeySet([ISSUER]), issuer="https://id.example", audience="orders"))],
        MemoryStore(clock=clock), policy=Policy(clock=clock),
    )  # fmt: skip
    reason, where, challenge = refusal_of(
        guard, request_with(proof_of(clock, by=OTHER, ath=ath_of(forged.encode())), forged)
    )
    assert (reason, where) == (Reason.WRONG_SIGNATURE, "signature")
    assert b'error="invalid_token"' in challenge


def test_a_token_that_is_bound_otherwise_as_well_is_refused():
    clock = Clock()
    token = token_for(CLIENT, cnf={"jkt": CLIENT.thumbprint(), "x5t#S256": "a" * 43})
    assert refusal_of(guard_at(clock), request_with(proof_of(clock, ath=ath_of(token.encode())), token))[0] is (
        Reason.BINDING_MISSING
    )


# ---- the URL ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("htu", "target"),
    [
        ("HTTPS://API.example:443/orders", "/orders?page=2"),
        ("https://api.example/orders?page=2#top", "/orders?page=3"),
        ("https://api.example/%7ealice", "/~alice"),
        ("https://api.example/a%2fb", "/a%2Fb"),
        ("https://api.example", "/"),
    ],
)
def test_urls_that_rfc_3986_calls_one_are_one(htu: str, target: str):
    clock = Clock()
    guard_at(clock).verify(request_with(proof_of(clock, htu=htu), url=target))


@pytest.mark.parametrize(
    ("htu", "target"), [("/a%2Fb", "/a/b"), ("/a/../b", "/b"), ("/a/", "/a"), ("//a", "/a"), ("/A", "/a")]
)
def test_other_paths_are_others(htu: str, target: str):
    clock = Clock()
    request = request_with(proof_of(clock, htu=f"https://api.example{htu}"), url=target)
    assert refusal_of(guard_at(clock), request)[:2] == (Reason.WRONG_TARGET, "dpop htu")


def test_behind_a_proxy_the_public_url_counts():
    clock = Clock()
    guard = Guard(
        [verifier()], MemoryStore(clock=clock), policy=Policy(clock=clock, public_url=PublicURL("https://api.example"))
    )
    request = request_with(proof_of(clock))
    guard.verify(Request("GET", "http", "10.0.0.7:8000", "/orders?page=2", list(request.headers)))


@given(st.text(st.characters(codec="ascii"), max_size=40))
def test_any_text_as_a_url_is_a_resource_or_a_rejection(text: str):
    try:
        resource_of(text.encode(), "", "")
    except Rejected as rejected:
        assert rejected.reason is Reason.TARGET_REFUSED


@given(st.binary(max_size=200))
def test_any_octets_as_a_proof_give_an_identity_or_a_rejection(octets: bytes):
    headers = [(b"authorization", f"DPoP {TOKEN}".encode()), (b"dpop", octets)]
    with pytest.raises(Rejected):
        guard_at(Clock()).verify(Request("GET", "https", "api.example", "/", headers))


# ---- nonces ----------------------------------------------------------------------------------------------------------


def wired(guard: Guard, received: list[Request]) -> Callable[[Send], Received]:
    """A server's side of a flow: what the guard says of each request, with what it adds to the answer."""

    def send(effect: Send) -> Received:
        received.append(effect.request)
        try:
            admission = guard.admit(effect.request, bytes)
        except Rejected as rejected:
            assert rejected.refusal is not None
            return Received(rejected.refusal.response())
        return Received(Response(200, [*admission.response_headers]))

    return send


def test_a_nonce_that_is_demanded_is_learnt_once_and_renewed_before_it_ends():
    clock, auth = Clock(), DPoPAuth(TOKEN, CLIENT)
    guard = guard_at(clock, nonces=True, max_age=100)
    requests: list[Request] = []
    context = ClientContext(bytes, now=clock)
    bare = Request("GET", "https", "api.example", "/orders")
    run(auth, bare, wired(guard, requests), context)
    assert len(requests) == 2  # asked for a nonce, and sent once more
    for _ in range(20):
        clock.advance(15)
        run(auth, bare, wired(guard, requests), context)
    assert len(requests) == 22  # the next nonce came with an answer, each time before the last one ended


def test_with_nonces_the_clients_clock_does_not_count_and_the_nonces_does():
    clock = Clock()
    guard = guard_at(clock, nonces=True, max_age=100)
    nonce = _nonce_of(guard)
    guard.verify(request_with(proof_of(clock, iat=5, nonce=nonce)))
    clock.advance(100)
    reason, where, challenge = refusal_of(guard, request_with(proof_of(clock, jti="b", nonce=nonce)))
    assert (reason, where) == (Reason.STALE_NONCE, "dpop nonce")
    assert b'error="use_dpop_nonce"' in challenge


@pytest.mark.parametrize("nonce", [None, "", "made-up", 7])
def test_no_nonce_and_a_made_up_one_are_refused_with_a_fresh_one(nonce: object):
    clock = Clock()
    guard = guard_at(clock, nonces=True)
    proof = proof_of(clock) if nonce is None else proof_of(clock, nonce=nonce)
    with pytest.raises(Rejected) as caught:
        guard.verify(request_with(proof))
    assert caught.value.refusal is not None
    assert len(caught.value.refusal.response().values(b"dpop-nonce")) == 1


def test_nonces_of_digest_are_none_of_dpop():
    from watchword import DigestVerifier

    clock, store = Clock(), MemoryStore()
    both = Guard([verifier(nonces=True), DigestVerifier(realm="orders")], store, policy=Policy(clock=clock))
    with pytest.raises(Rejected) as caught:
        both.verify(Request("GET", "https", "api.example", "/"))
    assert caught.value.refusal is not None
    challenges = caught.value.refusal.response().values(b"www-authenticate")
    digest = next(line for line in challenges if line.startswith(b"Digest")).decode()
    nonce = digest.split('nonce="')[1].split('"')[0]
    assert refusal_of(both, request_with(proof_of(clock, nonce=nonce)))[0] is Reason.UNKNOWN_NONCE


def test_verifiers_of_two_issuers_share_one_key_of_nonces_from_the_first_challenge_on():
    clock = Clock()
    other = DPoPVerifier(JWTVerifier(Key.generate("ES256"), issuer="https://b.example", audience="orders"), nonces=True)
    guard = Guard([verifier(nonces=True), other], MemoryStore(clock=clock), policy=Policy(clock=clock))
    with pytest.raises(Rejected) as caught:
        guard.verify(Request("GET", "https", "api.example", "/"))
    assert caught.value.refusal is not None
    (nonce,) = caught.value.refusal.response().values(b"dpop-nonce")
    guard.verify(request_with(proof_of(clock, nonce=nonce.decode())))


def _nonce_of(guard: Guard) -> str:
    with pytest.raises(Rejected) as caught:
        guard.verify(Request("GET", "https", "api.example", "/"))
    assert caught.value.refusal is not None
    return caught.value.refusal.response().values(b"dpop-nonce")[0].decode()


def test_a_nonce_goes_to_the_origin_that_gave_it_and_to_no_other():
    auth, sent = DPoPAuth(TOKEN, CLIENT), []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(200, {"DPoP-Nonce": "of-the-first"} if len(sent) == 1 else {}))

    for host in ("a.example", "b.example", "a.example"):
        run(auth, Request("GET", "https", host, "/"), send, ClientContext(bytes))
    nonces = [read_proof(request.values(b"dpop")[0]).claims.get("nonce") for request in sent]
    assert nonces == [None, None, "of-the-first"]


@pytest.mark.parametrize("values", [["a b"], ["a", "b"], ["x" * 513], ['a"b'], [""]])
def test_what_is_no_nonce_is_not_learnt_and_nothing_is_sent_again(values: list[str]):
    auth, sent = DPoPAuth(TOKEN, CLIENT), []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        lines = [("DPoP-Nonce", value) for value in values]
        return Received(Response(401, [("WWW-Authenticate", 'DPoP error="use_dpop_nonce"'), *lines]))

    run(auth, Request("GET", "https", "a.example", "/"), send, ClientContext(bytes))
    assert len(sent) == 1


def test_a_server_that_is_never_content_is_asked_twice_and_no_more():
    auth, sent = DPoPAuth(TOKEN, CLIENT), []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(
            Response(401, {"WWW-Authenticate": 'DPoP error="use_dpop_nonce"', "DPoP-Nonce": f"n{len(sent)}"})
        )

    run(auth, Request("GET", "https", "a.example", "/"), send, ClientContext(bytes))
    assert len(sent) == 2


def test_a_401_for_another_reason_is_the_callers_answer_though_it_brings_a_nonce():
    auth, sent = DPoPAuth(TOKEN, CLIENT), []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(401, {"WWW-Authenticate": 'DPoP error="invalid_token"', "DPoP-Nonce": "n"}))

    run(auth, Request("GET", "https", "a.example", "/"), send, ClientContext(bytes))
    assert len(sent) == 1


def test_nonces_follow_the_grammar_of_the_rfc():
    assert is_nonce("eyJ7S_zG.eyJH0-Z.HX4w-7v")
    assert not is_nonce("a\\b")


# ---- what can't be made ----------------------------------------------------------------------------------------------


def test_a_key_that_proves_nothing_is_refused():
    for key in (SECRET, Key.from_jwk(CLIENT.to_jwk())):
        with pytest.raises(ConfigurationError, match="private key"):
            DPoPAuth(TOKEN, key)
    with pytest.raises(ConfigurationError, match="as issued"):
        DPoPAuth("Bearer abc", CLIENT)


@pytest.mark.parametrize(
    "settings", [{"algorithms": ["HS256"]}, {"algorithms": "ES256"}, {"nonces": 1}, {"max_age": 0}, {"skew": -1}]
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]):
    with pytest.raises(ConfigurationError):
        verifier(**settings)


def test_something_that_verifies_no_tokens_is_refused():
    with pytest.raises(ConfigurationError, match="access tokens"):
        DPoPVerifier(ISSUER)  # type: ignore[arg-type]


def test_only_the_named_algorithms_prove():
    clock = Clock()
    assert refusal_of(guard_at(clock, algorithms=["EdDSA"]), request_with(proof_of(clock)))[:2] == (
        Reason.WRONG_ALGORITHM, "dpop alg",
    )  # fmt: skip


def test_neither_half_shows_the_token_or_leaves_its_process():
    auth = DPoPAuth(TOKEN, CLIENT)
    claim = verifier().read(request_with(proof_of(Clock())))
    assert TOKEN not in f"{auth!r}{claim!r}{verifier()!r}"
    with pytest.raises(TypeError):
        pickle.dumps(auth)


def test_a_proof_is_not_sent_in_the_clear():
    with pytest.raises(ConfigurationError, match="in the clear"):
        signed(DPoPAuth(TOKEN, CLIENT), "GET", "http://api.example/orders")
    signed(DPoPAuth(TOKEN, CLIENT, allow_cleartext=True), "GET", "http://api.example/orders")


def test_a_proof_for_a_token_endpoint_has_no_hash():
    assert (
        "ath"
        not in read_proof(make_proof(CLIENT, "POST", "https://id.example/token", jti="j", now=1.0).encode()).claims
    )

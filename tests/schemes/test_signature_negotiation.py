"""Accept-Signature (RFC 9421 §5) on requests: what a verifier asks for, and how a client answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.schemes.signature_world import KEY, NOW, URL, guard_at, rejected, sign, signed, store_with
from watchword import ConfigurationError, Guard, Rejected, Request, Response, SignatureAuth, SignaturePolicy
from watchword.transport.flow import ClientContext, run
from watchword.effects import Received
from watchword.schemes.signatures.accept import read_accept_signature


class Server:
    """A guard that answers a client; remembers what was sent."""

    def __init__(self, guard: Guard, body: bytes = b"") -> None:
        self.guard, self.body = guard, body
        self.sent: list[Request] = []

    def __call__(self, effect: Any) -> Received:
        self.sent.append(effect.request)
        try:
            self.guard.verify(effect.request, self.body)
        except Rejected as failed:
            assert failed.refusal is not None
            return Received(failed.refusal.response())
        return Received(Response(200))

    def ask(
        self, auth: SignatureAuth, method: str = "POST", headers: Sequence[tuple[str, str]] = (), **options: Any
    ) -> int:
        """The status of the last answer."""
        before = len(self.sent)
        context = ClientContext(lambda: self.body, now=lambda: NOW, **options)
        run(auth, Request(method, *URL, headers), self, context)
        try:
            self.guard.verify(self.sent[-1], self.body)
        except Rejected as failed:
            last = failed.rejection
        assert len(self.sent) - before in (1, 2)
        return 200 if last.reason.value == "replayed" else last.reason.status


def test_a_refusal_asks_for_what_the_policy_demands() -> None:
    policy = SignaturePolicy(
        components=("@method", "@target-uri", "date"), expires=True, tags=("orders",), label="mine"
    )
    failed = rejected(guard_at(policy=policy), Request("GET", *URL))
    assert failed.refusal is not None
    answer = failed.refusal.response()
    (wanted,) = read_accept_signature(answer.values(b"accept-signature"))
    assert [str(each) for each in wanted.components] == ['"@method"', '"@target-uri"', '"date"', '"content-digest"']
    assert wanted.label == "mine"
    assert {name: bool(value) for name, value in wanted.params.items()} == {
        "created": True, "expires": True, "nonce": True, "tag": True,
    }  # fmt: skip
    assert answer.values(b"www-authenticate") == [b'Signature realm="protected"']
    assert answer.values(b"want-content-digest") == [b"sha-256=10, sha-512=10"]


def test_a_nonce_is_offered_only_where_another_signature_would_do() -> None:
    failed = rejected(guard_at(), signed(), b"another body")
    assert failed.refusal is not None
    assert b"nonce=" in failed.refusal.response().values(b"accept-signature")[0]
    late = rejected(guard_at(NOW + 1000), signed())
    assert late.refusal is not None
    assert b"nonce=" not in late.refusal.response().values(b"accept-signature")[0]


def test_the_client_signs_what_is_asked_for_and_goes_on_so() -> None:
    policy = SignaturePolicy(components=("@method", "@target-uri", "date"), tags=("orders",))
    server, auth = Server(guard_at(policy=policy), b"body"), SignatureAuth(KEY)
    lines = (("Date", "Tue, 20 Apr 2021 02:07:55 GMT"),)
    assert server.ask(auth, headers=lines) == 200
    assert len(server.sent) == 2
    assert b'tag="orders"' in server.sent[1].values(b"signature-input")[0]
    for component in (b'"@method"', b'"@authority"', b'"@path"', b'"@query"', b'"@target-uri"', b'"date"'):
        assert component in server.sent[1].values(b"signature-input")[0]
    assert server.ask(auth, headers=lines) == 200
    assert len(server.sent) == 3  # signed so at once


def test_nothing_is_given_up_for_a_server_that_asks_for_less() -> None:
    sent: list[Request] = []

    def send(effect: Any) -> Received:
        sent.append(effect.request)
        return Received(Response(401, {"Accept-Signature": 'x=();nonce="chosen"'}))

    run(SignatureAuth(KEY), Request("GET", *URL), send, ClientContext(bytes, now=lambda: NOW))
    assert len(sent) == 2  # and no third: one answer is enough
    assert b'"@method" "@authority" "@path" "@query"' in sent[1].values(b"signature-input")[0]
    assert b'nonce="chosen"' in sent[1].values(b"signature-input")[0]


@pytest.mark.parametrize(
    "asked",
    [
        "", "no dictionary(", 'x=("@method");keyid="other";nonce="n"', 'x=("@method");alg="ed25519";nonce="n"',
        'x=("@status");nonce="n"', 'x=("@method";req);nonce="n"', 'x=("@unknown");nonce="n"', 'x=("@method");new="n"',
        'x=("@method" "content-digest")', 'x=("@method");tag="other"',
    ],
)  # fmt: skip
def test_what_is_for_others_or_brings_nothing_is_not_answered(asked: str) -> None:
    sent: list[Request] = []

    def send(effect: Any) -> Received:
        sent.append(effect.request)
        return Received(Response(401, {"Accept-Signature": asked}))

    run(SignatureAuth(KEY, tag="mine"), Request("GET", *URL), send, ClientContext(bytes, now=lambda: NOW))
    assert len(sent) == 1


def test_a_client_that_was_told_not_to_answers_nothing() -> None:
    server = Server(guard_at(policy=SignaturePolicy(tags=("orders",))))
    assert server.ask(SignatureAuth(KEY, answer=False)) == 401
    assert len(server.sent) == 1


def test_a_body_that_is_gone_leaves_the_refusal_to_the_caller() -> None:
    def gone() -> None:
        raise ConfigurationError("the body was a stream")

    server = Server(guard_at(policy=SignaturePolicy(tags=("orders",))))
    assert server.ask(SignatureAuth(KEY), check_repeatable=gone) == 401
    assert len(server.sent) == 1


def test_the_digest_that_the_server_wants_is_made() -> None:
    sent: list[Request] = []

    def send(effect: Any) -> Received:
        sent.append(effect.request)
        fields = {"Accept-Signature": 'x=("content-digest");nonce="n"', "Want-Content-Digest": "sha-512=3"}
        return Received(Response(401 if len(sent) == 1 else 200, fields))

    run(SignatureAuth(KEY), Request("POST", *URL), send, ClientContext(lambda: b"body", now=lambda: NOW))
    assert sent[0].values(b"content-digest")[0].startswith(b"sha-256=:")
    assert sent[1].values(b"content-digest")[0].startswith(b"sha-512=:")
    assert guard_at(store=store_with()).verify(sent[1], b"body").subject == "robot"


CAN_NOT = [
    '"x-missing"', '"x-missing";sf', '"x-own";sf', '"x-own";key="a"', '"@query-param";name="none"', '"content-type"',
    '"x-cart";key="absent"',
]  # fmt: skip


@pytest.mark.parametrize("component", CAN_NOT)
def test_a_demand_that_can_not_be_met_hands_over_the_refusal(component: str) -> None:
    sent: list[Request] = []

    def send(effect: Any) -> Received:
        sent.append(effect.request)
        asked = f'sig1=("@method" {component});created'
        return Received(Response(401, {"Accept-Signature": asked, "X-Answer": "the server's"}))

    request = Request("GET", *URL, {"X-Own": "no;structured(field", "X-Cart": "a=1"})
    got = run(SignatureAuth(KEY), request, send, ClientContext(bytes, now=lambda: NOW))
    assert (got.response.status, got.response.values(b"x-answer"), len(sent)) == (401, [b"the server's"], 1)


def test_what_was_learnt_and_can_not_be_met_by_another_request_is_left_out_of_it() -> None:
    sent: list[Request] = []

    def send(effect: Any) -> Received:
        sent.append(effect.request)
        covered = effect.request.values(b"signature-input")[0]
        if b"x-own" in covered or not effect.request.values(b"x-own"):
            return Received(Response(200))
        return Received(Response(401, {"Accept-Signature": 'sig1=("x-own");created'}))

    auth = SignatureAuth(KEY)
    for headers in ({"X-Own": "1"}, {}, {"X-Own": "1"}):
        request = Request("GET", *URL, headers)
        assert run(auth, request, send, ClientContext(bytes, now=lambda: NOW)).response.status == 200
    assert [b"x-own" in one.values(b"signature-input")[0] for one in sent] == [False, True, False, True]


@pytest.mark.parametrize(
    ("kind", "value", "respelt"),
    [("dictionary", "a=1,  b=2", "a=1, b=2"), ("list", "a,   b", "a, b"), ("item", "5.0;  x=1", "5.0;x=1")],
)
@pytest.mark.parametrize("plain", [True, False])
def test_both_halves_take_structured_fields_that_are_not_registered(
    kind: str, value: str, respelt: str, plain: bool
) -> None:
    types, components = {"x-cart": kind}, ("@method", "@authority", "@path", '"x-cart";sf')
    headers = [("X-Cart", value)] if plain else [("X-Cart", value), ("X-Two", "1"), ("X-Two", "2")]
    auth = SignatureAuth(KEY, components=components, types=types)
    sent = sign(auth, Request("GET", *URL, headers))
    assert f'"x-cart";sf: {respelt}' in auth.canonical(sent)
    policy = SignaturePolicy(components=components, body=False, types=types)
    respelling = [(n, respelt.encode() if n == b"x-cart" else v) for n, v in sent.headers]
    assert guard_at(policy=policy).verify(Request("GET", *URL, respelling)).subject == "robot"
    with pytest.raises(ConfigurationError, match="x-cart"):
        sign(SignatureAuth(KEY, components=components), Request("GET", *URL, headers))


@pytest.mark.parametrize("types", [{"X-Cart": "list"}, {"x-cart": "inner list"}])
def test_types_that_there_are_not_are_refused(types: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="lower case"):
        SignatureAuth(KEY, types=types)

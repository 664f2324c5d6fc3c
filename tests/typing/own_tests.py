"""Tests of a user's own, as both type checkers have to take them: run by nobody, checked by mypy and pyright."""

from __future__ import annotations

from pathlib import Path
from typing import Any, assert_type

import requests
from flask import Flask
from litestar.testing import TestClient

from watchword import (
    AsyncGuard,
    BearerAuth,
    DigestAuth,
    DigestVerifier,
    Guard,
    Identity,
    OAuth2Auth,
    Peer,
    Policy,
    Reason,
    RegisteredToken,
    Rejected,
    Request,
    TokenVerifier,
)
from watchword.stores import MemoryStore
from watchword.testing import (
    Clock,
    ClockedAuth,
    FakeIssuer,
    LoopbackIssuer,
    Misbehaviour,
    SchemeCase,
    SchemeSetup,
    SeededRandom,
    SignedRequest,
    assert_accepted,
    assert_accepted_async,
    assert_refused,
    assert_refused_async,
    changed,
    flips,
    signed,
    signed_async,
    tamperings,
)
from watchword.testing.conformance import SchemeConformance, StoreConformance
from watchword.testing.django import Client as DjangoClient
from watchword.testing.flask import Client as FlaskClient
from watchword.testing.litestar import served
from watchword.testing.pairs import PAIRS, PairAnswer
from watchword.testing.requests import WSGIAdapter

clock = Clock()
store = MemoryStore(clock=clock)
guard = Guard([DigestVerifier(realm="orders")], store, policy=Policy(clock=clock, random=SeededRandom(7)))
auth = DigestAuth("alice", "open sesame")


def test_alice_gets_in() -> None:
    made = signed(auth, "POST", "https://api.example/orders", headers={"Accept": "*/*"}, body=b"pay 10", guard=guard)
    assert_type(made, SignedRequest)
    request, body = made
    assert_type(request, Request)
    assert_type(assert_accepted(guard, request, body, subject="alice"), Identity[Any])
    clock.advance(1)
    assert_type(assert_refused(guard, *made, reason=Reason.REPLAYED), Rejected)
    for tampering in tamperings(request, body):
        assert_refused(guard, tampering.request, tampering.body, reason=None)
    for other in flips(changed(request, method="PUT", peer=Peer("192.0.2.1")), b"authorization"):
        assert_refused(guard, other, reason=Reason.WRONG_SECRET)
    setup = SchemeSetup.of("hmac")
    assert_accepted(setup.guard, *setup.genuine(body=b"pay 10"))


async def test_alice_gets_in_on_a_loop() -> None:
    judge = AsyncGuard.of(guard)
    request = await signed_async(auth, guard=judge)
    assert_type(await assert_accepted_async(judge, *request), Identity[Any])
    assert_type(await assert_refused_async(guard, *request, reason=Reason.REPLAYED), Rejected)


def test_an_issuers_tokens() -> None:
    with LoopbackIssuer(clock=clock) as over_a_socket, FakeIssuer(audience="orders", clock=clock) as issuer:
        assert_type(over_a_socket, LoopbackIssuer)
        judge = Guard([issuer.verifier(leeway=5)], policy=Policy(clock=clock))
        issuer.add_client("robot", "open sesame", scopes=["read"])
        robot = OAuth2Auth(issuer.token_url, "robot", "open sesame")
        assert_accepted(judge, *signed(robot, guard=judge, elsewhere=issuer.answer))
        issuer.rotate(keep=False)
        with issuer.misbehaving(Misbehaviour.FAILING, "jwks"):
            assert_refused(
                judge, *signed(BearerAuth(issuer.token("alice", claims={"jti": None}))), reason=Reason.UNKNOWN_KEY
            )


class TestTickets(SchemeConformance):
    case = SchemeCase(
        "token",
        auth=lambda: BearerAuth("a-ticket-of-alices"),
        impostor=lambda: BearerAuth("a-ticket-of-nobodys"),
        verifier=lambda: TokenVerifier({"a-ticket-of-alices": RegisteredToken("alice")}.get, by="plain"),
        secrets=["a-ticket-of-alices"],
    )


class TestMyStore(StoreConformance):
    def make(self, folder: Path, clock: Clock) -> MemoryStore:
        return MemoryStore(clock=clock)


def test_through_every_adapter(application: Flask) -> None:
    for pair in PAIRS.values():
        with pair(guard, auth) as ask:
            assert_type(ask("POST", "/orders", b"pay 10"), PairAnswer)
    application.test_client_class = FlaskClient
    assert application.test_client(auth=auth).get("/orders").status_code == 200
    with requests.Session() as session:
        session.mount("https://api.example", WSGIAdapter(application))
    with TestClient(served(application)) as client:
        client.get("/orders")
    DjangoClient(auth=ClockedAuth(auth, clock)).get("/orders", secure=True)


def mistakes() -> None:
    """What the types must catch."""
    assert_accepted(AsyncGuard.of(guard), *signed(auth))  # type: ignore[arg-type]
    assert_refused(guard, *signed(auth))  # type: ignore[call-arg]
    assert_refused(guard, *signed(auth), reason="replayed")  # type: ignore[arg-type]
    signed(DigestVerifier(realm="orders"))  # type: ignore[arg-type]

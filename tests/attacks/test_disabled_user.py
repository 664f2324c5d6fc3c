"""A disabled user's right password is answered like a wrong one: same octets, same work, no attempt given back."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import Any

import pytest

from tests.hash_costs import cheap_password
from watchword import AsyncGuard, BasicVerifier, DigestAuth, DigestVerifier, Guard, Policy, Reason, Rejected, Request
from watchword import Response, explain
from watchword.transport.flow import ClientContext, run
from watchword.core.records import Put, Ref
from watchword.effects import Received, Send
from watchword.crypto import passwords
from watchword.schemes.digest import DigestSecret, ha1
from watchword.stores import MemoryStore

NOW = 1_700_000_000.0
HASHED = cheap_password("secret")


def refused(guard: Any, request: Request) -> Rejected:
    with pytest.raises(Rejected) as caught:
        guard.verify(request) if isinstance(guard, Guard) else asyncio.run(guard.verify(request))
    assert caught.value.refusal is not None
    return caught.value


def basic(password: str) -> Request:
    pair = b64encode(f"alice:{password}".encode()).decode()
    return Request("GET", "https", "api.example", "/", {"Authorization": f"Basic {pair}"})


@pytest.mark.parametrize("kind", [Guard, AsyncGuard])
def test_basic_hashes_once_and_answers_alike(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    store.commit([Put(Ref(passwords.Password, ("alice",)), HASHED)])
    store.disable_user("alice")
    verified: list[str] = []
    verify = passwords._matches

    def counted(encoded: str, *rest: Any) -> bool:
        verified.append(encoded)
        return verify(encoded, *rest)

    monkeypatch.setattr(passwords, "_matches", counted)
    guard = kind([BasicVerifier(realm="orders")], store)
    seen = []
    for password, reason in (("secret", Reason.DISABLED), ("guess", Reason.WRONG_SECRET)):
        verified.clear()
        rejected = refused(guard, basic(password))
        assert rejected.reason is reason
        assert not rejected.rejection.genuine
        assert rejected.refusal is not None
        seen.append((list(verified), rejected.refusal.response().status, rejected.refusal.response().headers))
    assert seen[0] == seen[1]


def digest_request(guard: Guard, password: str) -> Request:
    sent: list[Request] = []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        if effect.request.headers:
            return Received(Response(200))
        refusal = refused(guard, effect.request).refusal
        assert refusal is not None
        return Received(refusal.response())

    run(DigestAuth("alice", password), Request("GET", "https", "api.example", "/"), send, ClientContext(bytes))
    return sent[-1]


@pytest.mark.parametrize("kind", [Guard, AsyncGuard])
@pytest.mark.parametrize("late", [0.0, 10_000.0], ids=["fresh nonce", "stale nonce"])
@pytest.mark.parametrize("foreign", [False, True], ids=["our nonce", "another's nonce"])
def test_digest_never_says_stale_to_a_disabled_user(kind: Any, late: float, foreign: bool) -> None:
    """`stale=true` would tell that the digest fits, so that a guesser could go on against the disabled account."""
    store = MemoryStore()
    secret = DigestSecret(ha1("SHA-256", "alice", "orders", "secret"), disabled=True)
    store.commit([Put(Ref(DigestSecret, ("SHA-256", "orders", "alice")), secret)])
    issuer = Guard(
        [DigestVerifier(realm="orders")], MemoryStore() if foreign else store, policy=Policy(clock=lambda: NOW)
    )
    judge = kind(
        [DigestVerifier(realm="orders")], store, policy=Policy(clock=lambda: NOW + late, random=lambda n: b"0" * n)
    )
    answers = []
    for password in ("secret", "guess"):
        rejected = refused(judge, digest_request(issuer, password))
        assert not rejected.rejection.genuine
        assert rejected.refusal is not None
        response = rejected.refusal.response()
        assert b"stale" not in b"".join(response.values(b"www-authenticate"))
        answers.append((response.status, response.headers))
    assert answers[0] == answers[1]


def test_explain_tells_the_operator() -> None:
    store = MemoryStore()
    store.commit([Put(Ref(passwords.Password, ("alice",)), HASHED)])
    store.disable_user("alice")
    found = explain(basic("secret"), Guard([BasicVerifier(realm="orders")], store))
    assert [check.name for check in found.causes] == ["enabled"]
    assert "user enable" in found.causes[0].mend
    secret = DigestSecret(ha1("SHA-256", "alice", "orders", "secret"), disabled=True)
    store.commit([Put(Ref(DigestSecret, ("SHA-256", "orders", "alice")), secret)])
    guard = Guard([DigestVerifier(realm="orders")], store)
    found = explain(digest_request(guard, "secret"), guard)
    assert found.reason is Reason.DISABLED
    assert [check.name for check in found.causes] == ["enabled"]

"""The short way of a guard for who was admitted before: when there is one, and that it only ever admits."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.schemes.digest_world import PASSWORD, START, USER, context, request, to
from watchword import (
    APIKeyVerifier, AsyncGuard, AttemptPolicy, BasicVerifier, DigestAuth, DigestVerifier, Guard, Identity, JWTVerifier, Key, Password,
    PasswordCache, Policy, PublicURL, Reason, Rejected, Request, Response,
)  # fmt: skip
from watchword.core import pipeline
from watchword.core.attempts import KnownPair, Window
from watchword.core.message import Peer
from watchword.core.records import Once, Put, Ref, Take
from watchword.core.rejection import StoreUnavailable
from watchword.core.scheme import Received, Send
from watchword.schemes.digest import DigestSecret
from watchword.stores import AsyncSQLStore, MemoryStore, SQLStore

STORES: dict[str, Callable[[Path, Any], Any]] = {
    "memory": lambda folder, clock: MemoryStore(clock=clock),
    "sql": lambda folder, clock: SQLStore(f"sqlite:///{folder / 'familiar.db'}", clock=clock),
}
KINDS = [("memory", Guard), ("memory", AsyncGuard), ("sql", Guard)]
FEW = AttemptPolicy(pair=(Window(3, 60),), subject=(Window(50, 60),), address=(Window(50, 60),))


class World:
    """One client, one user, one guard whose clock stands still; `steps` counts the ways through the pipeline."""

    def __init__(self, store: Any, kind: Any, attempts: AttemptPolicy | None = FEW) -> None:
        self.now, self.steps = START, 0
        self.store = store
        store.add_user(USER, PASSWORD, realm="orders", digest_algorithms=["SHA-256"])
        self.auth = DigestAuth(USER, PASSWORD)
        self.guard = kind(
            [DigestVerifier(realm="orders")], store, policy=Policy(clock=lambda: self.now, attempts=attempts)
        )

    def judge(self, asked: Request) -> Identity | Rejected:
        try:
            verdict = self.guard.verify(asked)
            return asyncio.run(verdict) if asyncio.iscoroutine(verdict) else verdict
        except Rejected as rejected:
            return rejected

    def signed(self, auth: DigestAuth | None = None, address: str = "192.0.2.7") -> Request:
        """The client's next request."""
        flow = (auth or self.auth).flow(to(request(), None), context())
        effect = next(flow)
        while not isinstance(effect, Send):
            effect = flow.send(True)
        if not effect.request.values(b"authorization"):
            refused = self.judge(effect.request)
            assert isinstance(refused, Rejected) and refused.refusal is not None
            effect = flow.send(Received(refused.refusal.response()))
            while not isinstance(effect, Send):
                effect = flow.send(None)
        flow.close()
        sent = effect.request
        return Request.raw(
            sent.method, sent.scheme, sent.authority, sent.target, sent.headers, Peer(address), sent.exact
        )


@pytest.fixture(params=KINDS, ids=lambda kind: f"{kind[0]}-{kind[1].__name__}")
def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    name, kind = request.param
    made: list[World] = []
    store = STORES[name](tmp_path, lambda: made[0].now if made else START)
    made.append(World(store, kind))

    def counted(*arguments: Any) -> Any:
        made[0].steps += 1
        return pipeline.admission(*arguments)

    monkeypatch.setattr("watchword.core.guard.admission", counted)
    yield made[0]
    if name == "sql":
        store.close()


def test_the_second_request_with_a_nonce_goes_the_short_way(world: World) -> None:
    assert isinstance(world.judge(world.signed()), Identity)
    before = world.steps
    for _ in range(5):
        verdict = world.judge(world.signed())
        assert isinstance(verdict, Identity) and verdict.subject == USER
    assert world.steps == before
    admitted = world.guard.plan.familiar(world.signed())
    assert admitted is not None
    ((name, value),) = admitted.answer_headers(world.guard.plan, Response(200), None)
    assert name == b"authentication-info" and value.startswith(b'rspauth="')


def test_a_replay_is_refused_whichever_way_came_first(world: World) -> None:
    first = world.signed()
    assert isinstance(world.judge(first), Identity)
    second = world.signed()
    assert isinstance(world.judge(second), Identity)
    for again in (first, second):
        verdict = world.judge(again)
        assert isinstance(verdict, Rejected) and verdict.reason is Reason.REPLAYED
        assert verdict.refusal is not None and verdict.refusal.challenges


def test_guesses_with_a_nonce_that_was_good_are_counted_and_lock_the_pair(world: World) -> None:
    assert isinstance(world.judge(world.signed()), Identity)
    right = [world.signed() for _ in range(2)]
    for number in range(5):
        (value,) = world.signed().values(b"authorization")
        wrong = value.rpartition(b'response="')[0] + b'response="' + b"%064x" % number + b'"'
        verdict = world.judge(right[0].with_headers(((b"authorization", wrong),)))
        assert isinstance(verdict, Rejected)
        assert verdict.reason is (Reason.WRONG_SECRET if number < 3 else Reason.TOO_MANY_ATTEMPTS)
    locked = world.judge(right[0])
    assert isinstance(locked, Rejected) and locked.reason is Reason.TOO_MANY_ATTEMPTS
    assert locked.refusal is not None and locked.refusal.status == 429
    elsewhere = world.signed(address="198.51.100.9")
    assert isinstance(world.judge(elsewhere), Identity)  # another pair is not locked
    world.now += 61
    assert isinstance(world.judge(right[1]), Identity)


def test_a_user_who_is_changed_disabled_or_removed_is_refused_at_once(world: World) -> None:
    assert isinstance(world.judge(world.signed()), Identity)
    assert isinstance(world.judge(world.signed()), Identity)
    world.store.disable_user(USER)
    verdict = world.judge(world.signed())
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.DISABLED
    world.store.commit([Take(Ref(DigestSecret, ("SHA-256", "orders", USER)))])
    verdict = world.judge(world.signed())
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.UNKNOWN_SUBJECT
    world.store.add_user(USER, "another", realm="orders", digest_algorithms=["SHA-256"])
    verdict = world.judge(world.signed())
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.WRONG_SECRET


def test_a_pair_is_remembered_again_before_that_ends(world: World) -> None:
    assert isinstance(world.judge(world.signed()), Identity)
    before, nonce = world.guard.plan.attempts.known_for, world.signed()
    attempt = world.guard.plan.attempts.attempt(DigestVerifier(realm="orders").read(nonce).guesses, "192.0.2.7")
    (ref,) = [ref for ref in attempt.refs if ref.kind is KnownPair]
    first = world.store.fetch([ref]).get(ref).until
    assert first == START + before
    world.store.commit(attempt.remembering(world.store.fetch(attempt.refs), START + before))  # as time would
    assert isinstance(world.judge(nonce), Identity)
    assert world.store.fetch([ref]).get(ref).until > first


def test_what_the_pipeline_refuses_before_any_look_up_is_refused_here_as_well(world: World) -> None:
    assert isinstance(world.judge(world.signed()), Identity)
    asked = world.signed()
    (value,) = asked.values(b"authorization")
    for more, reason in (
        ([(b"authorization", value)], Reason.MALFORMED_REQUEST),
        ([(b"host", b"a"), (b"host", b"b")], Reason.MALFORMED_REQUEST),
        ([(b"host", b"a, b")], Reason.MALFORMED_REQUEST),
    ):
        verdict = world.judge(_with(asked, (*asked.headers, *more)))
        assert isinstance(verdict, Rejected) and verdict.reason is reason
    long = _with(asked, [(b"authorization", value + b" " * 17_000)])
    verdict = world.judge(long)
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.HEADER_TOO_LARGE
    assert isinstance(world.judge(_with(asked, (*asked.headers, (b"early-data", b"1")))), Identity)  # single use


def _with(asked: Request, headers: Any) -> Request:
    return Request.raw(asked.method, asked.scheme, asked.authority, asked.target, tuple(headers), asked.peer, True)


class Broken(MemoryStore):
    """Fails when told to, before it does anything."""

    failing: Sequence[str] = ()

    def fetch(self, refs: Any, /) -> Any:
        if "fetch" in self.failing:
            raise StoreUnavailable
        return super().fetch(refs)

    def commit(self, writes: Any, /) -> Any:
        if "mark" in self.failing and any(isinstance(write, Once) for write in writes):
            raise StoreUnavailable
        return super().commit(writes)


@pytest.mark.parametrize("failing", ["fetch", "mark"])
def test_a_store_that_does_not_answer_admits_nobody(failing: str) -> None:
    world = World(Broken(), Guard)
    for _ in range(2):
        assert isinstance(world.judge(world.signed()), Identity)
    asked = world.signed()
    world.store.failing = (failing,)
    with pytest.raises(StoreUnavailable) as caught:
        world.guard.verify(asked)
    assert caught.value.refusal is not None and caught.value.refusal.status == 503
    world.store.failing = ()
    assert isinstance(world.judge(asked), Identity)


def test_there_is_no_short_way_where_more_counts_than_one_field() -> None:
    def way(*verifiers: Any, kind: Any = Guard, store: Any = None, **options: Any) -> Any:
        return kind(list(verifiers), store or MemoryStore(), **options).plan.familiar

    digest = DigestVerifier(realm="r")
    assert way(digest) and way(digest, BasicVerifier(realm="r")) and way(digest, JWTVerifier(Key.generate("HS256")))
    assert way(digest, APIKeyVerifier()) is None
    assert way(digest, proxy=True) is None
    assert way(digest, observe=print) is None
    assert way(digest, policy=Policy(public_url=PublicURL("https://api.example"))) is None
    assert way(digest, kind=AsyncGuard, store=AsyncSQLStore("sqlite://")) is None
    with SQLStore("sqlite://") as store:
        blocking = AsyncGuard([digest], store)
        assert blocking._familiar is None and AsyncGuard([digest], MemoryStore())._familiar is not None


def test_without_attempts_nothing_is_counted_on_the_short_way() -> None:
    world = World(MemoryStore(), Guard, attempts=None)
    for _ in range(3):
        assert isinstance(world.judge(world.signed()), Identity)
    assert not world.store.records(KnownPair)


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_a_strict_password_cache_goes_the_short_way_and_heeds_all_that_the_pipeline_does(
    name: str, kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, seconds, steps = [START], [0.0], [0]
    store = STORES[name](tmp_path, lambda: now[0])
    record = Password.hash("right", scopes=["read"])
    alice = Ref(Password, ("alice",))
    store.commit([Put(alice, record)])
    cache = PasswordCache(ttl=60, strict=True, clock=lambda: seconds[0])
    guard = kind(
        [BasicVerifier(realm="r", cache=cache, rehash=None), DigestVerifier(realm="r")], store,
        policy=Policy(clock=lambda: now[0], attempts=FEW),
    )  # fmt: skip

    def counted(*arguments: Any) -> Any:
        steps[0] += 1
        return pipeline.admission(*arguments)

    monkeypatch.setattr("watchword.core.guard.admission", counted)

    def judge(password: str = "right", address: str = "192.0.2.7") -> Any:
        value = b"Basic " + b64encode(f"alice:{password}".encode())
        asked = Request("GET", "https", "api.example", "/", [(b"authorization", value)], Peer(address))
        try:
            verdict = guard.verify(asked)
            return asyncio.run(verdict) if asyncio.iscoroutine(verdict) else verdict
        except Rejected as rejected:
            return rejected.reason

    try:
        assert judge().scopes == {"read"} and steps == [1]
        assert judge().scopes == judge(address="198.51.100.9").scopes == {"read"} and steps == [1]
        store.commit([Put(alice, replace(record, scopes=("write",), subject="queen"))])
        assert (judge().subject, judge().scopes, steps) == ("queen", {"write"}, [1])
        store.commit([Put(alice, replace(record, disabled=True))])
        assert judge() is Reason.DISABLED
        store.commit([Take(alice)])
        assert judge() is Reason.UNKNOWN_SUBJECT
        store.commit([Put(alice, record)])
        assert [judge("wrong") for _ in range(2)] == [Reason.WRONG_SECRET, Reason.TOO_MANY_ATTEMPTS]  # two came before
        assert judge() is Reason.TOO_MANY_ATTEMPTS
        assert judge(address="198.51.100.9").subject == "alice"
        now[0] += 61
        before = steps[0]
        assert judge().subject == "alice" and steps[0] == before
        seconds[0] += 61
        assert judge().subject == "alice" and steps[0] == before + 1
    finally:
        if name == "sql":
            store.close()

"""Attempts through the whole pipeline: what is counted, what is not, and how slow claims wait for each other."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator, Sequence
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.fakes import FakeStore, FakeVerifier, get
from tests.core.guessing import BOTH, HERE, SMALL, START, Hashes, Server, asking
from watchword import (
    AllOf, AsyncGuard, AttemptPolicy, ConfigurationError, DigestAuth, DigestVerifier, Guard, Password, Peer, Policy, Reason, Rejected,
    Request, StoreUnavailable, explain,
)  # fmt: skip
from watchword.core import attempts as attempts_module
from watchword.core.attempts import KnownPair, Limiter, Window, network_of
from watchword.core.flow import ClientContext, Drive
from watchword.core.lock import Lock
from watchword.core.records import Conflict, Counter, Ref, Take
from watchword.core.scheme import Received
from watchword.core.steps import Acquire
from watchword.schemes.password_cache import PasswordCache
from watchword.stores import MemoryStore, SQLStore, combine, from_callables


class Clock:
    """One clock for the guard and its store."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, clock: Clock, tmp_path: Path) -> Iterator[Any]:
    if request.param == "memory":
        yield MemoryStore(clock=clock)
    else:
        with SQLStore(f"sqlite:///{tmp_path / 'users.db'}", clock=clock) as store:
            yield store


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> Hashes:
    return Hashes(monkeypatch)


@BOTH
def test_a_pair_gets_its_attempts_and_then_429_without_a_hash(
    kind: Any, store: Any, clock: Clock, hashes: Hashes
) -> None:
    server = Server(store, kind, clock=clock)
    assert [server.status(f"guess{n}") for n in range(5)] == [401, 401, 401, 429, 429]
    assert server.status("right") == 429
    assert hashes.count == 3


@BOTH
def test_the_window_ends_when_it_says_and_the_longer_one_holds_on(
    kind: Any, store: Any, clock: Clock, hashes: Hashes
) -> None:
    server = Server(store, kind, clock=clock)
    for _ in range(3):
        server.status("guess")
    clock.now = START + 59.5
    refused = server.ask("right")
    assert isinstance(refused, Rejected)
    assert (refused.reason, refused.rejection.retry_after) == (Reason.TOO_MANY_ATTEMPTS, 1)
    clock.now = START + 60
    assert [server.status("guess") for _ in range(3)] == [401, 401, 429]  # five in 600 s
    clock.now = START + 120
    assert server.response("guess").values(b"retry-after") == [b"480"]
    clock.now = START + 599.9
    assert server.response("guess").values(b"retry-after") == [b"1"]
    clock.now = START + 600
    assert server.status("right") == 200


@BOTH
def test_a_fast_scheme_is_limited_too(kind: Any, clock: Clock) -> None:
    digest = digest_server(kind, clock)
    assert [digest("guess") for _ in range(5)] == [401, 401, 401, 429, 429]
    assert digest("right") == 429
    clock.now += 60
    assert digest("right") == 200


def digest_server(kind: Any, clock: Clock) -> Any:
    """`digest(password, …)`: the status that one Digest request with a genuine nonce gets."""
    store = MemoryStore(clock=clock)
    store.add_user("alice", "right", realm="orders")
    guard = kind([DigestVerifier(realm="orders")], store, policy=Policy(clock=clock, attempts=SMALL))

    def verify(request: Any) -> Any:
        try:
            return guard.verify(request) if kind is Guard else asyncio.run(guard.verify(request))
        except Rejected as rejected:
            return rejected

    def signed(password: str, username: str = "alice", address: str = HERE) -> Any:
        bare = Request("GET", "https", "api.example", "/", peer=Peer(address))
        challenge = verify(bare).refusal.response()
        drive = Drive(DigestAuth(username, password), bare, ClientContext(clock))
        drive.advance()
        return drive.advance(Received(challenge)).request

    def digest(password: str, username: str = "alice", address: str = HERE) -> int:
        answer = verify(signed(password, username, address))
        return int(answer.refusal.status) if isinstance(answer, Rejected) else 200

    digest.signed = signed  # type: ignore[attr-defined]
    digest.verify = verify  # type: ignore[attr-defined]
    return digest


def test_a_stale_nonce_and_a_replay_are_not_failures(clock: Clock) -> None:
    digest = digest_server(Guard, clock)
    replayed = digest.signed("right")
    assert not isinstance(digest.verify(replayed), Rejected)
    for _ in range(10):
        assert digest.verify(replayed).reason is Reason.REPLAYED
    old = digest.signed("right")
    clock.now += 1000
    for _ in range(10):
        assert digest.verify(old).reason is Reason.STALE_NONCE
    assert digest("right") == 200


def test_a_wrong_guess_with_a_stale_nonce_is_a_failure(clock: Clock) -> None:
    digest = digest_server(Guard, clock)
    old = [digest.signed("guess") for _ in range(5)]
    clock.now += 1000
    assert [digest.verify(request).refusal.status for request in old] == [401, 401, 401, 429, 429]


def test_what_carries_no_guess_is_not_counted(clock: Clock, hashes: Hashes) -> None:
    server = Server(MemoryStore(clock=clock), clock=clock)
    for _ in range(20):
        for value in ("Basic ???", "Basic " + "YQ==", "Bearer x"):
            with pytest.raises(Rejected):
                server.guard.verify(get(authorization=value))
        with pytest.raises(Rejected):
            server.guard.verify(get())
    assert server.store._counters.size == 0


@BOTH
def test_known_and_unknown_users_get_the_same_octets_when_there_are_too_many(
    kind: Any, store: Any, clock: Clock, hashes: Hashes
) -> None:
    server = Server(store, kind, clock=clock)
    seen = []
    for name, address in (("alice", "192.0.2.1"), ("nobody", "192.0.2.2")):
        answers = [server.response("guess", name, address) for _ in range(4)]
        seen.append([(answer.status, answer.headers) for answer in answers])
    assert seen[0] == seen[1]
    status, headers = seen[0][-1]
    assert (status, headers) == (
        429, ((b"retry-after", b"60"), (b"cache-control", b"no-store"), (b"content-length", b"0"))
    )  # fmt: skip


@BOTH
def test_success_is_given_back_in_full(kind: Any, store: Any, clock: Clock, hashes: Hashes) -> None:
    server = Server(store, kind, clock=clock)
    assert [server.status("right") for _ in range(30)] == [200] * 30
    assert [server.status("guess") for _ in range(4)] == [401, 401, 401, 429]


def test_success_through_the_cache_leaves_no_counter_behind(clock: Clock, hashes: Hashes) -> None:
    server = Server(MemoryStore(clock=clock), clock=clock, cache=PasswordCache(clock=clock))
    assert server.status("right") == 200
    counters = server.store._counters.size
    for _ in range(20):
        assert server.status("right") == 200
    assert server.store._counters.size == counters


@BOTH
def test_a_disabled_user_counts_whichever_password_is_sent(kind: Any, clock: Clock, hashes: Hashes) -> None:
    server = Server(MemoryStore(clock=clock), kind, clock=clock)
    server.put("alice", Password("plain:right", disabled=True))
    assert [server.status("right") for _ in range(4)] == [401, 401, 401, 429]


def test_explain_names_the_lock_and_counts_nothing(clock: Clock, hashes: Hashes) -> None:
    server = Server(MemoryStore(clock=clock), clock=clock)
    for _ in range(20):
        assert explain(asking("alice", "guess"), server.guard).reason is Reason.WRONG_SECRET
    for _ in range(3):
        assert server.status("guess") == 401
    told = explain(asking("alice", "right"), server.guard)
    assert (told.accepted, told.reason, told.causes[0].name) == (False, Reason.TOO_MANY_ATTEMPTS, "attempts")
    assert "wait 60 s" in str(told)
    clock.now += 60
    assert explain(asking("alice", "right"), server.guard).accepted
    assert server.status("right") == 200


def test_optional_limits_as_well(clock: Clock, hashes: Hashes) -> None:
    server = Server(MemoryStore(clock=clock), clock=clock)
    reasons = []
    for _ in range(5):
        with pytest.raises(Rejected) as caught:
            server.guard.admit(asking("alice", "guess"), once(b""), optional=True)
        reasons.append(caught.value.reason)
    assert reasons == [Reason.WRONG_SECRET] * 3 + [Reason.TOO_MANY_ATTEMPTS] * 2


@BOTH
def test_a_store_that_only_looks_up_works_and_is_not_limited(kind: Any, hashes: Hashes) -> None:
    server = Server(from_callables(password={"alice": Password("plain:right")}.get), kind, fill=False)
    assert {server.status("guess") for _ in range(30)} == {401}
    assert server.status("right") == 200


@BOTH
def test_combined_with_a_store_that_counts_it_is_limited(kind: Any, clock: Clock, hashes: Hashes) -> None:
    users = from_callables(password={"alice": Password("plain:right")}.get)
    server = Server(combine(users, MemoryStore(clock=clock)), kind, fill=False, clock=clock)
    assert server.status("right") == 200
    assert [server.status("guess") for _ in range(4)] == [401, 401, 401, 429]


@BOTH
def test_no_policy_no_limit(kind: Any, clock: Clock, hashes: Hashes) -> None:
    server = Server(MemoryStore(clock=clock), kind, attempts=None, clock=clock)
    assert {server.status("guess") for _ in range(300)} == {401}


@BOTH
def test_a_store_that_is_down_while_it_counts_is_503_and_hashes_nothing(
    kind: Any, clock: Clock, hashes: Hashes
) -> None:
    class Down(MemoryStore):
        down = False

        def commit(self, writes: Any, /) -> Any:
            if self.down:
                raise StoreUnavailable
            return super().commit(writes)

    server = Server(Down(clock=clock), kind, clock=clock)
    server.store.down = True
    assert server.status("right") == 503
    assert hashes.count == 0


def test_a_store_that_can_not_count_now_is_503(hashes: Hashes) -> None:
    ref = Ref(Password, ("alice",))
    store = FakeStore({ref: Password("plain:right")}, outcomes=[Conflict(Take(ref))])
    server = Server(store, fill=False)
    assert server.status("right") == 503


class Guessed(FakeVerifier):
    """A fake whose token can be guessed; a claim of it names whom it asks for."""

    guessable = True
    turn = None
    __hash__ = object.__hash__

    def read(self, request: Any) -> Any:
        claim = super().read(request)
        if claim is not None:
            claim.guesses = "alice"  # type: ignore[attr-defined]
        return claim


def test_the_guessable_part_of_all_of_is_counted(clock: Clock) -> None:
    both = AllOf(Guessed("fake"), FakeVerifier("other", field=b"x-other"), bind=lambda _: None)
    guard = Guard([both], MemoryStore(clock=clock), policy=Policy(clock=clock, attempts=SMALL))
    reasons = []
    for token in ("wrong", "wrong", "wrong", "right"):
        with pytest.raises(Rejected) as caught:
            guard.verify(get(("X-Other", "other b"), authorization=f"fake {token}"))
        reasons.append(caught.value.reason)
    assert reasons == [Reason.WRONG_SECRET] * 3 + [Reason.TOO_MANY_ATTEMPTS]
    clock.now += 60
    assert guard.verify(get(("X-Other", "other b"), authorization="fake right")).subject == "right"


def test_all_of_without_a_guessable_part_counts_nothing(clock: Clock) -> None:
    both = AllOf(FakeVerifier("fake"), FakeVerifier("other", field=b"x-other"), bind=lambda _: None)
    guard = Guard([both], MemoryStore(clock=clock), policy=Policy(clock=clock, attempts=SMALL))
    for _ in range(10):
        with pytest.raises(Rejected) as caught:
            guard.verify(get(("X-Other", "other b"), authorization="fake wrong"))
        assert caught.value.reason is Reason.WRONG_SECRET


# ---- waiting ---------------------------------------------------------------------------------------------------------


def test_a_cancelled_holder_hands_the_lock_on_at_once(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although its traceback, and with it the frames that hold the steps, is kept."""
    hashing, go = threading.Event(), threading.Event()

    def work() -> None:
        hashing.set()
        go.wait(10)

    Hashes(monkeypatch, work)
    server = Server(MemoryStore(clock=clock), AsyncGuard, clock=clock)

    async def scene() -> str:
        holder = asyncio.create_task(server.guard.verify(asking("alice", "right")))
        assert await asyncio.to_thread(hashing.wait, 10)
        holder.cancel()
        try:
            await holder
        except asyncio.CancelledError as error:
            kept = error
        assert server.verifier.turn._holder is None
        go.set()
        identity = await asyncio.wait_for(server.guard.verify(asking("bob", "right")), 5)
        assert kept is not None
        return str(identity.subject)

    gc.disable()
    try:
        assert asyncio.run(scene()) == "bob"
    finally:
        gc.enable()


def test_one_that_is_cancelled_in_the_queue_leaves_it(clock: Clock, hashes: Hashes) -> None:
    server = Server(MemoryStore(clock=clock), AsyncGuard, clock=clock)
    turn = server.verifier.turn.acquire(60)
    assert turn is not None

    async def scene() -> None:
        waiting = asyncio.create_task(server.guard.verify(asking("alice", "right")))
        for _ in range(5):
            await asyncio.sleep(0)  # as far as it comes without the lock
        assert server.verifier.turn._queue
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        server.verifier.turn.release(turn)
        assert server.verifier.turn._holder is None
        assert (await server.guard.verify(asking("alice", "right"))).subject == "alice"

    asyncio.run(scene())


@BOTH
def test_patience_in_the_queue_ends_with_503(
    kind: Any, clock: Clock, hashes: Hashes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts_module, "PATIENCE", 0.05)
    server = Server(MemoryStore(clock=clock), kind, clock=clock)
    turn = server.verifier.turn.acquire(60)
    assert turn is not None
    assert server.status("right") == 503
    assert hashes.count == 0
    server.verifier.turn.release(turn)
    assert server.status("right") == 200


def test_a_thread_that_is_interrupted_in_the_queue_leaves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    lock, closed = Lock(), []
    assert lock.acquire(60) is not None

    def interrupted(_: Lock) -> float:
        raise KeyboardInterrupt

    def program() -> Any:
        try:
            yield Acquire(lock, 60, 30)
        finally:
            closed.append(True)

    steps = program()
    monkeypatch.setattr(Lock, "patience", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Driver(None).run(steps, once(b""))
    assert closed
    assert [turn.handed is not None and turn.handed.cancelled() for turn in lock._queue] == [True]


@BOTH
def test_who_waited_is_judged_by_the_record_as_it_is_then(kind: Any, clock: Clock, hashes: Hashes) -> None:
    server = Server(MemoryStore(clock=clock), kind, clock=clock)
    turn = server.verifier.turn.acquire(60)
    assert turn is not None
    statuses: list[int] = []
    thread = threading.Thread(target=lambda: statuses.append(server.status("right")))
    thread.start()
    while not server.verifier.turn._queue:
        thread.join(0.001)
    server.put("alice", Password("plain:changed"))
    server.verifier.turn.release(turn)
    thread.join(10)
    assert statuses == [401]


# ---- the parts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "policy",
    [
        AttemptPolicy(pair=[Window(0, 60)]),
        AttemptPolicy(subject=[Window(1, 0)]),
        AttemptPolicy(address=[Window(1, float("inf"))]),
        AttemptPolicy(pair=[Window(1, float("nan"))]),
        AttemptPolicy(pair=[Window(5, 60), Window(20, 60.0)]),
        AttemptPolicy(known_for=0),
    ],
)
def test_a_policy_that_can_not_be_kept_is_refused_when_the_guard_is_made(policy: AttemptPolicy) -> None:
    with pytest.raises(ConfigurationError, match="AttemptPolicy"):
        Guard([FakeVerifier()], policy=Policy(attempts=policy))


@pytest.mark.parametrize(
    "policy", [AttemptPolicy(pair=()), AttemptPolicy(subject=(), address=()), AttemptPolicy((), (), ())]
)
def test_any_group_of_windows_may_be_left_out(policy: AttemptPolicy, clock: Clock, hashes: Hashes) -> None:
    server = Server(MemoryStore(clock=clock), attempts=policy, clock=clock)
    assert server.status("right") == 200
    assert server.status("guess") == 401


def test_windows_of_nearly_one_length_are_counted_apart() -> None:
    limiter = Limiter(AttemptPolicy(pair=[Window(5, 1_000_000), Window(6, 1_000_001)]))
    assert len({name for name, _ in limiter.pair}) == 2


@given(st.integers(0x2000, 0x3FFF), st.integers(0, 2**48 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_a_global_address_is_counted_by_its_64_leftmost_bits(start: int, net: int, one: int, other: int) -> None:
    network = (start << 48 | net) << 64
    assert network_of(str(IPv6Address(network | one))) == network_of(IPv6Address(network | other).exploded.upper())


@given(st.text())
def test_any_text_for_an_address_is_counted_under_something_short(address: str) -> None:
    assert len(network_of(address)) <= 64


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("::ffff:c000:207", "192.0.2.7"), ("fe80::1%eth0", "fe80::/64"), ("::1", "::1"), ("unix:" + "x" * 99, "unix:" + "x" * 59),
    ],
)  # fmt: skip
def test_addresses_are_counted_as(address: str, network: str) -> None:
    assert network_of(address) == network


def test_the_pair_is_remembered_anew_in_the_second_half_of_its_time_only(clock: Clock, hashes: Hashes) -> None:
    server = Server(MemoryStore(clock=clock), attempts=SMALL._replace(known_for=100), clock=clock)

    def until() -> Sequence[float]:
        return [record.until for _, record in server.store.records(KnownPair)]

    server.status("right")
    assert until() == [START + 100]
    clock.now += 49
    server.status("right")
    assert until() == [START + 100]
    clock.now += 2
    server.status("right")
    assert until() == [START + 151]


def test_counters_are_forgotten_when_their_windows_end(clock: Clock, hashes: Hashes) -> None:
    policy = AttemptPolicy(pair=[Window(3, 60)], subject=[Window(3, 60)], address=[Window(10**6, 60)])
    server = Server(MemoryStore(clock=clock), attempts=policy, clock=clock)
    for number in range(300):
        server.status("guess", f"user{number}", f"192.0.2.{number % 250}")
        clock.now += 1
    assert server.store._counters.size < 3 * 180
    assert server.store.fetch([Ref(Counter, ("nothing",))]).get(Ref(Counter, ("nothing",))) is None

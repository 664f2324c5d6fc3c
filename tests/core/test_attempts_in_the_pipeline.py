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
from tests.core.guessing import BOTH, ELSEWHERE, HERE, SMALL, START, Hashes, Server, asking
from tests.patience import PATIENCE
from watchword import (
    AllOf, AsyncGuard, AttemptPolicy, ConfigurationError, DigestAuth, DigestVerifier, Guard, Password, Peer, Policy, Reason, Rejected,
    Request, StoreUnavailable, explain,
)  # fmt: skip
from watchword.core import io as io_module
from watchword.core.attempts import KnownPair, Limiter, Window
from watchword.structures.networks import network_of
from watchword.transport.flow import ClientContext, Drive
from watchword.core.io import Awaited, once
from watchword.structures.line import ClientGone, Place, WaitingLine
from watchword.core.records import Conflict, Counter, Ref, Take
from watchword.structures.room import FOR_TASKS, FOR_THREADS
from watchword.effects import Received
from watchword.crypto.digests import subject_key
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


def hold(server: Server) -> Place:
    """A stranger from elsewhere holds the line until `server.guard.plan.line.leave` of this."""
    place = server.guard.plan.line.join(False, (ELSEWHERE,))
    assert place.holds
    return place


def places(server: Server) -> int:
    """How many requests are in the line, the one that holds it included."""
    counts = server.guard.plan.line._places._counts
    return int(counts.get((True, None), 0) + counts.get((False, None), 0))


async def in_line(server: Server, number: int) -> None:
    """Returns once so many requests are in the line."""
    while places(server) < number:  # noqa: ASYNC110 -- the line tells nobody who joins
        await asyncio.sleep(0.001)


class Gate:
    """A hash that lasts until the gate is opened."""

    def __init__(self) -> None:
        self.reached, self._open = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        assert self._open.wait(PATIENCE)

    def open(self) -> None:
        self._open.set()


def failures(server: Server, name: str = "alice") -> int:
    """The failed attempts of this subject that the store counts."""
    ref = Ref(Counter, ("attempts", "subject", subject_key(name), "60.0"))
    counter = server.store.fetch([ref]).get(ref)
    return 0 if counter is None else int(counter.value)


def test_a_cancelled_holder_hands_the_line_on_once_its_hash_has_ended(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although its traceback, and with it the frames that hold its turn, is kept: two hashes never run at one time."""
    gate = Gate()
    hashes = Hashes(monkeypatch, gate)
    server = Server(MemoryStore(clock=clock), AsyncGuard, clock=clock)

    async def scene() -> str:
        holder = asyncio.create_task(server.guard.verify(asking("alice", "right")))
        assert await asyncio.to_thread(gate.reached.wait, PATIENCE)
        holder.cancel()
        try:
            await holder
        except asyncio.CancelledError as error:
            kept = error
        waiting = asyncio.create_task(server.guard.verify(asking("bob", "right")))
        while not failures(server, "bob"):  # noqa: ASYNC110 -- so far he comes without the line
            await asyncio.sleep(0.001)
        await asyncio.to_thread(int)  # behind his hash, if that were under way
        seen = waiting.done(), hashes.count, hashes.running, places(server)
        gate.open()
        identity = await asyncio.wait_for(waiting, PATIENCE)
        assert seen == (False, 1, 1, 2)
        assert kept is not None
        return str(identity.subject)

    gc.disable()
    try:
        assert asyncio.run(scene()) == "bob"
    finally:
        gc.enable()
    assert (hashes.count, hashes.most, places(server)) == (2, 1, 0)


def test_one_that_is_cancelled_before_its_hash_begins_hands_the_line_on_at_once(
    clock: Clock, hashes: Hashes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And its hash never begins, though the thread that was to do it comes later: two hashes never run at one time."""
    server = Server(MemoryStore(clock=clock), AsyncGuard, clock=clock)
    begun = asyncio.Event()
    late: list[Any] = []

    async def never(io: Awaited, call: Any) -> Any:
        late.append(call)
        begun.set()
        await asyncio.Event().wait()

    async def scene() -> None:
        with monkeypatch.context() as patched:
            patched.setattr(Awaited, "work_apart", never)  # as where a thread does not start yet
            holder = asyncio.create_task(server.guard.verify(asking("alice", "right")))
            await begun.wait()
            assert places(server) == 1
            holder.cancel()
            with pytest.raises(asyncio.CancelledError):
                await holder
        with pytest.raises(RuntimeError, match="before the work began"):
            late[0]()
        assert (places(server), hashes.count) == (0, 0)
        assert (await server.guard.verify(asking("alice", "right"))).subject == "alice"

    asyncio.run(scene())


def test_one_that_is_cancelled_in_the_line_leaves_it_and_has_spent_its_attempt(clock: Clock, hashes: Hashes) -> None:
    server = Server(MemoryStore(clock=clock), AsyncGuard, clock=clock)
    holder = hold(server)

    async def scene() -> None:
        waiting = asyncio.create_task(server.guard.verify(asking("alice", "right")))
        await in_line(server, 2)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert places(server) == 1
        server.guard.plan.line.leave(holder)
        assert places(server) == 0
        assert (hashes.count, failures(server)) == (0, 1)
        assert (await server.guard.verify(asking("alice", "right"))).subject == "alice"
        assert (hashes.count, failures(server)) == (1, 1)

    asyncio.run(scene())


@BOTH
def test_an_attempt_is_counted_before_it_waits_and_given_back_after(kind: Any, clock: Clock, hashes: Hashes) -> None:
    server = Server(MemoryStore(clock=clock), kind, clock=clock)
    holder = hold(server)
    statuses: list[int] = []
    thread = threading.Thread(target=lambda: statuses.append(server.status("right")))
    thread.start()
    while not failures(server):
        thread.join(0.001)
    assert (failures(server), hashes.count, statuses) == (1, 0, [])
    server.guard.plan.line.leave(holder)
    thread.join(PATIENCE)
    assert (failures(server), hashes.count, statuses) == (0, 1, [200])


def test_guesses_beyond_the_limit_are_refused_while_the_others_still_wait(clock: Clock, hashes: Hashes) -> None:
    server = Server(MemoryStore(clock=clock), AsyncGuard, clock=clock)
    holder = hold(server)

    async def scene() -> None:
        waiting = [asyncio.create_task(server.guard.verify(asking("alice", f"guess{n}"))) for n in range(3)]
        await in_line(server, 4)
        for _ in range(2):
            with pytest.raises(Rejected) as caught:
                await asyncio.wait_for(server.guard.verify(asking("alice", "right")), PATIENCE)
            assert caught.value.reason is Reason.TOO_MANY_ATTEMPTS
        assert (hashes.count, places(server)) == (0, 4)
        server.guard.plan.line.leave(holder)
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        assert [isinstance(answer, Rejected) and answer.reason for answer in answers] == [Reason.WRONG_SECRET] * 3

    asyncio.run(scene())
    assert (hashes.count, hashes.most, places(server)) == (3, 1, 0)


@BOTH
def test_patience_in_the_line_ends_with_503(
    kind: Any, clock: Clock, hashes: Hashes, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(MemoryStore(clock=clock), kind, clock=clock)
    holder = hold(server)
    with monkeypatch.context() as patched:
        patched.setattr(io_module, "PATIENCE", 0.05)
        answer = server.ask("right")
    assert isinstance(answer, Rejected) and answer.refusal is not None
    assert (answer.reason, answer.refusal.status) == (Reason.TOO_BUSY, 503)
    assert answer.refusal.response().values(b"retry-after") == [b"1"]
    assert (hashes.count, places(server)) == (0, 1)
    server.guard.plan.line.leave(holder)
    assert server.status("right") == 200


@BOTH
def test_a_line_without_room_refuses_at_once_and_says_when_to_return(kind: Any, clock: Clock, hashes: Hashes) -> None:
    server = Server(MemoryStore(clock=clock), kind, clock=clock)
    line: WaitingLine = server.guard.plan.line
    bounds = FOR_THREADS if kind is Guard else FOR_TASKS
    own = [line.join(False, (HERE,), None, FOR_TASKS) for _ in range(bounds.address)]
    others = [line.join(False, (f"198.51.100.{n}",), None, FOR_TASKS) for n in range(bounds.strangers - bounds.address)]
    # The network has no room, whoever else has; then the line has none for a stranger of any network.
    for address, reason, status in (
        (HERE, Reason.TOO_MANY_ATTEMPTS, 429), ("203.0.113.5", Reason.TOO_BUSY, 503),
    ):  # fmt: skip
        answer = server.ask("right", address=address)
        assert isinstance(answer, Rejected) and answer.refusal is not None
        assert (answer.reason, answer.refusal.status) == (reason, status)
        assert answer.refusal.response().values(b"retry-after") == [b"1"]
    assert (hashes.count, failures(server)) == (0, 0)  # nothing was tried, so nothing is counted
    for place in (*own, *others):
        line.leave(place)
    assert server.status("right") == 200


@BOTH
@pytest.mark.parametrize("address", ["", "127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_the_address_of_a_proxy_that_nobody_told_of_is_not_bounded_like_one_address(
    kind: Any, address: str, clock: Clock, hashes: Hashes
) -> None:
    policy = SMALL._replace(address=[Window(1000, 60)])
    server = Server(MemoryStore(clock=clock), kind, clock=clock, attempts=policy)
    line: WaitingLine = server.guard.plan.line
    bounds = FOR_THREADS if kind is Guard else FOR_TASKS
    holder = hold(server)
    statuses: list[int] = []
    waiting = [
        threading.Thread(target=lambda n=n: statuses.append(server.status("guess", f"nobody{n}", address)))
        for n in range(bounds.strangers - 1)
    ]
    for thread in waiting:
        thread.start()
    while places(server) < bounds.strangers:
        waiting[0].join(0.001)
    assert (server.status("right", "alice", address), statuses) == (503, [])  # the line is full, not the network
    line.leave(holder)
    for thread in waiting:
        thread.join(PATIENCE)
    assert statuses == [401] * (bounds.strangers - 1)
    assert (hashes.count, hashes.most) == (bounds.strangers - 1, 1)


@BOTH
def test_a_known_pair_finds_room_where_strangers_fill_the_line(kind: Any, clock: Clock, hashes: Hashes) -> None:
    server = Server(MemoryStore(clock=clock), kind, clock=clock)
    assert server.status("right") == 200
    line: WaitingLine = server.guard.plan.line
    bounds = FOR_THREADS if kind is Guard else FOR_TASKS
    strangers = [line.join(False, (f"198.51.100.{n}",), None, FOR_TASKS) for n in range(bounds.strangers)]
    assert server.status("right", "bob") == 503
    statuses: list[int] = []
    thread = threading.Thread(target=lambda: statuses.append(server.status("right")))
    thread.start()
    while places(server) <= len(strangers):
        thread.join(0.001)
    line.leave(strangers[0])  # the next is the known pair: its hash is done before those of the other strangers
    thread.join(PATIENCE)
    assert statuses == [200]


def test_a_thread_that_is_interrupted_in_the_line_leaves_it(
    clock: Clock, hashes: Hashes, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(MemoryStore(clock=clock), clock=clock)
    holder = hold(server)

    def interrupted(*_: object) -> float:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(WaitingLine, "_time_left", interrupted)
        with pytest.raises(KeyboardInterrupt):
            server.guard.verify(asking("alice", "right"))
    assert (places(server), hashes.count) == (1, 0)
    server.guard.plan.line.leave(holder)
    assert places(server) == 0
    assert server.status("right") == 200


@BOTH
def test_who_waited_is_judged_by_the_record_as_it_is_then(kind: Any, clock: Clock, hashes: Hashes) -> None:
    server = Server(MemoryStore(clock=clock), kind, clock=clock)
    holder = hold(server)
    statuses: list[int] = []
    thread = threading.Thread(target=lambda: statuses.append(server.status("right")))
    thread.start()
    while places(server) < 2:
        thread.join(0.001)
    server.put("alice", Password("plain:changed"))
    server.guard.plan.line.leave(holder)
    thread.join(PATIENCE)
    assert statuses == [401]


def test_a_burst_of_the_same_right_password_is_hashed_once(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate()
    hashes = Hashes(monkeypatch, gate)
    server = Server(MemoryStore(clock=clock), AsyncGuard, clock=clock, cache=PasswordCache(clock=clock))

    async def scene() -> list[str]:
        burst = [asyncio.create_task(server.guard.verify(asking("alice", "right"))) for _ in range(20)]
        await in_line(server, 20)
        gate.open()
        return [(await task).subject for task in burst]

    assert asyncio.run(scene()) == ["alice"] * 20
    assert (hashes.count, failures(server), places(server)) == (1, 0, 0)


def test_a_burst_of_the_same_wrong_password_spends_an_attempt_for_each(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    hashes = Hashes(monkeypatch, gate)
    server = Server(MemoryStore(clock=clock), AsyncGuard, clock=clock, cache=PasswordCache(clock=clock))

    async def scene() -> list[Reason]:
        burst = [asyncio.create_task(server.guard.verify(asking("alice", "guess"))) for _ in range(5)]
        await in_line(server, 5)
        gate.open()
        answers = await asyncio.gather(*burst, return_exceptions=True)
        return [answer.reason for answer in answers if isinstance(answer, Rejected)]

    reasons = asyncio.run(scene())
    assert (
        sorted(reasons, key=lambda reason: reason.value) == [Reason.TOO_MANY_ATTEMPTS] * 2 + [Reason.WRONG_SECRET] * 3
    )
    assert (hashes.count, hashes.most, failures(server), places(server)) == (3, 1, 3, 0)


def test_a_burst_whose_first_request_is_cancelled_is_served_for_one_more_hash(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    hashes = Hashes(monkeypatch, gate)
    server = Server(MemoryStore(clock=clock), AsyncGuard, clock=clock, cache=PasswordCache(clock=clock))

    async def scene() -> list[str]:
        first = asyncio.create_task(server.guard.verify(asking("alice", "right")))
        assert await asyncio.to_thread(gate.reached.wait, PATIENCE)
        burst = [asyncio.create_task(server.guard.verify(asking("alice", "right"))) for _ in range(2)]
        await in_line(server, 3)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        gate.open()
        return [(await task).subject for task in burst]

    assert asyncio.run(scene()) == ["alice"] * 2
    # Only the attempt of the request that was cancelled is spent.
    assert (hashes.count, hashes.most, failures(server), places(server)) == (2, 1, 1, 0)


def test_nothing_is_hashed_for_a_client_that_has_left(clock: Clock, hashes: Hashes) -> None:
    waits = Server(MemoryStore(clock=clock), AsyncGuard, clock=clock)
    hold(waits)

    async def scene() -> None:
        gone: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        request = asking("alice", "right")
        waiting = asyncio.create_task(waits.guard.admit(request, once(b""), gone=lambda: gone))
        await in_line(waits, 2)
        gone.set_result(None)
        with pytest.raises(ClientGone):
            await waiting

    asyncio.run(scene())
    blocks = Server(MemoryStore(clock=clock), clock=clock)
    holder, left = hold(blocks), threading.Event()
    raised: list[BaseException] = []

    def ask() -> None:
        try:
            blocks.guard.admit(asking("alice", "right"), once(b""), gone=left.is_set)
        except ClientGone as error:
            raised.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    while places(blocks) < 2:
        thread.join(0.001)
    left.set()
    blocks.guard.plan.line.leave(holder)
    thread.join(PATIENCE)
    assert len(raised) == 1
    # Whoever hangs up has spent the attempt.
    assert (hashes.count, failures(waits), failures(blocks), places(waits), places(blocks)) == (0, 1, 1, 1, 0)


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

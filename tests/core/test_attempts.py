"""Attempts: the windows against a plain model, their edges, what starts and ends them, and what is configured."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.attempts_world import HASH, HERE, KINDS, SMALL, THERE, Answer, World, basic, world
from watchword import (
    AllOf, APIKeyVerifier, AsyncGuard, AttemptPolicy, BasicVerifier, ConfigurationError, Guard, Password, Peer, Policy, Reason,
    Rejected, Request, StoreUnavailable, explain,
)  # fmt: skip
from watchword.core.attempts import Attempt, KnownPair, Limiter, Window, giving_back
from watchword.structures.networks import network_of
from watchword.core.records import Add, Committed, Exceeded, Ref
from watchword.crypto.digests import subject_key
from watchword.stores import MemoryStore, SQLStore, combine, from_callables

SIX = "2001:db8::1"
SIBLING = "2001:db8::ffff:1"
NEIGHBOUR = "2001:db8:0:ff00::1"


class Model:
    """The policy in plain words, slow and obvious."""

    def __init__(self, policy: AttemptPolicy) -> None:
        self.policy = policy
        self.windows: dict[Any, tuple[float, int]] = {}
        self.known: dict[Any, float] = {}

    def count(self, key: Any, now: float) -> int:
        end, count = self.windows.get(key, (0.0, 0))
        return count if end > now else 0

    def room(self, key: Any, limit: int, now: float) -> float:
        """Seconds to wait; 0: there is room."""
        return 0 if self.count(key, now) < limit else self.windows[key][0] - now

    def chain(self, key: Any, windows: Any) -> list[Any]:
        """Each window with the count of the next shorter one at which it begins."""
        chain: list[Any] = []
        for limit, seconds in windows:
            before = (*chain[-1][0:1], -(-min(limit, chain[-1][1]) // 2)) if chain else None
            chain.append(((*key, seconds), limit, seconds, before))
        return chain

    def networks(self, where: str) -> list[Any]:
        if not where.endswith("/64"):
            return []
        address = [Window(limit, seconds) for limit, seconds in self.policy.address]
        wider = {
            56: self.policy.network_56 or [Window(2 * limit, seconds) for limit, seconds in address],
            48: self.policy.network_48 or [Window(5 * limit, seconds) for limit, seconds in address],
        }
        return [
            window
            for prefix, windows in wider.items()
            for window in self.chain((str(IPv6Network(where).supernet(new_prefix=prefix)),), windows)
        ]

    def ask(self, who: str, where: str, right: bool, now: float) -> tuple[int, float]:
        pair = self.chain((who, where), self.policy.pair)
        if where in ("", "127.0.0.1"):
            pair = pair[:1]
        subject = self.chain((who,), self.policy.subject)
        address = [*self.chain(("at", where), self.policy.address), *self.networks(where)]
        first = not any(self.count(key, now) for key, _, _, _ in pair)
        besieged = any(self.room(key, limit, now) for key, limit, _, _ in subject)
        if self.known.get((who, where), 0) > now:
            demanded = pair
        elif first and besieged:
            once = (pair[0][0], 1, pair[0][2], None)
            demanded = [once, *((*window[:3], None) for window in pair[1:]), *address]
        else:
            demanded = [*pair, *address, *subject]
        for key, limit, _, _ in demanded:
            if wait := self.room(key, limit, now):
                return 429, wait
        for key, _, seconds, before in () if right else demanded:
            if self.count(key, now):
                self.windows[key] = self.windows[key][0], self.windows[key][1] + 1
            elif before is None:
                self.windows[key] = now + seconds, 1
            elif self.count(before[0], now) >= before[1]:
                self.windows[key] = now + seconds, before[1]
        if (
            right and self.known.get((who, where), 0) <= now + self.policy.known_for / 2
        ):  # else it was written not long ago
            self.known[who, where] = now + self.policy.known_for
        return (200, 0) if right else (401, 0)


STEPS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.0, 0.0, 0.0, 1.0, 29.5, 60.0, 599.0]),
        st.sampled_from(["alice", "bob", "nobody"]),
        st.sampled_from([HERE, THERE, SIX, SIBLING, NEIGHBOUR, "", "127.0.0.1"]),
        st.sampled_from([False, False, False, True]),
    ),
    min_size=10,
    max_size=60,
)
TINY = AttemptPolicy(
    pair=(Window(2, 30), Window(4, 300)),
    subject=(Window(5, 60), Window(9, 90)),
    address=(Window(7, 60),),
    known_for=700,
)


ROOMY = AttemptPolicy(
    pair=(Window(4, 60), Window(7, 300), Window(9, 1000)),
    subject=(Window(9, 60), Window(12, 600)),
    address=(Window(8, 60),),
    known_for=700,
    network_48=(Window(9, 60), Window(11, 600)),
)


@pytest.mark.parametrize("policy", [TINY, ROOMY], ids=["tiny", "roomy"])
@pytest.mark.parametrize("kind", ["memory", "sql"])
def test_every_sequence_of_attempts_is_answered_as_the_model_says(
    kind: str, policy: AttemptPolicy, tmp_path_factory: pytest.TempPathFactory
) -> None:
    @settings(max_examples=60 if kind == "memory" else 8)
    @given(STEPS)
    def check(steps: list[Any]) -> None:
        with (
            pytest.MonkeyPatch.context() as patch,
            world(kind, tmp_path_factory.mktemp("w"), patch, policy, False) as made,
        ):
            model = Model(policy)
            for seconds, who, where, right in steps:
                made.now += seconds
                passes = right and who != "nobody"
                status, wait = model.ask(who, network_of(where), passes, made.now)
                answer = made.ask(who, "right" if right else "wrong", where)
                assert answer.status == status
                assert answer.wait is None or answer.wait - 1 <= wait <= answer.wait

    check()


@pytest.fixture(params=KINDS)
def guarded(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    with world(request.param, tmp_path, monkeypatch) as made:
        yield made


def fail(guarded: World, times: int, **where: str) -> list[int]:
    return [guarded.ask("alice", **where).status for _ in range(times)]


def test_a_window_ends_on_its_second_and_the_longer_one_goes_on(guarded: World) -> None:
    assert fail(guarded, 4) == [401, 401, 401, 429]
    guarded.now += 59.75
    assert fail(guarded, 1) == [429]
    guarded.now += 0.25
    assert fail(guarded, 4) == [401, 401, 401, 429]
    guarded.now += 60
    locked = guarded.ask("alice")
    assert (locked.status, locked.wait) == (429, 480)
    guarded.now += 480
    assert guarded.ask("alice", "right") == Answer(200)


def test_refused_attempts_prolong_nothing(guarded: World) -> None:
    fail(guarded, 3)
    for _ in range(59):
        guarded.now += 1
        assert fail(guarded, 1) == [429]
    guarded.now += 1
    assert guarded.ask("alice", "right") == Answer(200)


def test_successes_count_nothing_and_forgive_nothing(guarded: World) -> None:
    """Forgiving would let whoever shares an address with a user guess on while the user works."""
    assert [guarded.ask("alice", "right").status for _ in range(20)] == [200] * 20
    assert fail(guarded, 2) == [401, 401]
    assert guarded.ask("alice", "right").status == 200
    assert fail(guarded, 2) == [401, 429]


def test_absent_and_malformed_credentials_are_no_failures(guarded: World) -> None:
    for _ in range(30):
        assert guarded.send(b"Basic !").status == 401
        assert guarded.send(b"Basic").status == 401
    assert fail(guarded, 3) == [401] * 3


def test_an_address_that_asks_for_many_is_throttled(guarded: World) -> None:
    statuses = [guarded.ask(f"user{number}").status for number in range(30)]
    assert statuses == [401] * 20 + [429] * 10
    assert guarded.ask("alice", "right", THERE).status == 200
    guarded.now += 60
    assert guarded.ask("bob", "right").status == 200


def test_a_subject_that_is_asked_for_from_everywhere_is_throttled(guarded: World) -> None:
    """Twice from each address: the first attempt is everybody's."""
    statuses = [guarded.ask("alice", address=f"203.0.113.{number // 2}").status for number in range(30)]
    assert statuses == [401] * 10 + [401, 429] * 10
    assert guarded.ask("bob", "right").status == 200


def test_observe_is_told_which_window_was_full(guarded: World) -> None:
    fail(guarded, 4)
    verdict = guarded.verdicts[-1]
    assert (verdict.reason, verdict.status, verdict.where) == (Reason.TOO_MANY_ATTEMPTS, 429, "attempts")
    assert verdict.detail == "too many failed attempts of this pair"


def test_explain_shows_the_lock_and_counts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world("memory", tmp_path, monkeypatch) as guarded:
        request = Request("GET", "https", "api.example", "/", [(b"authorization", basic("alice"))], Peer(HERE))
        for _ in range(10):
            assert explain(request, guarded.guard).reason is Reason.WRONG_SECRET
        assert fail(guarded, 4) == [401, 401, 401, 429]
        explanation = explain(request, guarded.guard)
        assert explanation.reason is Reason.TOO_MANY_ATTEMPTS
        assert (explanation.causes[0].name, explanation.causes[0].passed) == ("attempts", False)
        assert "wait 60 s" in explanation.causes[0].mend


def test_what_is_stored_is_bounded_and_names_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world("memory", tmp_path, monkeypatch) as guarded:
        guarded.ask("alice's password " + "x" * 200, "wrong", "2001:db8::1")
        keys = [key for shard in guarded.store._counters._shards for key in shard]
        assert len(keys) == 5  # one of the pair, one of the subject, and those of three networks
        assert all(len(str(key)) < 160 and "alice" not in str(key) for key in keys)


def test_a_genuine_request_that_needs_no_hash_adds_no_counter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world("memory", tmp_path, monkeypatch) as guarded:
        guarded.ask("alice", "right")
        before = len(guarded.store._counters)
        guarded.ask("alice", "right", THERE)
        assert len(guarded.store._counters) == before
        known = Ref(KnownPair, (subject_key("alice"), THERE))
        assert guarded.store.fetch([known]).get(known) == KnownPair(guarded.now + 30 * 86_400)


def test_a_pair_is_known_for_its_time_only(guarded: World) -> None:
    assert guarded.ask("bob", "right").status == 200
    for number in range(20):
        guarded.ask(f"user{number}")
    assert guarded.ask("bob", "right").status == 200
    guarded.now += 31 * 86_400
    for number in range(20):
        guarded.ask(f"user{number}")
    assert guarded.ask("bob", "right").status == 429


# ---- what is configured ----------------------------------------------------------------------------------------------


def refused(guard: Guard, password: str = "wrong", headers: Any = ()) -> int:
    request = Request(
        "GET", "https", "api.example", "/", [(b"authorization", basic("alice", password)), *headers], Peer(HERE)
    )
    try:
        guard.verify(request)
    except Rejected as rejected:
        assert rejected.refusal is not None
        return rejected.refusal.status
    return 200


def test_a_guard_limits_attempts_unless_it_is_told_not_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchword.crypto.passwords._matches", lambda *_: False)
    limit = AttemptPolicy().pair[0].limit
    guard = Guard([BasicVerifier(realm="orders")], MemoryStore())
    assert [refused(guard) for _ in range(limit + 1)] == [401] * limit + [429]
    free = Guard([BasicVerifier(realm="orders")], MemoryStore(), policy=Policy(attempts=None))
    assert [refused(free) for _ in range(limit + 5)] == [401] * (limit + 5)


def test_a_store_of_look_ups_counts_with_a_second_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchword.crypto.passwords._matches", lambda *_: False)
    users = from_callables(password=lambda name: Password(HASH) if name == "alice" else None)
    policy = Policy(attempts=SMALL)
    combined = Guard([BasicVerifier(realm="orders")], combine(users, MemoryStore()), policy=policy)
    assert [refused(combined) for _ in range(4)] == [401, 401, 401, 429]


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (AttemptPolicy(pair=[Window(0, 60)]), "needs positive numbers"),
        (AttemptPolicy(subject=[Window(5, 0)]), "needs positive numbers"),
        (AttemptPolicy(address=[Window(5, float("inf"))]), "needs positive numbers"),
        (AttemptPolicy(address=[Window(5, float("nan"))]), "needs positive numbers"),
        (AttemptPolicy(pair=[Window(5, 60), Window(9, 60)]), "two windows of one length"),
        (AttemptPolicy(known_for=0), "known_for"),
        (AttemptPolicy(known_for=float("nan")), "known_for"),
    ],
)
@pytest.mark.parametrize("kind", [Guard, AsyncGuard])
def test_a_policy_that_can_not_be_kept_is_refused_at_construction(
    kind: Any, policy: AttemptPolicy, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        kind([BasicVerifier(realm="orders")], MemoryStore(), policy=Policy(attempts=policy))


def test_the_order_of_the_windows_does_not_matter() -> None:
    ordered, turned = (Limiter(AttemptPolicy(pair=windows)) for windows in (SMALL.pair, SMALL.pair[::-1]))
    assert list(ordered.pair) == list(turned.pair)


def test_all_of_counts_for_its_part_that_can_be_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchword.crypto.passwords._matches", lambda *_: False)
    store = MemoryStore()
    key = store.add_api_key("alice")
    both = AllOf(BasicVerifier(realm="orders"), APIKeyVerifier())
    guard = Guard([both], store, policy=Policy(attempts=SMALL))
    assert [refused(guard, headers=[(b"x-api-key", key.encode())]) for _ in range(4)] == [401, 401, 401, 429]


def test_a_store_that_can_not_count_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail closed: guesses that can't be counted are not hashed."""

    def down(writes: Any) -> Any:
        raise StoreUnavailable

    with world("memory", tmp_path, monkeypatch) as guarded:
        monkeypatch.setattr(guarded.guard.io, "commit", down)
        with pytest.raises(StoreUnavailable):
            guarded.ask("alice", "right")
        assert guarded.hashes == []


def test_two_processes_that_see_a_besieged_subject_at_once_let_one_first_attempt_through() -> None:
    store, now = MemoryStore(clock=lambda: 1000.0), 1000.0
    store.commit([Add(("attempts", "subject", "alice", "60.0"), 10, now + 60)])
    seen = []
    for _ in range(2):
        attempt = Attempt(Limiter(SMALL), "alice", THERE)
        seen.append(attempt.adds(store.fetch(attempt.refs), now))
    assert seen[0] == seen[1]
    assert isinstance(store.commit(seen[0]), Committed)
    assert isinstance(store.commit(seen[1]), Exceeded)


# ---- when longer windows begin ---------------------------------------------------------------------------------------

HALVES = AttemptPolicy(pair=(Window(4, 60), Window(10, 600), Window(20, 6000)))


def guess(store: Any, attempt: Attempt, now: float) -> list[Add]:
    """Counts one attempt; what was counted."""
    adds = attempt.adds(store.fetch(attempt.refs), now)
    assert isinstance(store.commit(adds), Committed)
    return adds


def values(store: Any, attempt: Attempt) -> list[int]:
    """What the windows of the pair have counted."""
    found = store.fetch(attempt.refs)
    records = [found.get(ref) for ref in attempt.refs if ref.key[:2] == ("attempts", "pair")]
    return [0 if record is None else record.value for record in records]


@pytest.fixture(params=["memory", "sql"])
def counting(request: pytest.FixtureRequest) -> Iterator[tuple[Any, list[float]]]:
    """A store, and the time."""
    now = [1000.0]
    if request.param == "memory":
        yield MemoryStore(clock=lambda: now[0]), now
    else:
        with SQLStore("sqlite://", clock=lambda: now[0]) as store:
            yield store, now


def test_a_longer_window_begins_with_all_failures_once_the_shorter_one_is_half_full(counting: Any) -> None:
    store, now = counting
    attempt = Attempt(Limiter(HALVES), "alice", HERE)
    seen = []
    for number in range(5):
        now[0] += 60 if number == 4 else 0
        guess(store, attempt, now[0])
        seen.append(values(store, attempt))
    assert seen == [[1, 0, 0], [2, 2, 0], [3, 3, 0], [4, 4, 0], [1, 5, 5]]


def test_guesses_that_saw_nothing_yet_open_the_longer_window_all_the_same(counting: Any) -> None:
    """A burst must not keep the long windows shut, minute by minute."""
    store, now = counting
    attempt = Attempt(Limiter(HALVES), "alice", HERE)
    early = store.fetch(attempt.refs)
    bursts = []
    for _ in range(4):
        outcomes = [store.commit(attempt.adds(early, now[0])) for _ in range(6)]
        bursts.append(sum(isinstance(outcome, Committed) for outcome in outcomes))
        now[0] += 60
    assert bursts == [4, 4, 2, 0]


def test_a_longer_window_with_less_room_is_asked_for_before_it_has_begun(counting: Any) -> None:
    """A burst may open and fill it while a right guess is judged."""
    store, now = counting
    attempt = Attempt(Limiter(AttemptPolicy(pair=(Window(6, 60), Window(5, 600)))), "alice", HERE)
    for _ in range(2):
        guess(store, attempt, now[0])
    passing = attempt.passing(store.fetch(attempt.refs), now[0])
    assert isinstance(store.commit(passing), Committed)
    for _ in range(3):
        guess(store, attempt, now[0])
    assert isinstance(store.commit(passing), Exceeded)


def test_below_half_a_shorter_window_holds_alone(counting: Any) -> None:
    store, now = counting
    attempt = Attempt(Limiter(HALVES), "alice", HERE)
    for _ in range(30):
        guess(store, attempt, now[0])
        assert values(store, attempt) == [1, 0, 0]
        now[0] += 60


def test_success_takes_back_its_own_and_leaves_the_failures_of_others(counting: Any) -> None:
    store, now = counting
    attempt = Attempt(Limiter(HALVES), "alice", HERE)
    guess(store, attempt, now[0])
    right = guess(store, attempt, now[0])
    guess(store, attempt, now[0])
    assert values(store, attempt) == [3, 3, 0]
    store.commit(giving_back(right))
    assert values(store, attempt) == [2, 2, 0]
    late = guess(store, attempt, now[0])
    now[0] += 60
    guess(store, attempt, now[0])
    store.commit(giving_back(late))  # of its short window there is nothing left
    assert values(store, attempt) == [1, 3, 0]


def test_a_success_that_opened_nothing_lowers_no_window_that_others_opened_later(counting: Any) -> None:
    store, now = counting
    attempt = Attempt(Limiter(HALVES), "alice", HERE)
    right = guess(store, attempt, now[0])
    now[0] += 1
    guess(store, attempt, now[0])
    store.commit(giving_back(right))
    assert values(store, attempt) == [1, 2, 0]


def test_a_first_attempt_during_a_siege_is_in_every_window(counting: Any) -> None:
    """Else it would be the first again a minute later."""
    store, now = counting
    limiter = Limiter(HALVES)
    store.commit([Add(("attempts", "subject", "alice", "60.0"), 100, now[0] + 60, 100)])
    attempt = limiter.attempt("alice", HERE)
    guess(store, attempt, now[0])
    assert values(store, attempt) == [1, 1, 1]
    now[0] += 120
    store.commit([Add(("attempts", "subject", "alice", "60.0"), 100, now[0] + 60, 100)])
    with pytest.raises(Rejected, match="this subject"):
        attempt.check(store.fetch(attempt.refs), now[0])


def test_a_whole_48_is_throttled_and_who_was_there_before_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world("memory", tmp_path, monkeypatch) as guarded:
        assert guarded.ask("alice", "right", "2001:db8:0:7::1").status == 200
        statuses = [
            guarded.ask(f"user{number}", "wrong", f"2001:db8:0:{number:x}00::1").status for number in range(120)
        ]
        assert statuses == [401] * 100 + [429] * 20
        assert guarded.ask("bob", "right", "2001:db8:0:7::1").status == 429
        assert guarded.ask("alice", "right", "2001:db8:0:7::1").status == 200
        assert guarded.ask("bob", "right", "2001:db8:1::1").status == 200
        statuses = [guarded.ask(f"user{number}", "wrong", f"2001:db8:2:{number:x}::1").status for number in range(60)]
        assert statuses == [401] * 40 + [429] * 20


def test_the_limits_of_wider_networks_can_be_given() -> None:
    limiter = Limiter(AttemptPolicy(network_48=(), network_56=[Window(7, 30)]))
    refs = [ref.key for ref in limiter.attempt("alice", "2001:db8::/64").refs if "network" in ref.key]
    assert refs == [("attempts", "network", "2001:db8::/56", "30.0")]
    assert [window for _, window in limiter.wider[1]] == [Window(7, 30)]
    by_default = Limiter(AttemptPolicy(address=[Window(10, 60)]))
    assert [window for group in by_default.wider for _, window in group] == [Window(50, 60), Window(20, 60)]

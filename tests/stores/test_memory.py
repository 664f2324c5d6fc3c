"""What only MemoryStore promises: a bound, no waiting, no long pause."""

from __future__ import annotations

import pytest

from tests.stores.faces import Clock, Note
from watchword import (
    ConfigurationError, Guard, HMACAuth, HMACVerifier, Key, Policy, Reason, Rejected, StoreUnavailable, Verdict,
)  # fmt: skip
from watchword.core.records import COMMITTED, Add, Conflict, Counter, Once, Put, Ref, Replayed, Spent, Take
from watchword.stores import MemoryStore
from watchword.testing import signed


def test_it_never_waits_and_holds_everything() -> None:
    assert MemoryStore().blocking is False
    assert MemoryStore().kinds is None


def test_full_of_what_lives_it_refuses_and_forgets_nothing(clock: Clock) -> None:
    store = MemoryStore(capacity=10, clock=clock)
    marks = [Once((str(number),), clock.now + 100) for number in range(8)]
    assert store.commit(marks) == COMMITTED
    assert store.commit([Add(("c",), 1, clock.now + 100), Add(("d",), 1, clock.now + 100)]) == COMMITTED
    for write in (Once(("one more",), clock.now + 100), Add(("e",), 1, clock.now + 100)):
        with pytest.raises(StoreUnavailable, match="full.*capacity"):
            store.commit([Put(Ref(Note, ("n",)), Note("n")), write])
    assert store.fetch([Ref(Note, ("n",))]).get(Ref(Note, ("n",))) is None
    assert [store.commit([mark]) for mark in marks] == [Replayed(mark) for mark in marks]
    assert store.commit([Add(("c",), 1, clock.now + 100)]) == COMMITTED  # room that it has already
    clock.now += 159  # ended, but within the grace
    with pytest.raises(StoreUnavailable):
        store.commit([Once(("one more",), clock.now + 100)])
    clock.now += 100
    assert store.commit([Once(("one more",), clock.now + 100)]) == COMMITTED


@pytest.mark.parametrize("owner", [None, "partner"])
def test_a_mark_by_another_clock_that_is_years_behind_still_marks(clock: Clock, owner: str | None) -> None:
    store = MemoryStore(clock=clock)
    mark = Once(("n",), clock.now - 10**8, owner)
    assert [store.commit([mark]) for _ in range(2)] == [COMMITTED, Replayed(mark)]
    clock.now += 59  # within the grace
    assert store.commit([mark]) == Replayed(mark)


def test_at_the_bound_a_guard_answers_503_and_says_why_while_replays_are_still_refused_as_replays(clock: Clock) -> None:
    store = MemoryStore(capacity=2, clock=clock)
    key = Key.generate("HS256", key_id="robot-1")
    store.add_key("robot", key)
    verdicts: list[Verdict] = []
    guard = Guard([HMACVerifier()], store, policy=Policy(clock=clock), observe=verdicts.append)
    first, second, third = (signed(HMACAuth(key), clock=clock).request for _ in range(3))
    guard.verify(first)
    guard.verify(second)
    with pytest.raises(StoreUnavailable, match="replay memory is full: 2 entries are alive") as caught:
        guard.verify(third)
    assert caught.value.refusal is not None
    assert caught.value.refusal.status == 503
    assert (verdicts[-1].outcome, verdicts[-1].detail) == ("unavailable", str(caught.value))
    with pytest.raises(Rejected) as refused:
        guard.verify(first)
    assert refused.value.reason is Reason.REPLAYED


def test_it_stays_bounded_under_endless_traffic_and_refused_attempts(clock: Clock) -> None:
    store = MemoryStore(capacity=3000, clock=clock)
    for number in range(20_000):
        clock.now += 0.1
        mark = Once((str(number),), clock.now + 20)
        impossible = Put(Ref(Note, ("n",)), Note("n"), if_version=9)
        assert store.commit([mark, Add(("c", str(number)), 1, clock.now + 20), impossible]) == Conflict(impossible)
        assert store.commit([mark, Add(("same",), 1, clock.now + 1000)]) == COMMITTED
    assert store._marks.size < 1500
    assert store._counters.notes() < 800
    assert len(store._counters._spans) < 100


def test_a_counter_that_began_a_new_life_is_not_forgotten_at_the_end_of_the_old(clock: Clock) -> None:
    store = MemoryStore(clock=clock)
    store.commit([Add(("c",), 1, clock.now + 1)])
    clock.now += 5
    store.commit([Add(("c",), 7, clock.now + 1000)])
    clock.now += 200
    store.commit([Once((str(number),), clock.now + 9) for number in range(50)])
    ref = Ref(Counter, ("c",))
    assert store.fetch([ref]).get(ref) == Counter(7, clock.now - 200 + 1000)


def test_an_unfinished_commit_leaves_room_and_marks_as_they_were(clock: Clock) -> None:
    store = MemoryStore(capacity=2, clock=clock)
    taken = Once(("taken",), clock.now + 9)
    store.commit([taken])
    for _ in range(5):
        assert store.commit([Once(("x",), clock.now + 9), Take(Ref(Note, ("n",)), 3)]) == Conflict(
            Take(Ref(Note, ("n",)), 3)
        )
    assert store.commit([Once(("x",), clock.now + 9)]) == COMMITTED
    assert store.fetch([Ref(Spent, ("x",))]).get(Ref(Spent, ("x",))) is not None


def test_a_capacity_that_holds_nothing_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="capacity=0"):
        MemoryStore(capacity=0)
    assert repr(MemoryStore(capacity=5)) == "MemoryStore(capacity=5)"

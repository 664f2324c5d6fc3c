"""Replay marks in memory: small, in small steps, and none is lost before its end."""

from __future__ import annotations

import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.counting import steps
from tests.stores.faces import Clock
from watchword import StoreUnavailable
from watchword.core.records import COMMITTED, Once, Ref, Replayed, Spent, TakeBack
from watchword.stores import MemoryStore
from watchword.stores.marks import Marks

MANY = 50_000
MINUTE = 60.0


def mark(marks: Marks, key: str, until: float, past: float = 0.0) -> bool:
    return marks.mark((key,), None, until, past) is not None


@pytest.fixture(scope="module")
def full() -> Marks:
    """A hundred thousand marks came at an even pace, and half of them live: as many as there is room for."""
    marks = Marks(MANY)
    for number in range(2 * MANY):
        assert mark(marks, f"{number:064}", until=number + MANY + 0.5, past=number)
    return marks


def test_a_mark_takes_less_than_fifty_octets_whatever_its_key(full: Marks) -> None:
    assert MANY <= full.size < 1.2 * MANY
    assert full.octets() < 50 * MANY


def test_the_collector_has_a_list_to_go_through_and_no_mark(full: Marks) -> None:
    assert len(full._buckets) <= MANY / 4
    assert not any(map(gc.is_tracked, full._buckets))


def test_no_bucket_is_so_large_that_one_commit_would_move_much(full: Marks) -> None:
    assert max(map(len, full._buckets)) < 120 * 24


def test_a_commit_into_a_full_store_takes_as_many_steps_as_into_an_empty_one(clock: Clock) -> None:
    def of(store: MemoryStore, number: int) -> int:
        return steps(lambda: store.commit([Once((str(number),), clock.now + 100, "owner")]))

    store = MemoryStore(capacity=20_000, clock=clock)
    empty = of(store, -1)
    for number in range(19_000):
        store.commit([Once((str(number),), clock.now + 100)])
    most = max(of(store, 20_000 + number) for number in range(500))
    assert most <= empty + 60  # of which most is that those with sooner ends go before it


def test_a_refusal_for_want_of_room_looks_through_some_hundred_buckets_of_a_million_marks(clock: Clock) -> None:
    store = MemoryStore(capacity=1_000_000, clock=clock)
    store._marks.size = 1_000_000  # all of them alive
    with pytest.raises(StoreUnavailable, match="full: 1000000 entries"):
        store.commit([Once(("x",), clock.now + 9)])
    looked = store._marks._swept
    assert 0 < looked <= 256
    with pytest.raises(StoreUnavailable):
        store.commit([Once(("x",), clock.now + 9)])
    assert store._marks._swept == 2 * looked  # it goes on where it left off


def test_where_it_is_full_the_ended_make_room_and_the_living_stay(clock: Clock) -> None:
    store = MemoryStore(capacity=4000, clock=clock)
    living = [Once((str(number),), clock.now + 1000) for number in range(3000)]
    ending = [Once(("ends", str(number)), clock.now + 10) for number in range(1000)]
    assert store.commit([*living, *ending]) == COMMITTED
    with pytest.raises(StoreUnavailable):
        store.commit([Once(("more",), clock.now + 1000)])
    clock.now += 10 + MINUTE
    more = [Once(("more", str(number)), clock.now + 1000) for number in range(1000)]
    assert [store.commit([one]) for one in more] == [COMMITTED] * 1000
    with pytest.raises(StoreUnavailable):
        store.commit([Once(("one more",), clock.now + 1000)])
    for one in (*living, *more):
        assert store.commit([one]) == Replayed(one)


def test_a_commit_that_is_refused_for_want_of_room_leaves_none_of_its_marks(clock: Clock) -> None:
    store = MemoryStore(capacity=3, clock=clock)
    writes = [Once((str(number),), clock.now + 100) for number in range(4)]
    with pytest.raises(StoreUnavailable):
        store.commit(writes)
    assert store.commit(writes[1:]) == COMMITTED


class Safe(str):
    """Text as some frameworks mark it."""

    __slots__ = ()

    def __str__(self) -> str:
        return "something else"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c"), ("a", "bc")),
        (("a",), ("a", "")),
        ((), ("",)),
        (("a\0b",), ("a", "b")),
        (("\ud800",), ("\\ud800",)),
        (("\ud800",), ("\ud801",)),
        (("('\\ud800',)",), ("\ud800",)),
        (("a" * 40, "b"), ("a" * 39, "b")),
    ],
)
def test_keys_that_differ_have_marks_of_their_own(one: tuple[str, ...], other: tuple[str, ...], clock: Clock) -> None:
    store = MemoryStore(clock=clock)
    for owner in (None, "o"):
        for key in (one, other):
            assert store.commit([Once(key, clock.now + 9, owner)]) == COMMITTED
        for key in (one, other):
            mark = Once(key, clock.now + 9, owner)
            assert store.commit([mark]) == Replayed(mark)
            assert store.commit([TakeBack(key, owner)]) == COMMITTED


def test_a_subclass_of_str_marks_what_the_plain_text_marks(clock: Clock) -> None:
    store = MemoryStore(clock=clock)
    for text in ("a", "\ud800"):
        mark = Once((Safe(text),), clock.now + 9)
        assert store.commit([mark]) == COMMITTED
        assert store.commit([Once((text,), clock.now + 9)]) == Replayed(mark)


def test_marks_of_owners_are_found_where_their_place_says(clock: Clock) -> None:
    store = MemoryStore(clock=clock)
    for mark in (
        Once(("x",), clock.now + 9, "o"),
        Once(("owner", "o", "y"), clock.now + 9),
        Once(("owner",), clock.now + 9),
    ):
        assert store.commit([mark]) == COMMITTED
        assert store.fetch([Ref(Spent, mark.place)]).get(Ref(Spent, mark.place)) == Spent(clock.now + 9)
        assert store.commit([TakeBack(mark.key, mark.owner)]) == COMMITTED
        assert store.fetch([Ref(Spent, mark.place)]).get(Ref(Spent, mark.place)) is None


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 50), st.integers(0, 20), st.booleans()), max_size=60))
def test_whatever_ends_when_none_is_forgotten_before_and_none_kept_after(
    comings: list[tuple[int, int, int, bool]],
) -> None:
    marks, model, past = Marks(16), dict[str, float](), 0.0
    for number, life, later, removed in comings:
        past += later
        key, until = str(number), past + life
        alive = key in model and model[key] > past
        assert mark(marks, key, until, past) is not alive
        if not alive:
            model[key] = until
        if removed:
            marks.remove(marks.place((key,)))
            del model[key]
        assert {name: marks.until(marks.place((name,)), past) for name in model} == {
            name: end if end > past else None for name, end in model.items()
        }
    marks.sweep(past, 0)
    assert marks.size == sum(end > past for end in model.values())

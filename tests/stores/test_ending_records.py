"""Records that end (`Put.until`) are forgotten after their end, all others never, and one that is renewed lives on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from watchword import ConfigurationError
from watchword.core.records import Committed, Conflict, Once, Put, Ref
from watchword.schemes.digest import FirstCnonce, UserHash
from watchword.stores import MemoryStore, SQLStore

Store = MemoryStore | SQLStore


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore(clock=clock, capacity=5000)
    else:
        with SQLStore(f"sqlite:///{tmp_path / 'a.db'}", clock=clock) as sql:
            yield sql


def first(number: int) -> Ref[FirstCnonce]:
    return Ref(FirstCnonce, (str(number),))


def make_marks(store: Store, clock: Clock, prefix: str) -> None:
    """Stores forget a little with each write."""
    for number in range(200):
        store.commit([Once((prefix, str(number)), clock.now + 300)])


def test_what_has_ended_is_forgotten_and_what_was_renewed_is_not(store: Store, clock: Clock) -> None:
    store.commit([Put(Ref(UserHash, ("a",)), UserHash("alice"))])
    for number in range(100):
        written = Put(first(number), FirstCnonce("c"), if_version=0, until=clock.now + 300)
        assert store.commit([written]) == Committed()
        assert isinstance(store.commit([written]), Conflict)
    store.commit([Put(first(7), FirstCnonce("d"), until=clock.now + 3000)])
    make_marks(store, clock, "soon")
    assert len(store.records(FirstCnonce)) == 100
    clock.now += 1000
    make_marks(store, clock, "later")
    assert store.records(FirstCnonce) == [(("7",), FirstCnonce("d"))]
    assert store.fetch([Ref(UserHash, ("a",))]).get(Ref(UserHash, ("a",))) == UserHash("alice")


def test_what_was_rolled_back_has_no_end(store: Store, clock: Clock) -> None:
    mark = Once(("a",), clock.now + 300)
    store.commit([mark])
    refused = store.commit([Put(first(1), FirstCnonce("c"), until=clock.now + 300), mark])
    assert not isinstance(refused, Committed)
    store.commit([Put(first(1), FirstCnonce("c"), until=clock.now + 9000)])
    clock.now += 1000
    make_marks(store, clock, "later")
    assert len(store.records(FirstCnonce)) == 1


@pytest.mark.parametrize("until", [float("nan"), float("inf")])
def test_an_end_is_a_finite_time(store: Store, until: float) -> None:
    with pytest.raises(ConfigurationError, match="finite"):
        store.commit([Put(first(1), FirstCnonce("c"), until=until)])
    assert not store.records(FirstCnonce)

"""A transaction costs two round trips at most, whatever is in it; what one statement says costs one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.interop.postgresql.cluster import Cluster
from tests.interop.postgresql.proxy import Proxy, proxy
from tests.stores.faces import Called, Clock, Hidden, Note
from watchword.core.records import COMMITTED, Add, After, Conflict, Exceeded, Once, Put, Ref, Replayed, Take, TakeBack
from watchword.stores import AsyncSQLStore, SQLStore

NOW = 1_800_000_000.0
LATER = NOW + 600
NOTE = Ref(Note, ("n",))


@pytest.fixture
def between(server: Cluster) -> Iterator[Proxy]:
    with proxy(server.port) as made:
        yield made


@pytest.fixture(params=[SQLStore, AsyncSQLStore])
def store(request: pytest.FixtureRequest, server: Cluster, url: str, database: str, between: Proxy) -> Iterator[Called]:
    made = Called(
        request.param(server.url(database, between.port), clock=Clock(NOW), secrets=bytes(range(32)), timeout=60.0)
    )
    made.commit(Once(("first",), LATER))  # connects, and forgets what has ended
    made.commit(Put(Ref(Hidden, ("first",)), Hidden("s")))  # asks for the key
    yield made
    made.close()


@pytest.fixture
def trips(store: Called, between: Proxy) -> Callable[[Callable[[], Any]], tuple[Any, int]]:
    def count(work: Callable[[], Any]) -> tuple[Any, int]:
        before, opened = between.trips, between.opened
        outcome = work()
        assert between.opened == opened, "a new connection has trips of its own"
        return outcome, between.trips - before

    return count


def test_a_fetch_of_everything_is_one_round_trip(store: Called, trips: Any) -> None:
    from watchword.core.records import Counter, Spent

    refs = [
        NOTE,
        Ref(Spent, ("a",)),
        Ref(Counter, ("a",)),
        Ref(Hidden, ("a",)),
        *(Ref(Spent, (str(n),)) for n in range(50)),
    ]
    assert trips(lambda: store.fetch(refs))[1] == 1


def test_a_mark_is_one_round_trip_and_so_is_its_replay(store: Called, trips: Any) -> None:
    for mark in (Once(("a",), LATER), Once(("b",), LATER, "owner")):
        assert trips(lambda mark=mark: store.commit(mark)) == (COMMITTED, 1)
        assert trips(lambda mark=mark: store.commit(mark)) == (Replayed(mark), 1)


def test_questions_are_one_round_trip_also_before_a_mark(store: Called, trips: Any) -> None:
    questions = [Add((name,), 0, 0.0, limit=2) for name in "abc"]
    assert trips(lambda: store.commit(*questions)) == (COMMITTED, 1)
    assert trips(lambda: store.commit(*questions, Once(("x",), LATER))) == (COMMITTED, 1)


def test_no_commit_takes_more_than_two_round_trips(store: Called, trips: Any) -> None:
    guesses = [Add((name, window), 1, LATER, 20, After((name, "minute"), 2) if window == "hour" else None)
               for name in ("pair", "subject", "address") for window in ("minute", "hour")]  # fmt: skip
    marks = [Once((str(number),), LATER, owner) for number in range(5) for owner in ("a", "b")]
    puts = [Put(Ref(Note, (str(number),)), Note("x"), 0, LATER) for number in range(5)]
    assert trips(lambda: store.commit(*guesses)) == (COMMITTED, 2)
    assert trips(lambda: store.commit(*guesses, *marks, *puts, TakeBack(("other",), "a"))) == (COMMITTED, 2)
    assert trips(lambda: store.commit(*marks[2:], *puts)) == (Replayed(marks[2]), 2)
    assert trips(lambda: store.commit(*puts)) == (Conflict(puts[0]), 2)
    assert trips(lambda: store.commit(Put(NOTE, Note("1")))) == (COMMITTED, 1)
    assert trips(lambda: store.commit(Put(NOTE, Note("1"), 1), Take(NOTE, 2))) == (COMMITTED, 2)
    too_many = Add(("pair", "minute"), 20, LATER, 20)
    assert trips(lambda: store.commit(too_many)) == (Exceeded(too_many, LATER), 2)


def test_what_has_ended_is_forgotten_in_one_round_trip_of_its_own(store: Called, trips: Any) -> None:
    costs = [trips(lambda number=number: store.commit(Once(("many", str(number)), LATER)))[1] for number in range(256)]
    assert sorted(costs) == [1] * 254 + [2] * 2

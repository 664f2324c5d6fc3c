"""Too many counters: the least valuable go, those at half of their limits never, and the store knows how many it has."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stores.faces import Called, Clock, on_valkey
from watchword import ConfigurationError, StoreUnavailable
from watchword.core.records import COMMITTED, Add, Conflict, Counter, Exceeded, Once, Put, Ref, Replayed
from watchword.schemes.digest import UserHash
from watchword.stores import AsyncRedisStore, AsyncSQLStore, MemoryStore, RedisStore, SQLStore
from watchword.stores.counting import KEPT, Tally, adding, most_kept, share_of_a_rank

ROOM = 128
STORES: dict[str, Any] = {
    "memory": lambda clock: MemoryStore(capacity=2 * ROOM, clock=clock),
    "sql": lambda clock: SQLStore("sqlite://", max_counters=ROOM, clock=clock),
    "async": lambda clock: AsyncSQLStore("sqlite://", max_counters=ROOM, clock=clock),
    "valkey": lambda clock: RedisStore(**on_valkey(clock, max_counters=ROOM)),
    "async-valkey": lambda clock: AsyncRedisStore(**on_valkey(clock, max_counters=ROOM)),
}


@pytest.fixture(params=STORES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def value(store: Called, *key: str) -> int:
    record = store.get(Counter, *key)
    return 0 if record is None else int(record.value)


def count(store: Called, clock: Clock, *key: str, n: int = 1, limit: int | None = 20, seconds: float = 60) -> Any:
    return store.commit(Add(key, n, clock.now + seconds, limit))


@pytest.fixture
def counted(kind: str, clock: Clock) -> Any:
    store = Called(STORES[kind](clock))
    yield store
    store.close()


def test_a_flood_takes_its_own_places(counted: Called, clock: Clock) -> None:
    for name, n in (("half", 10), ("above", 19), ("third", 7)):
        count(counted, clock, name, n=n)
    count(counted, clock, "unlimited", limit=None)
    for number in range(10 * ROOM):
        clock.now += 0.001
        assert count(counted, clock, "flood", str(number)) == COMMITTED
    assert [value(counted, name) for name in ("half", "above", "third", "unlimited")] == [10, 19, 7, 1]
    assert value(counted, "flood", str(10 * ROOM - 1)) == 1
    assert value(counted, "flood", "0") == 0


def test_many_of_higher_ranks_outlast_a_flood_as_well(counted: Called, clock: Clock) -> None:
    share = share_of_a_rank(ROOM)
    names = [(name, str(number)) for name in ("kept", "near") for number in range(2 * share)]
    for name in names:
        count(counted, clock, *name, n=10 if name[0] == "kept" else 7)
    for number in range(3 * ROOM):
        clock.now += 0.001
        count(counted, clock, "flood", str(number))
    assert [value(counted, *name) for name in names] == [10] * 2 * share + [7] * 2 * share


def look(counted: Called, clock: Clock) -> None:
    """Databases look for too many counters at every 128th commit."""
    for number in range(128):
        counted.commit(Once((str(number), str(clock.now)), clock.now + 1))


def test_a_guess_that_leaves_a_counter_in_its_rank_leaves_it_in_its_place(counted: Called, clock: Clock) -> None:
    count(counted, clock, "first")
    for number in range(ROOM - 1):
        clock.now += 0.001
        count(counted, clock, "others", str(number))
    count(counted, clock, "first")
    assert value(counted, "first") == 2
    clock.now += 0.001
    count(counted, clock, "one more")
    look(counted, clock)
    assert value(counted, "first") == 0
    assert value(counted, "others", "0") == value(counted, "one more") == 1


def test_of_one_rank_the_first_that_came_goes_first_not_the_first_to_end(counted: Called, clock: Clock) -> None:
    """Else each guess that counts for a minute would be forgotten by the next, among such as count for a day."""
    for number in range(2 * ROOM):
        clock.now += 0.01
        count(counted, clock, "flood", str(number), seconds=86_400)
    for number in range(share_of_a_rank(ROOM) - 1):
        clock.now += 0.01
        count(counted, clock, "guess", str(number))
    look(counted, clock)
    assert [value(counted, "guess", str(number)) for number in range(share_of_a_rank(ROOM) - 1)] == [1] * 7


def test_a_rank_of_few_loses_none_while_a_higher_one_has_many(counted: Called, clock: Clock) -> None:
    """Else whoever fills all other ranks could guess, and be forgotten by the next guess of his own."""
    for number in range(2 * ROOM):
        clock.now += 0.01
        count(counted, clock, "second", str(number), n=3)
    share = share_of_a_rank(ROOM) - 1
    for number in range(share):
        count(counted, clock, "first", str(number))
    assert [value(counted, "first", str(number)) for number in range(share)] == [1] * share


def test_a_counter_is_not_kept_where_too_many_are(counted: Called, clock: Clock) -> None:
    for number in range(most_kept(ROOM)):
        assert count(counted, clock, "kept", str(number), n=10) == COMMITTED
    mark = Once(("with it",), clock.now + 60)
    for name in ("new", "grown"):
        assert count(counted, clock, name, n=9) == COMMITTED
        with pytest.raises(StoreUnavailable, match="half of their limits"):
            counted.commit(mark, Add((name,), 1, clock.now + 60, 20))
        assert value(counted, name) == 9
    with pytest.raises(StoreUnavailable, match="half of their limits"):
        count(counted, clock, "at once", n=10)
    assert count(counted, clock, "kept", "3") == COMMITTED
    assert counted.commit(mark) == COMMITTED
    counted.commit(Add(("kept", "4"), -1, clock.now + 60, 20))
    assert count(counted, clock, "new") == COMMITTED
    clock.now += 200
    for number in range(140):  # what has ended is forgotten
        counted.commit(Once((str(number),), clock.now + 60))
    assert count(counted, clock, "at once", n=10) == COMMITTED


def test_a_commit_that_is_refused_drops_nothing_and_counts_nothing(counted: Called, clock: Clock, kind: str) -> None:
    mark = Once(("taken",), clock.now + 600)
    counted.commit(mark)
    for number in range(ROOM):
        count(counted, clock, "c", str(number))
    before = [value(counted, "c", str(number)) for number in range(ROOM)]
    refusals: list[Any] = [
        mark,
        Put(Ref(UserHash, ("a",)), UserHash("a"), if_version=7),
        Add(("new",), 5, clock.now, 4),
    ]
    outcomes = (Replayed, Conflict, Exceeded)
    for number in range(100):
        for refused, outcome in zip(refusals, outcomes, strict=True):
            answer = counted.commit(Add(("more", str(number)), 1, clock.now + 60, 20), refused)
            assert isinstance(answer, outcome)
    assert [value(counted, "c", str(number)) for number in range(ROOM)] == before


def test_refused_commits_do_not_keep_a_database_from_forgetting(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "a.db"
    with SQLStore(f"sqlite:///{path}", max_counters=ROOM, clock=clock) as store:
        for number in range(100):
            store.commit([Add((str(number),), 1, clock.now + 9, 20)])
        clock.now += 100
        impossible = Put(Ref(UserHash, ("a",)), UserHash("a"), if_version=7)
        for _ in range(130):
            assert store.commit([impossible]) == Conflict(impossible)
    assert sizes(path) == ([0] * 5, [0] * 5)


def sizes(path: Path) -> tuple[list[int], list[int]]:
    """How many counters of each rank a database has, and how many it thinks that it has."""
    with closing(sqlite3.connect(path)) as connection:
        seen = dict(connection.execute("SELECT rank, count(*) FROM watchword_counters GROUP BY rank"))
        said = connection.execute("SELECT counters FROM watchword_sizes ORDER BY rank").fetchall()
    return [seen.get(rank, 0) for rank in range(KEPT + 1)], [counters for (counters,) in said]


STEPS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.0, 0.0, 1.0, 40.0, 300.0]),
        st.integers(0, 60),
        st.integers(-2, 12),
        st.sampled_from([3, 8, 20, None]),
        st.sampled_from([10.0, 60.0, 900.0]),
    ),
    min_size=50,
    max_size=250,
)


@pytest.mark.parametrize("room", [1, 12, 40])
@given(steps=STEPS)
@settings(max_examples=30, deadline=None)
def test_in_memory_there_are_never_too_many_and_none_that_is_kept_is_lost(room: int, steps: Any) -> None:
    clock = Clock()
    store = MemoryStore(capacity=2 * room, clock=clock)
    counters = store._counters
    for seconds, name, n, limit, life in steps:
        clock.now += seconds
        before = entries(store)
        write = Add((str(name),), n, clock.now + life, limit)
        try:
            store.commit([write])
        except StoreUnavailable:
            assert entries(store).keys() <= before.keys()  # what has ended may be forgotten
        after = entries(store)
        for key, tally in before.items():
            if tally.rank == KEPT and tally.lives(clock.now) and key != write.counter:
                assert after[key] == tally
        assert len(after) == counters.size <= room
        assert [sum(tally.rank == rank for tally in after.values()) for rank in range(KEPT + 1)] == counters.sizes
        assert counters.sizes[KEPT] <= most_kept(room)
        lines = [sum(map(len, line._parts.values())) for line in counters._lines]
        assert lines == counters.sizes


def entries(store: MemoryStore) -> dict[Any, Tally]:
    return {key: tally for shard in store._counters._shards for key, (tally, _) in shard.items()}


@given(steps=STEPS)
@settings(max_examples=15, deadline=None)
def test_a_database_knows_how_many_counters_of_each_rank_it_has(
    tmp_path_factory: pytest.TempPathFactory, steps: Any
) -> None:
    clock = Clock()
    path = tmp_path_factory.mktemp("s") / "a.db"
    with SQLStore(f"sqlite:///{path}", max_counters=24, clock=clock) as store:
        for seconds, name, n, limit, life in steps:
            clock.now += seconds
            try:
                store.commit([Add((str(name),), n, clock.now + life, limit)])
            except StoreUnavailable:
                continue
        seen, said = sizes(path)
        assert seen == said


def test_a_room_too_small_to_choose_what_goes_keeps_what_is_at_half_all_the_same(clock: Clock) -> None:
    store = Called(SQLStore("sqlite://", max_counters=12, clock=clock))
    for number in range(16):
        count(store, clock, str(number), n=10 if number < most_kept(12) else 1)
    look(store, clock)
    assert [value(store, str(number)) for number in range(most_kept(12))] == [10] * most_kept(12)
    store.close()


def test_a_database_of_before_gets_counters_anew(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "a.db"
    with SQLStore(f"sqlite:///{path}", clock=clock) as store:
        store.commit([Once(("mark",), clock.now + 9)])
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "DROP TABLE watchword_counters; DELETE FROM watchword_sizes; CREATE TABLE watchword_counters "
            "(key TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL, until FLOAT NOT NULL) WITHOUT ROWID;"
            "INSERT INTO watchword_counters VALUES ('[\"c\"]', 3, 4e9)"
        )
    with SQLStore(f"sqlite:///{path}", clock=clock) as store:
        assert store.commit([Add(("c",), 1, clock.now + 9, 4)]) == COMMITTED
        assert store.commit([Once(("mark",), clock.now + 9)]) == Replayed(Once(("mark",), clock.now + 9))
    assert sizes(path) == ([0, 0, 1, 0, 0], [0, 0, 1, 0, 0])


@pytest.mark.parametrize("make", [SQLStore, AsyncSQLStore])
def test_a_ceiling_of_nothing_is_a_configuration_error(make: Any) -> None:
    with pytest.raises(ConfigurationError, match="max_counters=0"):
        make("sqlite://", max_counters=0)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_counter_is_kept_exactly_from_half_of_its_limit_on(count: int, limit: int) -> None:
    tally = adding(Add(("c",), min(count, limit), 9.0, limit), None, None)
    assert isinstance(tally, Tally)
    assert (tally.rank == KEPT) == (2 * tally.value >= limit)


@given(st.integers(128, 10**6))
def test_there_is_always_a_rank_that_can_lose_one(room: int) -> None:
    assert 4 * (share_of_a_rank(room) - 1) < room - most_kept(room) <= room

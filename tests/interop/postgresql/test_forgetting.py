"""What has ended goes in small parts, by the database's clock, while others write."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from typing import Any

import pytest

from tests.interop.postgresql.cluster import Cluster
from tests.stores.faces import Called, Clock, Note
from watchword import StoreUnavailable
from watchword.core.records import COMMITTED, Add, Counter, Once, Put, Ref
from watchword.stores import AsyncSQLStore, SQLStore
from watchword.stores.counting import most_kept

ROOM = 128
NOTE = Ref(Note, ("n",))


def rows(server: Cluster, database: str, table: str, where: str = "true") -> int:
    ((count,),) = server.run(database, f"SELECT count(*) FROM watchword_{table} WHERE {where}")
    return int(count)


@pytest.fixture(params=[SQLStore, AsyncSQLStore])
def store(request: pytest.FixtureRequest, url: str, clock: Clock) -> Any:
    made = Called(request.param(url, max_counters=ROOM, clock=clock, timeout=60.0))
    yield made
    made.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def look(store: Called, clock: Clock) -> None:
    for number in range(128):
        store.commit(Once(("look", str(number), str(clock.now)), clock.now + 600))


def test_marks_counters_and_records_that_ended_a_minute_ago_go_and_others_stay(
    store: Called, clock: Clock, server: Cluster, database: str
) -> None:
    for number in range(40):
        store.commit(Once(("old", str(number)), clock.now + 1), Add(("old", str(number)), 1, clock.now + 1))
        store.commit(Put(Ref(Note, (str(number),)), Note("x"), until=clock.now + 1))
    store.commit(Put(Ref(Note, ("7",)), Note("renewed"), until=clock.now + 9000), Once(("kept",), clock.now + 9000))
    clock.now += 200
    look(store, clock)
    assert rows(server, database, "spent", "key LIKE '[\"old%'") == 0
    assert rows(server, database, "counters") == 0
    assert (rows(server, database, "records"), rows(server, database, "ends")) == (1, 1)
    assert store.get(Note, "7") == Note("renewed")
    assert store.is_used(Once(("kept",), 1.0))


def test_of_too_many_counters_the_least_valuable_go(
    store: Called, clock: Clock, server: Cluster, database: str
) -> None:
    for name, n in (("half", 10), ("above", 19)):
        store.commit(Add((name,), n, clock.now + 600, 20))
    for number in range(5 * ROOM):
        clock.now += 0.001
        assert store.commit(Add(("flood", str(number)), 1, clock.now + 600, 20)) == COMMITTED
    look(store, clock)
    assert rows(server, database, "counters") <= ROOM
    assert (store.get(Counter, "half").value, store.get(Counter, "above").value) == (10, 19)
    assert store.get(Counter, "flood", str(5 * ROOM - 1)) is not None
    assert store.get(Counter, "flood", "0") is None


def test_a_counter_is_not_kept_where_too_many_are(store: Called, clock: Clock) -> None:
    for number in range(most_kept(ROOM)):
        assert store.commit(Add(("kept", str(number)), 10, clock.now + 60, 20)) == COMMITTED
    with pytest.raises(StoreUnavailable, match="half of their limits"):
        store.commit(Add(("new",), 10, clock.now + 60, 20))
    assert store.commit(Add(("new",), 9, clock.now + 60, 20)) == COMMITTED


def test_a_million_marks_that_ended_are_forgotten_a_thousand_at_a_time(
    url: str, server: Cluster, database: str
) -> None:
    """The work of one sweep does not grow with what there is to forget."""
    server.run(
        database,
        "INSERT INTO watchword_spent SELECT 'old ' || n, 1.0 FROM generate_series(1, 100000) AS n",
        "ANALYZE watchword_spent",
    )
    with SQLStore(url, timeout=60.0) as store:
        left = [100_000]
        for number in range(3 * 128):
            store.commit([Once((str(number),), time.time() + 600)])
            if number % 128 == 0:
                left.append(rows(server, database, "spent", "until < 2"))
    assert [before - after for before, after in pairwise(left)] == [1024] * 3


def test_nobody_waits_for_whoever_forgets_and_it_waits_for_nobody(
    store: Called, clock: Clock, server: Cluster, database: str
) -> None:
    import psycopg

    for number in range(10):
        store.commit(
            Put(Ref(Note, (str(number),)), Note("x"), until=clock.now + 1), Once((str(number),), clock.now + 1)
        )
    clock.now += 200
    with psycopg.connect(server.conninfo(database)) as other:
        other.execute("SELECT 1 FROM watchword_ends WHERE key = '[\"3\"]' FOR UPDATE")
        other.execute("SELECT 1 FROM watchword_spent WHERE key = '[\"4\"]' FOR UPDATE")
        look(store, clock)
        assert rows(server, database, "ends") == 1, "what somebody else has locked is left for the next time"
        assert rows(server, database, "spent", "length(key) < 6") == 1
        other.rollback()


def test_a_host_whose_clock_is_fast_forgets_nothing_too_early(
    url: str, server: Cluster, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SQLStore(url, timeout=60.0) as store:
        store.commit([Once(("mine",), time.time() + 5)])
        monkeypatch.setattr(time, "time", lambda real=time.time: real() + 90)  # from now on, as after a jump
        for number in range(256):
            store.commit([Once((str(number),), time.time() + 600)])
        assert rows(server, database, "spent", "key = '[\"mine\"]'") == 1


def test_marks_are_made_by_others_while_one_process_forgets(url: str, server: Cluster, database: str) -> None:
    server.run(database, "INSERT INTO watchword_spent SELECT 'old ' || n, 1.0 FROM generate_series(1, 20000) AS n")
    outcomes: list[Any] = []
    with SQLStore(url, max_connections=8, timeout=60.0) as store:

        def work(worker: int) -> None:
            outcomes.extend(store.commit([Once((str(worker), str(n)), time.time() + 600)]) for n in range(300))

        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert outcomes.count(COMMITTED) == 2400
    assert rows(server, database, "spent", "until < 2") < 20_000

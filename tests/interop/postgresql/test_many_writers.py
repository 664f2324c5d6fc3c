"""Many who write at once, in threads and processes, by pgbouncer and without: one winner, no limit passed, no deadlock."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from tests.interop.postgresql.cluster import Cluster
from tests.patience import PATIENCE
from tests.stores.faces import Note
from watchword.core.records import COMMITTED, Add, Committed, Conflict, Counter, Once, Put, Ref, Replayed, Take, Write
from watchword import StoreUnavailable
from watchword.stores import SQLStore
from watchword.stores.sql.connection import Connection
from watchword.stores.sql.pipeline import Refused

LATER = 1e11
NOTE = Ref(Note, ("n",))

HAMMER = """
import json, random, sys, threading
from dataclasses import dataclass
from typing import ClassVar
from watchword.core.records import *
from watchword.stores import SQLStore

@dataclass(frozen=True)
class Mine:
    sensitive: ClassVar[bool] = True
    worker: str

url, worker = sys.argv[1:]
store = SQLStore(url, secrets=bytes(range(32)), timeout=300.0)
won = []
def work(thread):
    order = random.Random(worker + thread)
    for number in range(30):
        if isinstance(store.commit([Once(("m", str(number)), 1e11)]), Committed):
            won.append(f"mark {number}")
        owned = [Once(("o", str(number)), 1e11, owner) for owner in ("a", "b")]
        if isinstance(store.commit(order.sample(owned, 2)), Committed):
            won.append(f"both {number}")
        if isinstance(store.commit([Put(Ref(Mine, (str(number),)), Mine(worker), if_version=0)]), Committed):
            won.append(f"first {number}")
        if isinstance(store.commit([Add(("c",), 1, 1e11, limit=100), Once((worker, thread, str(number)), 1e11)]), Committed):
            won.append("count")
        # In another order each time: in that order they would wait for one another.
        shared = [Once(("never", str(n)), 1e11, worker + thread + str(number)) for n in range(4)]
        shared += [Add(("d", str(n)), 1, 1e11) for n in range(4)]
        shared += [Put(Ref(Mine, ("shared", str(n))), Mine(worker), until=1e11) for n in range(4)]
        assert isinstance(store.commit(order.sample(shared, len(shared))), Committed)
threads = [threading.Thread(target=work, args=(str(n),)) for n in range(3)]
[t.start() for t in threads]
[t.join() for t in threads]
counters = [Ref(Counter, ("c",)), *(Ref(Counter, ("d", str(n))) for n in range(4))]
found = store.fetch(counters)
store.close()
print(json.dumps({"won": won, "counts": [found.get(ref).value for ref in counters]}))
"""


def deadlocks(server: Cluster, database: str) -> int:
    ((count,),) = server.run(database, f"SELECT deadlocks FROM pg_stat_database WHERE datname = '{database}'")
    return int(count)


@pytest.mark.parametrize("way", ["direct", "pgbouncer"])
def test_of_four_processes_each_mark_and_each_first_put_has_one_winner_and_nobody_waits_in_a_circle(
    server: Cluster, url: str, pooled: str, database: str, way: str
) -> None:
    before = deadlocks(server, database)
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", HAMMER, url if way == "direct" else pooled, f"w{number}"],
            stdout=subprocess.PIPE, text=True,
        )
        for number in range(4)
    ]  # fmt: skip
    answers: list[Any] = []
    for process in processes:
        out, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        answers.append(json.loads(out))
    won = sorted(win for answer in answers for win in answer["won"] if win != "count")
    assert won == sorted(f"{what} {number}" for what in ("mark", "both", "first") for number in range(30))
    assert sum(answer["won"].count("count") for answer in answers) == 100
    assert max(answer["counts"][0] for answer in answers) == 100
    assert [max(answer["counts"][n] for answer in answers) for n in range(1, 5)] == [4 * 3 * 30] * 4
    assert deadlocks(server, database) == before


def all_at_once(store: SQLStore, many: list[list[Write]]) -> list[Any]:
    """The outcomes of commits that begin at the same moment."""
    barrier = threading.Barrier(len(many))

    def commit(writes: list[Write]) -> Any:
        barrier.wait()
        return store.commit(writes)

    with ThreadPoolExecutor(len(many)) as pool:
        return list(pool.map(commit, many))


@pytest.fixture
def store(url: str) -> Any:
    with SQLStore(url, max_connections=20, timeout=60.0) as made:
        yield made


def test_a_limit_holds_for_counters_that_nobody_has_counted_yet(store: SQLStore) -> None:
    for number in range(20):
        add = Add(("new", str(number)), 1, LATER, limit=3)
        outcomes = all_at_once(store, [[add]] * 12)
        assert sum(isinstance(outcome, Committed) for outcome in outcomes) == 3
        assert store.fetch([Ref(Counter, add.counter)]).get(Ref(Counter, add.counter)) == Counter(3, LATER)


def test_a_version_is_written_over_and_taken_once(store: SQLStore) -> None:
    for version in range(1, 20):
        store.commit([Put(NOTE, Note("0"), if_version=version - 1)] if version == 1 else [])
        over: list[list[Write]] = [[Put(NOTE, Note(str(number)), if_version=version)] for number in range(8)]
        outcomes = all_at_once(store, over)
        assert sum(isinstance(outcome, Committed) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 7
    taken = all_at_once(store, [[Take(NOTE, if_version=20)]] * 8)
    assert sum(isinstance(outcome, Committed) for outcome in taken) == 1


def test_a_mark_that_is_refused_with_others_leaves_no_other_mark(store: SQLStore) -> None:
    for number in range(10):
        shared = Once(("shared", str(number)), LATER)
        outcomes = all_at_once(store, [[Once((str(number), str(who)), LATER), shared] for who in range(12)])
        assert outcomes.count(COMMITTED) == 1
        assert outcomes.count(Replayed(shared)) == 11
        again = [store.commit([Once((str(number), str(who)), LATER)]) for who in range(12)]
        assert again.count(COMMITTED) == 11


def test_the_store_knows_how_many_counters_of_each_rank_there_are(
    store: SQLStore, server: Cluster, database: str
) -> None:
    adds = [[Add((str(number % 7),), n, LATER, 20)] for number in range(12) for n in (1, 2, -2)]
    all_at_once(store, adds)  # type: ignore[arg-type]
    for number in range(300):  # and what forgets makes one row of many
        store.commit([Once((str(number),), LATER)])
    said = server.run(
        database, "SELECT rank, sum(counters) FROM watchword_sizes GROUP BY 1 HAVING sum(counters) <> 0 ORDER BY 1"
    )
    seen = server.run(database, "SELECT rank, count(*) FROM watchword_counters GROUP BY 1 ORDER BY 1")
    assert said == seen
    ((rows,),) = server.run(database, "SELECT count(*) FROM watchword_sizes")
    assert rows <= 5


def test_a_deadlock_that_somebody_else_makes_is_tried_again(store: SQLStore, server: Cluster, database: str) -> None:
    """The server says that it rolled back. Somebody else has two records in the other order, and is not the one who is refused."""
    store.commit([Put(Ref(Note, (name,)), Note("0")) for name in "ab"])
    before = deadlocks(server, database)
    outcomes: list[Any] = []
    with psycopg.connect(server.conninfo(database)) as other:
        other.execute("SET deadlock_timeout = '60s'")
        other.execute("UPDATE watchword_records SET sealed = 0 WHERE key = '[\"b\"]'")
        writes = [Put(Ref(Note, (name,)), Note("1")) for name in "ab"]
        thread = threading.Thread(target=lambda: outcomes.append(store.commit(writes)))
        thread.start()
        while not server.run(database, "SELECT 1 FROM pg_locks WHERE NOT granted"):
            time.sleep(0.01)
        other.execute("UPDATE watchword_records SET sealed = 0 WHERE key = '[\"a\"]'")
    thread.join()
    assert outcomes == [COMMITTED]
    assert [store.fetch([Ref(Note, (name,))]).version(Ref(Note, (name,))) for name in "ab"] == [2, 2]
    server.run(database, "SELECT pg_stat_clear_snapshot()", "SELECT pg_sleep(1)")
    assert deadlocks(server, database) == before + 1


@pytest.mark.parametrize(
    ("states", "asked"),
    [(["40P01"], 2), (["40001", "40P01"], 3), (["40001"] * 9, 3), (["40003"], 1), (["23505"], 1), (["57014"], 1)],
)
def test_only_what_the_server_says_it_rolled_back_is_said_again_and_not_for_ever(
    store: SQLStore, monkeypatch: pytest.MonkeyPatch, states: list[str], asked: int
) -> None:
    store.fetch([NOTE])
    store.commit([Once(("first",), LATER)])
    said: list[Any] = []
    ask = Connection.ask

    def refusing(self: Connection, says: Any, deadline: float) -> Any:
        said.append(says)
        if len(said) <= len(states):
            raise Refused(states[len(said) - 1])
        return ask(self, says, deadline)

    monkeypatch.setattr(Connection, "ask", refusing)
    mark = Once(("x",), LATER)
    if len(states) < asked:
        assert store.commit([mark]) == COMMITTED
    else:
        with pytest.raises(StoreUnavailable, match=states[0]):
            store.commit([mark])
    assert len(said) == asked


def test_a_process_that_stands_still_half_way_holds_others_up_for_as_long_as_a_verb_may_take_and_no_longer(
    store: SQLStore, url: str
) -> None:
    add = Add(("c",), 1, LATER, limit=3)
    with SQLStore(url, timeout=1.0) as still:
        engine = still._engine()

        def half_way() -> Any:
            from watchword.stores.sql.statements import steps, transaction

            conversation = transaction(steps([add], still._vault.encode, still._dialect), 0.0, 9, still._dialect, 1.0)
            yield next(conversation)

        with engine._lent(engine._server.deadline() + 60) as connection:  # type: ignore[union-attr]
            connection.ask(next(half_way()), engine._server.deadline() + 60)  # type: ignore[union-attr]
            assert store.commit([add]) == COMMITTED

"""A commit whose outcome is unknown is unavailable and never sent again, so no refusal is the echo of one's own write."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.interop.postgresql.cluster import Cluster
from tests.interop.postgresql.proxy import Proxy, proxy
from tests.stores.faces import Called, Hidden, Note
from watchword import ConfigurationError, StoreUnavailable
from watchword.core.records import COMMITTED, Add, Conflict, Counter, Once, Put, Ref, Replayed, Spent
from watchword.stores import AsyncSQLStore, SQLStore

LATER = 1e11
SECRET = "hunter2"
Make = Callable[..., Called]


@pytest.fixture
def between(server: Cluster) -> Iterator[Proxy]:
    with proxy(server.port) as made:
        yield made


@pytest.fixture(params=[SQLStore, AsyncSQLStore])
def make(request: pytest.FixtureRequest, server: Cluster, url: str, database: str, between: Proxy) -> Iterator[Make]:
    made: list[Called] = []

    def make(**options: Any) -> Called:
        options = {"secrets": bytes(range(32)), "timeout": 60.0, **options}
        made.append(Called(request.param(server.url(database, between.port), **options)))
        made[-1].commit(Once(("warm",), LATER))
        return made[-1]

    yield make
    for store in made:
        store.close()


def test_a_mark_whose_answer_is_lost_is_unavailable_and_was_made_once(
    make: Make, between: Proxy, server: Cluster, database: str
) -> None:
    store, mark = make(), Once((SECRET,), LATER)
    between.losing = b"INSERT INTO watchword_spent"
    with pytest.raises(StoreUnavailable) as caught:
        store.commit(mark)
    assert between.lost == 1, "it was sent once"
    assert SECRET not in "".join(traceback.format_exception(caught.value)).replace(f'"{SECRET}"', "")
    between.losing = None
    assert store.is_used(mark)
    assert store.commit(mark) == Replayed(mark), "by somebody else it would be a replay"


def test_a_transaction_whose_commit_is_not_answered_is_unavailable_and_was_made_once(
    make: Make, between: Proxy
) -> None:
    store, first = make(), Put(Ref(Note, ("n",)), Note("x"), if_version=0)
    between.losing = b"COMMIT"
    for writes in ([first, Once(("y",), LATER)], [Add(("c",), 1, LATER, 20)]):
        with pytest.raises(StoreUnavailable):
            store.commit(*writes)
    assert between.lost == 2
    between.losing = None
    assert store.version(Note, "n") == 1
    assert store.get(Spent, "y") is not None
    assert store.get(Counter, "c") == Counter(1, LATER)
    assert store.commit(first) == Conflict(first)


def test_a_transaction_that_is_cut_before_its_commit_left_nothing(make: Make, between: Proxy) -> None:
    store, mark = make(), Once(("x",), LATER)
    between.losing = b"BEGIN"
    with pytest.raises(StoreUnavailable):
        store.commit(mark, Put(Ref(Note, ("n",)), Note("x"), 0))
    between.losing = None
    assert store.commit(mark, Put(Ref(Note, ("n",)), Note("x"), 0)) == COMMITTED


def test_a_server_that_says_nothing_is_given_up_by_the_clients_own_clock(make: Make, between: Proxy) -> None:
    store = make(timeout=2.0)
    between.silent = True
    for verb in (lambda: store.get(Note, "n"), lambda: store.commit(Once(("x",), LATER))):
        with pytest.raises(StoreUnavailable, match="Timeout"):  # without the deadline it would wait for ever
            verb()
    between.silent = False
    assert store.get(Spent, "warm") is not None


def test_when_all_connections_are_in_use_a_verb_is_given_up_too(make: Make, between: Proxy) -> None:
    store = make(timeout=2.0, max_connections=1)
    if isinstance(store.store, SQLStore):
        with (
            store.store._engine()._lent(time.monotonic() + 60),
            pytest.raises(StoreUnavailable, match="max_connections"),
        ):
            store.get(Note, "n")
        return

    async def both() -> None:
        async with store.store._engine().engine._lent(time.monotonic() + 60):
            with pytest.raises(StoreUnavailable, match="max_connections"):
                await store.store.fetch([Ref(Note, ("n",))])

    store.wait(both())


def test_connections_that_the_server_closed_meanwhile_cost_no_request(
    make: Make, server: Cluster, database: str
) -> None:
    store = make()
    for _ in range(3):
        server.run(
            database, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{database}' AND pid <> pg_backend_pid()", "SELECT pg_sleep(0.2)",
        )  # fmt: skip
        assert store.get(Spent, "warm") is not None


def test_a_read_only_database_is_unavailable(make: Make, server: Cluster, database: str) -> None:
    store = make()
    server.run(database, f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    try:
        store.close()
        reader = make_reader(store, server, database)
        assert reader.get(Spent, "warm") is not None
        for writes in ([Once(("x",), LATER)], [Once(("x",), LATER), Put(Ref(Note, ("n",)), Note("x"))]):
            with pytest.raises(StoreUnavailable, match=r"ReadOnlySqlTransaction \(25006\)"):
                reader.commit(*writes)
        reader.close()
    finally:
        server.run("postgres", f"ALTER DATABASE {database} RESET default_transaction_read_only")


def make_reader(store: Called, server: Cluster, database: str) -> Called:
    return Called(type(store.store)(server.url(database), secrets=bytes(range(32)), timeout=60.0))


def test_a_server_that_is_not_there_is_unavailable_and_no_password_is_said(server: Cluster) -> None:
    from tests.interop.postgresql.cluster import free_port

    for kind in (SQLStore, AsyncSQLStore):
        with pytest.raises(StoreUnavailable) as caught:
            kind(f"postgresql://u:{SECRET}@127.0.0.1:{free_port()}/d?sslpassword={SECRET}")
        assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("kind", [SQLStore, AsyncSQLStore])
def test_secrets_need_a_key_that_everybody_gives(server: Cluster, url: str, database: str, kind: Any) -> None:
    keyless = Called(kind(url))
    with pytest.raises(ConfigurationError, match="give the same to every process, secrets=…"):
        keyless.commit(Put(Ref(Hidden, ("h",)), Hidden(SECRET)))
    store = Called(kind(url, secrets=b"k" * 32))
    store.commit(Put(Ref(Hidden, ("h",)), Hidden(SECRET)))
    assert store.get(Hidden, "h") == Hidden(SECRET)
    ((stored,),) = server.run(database, "SELECT data FROM watchword_records WHERE kind = 'Hidden'")
    assert SECRET.encode() not in stored
    for options, words in (
        ({"secrets": b"j" * 32}, "secrets=… is not the key"),
        ({}, "give the same to every process"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            kind(url, **options)
    keyless.close()
    store.close()

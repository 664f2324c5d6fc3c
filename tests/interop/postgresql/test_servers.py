"""What a server has to be like: its tables, its clock, and whether a failover may forget what was acknowledged."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cli.conftest import Done, place, shell  # noqa: F401 -- fixtures
from tests.interop.postgresql.cluster import Cluster, bouncer, cluster
from tests.stores.faces import Called, Note
from watchword import ConfigurationError, StoreUnavailable
from watchword.core.records import COMMITTED, Once, Put, Ref, Spent
from watchword.stores import AsyncSQLStore, SQLStore
from watchword.stores.sql.migrations import upgrade

LATER = 1e11
Shell = Callable[..., Done]
both = pytest.mark.parametrize("kind", [SQLStore, AsyncSQLStore])


@pytest.fixture(scope="module")
def standing() -> Iterator[Cluster]:
    """A server that waits for a standby, which there is not."""
    with cluster(synchronous_standby_names="nowhere") as started, bouncer(started) as port:
        started.bouncer = port
        yield started


@both
def test_a_database_without_tables_is_refused_and_told_how_to_get_them(server: Cluster, kind: Any) -> None:
    url = server.create("bare")
    with pytest.raises(ConfigurationError, match="has no tables: run `watchword store upgrade`"):
        kind(url)
    assert upgrade(url) == "0001"
    kind(url)
    server.run("bare", "UPDATE watchword_version SET version_num = '9999'")
    with pytest.raises(ConfigurationError, match="another version"):
        kind(url)
    with pytest.raises(ConfigurationError, match="later version of watchword: upgrade watchword"):
        upgrade(url)


def test_tables_can_be_made_by_pgbouncer_by_many_at_once_and_again(server: Cluster) -> None:
    server.create("raced")
    url = server.url("raced", server.bouncer)
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.append(upgrade(url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == ["0001"] * 4
    with SQLStore(url) as store:
        assert store.commit([Once(("x",), LATER)]) == COMMITTED
    upgrade(url)
    with SQLStore(url) as store:
        assert store.fetch([Ref(Spent, ("x",))]).get(Ref(Spent, ("x",))) == Spent(LATER)


def test_the_command_line_makes_tables_checks_them_and_administers(server: Cluster, shell: Shell) -> None:  # noqa: F811
    url = server.create("shell").replace("watchword@", "watchword:hunter2@")
    done = shell("store", "check", "--store", url)
    assert (done.returncode, "none that are counted" in done.stdout) == (1, True)
    assert "revision 0001" in shell("store", "upgrade", "--store", url).stderr
    done = shell("store", "check", "--store", url)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line[:4] for line in done.stdout.splitlines()] == ["ok  "] * 4
    assert "never twice: on one primary, not over a failover: synchronous_standby_names is empty" in done.stdout
    done = shell("store", "check", "--synchronous-standby", "--store", url)
    assert done.returncode == 1
    assert "FAIL never twice" in done.stdout
    assert shell("key", "add", "billing", "--store", url).returncode == 0
    assert "billing" in shell("key", "list", "--json", "--store", url).stdout
    done = shell("user", "add", "bob", "--realm", "r", "--password-stdin", "--store", url, stdin=b"open sesame\n")
    assert (done.returncode, "secrets=" in done.stderr) == (2, True)
    for part in ("store", "check"), ("store", "upgrade"), ("user", "list"):
        done = shell(*part, "--store", url.replace(f":{server.port}", ":1"))
        assert done.returncode == 1
        assert "hunter2" not in done.stdout + done.stderr


@both
def test_a_synchronous_standby_is_demanded_when_asked_for(
    server: Cluster, standing: Cluster, url: str, kind: Any
) -> None:
    with pytest.raises(
        ConfigurationError, match="may forget commits when it fails over: synchronous_standby_names is empty"
    ):
        kind(url, synchronous_standby=True)
    standing.create("asked")
    where = standing.url("asked", options="-csynchronous_commit%3Dlocal")
    upgrade(where)
    with pytest.raises(ConfigurationError, match="synchronous_commit is local: on or remote_apply"):
        kind(where, synchronous_standby=True)
    kind(standing.url("asked"), synchronous_standby=True)


@both
@pytest.mark.parametrize("way", ["direct", "pgbouncer"])
def test_a_commit_that_gives_up_waiting_for_the_standby_is_not_acknowledged(
    standing: Cluster, kind: Any, way: str
) -> None:
    standing.create("waits")
    upgrade(standing.url("waits", options="-csynchronous_commit%3Dlocal"))
    store = Called(kind(standing.url("waits", standing.bouncer if way == "pgbouncer" else None), timeout=60.0))
    for writes in ([Once(("x",), LATER)], [Once(("y",), LATER), Put(Ref(Note, ("n",)), Note("1"))]):
        raised: list[BaseException] = []

        def commit(writes: Any = writes, raised: Any = raised) -> None:
            try:
                store.commit(*writes)
            except StoreUnavailable as error:
                raised.append(error)

        thread = threading.Thread(target=commit)
        thread.start()
        while not raised:  # also what forgets waits
            standing.run("postgres", "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
            time.sleep(0.05)
        thread.join()
        assert "warned at a commit" in str(raised[0])
    store.close()


def test_the_stores_time_is_the_databases_and_clocks_that_differ_are_reported_or_refused(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = time.time
    with SQLStore(url) as store:
        assert abs(store.clock() - real()) < 5
    for ahead in (-20, 20):
        monkeypatch.setattr(time, "time", lambda ahead=ahead: real() + ahead)
        with caplog.at_level(logging.WARNING, "watchword"), SQLStore(url) as store:
            assert abs(store.clock() - real()) < 5
        assert "20 s apart: set them by NTP" in caplog.text
        caplog.clear()
    for ahead in (-90, 90):
        monkeypatch.setattr(time, "time", lambda ahead=ahead: real() + ahead)
        with pytest.raises(ConfigurationError, match="90 s apart: set them by NTP"):
            SQLStore(url)


def test_a_store_that_was_used_before_a_fork_works_on_both_sides_of_it(url: str) -> None:
    import os

    store = SQLStore(url)
    store.commit([Once(("before",), LATER)])
    pid = os.fork()
    if pid == 0:
        right = not isinstance(store.commit([Once(("before",), LATER)]), type(COMMITTED))
        right = right and store.commit([Once(("child",), LATER)]) == COMMITTED
        store.close()
        os._exit(0 if right else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert store.commit([Once(("after",), LATER)]) == COMMITTED
    store.close()

"""The primary is killed while marks are made, and its standby takes over: no acknowledged mark is made again."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.interop.postgresql.cluster import USER, Cluster, cluster, free_port, program, somebody
from tests.patience import PATIENCE
from watchword import StoreUnavailable
from watchword.core.records import COMMITTED, Once, Replayed
from watchword.stores import SQLStore
from watchword.stores.sql.migrations import upgrade

LATER = 1e11


@pytest.fixture
def primary() -> Iterator[Cluster]:
    with cluster() as started:
        yield started


@pytest.fixture
def standby(primary: Cluster) -> Iterator[Cluster]:
    """A synchronous one."""
    made = Cluster(primary.folder / "standby", free_port())
    made.folder.mkdir()
    options = somebody()
    if "user" in options:
        os.chown(made.folder, options["user"], options["group"])
    copied = f"host=127.0.0.1 port={primary.port} user={USER} application_name=second"
    command = [
        program("pg_basebackup"),
        "-D",
        str(made.folder / "data"),
        "-d",
        copied,
        "-R",
        "-X",
        "stream",
        "-c",
        "fast",
    ]
    subprocess.run(command, check=True, cwd=made.folder, **options)
    made.start(hot_standby="on")
    primary.run("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'second'", "SELECT pg_reload_conf()")
    until(lambda: primary.run("postgres", "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"))
    yield made
    made.stop()


def until(true: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


class Writers:
    """Threads that make marks until they are told to stop; what was acknowledged is noted after the answer."""

    def __init__(self, store: SQLStore, threads: int) -> None:
        self.acknowledged: list[Once] = []
        self.unknown: list[Once] = []
        self._store = store
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(str(number),)) for number in range(threads)]
        for thread in self._threads:
            thread.start()

    def _work(self, name: str) -> None:
        number = 0
        while not self._ended.is_set():
            number += 1
            mark = Once((name, str(number)), LATER)
            try:
                outcome = self._store.commit([mark])
            except StoreUnavailable:
                self.unknown.append(mark)
                time.sleep(0.02)
            else:
                assert outcome == COMMITTED, "a fresh mark is refused by nothing but the echo of itself"
                self.acknowledged.append(mark)

    def end(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()


def again(store: SQLStore, marks: list[Once]) -> int:
    """How many of them are accepted once more."""
    return sum(not isinstance(store.commit([mark]), Replayed) for mark in marks)


def test_no_acknowledged_mark_is_forgotten_when_a_synchronous_standby_takes_over(
    primary: Cluster, standby: Cluster
) -> None:
    primary.create("app")
    upgrade(primary.url("app"))
    where = f"postgresql+psycopg://{USER}@/app?host=127.0.0.1,127.0.0.1&port={primary.port},{standby.port}"
    with SQLStore(f"{where}&target_session_attrs=read-write", synchronous_standby=True, timeout=10.0) as store:
        writers = Writers(store, 4)
        try:
            until(lambda: len(writers.acknowledged) > 300)
            primary.stop(signal.SIGKILL)
            before = len(writers.acknowledged)
            standby.run("postgres", "SELECT pg_promote()")
            standby.run("postgres", "ALTER SYSTEM SET synchronous_standby_names = ''", "SELECT pg_reload_conf()")
            until(lambda: len(writers.acknowledged) > before + 300)
        finally:
            writers.end()
        assert writers.unknown, "while there was no primary"
        assert again(store, writers.acknowledged) == 0


def test_these_tests_would_notice_for_a_standby_that_is_behind_does_forget(primary: Cluster, standby: Cluster) -> None:
    """Why a failover is promised with a synchronous standby alone."""
    primary.run("postgres", "ALTER SYSTEM SET synchronous_standby_names = ''", "SELECT pg_reload_conf()")
    primary.create("app")
    upgrade(primary.url("app"))
    until(lambda: tables(standby))
    standby.run("postgres", "ALTER SYSTEM SET primary_conninfo = ''", "SELECT pg_reload_conf()")
    until(lambda: not standby.run("postgres", "SELECT 1 FROM pg_stat_wal_receiver"))
    where = f"postgresql+psycopg://{USER}@/app?host=127.0.0.1,127.0.0.1&port={primary.port},{standby.port}"
    with SQLStore(f"{where}&target_session_attrs=read-write", timeout=10.0) as store:
        marks = [Once((str(number),), LATER) for number in range(200)]
        assert [store.commit([mark]) for mark in marks] == [COMMITTED] * 200
        primary.stop(signal.SIGKILL)
        standby.run("postgres", "SELECT pg_promote()")
        assert again(store, marks) == 200


def test_a_standby_takes_no_mark_and_is_unavailable(primary: Cluster, standby: Cluster) -> None:
    primary.create("app")
    upgrade(primary.url("app"))
    until(lambda: tables(standby))
    with SQLStore(standby.url("app"), timeout=10.0) as store, pytest.raises(StoreUnavailable, match="ReadOnly"):
        store.commit([Once(("x",), LATER)])


def tables(server: Cluster) -> bool:
    """Whether the tables are there, as far as the standby has come."""
    if not server.run("postgres", "SELECT 1 FROM pg_database WHERE datname = 'app'"):
        return False
    return bool(server.run("app", "SELECT to_regclass('watchword_version') IS NOT NULL")[0][0])


def test_no_acknowledged_mark_is_forgotten_when_the_server_is_killed(primary: Cluster) -> None:
    primary.create("app")
    upgrade(primary.url("app"))
    with SQLStore(primary.url("app"), timeout=10.0) as store:
        writers = Writers(store, 4)
        try:
            for _ in range(2):
                before = len(writers.acknowledged)
                until(lambda before=before: len(writers.acknowledged) > before + 300)
                primary.stop(signal.SIGKILL)
                restart(primary)
        finally:
            writers.end()
        assert again(store, writers.acknowledged) == 0


def restart(server: Cluster) -> None:
    """Its old sessions may have a moment to live, in which it does not start."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            server.start()
        except AssertionError:
            assert time.monotonic() < end
            time.sleep(0.2)
        else:
            return

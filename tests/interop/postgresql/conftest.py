"""A server for all tests here, and a database for each of their modules."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.interop.postgresql.cluster import Cluster, bouncer, cluster
from watchword.stores.sql.migrations import upgrade

TABLES = ("records", "ends", "spent", "counters", "sizes", "facts")


@pytest.fixture(scope="session")
def server() -> Iterator[Cluster]:
    with cluster(fsync="off") as started, bouncer(started) as port:
        started.bouncer = port
        yield started


@pytest.fixture(scope="session")
def database(server: Cluster) -> str:
    name = f"w{os.getpid()}"
    upgrade(server.create(name))
    return name


def empty(server: Cluster, database: str) -> None:
    """Leaves the tables, and nothing in them."""
    server.run(database, "; ".join(f"DELETE FROM watchword_{table}" for table in TABLES))


@pytest.fixture
def url(server: Cluster, database: str) -> str:
    """An empty database's."""
    empty(server, database)
    return server.url(database)


@pytest.fixture
def pooled(server: Cluster, url: str, database: str) -> str:
    """The same database's, by pgbouncer."""
    return server.url(database, server.bouncer)

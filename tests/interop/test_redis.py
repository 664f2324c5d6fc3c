"""Debian's Redis: the stores' promises, what a mark costs there, and nothing accepted twice when it is killed.

Valkey, which comes with a package of PyPI, is tried by `make test`.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stores.redis.test_verbs import MOST, octets_a_mark
from tests.valkey import Server, new_prefix
from watchword.core.records import COMMITTED, Once, Replayed
from watchword.stores import AsyncRedisStore, RedisStore
from watchword.testing.conformance import StoreConformance
from watchword.testing.conformance.store_model import Make


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    program = shutil.which("redis-server")
    assert program is not None, "make interop installs it"
    folder = Path(tempfile.mkdtemp(prefix="ww"))
    server = Server(folder, "--appendonly", "yes", "--appendfsync", "always", program=program)
    assert b"valkey" not in server.say("INFO", "server")
    yield server
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)


class TestRedis(StoreConformance):
    grace = 60.0

    @pytest.fixture(params=[RedisStore, AsyncRedisStore])
    def make_store(self, request: pytest.FixtureRequest, server: Server) -> Make:
        return lambda _, clock: request.param(server.url, prefix=new_prefix(), secrets=bytes(32), clock=clock)


@pytest.mark.parametrize("marks", [33_000, 34_000])
def test_a_mark_costs_at_most_150_octets(server: Server, marks: int) -> None:
    assert octets_a_mark(server, marks, None) <= MOST


def test_nothing_is_accepted_twice_over_a_killed_server(server: Server) -> None:
    marks = [Once((str(number),), time.time() + 600) for number in range(200)]
    with RedisStore(server.url, prefix=new_prefix(), timeout=30) as store:
        assert [store.commit([mark]) for mark in marks] == [COMMITTED] * 200
        server.kill()
        server.start()
        assert [store.commit([mark]) for mark in marks] == [Replayed(mark) for mark in marks]

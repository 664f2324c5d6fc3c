"""Redis stores of both kinds on the tests' own server, by the server's clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stores.faces import Called, on_valkey
from tests.valkey import Server
from watchword.stores import AsyncRedisStore, RedisStore

CLASSES = {"sync": RedisStore, "async": AsyncRedisStore}


@pytest.fixture(params=CLASSES)
def make(request: pytest.FixtureRequest) -> Iterator[Callable[..., Called]]:
    """Makes a store; the arguments are those of `RedisStore`, by default an empty one on the server of this process."""
    made: list[Called] = []

    def store(**options: Any) -> Called:
        made.append(Called(CLASSES[request.param](**{**on_valkey(), **options})))
        return made[-1]

    yield store
    for one in made:
        one.close()


@pytest.fixture
def store(make: Callable[..., Called]) -> Called:
    return make()


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of the test's own that may be killed and configured, with its append-only file.

    With `appendfsync everysec` it would put off what it has to write while it waits for the disk, and answer all the same.
    """
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="ww"))  # the path of a socket has to be short
    server = Server(folder, "--appendonly", "yes", "--appendfsync", "always")
    yield server
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)

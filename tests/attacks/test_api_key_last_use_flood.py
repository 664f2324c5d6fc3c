"""Thirty-two threads with one key at once: all are accepted, and one use is written down."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from tests.patience import PATIENCE
from watchword import APIKeyVerifier, AsyncGuard, Guard, Request
from watchword.core.records import Ref
from watchword.schemes.api_key_text import APIKeyUse, key_id_of
from watchword.stores import MemoryStore, SQLStore

THREADS = 32


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MemoryStore | SQLStore]:
    if request.param == "memory":
        yield MemoryStore()
        return
    with SQLStore(f"sqlite:///{tmp_path}/users.db") as store:
        yield store


def test_all_threads_are_accepted_and_the_use_has_version_1(store: MemoryStore | SQLStore) -> None:
    key = store.add_api_key("billing")
    ref = Ref(APIKeyUse, (key_id_of(key) or "",))
    guard = Guard([APIKeyVerifier()], store)
    request = Request("GET", "https", "api.example", "/", {"X-API-Key": key})
    barrier = Barrier(THREADS, timeout=PATIENCE)

    def ask(_: int) -> str:
        barrier.wait()
        return guard.verify(request).subject

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(ask, range(THREADS))) == ["billing"] * THREADS
    assert store.fetch([ref]).version(ref) == 1


def test_all_tasks_are_accepted_and_the_use_has_version_1(store: MemoryStore | SQLStore) -> None:
    key = store.add_api_key("billing")
    ref = Ref(APIKeyUse, (key_id_of(key) or "",))
    guard = AsyncGuard([APIKeyVerifier()], store)
    request = Request("GET", "https", "api.example", "/", {"X-API-Key": key})

    async def flood() -> list[Any]:
        return await asyncio.gather(*(guard.verify(request) for _ in range(THREADS)))

    assert [identity.subject for identity in asyncio.run(flood())] == ["billing"] * THREADS
    assert store.fetch([ref]).version(ref) == 1

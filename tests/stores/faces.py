"""Every kind of store that the tests go through, called alike."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests import valkey
from watchword.core.attempts import KnownPair
from watchword.core.records import Counter, Spent
from watchword.schemes.digest import FirstCnonce
from watchword.stores import AsyncRedisStore, AsyncSQLStore, MemoryStore, RedisStore, SQLStore, combine
from watchword.testing import Clock
from watchword.testing.conformance.called import CalledStore, Hidden, Note

__all__ = ["COMBINED", "KINDS", "Called", "Clock", "Hidden", "Note", "on_valkey"]


class Called(CalledStore):
    """A store of either colour with all its methods, called."""

    def __init__(self, store: Any) -> None:
        super().__init__(store)
        self._closed = False

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.store, name)
        return lambda *args, **options: self.wait(method(*args, **options))

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            super().close()

    def _end(self) -> None:
        self._hear_threads()
        super()._end()

    def _hear_threads(self) -> None:
        """Where connecting failed, aiosqlite's thread answers a moment later, and its loop has to be there still."""
        for _ in range(200):
            if not any("_connection_worker_thread" in thread.name for thread in threading.enumerate()):
                return
            self.wait(asyncio.sleep(0.005))


PASSING = frozenset((Spent, Counter, KnownPair, FirstCnonce, Note))
"""What is in Redis beside SQL, and a record for the tests."""

COMBINED: dict[str, Callable[[Path, Clock], Any]] = {
    "combined": lambda folder, clock: combine(
        _only({Hidden}, clock), SQLStore(f"sqlite:///{folder}/c.db", clock=clock)
    ),
    "async-combined": lambda folder, clock: combine(
        _only({Hidden}, clock), AsyncSQLStore(f"sqlite:///{folder}/c.db", clock=clock)
    ),
    "split": lambda folder, clock: combine(
        SQLStore(f"sqlite:///{folder}/c.db", clock=clock), RedisStore(**on_valkey(clock, kinds=PASSING))
    ),
    "async-split": lambda folder, clock: combine(
        AsyncSQLStore(f"sqlite:///{folder}/c.db", clock=clock), AsyncRedisStore(**on_valkey(clock, kinds=PASSING))
    ),
}
"""Hidden records are in one store, everything else is in the other."""

KINDS: dict[str, Callable[[Path, Clock], Any]] = {
    "memory": lambda folder, clock: MemoryStore(clock=clock),
    "sql-memory": lambda folder, clock: SQLStore("sqlite://", clock=clock),
    "sql-file": lambda folder, clock: SQLStore(f"sqlite:///{folder}/users.db", clock=clock),
    "async-memory": lambda folder, clock: AsyncSQLStore("sqlite://", clock=clock),
    "async-file": lambda folder, clock: AsyncSQLStore(f"sqlite:///{folder}/users.db", clock=clock),
    "valkey": lambda folder, clock: RedisStore(**on_valkey(clock)),
    "async-valkey": lambda folder, clock: AsyncRedisStore(**on_valkey(clock)),
    **COMBINED,
}


def on_valkey(clock: Clock | None = None, **options: Any) -> dict[str, Any]:
    """The arguments of an empty store on the tests' own server; without a clock it goes by the server's."""
    return {"url": valkey.shared().url, "prefix": valkey.new_prefix(), "secrets": bytes(32), "clock": clock, **options}


def _only(kinds: set[type], clock: Clock) -> MemoryStore:
    store = MemoryStore(clock=clock)
    store.kinds = frozenset(kinds)
    return store

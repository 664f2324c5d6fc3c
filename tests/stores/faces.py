"""Every kind of store behind one face, so that one suite proves them all."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from watchword.core.records import Found, Outcome, Ref, Write
from watchword.stores import AsyncSQLStore, MemoryStore, SQLStore, combine


@dataclass(frozen=True, slots=True)
class Note:
    """A record without secrets, with every type of field that a record may have."""

    text: str
    octets: bytes = b""
    tags: tuple[str, ...] = ()
    number: float | None = None


@dataclass(frozen=True, slots=True)
class Hidden:
    """A record with a secret."""

    sensitive: ClassVar[bool] = True

    secret: str


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Called:
    """A store of either colour, called."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self._runner = asyncio.Runner()
        self._closed = False

    def _wait(self, answer: Any) -> Any:
        if not inspect.isawaitable(answer):
            return answer

        async def wait() -> Any:
            return await answer

        return self._runner.run(wait())

    def fetch(self, refs: Sequence[Ref[Any]]) -> Found:
        return self._wait(self.store.fetch(refs))

    def commit(self, *writes: Write) -> Outcome:
        return self._wait(self.store.commit(writes))

    def get(self, kind: type, *key: str) -> Any:
        ref = Ref(kind, key)
        return self.fetch([ref]).get(ref)

    def version(self, kind: type, *key: str) -> int:
        ref = Ref(kind, key)
        return self.fetch([ref]).version(ref)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.store, name)
        return lambda *args, **options: self._wait(method(*args, **options))

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if hasattr(self.store, "close"):
            self._wait(self.store.close())
        for part in getattr(self.store, "parts", ()):
            if hasattr(part, "close"):
                self._wait(part.close())
        self._hear_threads()
        self._runner.close()

    def _hear_threads(self) -> None:
        """Where connecting failed, aiosqlite's thread answers a moment later, and its loop has to be there still."""
        for _ in range(200):
            if not any("_connection_worker_thread" in thread.name for thread in threading.enumerate()):
                return
            self._wait(asyncio.sleep(0.005))


KINDS: dict[str, Callable[[Path, Clock], Any]] = {
    "memory": lambda folder, clock: MemoryStore(clock=clock),
    "sql-memory": lambda folder, clock: SQLStore("sqlite://", clock=clock),
    "sql-file": lambda folder, clock: SQLStore(f"sqlite:///{folder}/users.db", clock=clock),
    "async-memory": lambda folder, clock: AsyncSQLStore("sqlite://", clock=clock),
    "async-file": lambda folder, clock: AsyncSQLStore(f"sqlite:///{folder}/users.db", clock=clock),
    "combined": lambda folder, clock: combine(
        _only({Hidden}, clock), SQLStore(f"sqlite:///{folder}/c.db", clock=clock)
    ),
    "async-combined": lambda folder, clock: combine(
        _only({Hidden}, clock), AsyncSQLStore(f"sqlite:///{folder}/c.db", clock=clock)
    ),
}


def _only(kinds: set[type], clock: Clock) -> MemoryStore:
    store = MemoryStore(clock=clock)
    store.kinds = frozenset(kinds)
    return store

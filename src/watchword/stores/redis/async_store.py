"""Remembering in Redis or Valkey, awaited."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Generator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from watchword.core.records import COMMITTED, NOTHING_FOUND, Found, Outcome, Ref, Write
from watchword.core.rejection import ConfigurationError
from watchword.stores.administration import AsyncAdmin
from watchword.stores.changes import Changes
from watchword.stores.redis.remembering import Remembering, suited_kinds

if TYPE_CHECKING:
    import asyncio

    from watchword.stores.redis.async_connections import AsyncConnections

__all__ = ["AsyncRedisStore"]

T = TypeVar("T")


class _Pool(NamedTuple):
    """The connections of one process and its event loop, and the commits that are under way."""

    loop: asyncio.AbstractEventLoop
    connections: AsyncConnections
    running: set[asyncio.Task[Any]]


class AsyncRedisStore(AsyncAdmin):
    """`RedisStore` for an event loop: the same arguments, keys and promises. A store serves one loop until it is closed.

    Raises:
        ConfigurationError: as `RedisStore`.
        StoreUnavailable: as `RedisStore`.

    >>> AsyncRedisStore("rediss://10.0.0.7:6379", ca=None)
    AsyncRedisStore('rediss://10.0.0.7:6379/0')
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "ww:",
        kinds: Collection[type] | None = None,
        secrets: bytes | None = None,
        allow_plaintext_secrets: bool = False,
        max_counters: int = 500_000,
        timeout: float = 5.0,
        max_connections: int = 64,
        ca: str | Path | None = None,
        certificate: str | Path | None = None,
        key: str | Path | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._remembering = Remembering(
            url, prefix, kinds, secrets, allow_plaintext_secrets, max_counters, timeout, max_connections, (ca, certificate, key), clock
        )  # fmt: skip
        self.kinds = self._remembering.kinds
        self.clock: Callable[[], float] = clock or time.time
        self._changes = Changes()
        self._pools: dict[int, _Pool] = {}

    def __repr__(self) -> str:
        return f"AsyncRedisStore({str(self._remembering.server)!r})"

    async def __aenter__(self) -> AsyncRedisStore:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections, after the commits that are under way. Call it before the loop ends."""
        from asyncio import wait  # noqa: PLC0415 -- `import watchword` must not load asyncio

        pool = self._pools.pop(os.getpid(), None)
        if pool is not None:
            if pool.running:
                await wait(pool.running)
            await pool.connections.close()

    async def check(self) -> None:
        """As `RedisStore.check`."""
        await self._pool().connections.ask(self._remembering.checking())

    @property
    def suited_kinds(self) -> frozenset[type]:
        """What it takes beside a store that holds any kind: replay marks and attempts (`combine`)."""
        return suited_kinds()

    def changes(self, kind: type, /) -> int:
        """As `RedisStore.changes`."""
        return self._changes.of(kind)

    async def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        if not refs:
            return NOTHING_FOUND
        return await self._pool().connections.ask(self._remembering.fetching(refs))

    async def commit(self, writes: Sequence[Write], /) -> Outcome:
        if not writes:
            return COMMITTED
        from asyncio import shield  # noqa: PLC0415 -- as above

        pool = self._pool()
        # It runs to its end even if the caller is cancelled: whoever takes a mark back must know whether it was made.
        task = pool.loop.create_task(self._committed(pool, self._remembering.committing(writes), writes))
        pool.running.add(task)
        task.add_done_callback(pool.running.discard)
        return await shield(task)

    async def _committed(
        self, pool: _Pool, conversation: Generator[Any, Any, Outcome], writes: Sequence[Write]
    ) -> Outcome:
        try:
            return await pool.connections.ask(conversation)
        finally:
            self._changes.note(writes)

    async def records(self, kind: type[T], most: int | None = None) -> list[tuple[tuple[str, ...], T]]:
        """As `RedisStore.records`."""
        return await self._pool().connections.ask(self._remembering.listing(kind, most))

    def _pool(self) -> _Pool:
        from asyncio import get_running_loop  # noqa: PLC0415 -- as above

        loop = get_running_loop()
        pool = self._pools.get(os.getpid())
        if pool is None:
            from watchword.stores.redis.async_connections import AsyncConnections  # noqa: PLC0415 -- loads asyncio

            asked = self._remembering
            connections = AsyncConnections(asked.server, asked.greeting, asked.most_connections)
            # Pools from before a fork stay in the dict, unused and unclosed.
            pool = self._pools[os.getpid()] = _Pool(loop, connections, set())
        elif pool.loop is not loop:
            raise ConfigurationError(
                "this AsyncRedisStore serves another event loop: `await store.close()` before that one ends, "
                "or make one store per loop"
            )
        return pool

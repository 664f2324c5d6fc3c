"""Remembering in a SQL database, awaited."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from watchword.core.records import COMMITTED, NOTHING_FOUND, Found, Outcome, Put, Ref, Replayed, Take, Write
from watchword.core.rejection import ConfigurationError
from watchword.stores.administration import AsyncAdmin
from watchword.stores.sql.base import SQLBase
from watchword.stores.sql.engines import AsyncEngine, async_engine_of
from watchword.stores.sql.forgetting import forgets
from watchword.stores.sql.queries import asking, fetching, marking
from watchword.stores.sql.statements import single, steps, transaction

if TYPE_CHECKING:
    import asyncio

    from watchword.stores.sql.database import Database
    from watchword.stores.sql.server import Server

__all__ = ["AsyncSQLStore"]

T = TypeVar("T")


class _Running(NamedTuple):
    """What one process has open for its event loop, and the commits that are under way."""

    loop: asyncio.AbstractEventLoop
    engine: AsyncEngine
    tasks: set[asyncio.Task[Any]]


class AsyncSQLStore(SQLBase, AsyncAdmin):
    """`SQLStore` for an event loop: the same arguments, databases and promises. A store serves one loop until it is closed.

    Raises:
        ConfigurationError: as `SQLStore`.
        StoreUnavailable: as `SQLStore`.

    >>> import asyncio
    >>> from watchword.core.records import Once
    >>> async def main():
    ...     async with AsyncSQLStore("sqlite://") as store:
    ...         for _ in range(2):
    ...             print(await store.commit([Once(("nonce", "1"), until=2e9)]))
    >>> asyncio.run(main())
    Committed()
    Replayed(write=Once(key=('nonce', '1'), until=2000000000.0, owner=None))
    """

    _sqlite_driver = "aiosqlite"

    def _check_parts(self, database: Database | Server) -> None:
        if not database.dialect.takes_turns:
            return
        try:
            for part in ("aiosqlite", "greenlet"):  # SQLAlchemy's asyncio needs the latter
                import_module(part)
        except ImportError:
            raise ConfigurationError("AsyncSQLStore needs an extra: pip install 'watchword[sql]'") from None

    def _prepare(self) -> None:
        self._running: dict[int, _Running] = {}
        self._home = os.getpid()

    async def __aenter__(self) -> AsyncSQLStore:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections, after the commits that are under way. Call it before the loop ends."""
        from asyncio import wait  # noqa: PLC0415 -- `import watchword` must not load asyncio

        running = self._running.pop(os.getpid(), None)
        if running is not None:
            if running.tasks:
                await wait(running.tasks)
            await running.engine.close()

    async def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        if not refs:
            return NOTHING_FOUND
        say = fetching(refs, self.clock(), self._dialect)
        (rows,) = await self._shielded(lambda engine: engine.read([say]))
        return self._vault.found(refs, rows)

    async def commit(self, writes: Sequence[Write], /) -> Outcome:
        if not writes:
            return COMMITTED
        await self._unlock(write.ref.kind for write in writes if isinstance(write, Put | Take))
        now = self.clock()
        asked = asking(writes, now)
        if asked is not None:
            return self._answer(asked, await self._shielded(lambda engine: engine.read([say for _, say in asked])))
        self._commits += 1
        if forgets(self._commits):
            await self._shielded(lambda engine: engine.converse(self._forgetting(now)))
        mark = marking(writes, now, self._dialect)
        if mark is not None:
            if (await self._shielded(lambda engine: engine.converse(lambda: single(mark)))).rows == 1:
                return COMMITTED
            if self._tells(writes):
                return Replayed(writes[0])
        planned = steps(writes, self._vault.encode, self._dialect)
        return await self._shielded(lambda engine: self._noted(engine, writes, planned, now))

    async def _noted(self, engine: Any, writes: Sequence[Write], planned: Any, now: float) -> Outcome:
        try:
            outcome: Outcome = await engine.converse(
                lambda: transaction(planned, now, self._room, self._dialect, self._timeout)
            )
            return outcome
        finally:
            self._changes.note(writes)

    async def _shielded(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """Runs to its end even if the caller is cancelled: a connection is never left in the middle of something."""
        from asyncio import shield  # noqa: PLC0415 -- `import watchword` must not load asyncio

        running = self._engine()

        async def run() -> T:
            return await work(running.engine)

        task = running.loop.create_task(run())
        running.tasks.add(task)
        task.add_done_callback(running.tasks.discard)
        return await shield(task)

    async def _unlock(self, kinds: Iterable[type]) -> None:
        if not self._vault.ready(kinds):
            from asyncio import to_thread  # noqa: PLC0415 -- as above

            await to_thread(self._vault.open)

    def _engine(self) -> _Running:
        from asyncio import get_running_loop  # noqa: PLC0415 -- as above

        loop = get_running_loop()
        running = self._running.get(os.getpid())
        if running is None:
            if self._database.in_memory and os.getpid() != self._home:
                raise ConfigurationError(
                    "processes share a file, not memory: AsyncSQLStore('sqlite:///users.db') instead of 'sqlite://'"
                )
            # Those from before a fork stay in the dict, unused and unclosed, as in SQLStore.
            running = self._running[os.getpid()] = _Running(loop, async_engine_of(self._database), set())
        elif running.loop is not loop:
            raise ConfigurationError(
                "this AsyncSQLStore serves another event loop: `await store.close()` before that one ends, "
                "or make one store per loop"
            )
        return running

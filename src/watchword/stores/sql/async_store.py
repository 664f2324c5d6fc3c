"""Remembering in SQLite, awaited."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from watchword.core.records import COMMITTED, NOTHING_FOUND, Add, Exceeded, Found, Outcome, Put, Ref, Take, Write
from watchword.core.rejection import ConfigurationError
from watchword.stores.administration import AsyncAdmin
from watchword.stores.changes import Changes
from watchword.stores.sql.database import BUSY_TIMEOUT, Answering, Database
from watchword.stores.sql.queries import Say, asking, fetching, marking

if TYPE_CHECKING:
    import asyncio

    from sqlalchemy.ext.asyncio import AsyncEngine

__all__ = ["AsyncSQLStore"]

T = TypeVar("T")


class _Pool(NamedTuple):
    """The connections of one process and its event loop, and the commits that are under way."""

    loop: asyncio.AbstractEventLoop
    engine: AsyncEngine
    writing: asyncio.Lock
    running: set[asyncio.Task[Any]]


class AsyncSQLStore(AsyncAdmin):
    """`SQLStore` for an event loop: the same arguments, files and promises. A store serves one loop until it is closed.

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

    kinds: frozenset[type] | None = None

    def __init__(
        self,
        url: str,
        *,
        secrets: bytes | None = None,
        allow_plaintext_secrets: bool = False,
        max_counters: int = 500_000,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = Database(url, "aiosqlite")
        try:
            for part in ("aiosqlite", "greenlet"):  # SQLAlchemy's asyncio needs the latter
                import_module(part)
        except ImportError:
            raise ConfigurationError("AsyncSQLStore needs an extra: pip install 'watchword[sql]'") from None
        from watchword.stores.sql import statements  # noqa: PLC0415 -- needs the extra, which Database has found
        from watchword.stores.sql.vault import Vault, check_secrets  # noqa: PLC0415 -- as above

        self._statements = statements
        self._room = statements.check_room(max_counters)
        check_secrets(secrets)
        if self._database.path is not None:
            self._database.prepare(statements.schema(), statements.OLDER, statements.ADDED)
        self._vault = Vault(self._database, secrets, allow_plaintext=allow_plaintext_secrets)
        self.clock = clock
        self._commits = 0
        self._changes = Changes()
        self._pools: dict[int, _Pool] = {}
        self._home = os.getpid()

    def __repr__(self) -> str:
        return f"AsyncSQLStore({str(self._database)!r})"

    async def __aenter__(self) -> AsyncSQLStore:
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
            await pool.engine.dispose()

    def changes(self, kind: type, /) -> int:
        """As `SQLStore.changes`."""
        return self._changes.of(kind)

    async def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        if not refs:
            return NOTHING_FOUND
        say = fetching(refs, self.clock())
        return self._vault.found(refs, await self._shielded(lambda pool: self._read(pool, say)))

    async def commit(self, writes: Sequence[Write], /) -> Outcome:
        if not writes:
            return COMMITTED
        await self._unlock(write.ref.kind for write in writes if isinstance(write, Put | Take))
        now = self.clock()
        asked = asking(writes, now)
        if asked is not None:
            return await self._shielded(lambda pool: self._answered(pool, asked))
        self._commits += 1
        if self._statements.forgets(self._commits):
            forgetting = self._statements.forgetting(now, self._room)
            await self._shielded(lambda pool: self._write(pool, forgetting, now))
        mark = marking(writes, now)
        if mark is not None and await self._shielded(lambda pool: self._marked(pool, mark)):
            return COMMITTED
        steps = self._statements.steps(writes, self._vault.encode)
        return await self._shielded(lambda pool: self._noted(pool, writes, steps, now))

    async def _answered(self, pool: _Pool, asked: Sequence[tuple[Add, Say]]) -> Outcome:
        for write, say in asked:
            rows = await self._read(pool, say)
            if rows:
                return Exceeded(write, rows[0][0])
        return COMMITTED

    async def _marked(self, pool: _Pool, say: Say) -> bool:
        with Answering():
            async with pool.writing, pool.engine.connect() as connection:
                return (await connection.exec_driver_sql(*say)).rowcount == 1

    async def _read(self, pool: _Pool, say: Say) -> Sequence[Any]:
        async with AsyncExitStack() as stack:
            stack.enter_context(Answering())
            if self._database.path is None:  # one connection for all: not while another task is half way
                await stack.enter_async_context(pool.writing)
            connection = await stack.enter_async_context(pool.engine.connect())
            return (await connection.exec_driver_sql(*say)).all()

    async def _noted(self, pool: _Pool, writes: Sequence[Write], steps: Any, now: float) -> Outcome:
        try:
            return await self._write(pool, steps, now)
        finally:
            self._changes.note(writes)

    async def _write(self, pool: _Pool, steps: Any, now: float) -> Outcome:
        conversation = self._statements.transaction(steps, now, self._room)
        answer: Any = None
        with Answering():
            async with pool.writing, pool.engine.connect() as connection:
                while True:
                    try:
                        say = conversation.send(answer)
                    except StopIteration as stop:
                        outcome: Outcome = stop.value
                        return outcome
                    result = await connection.exec_driver_sql(*say)
                    answer = self._statements.Answer(result.rowcount, result.all() if result.returns_rows else ())

    async def _shielded(self, work: Callable[[_Pool], Awaitable[T]]) -> T:
        """Runs to its end even if the caller is cancelled: a connection is never left in the middle of something."""
        from asyncio import shield  # noqa: PLC0415 -- `import watchword` must not load asyncio

        pool = self._pool()

        async def run() -> T:
            return await work(pool)

        task = pool.loop.create_task(run())
        pool.running.add(task)
        task.add_done_callback(pool.running.discard)
        return await shield(task)

    async def _unlock(self, kinds: Iterable[type]) -> None:
        if not self._vault.ready(kinds):
            from asyncio import to_thread  # noqa: PLC0415 -- as above

            await to_thread(self._vault.open)

    def _pool(self) -> _Pool:
        from asyncio import get_running_loop  # noqa: PLC0415 -- as above

        loop = get_running_loop()
        pool = self._pools.get(os.getpid())
        if pool is None:
            if self._database.path is None and os.getpid() != self._home:
                raise ConfigurationError(
                    "processes share a file, not memory: AsyncSQLStore('sqlite:///users.db') instead of 'sqlite://'"
                )
            # Pools from before a fork stay in the dict, unused and unclosed, as in SQLStore.
            pool = self._pools[os.getpid()] = self._make_pool(loop)
        elif pool.loop is not loop:
            raise ConfigurationError(
                "this AsyncSQLStore serves another event loop: `await store.close()` before that one ends, "
                "or make one store per loop"
            )
        return pool

    def _make_pool(self, loop: asyncio.AbstractEventLoop) -> _Pool:
        from asyncio import Lock  # noqa: PLC0415 -- as above

        from sqlalchemy import event  # noqa: PLC0415 -- an extra
        from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 -- an extra

        engine = create_async_engine(self._database.engine_url(), **engine_options(self._database))
        event.listen(engine.sync_engine, "connect", on_connect(self._database, self._statements.schema))
        return _Pool(loop, engine, Lock(), set())


def engine_options(database: Database) -> dict[str, Any]:
    """What is asked of SQLAlchemy: that it leave transactions to us, and never print parameters."""
    from sqlalchemy.pool import StaticPool  # noqa: PLC0415 -- an extra

    options: dict[str, Any] = {
        "isolation_level": "AUTOCOMMIT",
        "hide_parameters": True,
        "execution_options": {"preserve_rowcount": True},
        "connect_args": {"timeout": BUSY_TIMEOUT, "check_same_thread": False},
    }
    if database.path is None:
        options["poolclass"] = StaticPool
    else:
        options |= {"pool_size": 8, "max_overflow": -1}
    return options


def on_connect(database: Database, schema: Callable[[], Sequence[str]]) -> Callable[[Any, Any], None]:
    """What each new connection is told."""

    def tell(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous=NORMAL")
        if database.path is None:
            for statement in schema():
                cursor.execute(statement)
        cursor.close()

    return tell

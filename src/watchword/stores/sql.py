"""Remembering in SQLite, from the caller's thread."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from watchword.core.records import COMMITTED, NOTHING_FOUND, Found, Outcome, Ref, Write
from watchword.core.rejection import ConfigurationError, StoreUnavailable
from watchword.stores.admin import Admin
from watchword.stores.changes import Changes
from watchword.stores.database import BUSY_TIMEOUT, Database, answering

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

__all__ = ["SQLStore"]

T = TypeVar("T")


class _Pool(NamedTuple):
    """One process's connections. SQLite's must not cross a fork, and a lock held at the fork would be held for ever."""

    engine: Engine
    writing: Lock


class SQLStore(Admin):
    """Remembers in an SQLite file, which any number of processes on one host share, or in memory.

    Each commit is one transaction; writers take turns, readers never wait. What was committed outlives the process.
    After a power failure the last moments may be missing (WAL, synchronous=NORMAL): a request of that moment could be
    replayed once. Records with secrets are sealed under a key, by default in the file `<database>.key` beside the
    database: back up both, and keep them apart.

    Args:
        url: "sqlite:///users.db" (relative), "sqlite:////var/lib/app/users.db" (absolute), "sqlite://" (in memory).
        secrets: the key that seals secrets instead of the key file; 32 octets or more, random.
        allow_plaintext_secrets: store them in the clear.
        clock: seconds since the epoch.

    Raises:
        ConfigurationError: the URL, the folder or the key can't be used; or `pip install 'watchword[sql]'`.
        StoreUnavailable: the database does not answer.

    >>> from watchword import Password
    >>> with SQLStore("sqlite://") as store:
    ...     store.add_user("alice", "open sesame", scopes=["read"])
    ...     store.fetch([Ref(Password, ("alice",))]).get(Ref(Password, ("alice",)))
    Password(scopes=('read',), subject=None, disabled=False)
    """

    kinds: frozenset[type] | None = None
    blocking = True

    def __init__(
        self,
        url: str,
        *,
        secrets: bytes | None = None,
        allow_plaintext_secrets: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = Database(url, "pysqlite")
        from watchword.stores import statements  # noqa: PLC0415 -- needs the extra, which Database has found
        from watchword.stores.vault import Vault  # noqa: PLC0415 -- as above

        self._statements = statements
        if self._database.path is not None:
            self._database.prepare(statements.schema())
        self._vault = Vault(self._database, secrets, allow_plaintext=allow_plaintext_secrets)
        self._clock = clock
        self._commits = 0
        self._changes = Changes()
        self._pools: dict[int, _Pool] = {}
        if self._database.path is None:
            self._pools[os.getpid()] = self._make_pool()

    def __repr__(self) -> str:
        return f"SQLStore({str(self._database)!r})"

    def __enter__(self) -> SQLStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes this process's connections. A file is opened again when it is needed; memory is gone."""
        pool = self._pools.pop(os.getpid(), None)
        if pool is not None:
            pool.engine.dispose()

    def changes(self, kind: type, /) -> int:
        """A number that is another one after each write of that kind through this object (`core.shortcut`)."""
        return self._changes.of(kind)

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        if not refs:
            return NOTHING_FOUND
        statement, parameters = self._statements.fetching(refs, self._clock())
        with self._connection(writing=False) as connection:
            rows = connection.execute(statement, parameters).all()
        return self._vault.found(refs, rows)

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        if not writes:
            return COMMITTED
        now = self._clock()
        steps = self._statements.steps(writes, self._vault.encode, now)
        self._commits += 1
        steps = self._statements.with_forgetting(steps, self._commits, now)
        conversation = self._statements.transaction(steps, now)
        answer: Any = None
        try:
            with self._connection(writing=True) as connection:
                while True:
                    try:
                        statement, parameters = conversation.send(answer)
                    except StopIteration as stop:
                        outcome: Outcome = stop.value
                        return outcome
                    answer = self._statements.answer(connection.execute(statement, parameters))
        finally:
            self._changes.note(writes)

    def records(self, kind: type[T]) -> list[tuple[tuple[str, ...], T]]:
        """Every record of `kind` with its key, in the order of the keys: for administration, not for guards."""
        statement, parameters = self._statements.listing(kind)
        with self._connection(writing=False) as connection:
            rows = connection.execute(statement, parameters).all()
        return self._vault.listed(kind, rows)

    @contextmanager
    def _connection(self, *, writing: bool) -> Iterator[Connection]:
        pool = self._pool()
        # In memory all threads share one connection. For a file, threads that queue here do not sleep and poll in SQLite.
        lock = pool.writing if writing or self._database.path is None else None
        if lock is not None and not lock.acquire(timeout=BUSY_TIMEOUT):
            raise StoreUnavailable("the database is busy")
        try:
            with answering(), pool.engine.connect() as connection:
                yield connection  # closing it rolls back what was left half way
        finally:
            if lock is not None:
                lock.release()

    def _pool(self) -> _Pool:
        pool = self._pools.get(os.getpid())
        if pool is None:
            if self._database.path is None:
                raise ConfigurationError(
                    "SQLStore('sqlite://') is closed, or this process was forked from the one that holds it: "
                    "processes share a file, SQLStore('sqlite:///users.db')"
                )
            # Pools of the process from which this one was forked stay in the dict, unused and unclosed: closing a
            # connection here would drop the locks that SQLite holds there.
            pool = self._pools.setdefault(os.getpid(), self._make_pool())
        return pool

    def _make_pool(self) -> _Pool:
        from sqlalchemy import create_engine, event  # noqa: PLC0415 -- an extra

        engine = create_engine(self._database.engine_url(), **engine_options(self._database))
        event.listen(engine, "connect", on_connect(self._database, self._statements.schema))
        return _Pool(engine, Lock())


def engine_options(database: Database) -> dict[str, Any]:
    """What both SQL stores ask of SQLAlchemy: that it leave transactions to us, and never print parameters."""
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

"""Remembering in SQLite, from the caller's thread."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from watchword.core.records import COMMITTED, NOTHING_FOUND, Exceeded, Found, Outcome, Ref, Write
from watchword.core.rejection import ConfigurationError, StoreUnavailable
from watchword.stores.administration import Admin
from watchword.stores.changes import Changes
from watchword.stores.sql.database import BUSY_TIMEOUT, Answering, Connections, Database
from watchword.stores.sql.queries import Say, asking, fetching, marking

if TYPE_CHECKING:
    from watchword.stores.sql.statements import Step

__all__ = ["SQLStore"]

T = TypeVar("T")


class _Pool(NamedTuple):
    """One process's connections. SQLite's must not cross a fork, and a lock held at the fork would be held for ever."""

    connections: Connections
    writing: Lock


class SQLStore(Admin):
    """Remembers in an SQLite file, which any number of processes on one host share, or in memory.

    Each commit is one transaction; writers take turns, readers never wait. What was committed outlives the process.
    After a power failure the last moments may be missing (WAL, synchronous=NORMAL): a request of that moment could be
    replayed once. Records with secrets are sealed under a key, by default in the file `<database>.key` beside the
    database: back up both, and keep them apart.

    Args:
        url: "sqlite:///users.db" (relative), "sqlite:////var/lib/app/users.db" (absolute), "sqlite://" (in memory).
        secrets: the key that seals secrets instead of the key file; 32 octets or more, random. The first one that a
            database is given is its key for good.
        allow_plaintext_secrets: store them in the clear.
        max_counters: of attempts; about so many are kept at most, then the least valuable go (`stores.counting`).
        clock: seconds since the epoch, for everything that the store remembers or issues.

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
        max_counters: int = 500_000,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = Database(url, "pysqlite")
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
            pool.connections.close()

    def changes(self, kind: type, /) -> int:
        """A number that is another one after each write of that kind through this object (`core.scheme.Changes`)."""
        return self._changes.of(kind)

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        if not refs:
            return NOTHING_FOUND
        return self._vault.found(refs, self._read(fetching(refs, self.clock())))

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        if not writes:
            return COMMITTED
        now = self.clock()
        asked = asking(writes, now)
        if asked is not None:
            return next((Exceeded(write, rows[0][0]) for write, say in asked if (rows := self._read(say))), COMMITTED)
        self._commits += 1
        if self._statements.forgets(self._commits):
            forgetting = self._statements.forgetting(now, self._room)
            self._write(lambda connection: self._made(connection, forgetting, now))
        mark = marking(writes, now)
        if mark is not None and self._write(lambda connection: connection.execute(*mark).rowcount) == 1:
            return COMMITTED
        steps = self._statements.steps(writes, self._vault.encode)
        try:
            return self._write(lambda connection: self._made(connection, steps, now))
        finally:
            self._changes.note(writes)

    def _made(self, connection: sqlite3.Connection, steps: Sequence[Step], now: float) -> Outcome:
        conversation = self._statements.transaction(steps, now, self._room)
        answer: Any = None
        while True:
            try:
                say = conversation.send(answer)
            except StopIteration as stop:
                outcome: Outcome = stop.value
                return outcome
            cursor = connection.execute(*say)
            answer = self._statements.Answer(cursor.rowcount, cursor.fetchall())

    def records(self, kind: type[T], most: int | None = None) -> list[tuple[tuple[str, ...], T]]:
        """Every record of `kind` with its key, or `most` of them, in the order of the keys: for administration, not for guards."""
        return self._vault.listed(kind, self._read(self._statements.listing(kind, most)))

    def _read(self, say: Say) -> Sequence[Any]:
        pool = self._pool()
        if self._database.path is None:  # one connection for all: not while another thread is half way
            return self._write(lambda connection: connection.execute(*say).fetchall())
        with _ANSWERING:
            connection = pool.connections.take()
            try:
                return connection.execute(*say).fetchall()
            finally:
                pool.connections.give_back(connection)

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        pool = self._pool()
        if not pool.writing.acquire(timeout=BUSY_TIMEOUT):  # threads queue here, and don't sleep and poll in SQLite
            raise StoreUnavailable("the database is busy")
        try:
            with _ANSWERING:
                connection = pool.connections.take()
                try:
                    return work(connection)
                finally:
                    pool.connections.give_back(connection)
        finally:
            pool.writing.release()

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
        with _ANSWERING:
            return _Pool(Connections(self._database, self._statements.schema), Lock())


_ANSWERING = Answering()

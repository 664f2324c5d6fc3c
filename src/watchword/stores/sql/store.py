"""Remembering in a SQL database, from the caller's thread."""

from __future__ import annotations

import os
from collections.abc import Sequence
from types import TracebackType
from typing import Any, TypeVar

from watchword.core.records import COMMITTED, NOTHING_FOUND, Found, Outcome, Ref, Replayed, Write
from watchword.core.rejection import ConfigurationError
from watchword.stores.administration import Admin
from watchword.stores.sql.base import SQLBase
from watchword.stores.sql.engines import Engine, engine_of
from watchword.stores.sql.forgetting import forgets
from watchword.stores.sql.queries import asking, fetching, marking
from watchword.stores.sql.statements import listing, single, steps, transaction

__all__ = ["SQLStore"]

T = TypeVar("T")


class SQLStore(SQLBase, Admin):
    """Remembers in SQLite, which any number of processes on one host share, or in PostgreSQL, shared by any number of hosts.

    Each commit is one transaction. In an SQLite file writers take turns and readers never wait; the file and its tables are made
    with the store. After a power failure its last moments may be missing (WAL, synchronous=NORMAL): a request of that moment
    could be replayed once. In PostgreSQL many write at once, in READ COMMITTED; its tables are made by `watchword store upgrade`.
    A commit whose outcome is unknown is `StoreUnavailable`, and is never sent again.

    Records with secrets are sealed under a key: for SQLite by default in the file `<database>.key` beside the database: back
    up both, and keep them apart. PostgreSQL has no place beside it, so `secrets` is given.

    Args:
        url: "sqlite:///users.db" (relative), "sqlite:////var/lib/app/users.db" (absolute), "sqlite://" (in memory), or
            "postgresql+psycopg://user:password@host/database" with libpq's options as a query.
        secrets: the key that seals secrets; 32 octets or more, random. The first one that a database is given is its key for
            good.
        allow_plaintext_secrets: store them in the clear.
        max_counters: of attempts; about so many are kept at most, then the least valuable go (`stores.counting`).
        clock: seconds since the epoch, for everything that the store remembers or issues; by default this host's for SQLite,
            the database's for PostgreSQL.
        timeout: seconds after which a verb is given up.
        max_connections: PostgreSQL: how many a process opens at most; 8 by default.
        synchronous_standby: PostgreSQL: refuse a database whose commits are not confirmed by a synchronous standby.

    Raises:
        ConfigurationError: the URL, the folder, the tables or the key can't be used; or an extra is missing: `pip install
            'watchword[sql]'`, for PostgreSQL `'watchword[postgresql]'`.
        StoreUnavailable: the database does not answer.

    >>> from watchword import Password
    >>> with SQLStore("sqlite://") as store:
    ...     store.add_user("alice", "open sesame", scopes=["read"])
    ...     store.fetch([Ref(Password, ("alice",))]).get(Ref(Password, ("alice",)))
    Password(scopes=('read',), subject=None, disabled=False)
    """

    blocking = True
    _sqlite_driver = "pysqlite"

    def _prepare(self) -> None:
        self._engines: dict[int, Engine] = {}
        if self._database.in_memory:
            self._engine()

    def __enter__(self) -> SQLStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes this process's connections. A file or a server is connected to again when it is needed; memory is gone."""
        engine = self._engines.pop(os.getpid(), None)
        if engine is not None:
            engine.close()

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        if not refs:
            return NOTHING_FOUND
        (rows,) = self._engine().read([fetching(refs, self.clock(), self._dialect)])
        return self._vault.found(refs, rows)

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        if not writes:
            return COMMITTED
        engine, now = self._engine(), self.clock()
        asked = asking(writes, now)
        if asked is not None:
            return self._answer(asked, engine.read([say for _, say in asked]))
        self._commits += 1
        if forgets(self._commits):
            engine.converse(self._forgetting(now))
        mark = marking(writes, now, self._dialect)
        if mark is not None:
            if engine.converse(lambda: single(mark)).rows == 1:
                return COMMITTED
            if self._tells(writes):
                return Replayed(writes[0])
        planned = steps(writes, self._vault.encode, self._dialect)
        try:
            return engine.converse(lambda: transaction(planned, now, self._room, self._dialect, self._timeout))
        finally:
            self._changes.note(writes)

    def records(self, kind: type[T], most: int | None = None) -> list[tuple[tuple[str, ...], T]]:
        """Every record of `kind` with its key, or `most` of them, in the order of the keys: for administration, not for guards."""
        (rows,) = self._engine().read([listing(kind, most)])
        return self._vault.listed(kind, rows)

    def _engine(self) -> Engine:
        engine = self._engines.get(os.getpid())
        if engine is None:
            if self._database.in_memory and self._opened:
                raise ConfigurationError(
                    "SQLStore('sqlite://') is closed, or this process was forked from the one that holds it: "
                    "processes share a file, SQLStore('sqlite:///users.db')"
                )
            self._opened = True
            # Engines of the process from which this one was forked stay in the dict, unused and unclosed: closing a
            # connection here would drop the locks that SQLite holds there, or end PostgreSQL's session.
            engine = self._engines.setdefault(os.getpid(), engine_of(self._database))
        return engine

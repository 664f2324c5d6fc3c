"""The SQLite database itself: where it is, how it is opened, and which key its secrets are sealed with."""

from __future__ import annotations

import os
import sqlite3
import time
from collections import deque
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from watchword.core.rejection import ConfigurationError, StoreUnavailable, WatchwordError
from watchword.stores.sql.dialects import SQLITE
from watchword.stores.sql.key_file import SealingKeyError, make_key, read_key
from watchword.stores.sql.tables import ADDED, OLDER, REVISION, VERSION_TABLE, tables

if TYPE_CHECKING:
    from sqlalchemy import URL

    from watchword.crypto.sealing import Sealer

__all__ = ["Answering", "Connections", "Database"]

_SCHEMA: Final = "1"
"""What version 0.1.0 looks for: it may go on beside this one."""


class Database:
    """A database file, or one in memory (`path` None).

    Args:
        url: of SQLite (`urls.database_at`).
        driver: SQLAlchemy's for it.
        timeout: seconds for which a commit waits for its turn.

    Raises:
        ConfigurationError: the URL is none of these, or the extra is missing.
    """

    dialect = SQLITE

    def __init__(self, url: URL, driver: str, timeout: float) -> None:
        if url.host or url.query or (url.database or "").startswith("file:"):
            raise ConfigurationError("give the path of the file and nothing else: SQLStore('sqlite:///users.db')")
        in_memory = not url.database or url.database == ":memory:"
        # Made absolute now: the working directory may change before the first connection.
        self.path = None if in_memory else Path(url.database or "").absolute()
        self.driver = driver
        self.timeout = timeout

    @property
    def in_memory(self) -> bool:
        """Whether it ends with the process."""
        return self.path is None

    def __repr__(self) -> str:
        return "sqlite://" if self.path is None else f"sqlite:///{self.path}"

    def clock(self) -> float:
        """Seconds since the epoch: the file is of this host."""
        return time.time()

    def configure(self, max_connections: int | None, synchronous_standby: bool) -> None:
        """Raises `ConfigurationError`: SQLite knows neither."""
        if max_connections is not None or synchronous_standby:
            raise ConfigurationError("max_connections and synchronous_standby are for PostgreSQL: leave them out")

    def engine_url(self) -> URL:
        """What SQLAlchemy connects to. A file that is gone is never made anew: it would have forgotten everything."""
        from sqlalchemy.engine import URL  # noqa: PLC0415 -- an extra

        name = f"sqlite+{self.driver}"
        if self.path is None:
            return URL.create(name)
        return URL.create(name, database=f"file:{quote(str(self.path))}", query={"mode": "rw", "uri": "true"})

    def make(self) -> None:
        """Makes the file, for its owner only, if it is not there.

        Raises:
            ConfigurationError: the folder is missing.
        """
        assert self.path is not None
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise ConfigurationError(
                f"{self.path} can't be opened ({type(error).__name__}): make its folder, and let this process write there"
            ) from None

    def prepare(self) -> None:
        """Makes the file (for its owner only) and the tables, unless another process came first; closes it again.

        Raises:
            ConfigurationError: the folder is missing, or the tables are a later version's.
            StoreUnavailable: the database does not answer.
        """
        if self.path is None:
            return
        self.make()
        with Answering(), closing(self._connect()) as connection:
            _use_wal(connection, self.timeout)
            connection.execute("BEGIN IMMEDIATE")
            for statement in statements_for(connection):
                connection.execute(statement)
            found = _fact(connection, "schema")
            revision = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()
            if revision is None:
                connection.execute(f"INSERT INTO {VERSION_TABLE} VALUES (?)", (REVISION,))
            if found != _SCHEMA or (revision is not None and revision[0] != REVISION):
                said = found if revision is None else revision[0]
                raise ConfigurationError(
                    f"{self.path} was made by another version of watchword (tables {said!r}): upgrade watchword"
                )
            connection.execute("COMMIT")

    def connect(self) -> sqlite3.Connection:
        """A connection that leaves transactions to us and may go from thread to thread; in memory, with the tables."""
        if self.path is None:
            connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            for statement in tables(SQLITE):
                connection.execute(statement)
            return connection
        connection = self._connect()
        try:
            connection.execute("PRAGMA synchronous=NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect(self) -> sqlite3.Connection:
        """To the file. One that is gone is never made anew: it would have forgotten everything."""
        uri = f"file:{quote(str(self.path))}?mode=rw"
        return sqlite3.connect(uri, uri=True, timeout=self.timeout, isolation_level=None, check_same_thread=False)

    def revision(self) -> str | None:
        """That of its tables; None: they are of a version that did not count them, or there are none."""
        with Answering(), closing(self._connect()) as connection:
            known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (VERSION_TABLE,)).fetchone()
            row = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone() if known else None
        return None if row is None else str(row[0])

    # ---- the key that seals secrets ----

    @property
    def key_path(self) -> Path:
        """Where the key is, unless it was given."""
        return Path(f"{self.path}.key")

    def key_check(self) -> str | None:
        """The value that tells whether a key is this database's (`Sealer.knows`); None: it has no key or no tables yet.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        with Answering(), closing(self._connect()) as connection:
            tables = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'watchword_facts'")
            return None if tables.fetchone() is None else _fact(connection, "key_check")

    def sealer(self, given: bytes | None, *, create: bool) -> Sealer | None:
        """The key with which this database's secrets are sealed; with `create`, made if it never had one.

        The database keeps a value that tells whether a key is the right one, written in the same transaction that
        first needs the key: whatever comes first, all processes agree, and a lost key is never replaced in silence.

        Args:
            given: the caller's own key material; None: the file beside the database.
            create: False: None if the database has no key.

        Raises:
            SealingKeyError: the key is missing, or another database's.
            ConfigurationError: the key file can't be read or written, or is damaged.
            StoreUnavailable: the database does not answer.
        """
        from watchword.crypto.sealing import Sealer  # noqa: PLC0415 -- loads cryptography

        with Answering(), closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            check = _fact(connection, "key_check")
            if check is None and not create:
                return None
            material = given if given is not None else read_key(self.key_path)
            if material is None and check is not None:
                raise SealingKeyError(
                    f"{self.path} is sealed, and its key is missing: give the one that it was made with, secrets=…; "
                    f"or, if it was made without, restore {self.key_path} from a copy, since it can't be made again"
                )
            sealer = Sealer(material if material is not None else make_key(self.key_path))
            if check is None:
                connection.execute("INSERT INTO watchword_facts VALUES ('key_check', ?)", (sealer.check_value,))
            elif not sealer.knows(check):
                where, mend = (
                    ("secrets=…", f"give that one, or none if it is in {self.key_path}")
                    if given is not None
                    else (str(self.key_path), "restore the one that belongs to it, or give your own, secrets=…")
                )
                raise SealingKeyError(f"{where} is not the key that {self.path} was sealed with: {mend}")
            connection.execute("COMMIT")
            return sealer


class Connections:
    """A process's connections to one database, each for one user at a time: opened as needed, a few kept for the next.

    SQLite itself, not SQLAlchemy's engine: that takes ten times as long as the statements which it is given here.

    Args:
        database: where they lead. One in memory has one connection, and is gone with it.
    """

    __slots__ = ("_closed", "_database", "_idle")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._idle: deque[sqlite3.Connection] = deque()
        self._closed = False
        if database.path is None:
            self._idle.append(database.connect())

    def take(self) -> sqlite3.Connection:
        """One that nobody uses. In memory there is only one: take turns."""
        try:
            return self._idle.pop()
        except IndexError:
            return self._database.connect()

    def give_back(self, connection: sqlite3.Connection) -> None:
        """What was left half way is undone."""
        try:
            if connection.in_transaction:
                connection.rollback()
        except sqlite3.Error:
            connection.close()
            return
        if self._closed or len(self._idle) >= _KEPT:
            connection.close()
        else:
            self._idle.append(connection)

    def close(self) -> None:
        """Closes them, those in use when they are given back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()


_KEPT: Final = 8


class Answering:
    """Within it every error of the database becomes `StoreUnavailable`, without its words: they may hold data."""

    __slots__ = ()

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, WatchwordError) or not isinstance(error, Exception):
            return
        if isinstance(error, sqlite3.Error | OSError | OverflowError | ValueError):
            raise _unavailable(error) from None
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 -- an extra

        if isinstance(error, SQLAlchemyError):
            raise _unavailable(getattr(error, "orig", None) or error) from None


def _unavailable(error: BaseException) -> StoreUnavailable:
    name = getattr(error, "sqlite_errorname", None) or type(error).__name__
    return StoreUnavailable(f"the database does not answer: {name}")


def statements_for(connection: sqlite3.Connection) -> list[str]:
    """What brings the tables of any version in an SQLite file to `REVISION`; harmless where they are."""
    made = [f"DROP TABLE {table}" for table, column in OLDER if _lacks(connection, table, column)]
    made += [
        f"ALTER TABLE {table} ADD COLUMN {column} {kind}"
        for table, column, kind in ADDED
        if _lacks(connection, table, column)
    ]
    return [
        *made,
        *tables(SQLITE),
        f"INSERT OR IGNORE INTO watchword_facts VALUES ('schema', '{_SCHEMA}')",
        (
            f"CREATE TABLE IF NOT EXISTS {VERSION_TABLE} "
            f"(version_num VARCHAR(32) NOT NULL, CONSTRAINT {VERSION_TABLE}_pkc PRIMARY KEY (version_num))"
        ),
    ]


def _lacks(connection: sqlite3.Connection, table: str, column: str) -> bool:
    """Whether the table is there, without that column."""
    columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
    return bool(columns) and column not in columns


def _fact(connection: sqlite3.Connection, name: str) -> str | None:
    row = connection.execute("SELECT value FROM watchword_facts WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def _use_wal(connection: sqlite3.Connection, timeout: float) -> None:
    """WAL, so that readers never wait. Switching to it does not honour the busy timeout, hence the loop."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)

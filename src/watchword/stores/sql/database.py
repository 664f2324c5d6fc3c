"""The SQLite database itself: where it is, how it is opened, and the key file beside it."""

from __future__ import annotations

import os
import sqlite3
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from watchword.core.rejection import ConfigurationError, StoreUnavailable, WatchwordError

if TYPE_CHECKING:
    from sqlalchemy import URL

    from watchword.crypto.sealing import Sealer

__all__ = ["BUSY_TIMEOUT", "Answering", "Connections", "Database", "SealingKeyError"]

BUSY_TIMEOUT = 5.0
"""Seconds for which a commit waits for its turn."""

_SCHEMA = "1"
_FULL_EXAMPLE = "SQLStore('sqlite:///users.db')"


class SealingKeyError(ConfigurationError):
    """The key that a database's secrets are sealed with is another one than the given one, or is missing."""


class Database:
    """A database file, or one in memory (`path` None).

    Args:
        url: "sqlite:///relative.db", "sqlite:////absolute.db", or "sqlite://" for one in memory.
        driver: the driver that a URL may name.

    Raises:
        ConfigurationError: the URL is none of these, or the extra is missing.
    """

    def __init__(self, url: str, driver: str) -> None:
        try:
            from sqlalchemy.engine import make_url  # noqa: PLC0415 -- an extra
            from sqlalchemy.exc import ArgumentError  # noqa: PLC0415 -- an extra
        except ImportError:
            raise ConfigurationError("SQL stores need an extra: pip install 'watchword[sql]'") from None
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError):  # its words would repeat a password in the URL
            raise ConfigurationError(f"this is no database URL; for example {_FULL_EXAMPLE}") from None
        if parsed.drivername not in ("sqlite", f"sqlite+{driver}"):
            raise ConfigurationError(f"{parsed.drivername[:32]!r} is not spoken yet, only SQLite: {_FULL_EXAMPLE}")
        if parsed.host or parsed.query or (parsed.database or "").startswith("file:"):
            raise ConfigurationError(f"give the path of the file and nothing else: {_FULL_EXAMPLE}")
        in_memory = not parsed.database or parsed.database == ":memory:"
        # Made absolute now: the working directory may change before the first connection.
        self.path = None if in_memory else Path(parsed.database or "").absolute()
        self.driver = driver

    def __repr__(self) -> str:
        return "sqlite://" if self.path is None else f"sqlite:///{self.path}"

    def engine_url(self) -> URL:
        """What SQLAlchemy connects to. A file that is gone is never made anew: it would have forgotten everything."""
        from sqlalchemy.engine import URL  # noqa: PLC0415 -- an extra

        name = f"sqlite+{self.driver}"
        if self.path is None:
            return URL.create(name)
        return URL.create(name, database=f"file:{quote(str(self.path))}", query={"mode": "rw", "uri": "true"})

    def prepare(
        self,
        schema: Sequence[str],
        older: Sequence[tuple[str, str]] = (),
        added: Sequence[tuple[str, str, str]] = (),
    ) -> None:
        """Makes the file (for its owner only) and the tables, unless another process came first; closes it again.

        Args:
            schema: the statements that make the tables.
            older: tables, each with a column; one that lacks it is made anew, empty.
            added: tables, each with a column and its type; one that lacks it gets it, without values.

        Raises:
            ConfigurationError: the folder is missing, or the tables are a later version's.
            StoreUnavailable: the database does not answer.
        """
        assert self.path is not None
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise ConfigurationError(
                f"{self.path} can't be opened ({type(error).__name__}): make its folder, and let this process write there"
            ) from None
        with Answering(), closing(self._connect()) as connection:
            _use_wal(connection)
            connection.execute("BEGIN IMMEDIATE")
            for table, column in older:
                if _lacks(connection, table, column):
                    connection.execute(f"DROP TABLE {table}")
            for table, column, kind in added:
                if _lacks(connection, table, column):
                    connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
            for statement in schema:
                connection.execute(statement)
            connection.execute("INSERT OR IGNORE INTO watchword_facts VALUES ('schema', ?)", (_SCHEMA,))
            found = _fact(connection, "schema")
            connection.execute("COMMIT")
        if found != _SCHEMA:
            raise ConfigurationError(
                f"{self.path} was made by another version of watchword (tables {found!r}): upgrade"
            )

    def connect(self, schema: Callable[[], Sequence[str]]) -> sqlite3.Connection:
        """A connection that leaves transactions to us and may go from thread to thread; in memory, with `schema`'s tables."""
        if self.path is None:
            connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            for statement in schema():
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
        return sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)

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
            material = given if given is not None else _read_key(self.key_path)
            if material is None and check is not None:
                raise SealingKeyError(
                    f"{self.path} is sealed, and its key is missing: give the one that it was made with, secrets=…; "
                    f"or, if it was made without, restore {self.key_path} from a copy, since it can't be made again"
                )
            sealer = Sealer(material if material is not None else _make_key(self.key_path))
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
        database: where they lead.
        schema: the tables, for a database in memory: it has one connection, and is gone with it.
    """

    __slots__ = ("_closed", "_database", "_idle", "_schema")

    def __init__(self, database: Database, schema: Callable[[], Sequence[str]]) -> None:
        self._database = database
        self._schema = schema
        self._idle: deque[sqlite3.Connection] = deque()
        self._closed = False
        if database.path is None:
            self._idle.append(database.connect(schema))

    def take(self) -> sqlite3.Connection:
        """One that nobody uses. In memory there is only one: take turns."""
        try:
            return self._idle.pop()
        except IndexError:
            return self._database.connect(self._schema)

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


def _lacks(connection: sqlite3.Connection, table: str, column: str) -> bool:
    """Whether the table is there, without that column."""
    columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
    return bool(columns) and column not in columns


def _fact(connection: sqlite3.Connection, name: str) -> str | None:
    row = connection.execute("SELECT value FROM watchword_facts WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def _use_wal(connection: sqlite3.Connection) -> None:
    """WAL, so that readers never wait. Switching to it does not honour the busy timeout, hence the loop."""
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _read_key(path: Path) -> bytes | None:
    try:
        encoded = path.read_bytes().strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read ({type(error).__name__}): let this process read it") from None
    try:
        material = urlsafe_b64decode(encoded)
    except ValueError:
        material = b""
    if len(material) != 32:
        raise ConfigurationError(f"{path} is damaged (32 octets in base64url): restore it from a copy")
    return material


def _flush_folder(folder: Path) -> None:
    """After a power failure the database must not remember a key whose file was never written."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _make_key(path: Path) -> bytes:
    """Writes a new key for its owner only, whole or not at all; or reads the one that was there first."""
    material = os.urandom(32)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(6).hex()}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, urlsafe_b64encode(material) + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)
        os.link(temporary, path)
        _flush_folder(path.parent)
    except FileExistsError:
        found = _read_key(path)
        if found is None:
            raise ConfigurationError(f"{path} comes and goes: leave it in place") from None
        return found
    except OSError as error:
        raise ConfigurationError(
            f"{path} can't be written ({type(error).__name__}): let this process write there, or give secrets=…"
        ) from None
    finally:
        temporary.unlink(missing_ok=True)
    return material

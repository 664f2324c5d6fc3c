"""The PostgreSQL database itself: where it is, what it has to be like, and which key its secrets are sealed with."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib import import_module
from logging import getLogger
from typing import TYPE_CHECKING, Any, Final, TypeVar

from watchword.core.rejection import ConfigurationError, StoreUnavailable
from watchword.stores.sql.dialects import POSTGRESQL, Say
from watchword.stores.sql.key_file import SealingKeyError
from watchword.stores.sql.tables import REVISION, VERSION_TABLE
from watchword.stores.writes import GRACE

if TYPE_CHECKING:
    from sqlalchemy import URL

    from watchword.crypto.sealing import Sealer
    from watchword.stores.sql.connection import Connection

__all__ = ["APART", "Server", "State"]

T = TypeVar("T")

_CONNECTIONS: Final = 8
APART: Final = 5.0  # seconds by which clocks may differ unsaid
_REVISION: Final[Say] = f"SELECT version_num FROM {VERSION_TABLE}", {}
_CHECK: Final[Say] = "SELECT value FROM watchword_facts WHERE name = 'key_check'", {}
_NEW_CHECK: Final = "INSERT INTO watchword_facts (name, value) VALUES ('key_check', :check) ON CONFLICT DO NOTHING"
_STATE: Final[Say] = (
    (
        "SELECT current_setting('synchronous_commit'), current_setting('synchronous_standby_names'), "
        "current_setting('fsync'), pg_is_in_recovery(), current_setting('transaction_read_only'), "
        "CAST(extract(epoch FROM clock_timestamp()) AS DOUBLE PRECISION)"
    ),
    {},
)


class State:
    """What a server says of itself.

    Args:
        row: of `_STATE`.
        asked: seconds since the epoch at which it was asked, by this host's clock.
        answered: as above.
    """

    def __init__(self, row: Sequence[Any], asked: float, answered: float) -> None:
        self.synchronous_commit, self.standbys, self.fsync, self.in_recovery, self.read_only, clock = row
        self.ahead = clock - (asked + answered) / 2
        """Seconds by which its clock is ahead of this host's."""

    def why_a_failover_may_forget(self) -> str | None:
        """The setting by which an acknowledged commit may be lost with the primary; None: there is none."""
        if not self.standbys:
            return "synchronous_standby_names is empty: name the standbys that confirm each commit"
        if self.synchronous_commit not in ("on", "remote_apply"):
            return f"synchronous_commit is {self.synchronous_commit}: on or remote_apply"
        if self.fsync != "on":
            return "fsync is off: on"
        return None


class Server:
    """A database of a PostgreSQL server.

    Args:
        url: in SQLAlchemy's form; libpq's options are its query.
        timeout: seconds after which a verb is given up.

    Raises:
        ConfigurationError: an option is none of libpq's, or the extra is missing.
    """

    dialect = POSTGRESQL
    in_memory = False

    def __init__(self, url: URL, timeout: float) -> None:
        try:
            import_module("psycopg")
        except ImportError:
            raise ConfigurationError("PostgreSQL needs an extra: pip install 'watchword[postgresql]'") from None
        self.timeout = timeout
        self.url = url
        self.max_connections = _CONNECTIONS
        self._synchronous_standby = False
        self._ahead = 0.0
        self._conninfo = _conninfo(url, timeout)

    def __repr__(self) -> str:  # a query may hold a password
        port = "" if self.url.port is None else f":{self.url.port}"
        return f"postgresql://{self.url.host or ''}{port}/{self.url.database or ''}"

    def configure(self, max_connections: int | None, synchronous_standby: bool) -> None:
        """How many connections a process opens at most, and whether a synchronous standby is demanded."""
        if max_connections is not None:
            if max_connections < 1:
                raise ConfigurationError(f"max_connections={max_connections}: at least 1")
            self.max_connections = max_connections
        self._synchronous_standby = synchronous_standby

    def clock(self) -> float:
        """Seconds since the epoch by the server's clock, as far as it is known: it was asked when the store was made."""
        return time.time() + self._ahead

    def deadline(self) -> float:
        """When a verb that begins now is given up, of `time.monotonic`."""
        return time.monotonic() + self.timeout

    def is_busy(self) -> StoreUnavailable:
        """What is raised where no connection became free in time."""
        return StoreUnavailable(f"all {self.max_connections} connections to the database are in use (max_connections)")

    def connect(self) -> Connection:
        """A new connection."""
        from watchword.stores.sql.connection import Connection  # noqa: PLC0415 -- an extra

        return Connection(self._conninfo)

    def make(self) -> None:
        """Nothing: a database is made by whoever runs the server."""

    def prepare(self) -> None:
        """Nothing, if the database is as it has to be: it is never made here, since many processes start at once.

        Raises:
            ConfigurationError: its tables are missing or another version's; its clock is too far from this host's; or a
                synchronous standby is demanded and not there.
            StoreUnavailable: the database does not answer.
        """
        found = self.revision()
        if found is None:
            raise ConfigurationError(f"{self!r} has no tables: run `watchword store upgrade` on it")
        if found != REVISION:
            raise ConfigurationError(
                f"{self!r} has the tables of another version ({found[:32]!r}, not {REVISION!r}): run `watchword store upgrade` "
                "on it, by the newest version that you run"
            )
        state = self.state()
        self._ahead = state.ahead
        if abs(state.ahead) > GRACE:
            raise ConfigurationError(
                f"the clocks of this host and of {self!r} are {abs(state.ahead):.0f} s apart: set them by NTP"
            )
        if abs(state.ahead) > APART:
            getLogger("watchword").warning(
                "the clocks of this host and of %r are %.0f s apart: set them by NTP", self, abs(state.ahead)
            )
        lacks = state.why_a_failover_may_forget() if self._synchronous_standby else None
        if lacks is not None:
            raise ConfigurationError(f"{self!r} may forget commits when it fails over: {lacks}")

    def revision(self) -> str | None:
        """That of its tables; None: it has none."""
        from watchword.stores.sql.pipeline import Refused  # noqa: PLC0415 -- an extra

        def ask(connection: Connection, deadline: float) -> str | None:
            try:
                (answer,) = connection.ask([_REVISION], deadline)
            except Refused as refused:
                if refused.sqlstate == "42P01":  # undefined_table
                    return None
                raise
            return str(answer.read[0][0]) if answer.read else None

        return self._asked(ask)

    def state(self) -> State:
        """What the server says of itself now."""

        def ask(connection: Connection, deadline: float) -> State:
            asked = time.time()
            (answer,) = connection.ask([_STATE], deadline)
            return State(answer.read[0], asked, time.time())

        return self._asked(ask)

    def _asked(self, work: Callable[[Connection, float], T]) -> T:
        """What `work` gives, by a connection of its own."""
        from watchword.stores.sql.connection import FAILURES, unavailable  # noqa: PLC0415 -- an extra

        deadline = self.deadline()
        try:
            connection = self.connect()
            try:
                return work(connection, deadline)
            finally:
                connection.close()
        except FAILURES as error:
            raise unavailable(error) from None

    # ---- the key that seals secrets ----

    def key_check(self) -> str | None:
        """The value that tells whether a key is this database's (`Sealer.knows`); None: it has no key yet.

        Raises:
            StoreUnavailable: the database does not answer, or has no tables.
        """

        def ask(connection: Connection, deadline: float) -> str | None:
            (answer,) = connection.ask([_CHECK], deadline)
            return str(answer.read[0][0]) if answer.read else None

        return self._asked(ask)

    def sealer(self, given: bytes | None, *, create: bool) -> Sealer | None:
        """The key with which this database's secrets are sealed; with `create`, the given one if it never had one.

        Args:
            given: the caller's own key material. There is no file in which it could be kept instead.
            create: False: None if the database has no key.

        Raises:
            SealingKeyError: the key is missing, or another database's.
            StoreUnavailable: the database does not answer.
        """
        from watchword.crypto.sealing import Sealer  # noqa: PLC0415 -- loads cryptography

        check = self.key_check()
        if check is None and not create:
            return None
        if given is None:
            raise SealingKeyError(
                f"{self!r} keeps secrets, and has no place for their key: give the same to every process, secrets=…"
            )
        sealer = Sealer(given)
        if check is None:
            self._asked(
                lambda connection, deadline: connection.ask([(_NEW_CHECK, {"check": sealer.check_value})], deadline)
            )
            check = self.key_check()  # another process may have been first
        if check is None or not sealer.knows(check):
            raise SealingKeyError(f"secrets=… is not the key that {self!r} was sealed with: give that one")
        return sealer


def _conninfo(url: URL, timeout: float) -> str:
    """libpq's text of the URL. Its own waiting ends, its own repetitions don't begin."""
    import psycopg  # noqa: PLC0415 -- an extra
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415 -- an extra

    options: dict[str, str] = {
        name: value if isinstance(value, str) else ",".join(value) for name, value in url.query.items()
    }
    given = {"host": url.host, "port": url.port, "user": url.username, "password": url.password, "dbname": url.database}
    options |= {name: str(value) for name, value in given.items() if value is not None}
    hosts = options.get("host", "").count(",") + 1
    options.setdefault("connect_timeout", str(max(2, int(timeout / hosts))))
    options.setdefault("fallback_application_name", "watchword")
    options["client_encoding"] = "UTF8"
    try:
        return make_conninfo(**options)
    except psycopg.ProgrammingError:  # its words hold the option's value
        raise ConfigurationError(
            f"the options of a PostgreSQL URL are libpq's; one of these is none: {', '.join(sorted(url.query))[:200]}"
        ) from None

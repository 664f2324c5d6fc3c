"""What `SQLStore` and `AsyncSQLStore` have in common: everything but who waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeGuard

from watchword.core.records import COMMITTED, Add, Exceeded, Once, Outcome, Write
from watchword.stores.changes import Changes
from watchword.stores.sql.dialects import Say
from watchword.stores.sql.forgetting import forgetting
from watchword.stores.sql.statements import Conversation, check_room
from watchword.stores.sql.urls import TIMEOUT, database_at

if TYPE_CHECKING:
    from watchword.stores.sql.database import Database
    from watchword.stores.sql.server import Server

__all__ = ["SQLBase"]


class SQLBase:
    """Opens the database and its key; what is said to it is said by the two stores."""

    kinds: frozenset[type] | None = None
    _sqlite_driver: ClassVar[str]

    def __init__(
        self,
        url: str,
        *,
        secrets: bytes | None = None,
        allow_plaintext_secrets: bool = False,
        max_counters: int = 500_000,
        clock: Callable[[], float] | None = None,
        timeout: float = TIMEOUT,
        max_connections: int | None = None,
        synchronous_standby: bool = False,
    ) -> None:
        database = database_at(url, self._sqlite_driver, timeout)
        self._check_parts(database)
        from watchword.stores.sql.vault import Vault, check_secrets  # noqa: PLC0415 -- loads cryptography

        self._database: Database | Server = database
        self._dialect = database.dialect
        self._timeout = timeout
        self._room = check_room(max_counters)
        check_secrets(secrets)
        database.configure(max_connections, synchronous_standby)
        database.prepare()
        self._vault = Vault(database, secrets, allow_plaintext=allow_plaintext_secrets)
        self._own_clock = clock is not None
        self.clock = database.clock if clock is None else clock
        self._commits = 0
        self._changes = Changes()
        self._opened = False
        self._prepare()

    def _check_parts(self, database: Database | Server) -> None:
        """Raises `ConfigurationError` if something is not installed that this kind of store needs."""

    def _prepare(self) -> None:
        """Makes what the kind of store needs besides."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._database)!r})"

    def changes(self, kind: type, /) -> int:
        """A number that is another one after each write of that kind through this object (`core.scheme.Changes`)."""
        return self._changes.of(kind)

    def _forgetting(self, now: float) -> Callable[[], Conversation[Outcome]]:
        by = now if self._own_clock or self._dialect.takes_turns else None
        return lambda: forgetting(by, self._room, self._dialect, self._timeout)

    def _tells(self, writes: Sequence[Write]) -> TypeGuard[Sequence[Once]]:
        """Whether a mark that was not made by one statement was made before: there is no other reason why it wasn't."""
        return len(writes) == 1 and not (self._dialect.shares_marks and getattr(writes[0], "owner", None) is not None)

    @staticmethod
    def _answer(asked: Sequence[tuple[Add, Say]], read: Sequence[Sequence[Any]]) -> Outcome:
        """The outcome of a commit that only asked."""
        for (write, _), rows in zip(asked, read, strict=True):
            if rows:
                return Exceeded(write, rows[0][0])
        return COMMITTED

"""One connection to PostgreSQL, and how long anybody waits for it."""

from __future__ import annotations

import select
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

import psycopg
from psycopg.pq import TransactionStatus

from watchword.core.rejection import StoreUnavailable
from watchword.stores.sql.dialects import Say
from watchword.stores.sql.pipeline import READ, WRITE, Refused, exchange
from watchword.stores.sql.statements import Answer

__all__ = ["FAILURES", "Connection", "Idle", "unavailable"]

FAILURES: Final = (Refused, psycopg.Error, OSError, TimeoutError)
"""What asking may raise."""

_IDLE: Final = 300.0  # seconds after which a connection that nobody used is closed
_LOST: Final = ("25006", "57P", "08", "")  # read-only, so another server is the primary now; shut down; no connection


class Connection:
    """A connection of psycopg's, in autocommit: a statement outside of a transaction is one by itself.

    Args:
        conninfo: libpq's, with a timeout for connecting.

    Raises:
        psycopg.OperationalError: there is no server, or it refuses.
    """

    __slots__ = ("_connection", "_is_ready", "_libpq", "is_lost", "warned")

    def __init__(self, conninfo: str) -> None:
        self._connection = psycopg.Connection.connect(conninfo, autocommit=True, prepare_threshold=None)
        self._connection.add_notice_handler(self._note)
        self._libpq = self._connection.pgconn
        self._libpq.nonblocking = 1
        self._libpq.enter_pipeline_mode()
        self._is_ready = _waiter(self._libpq.socket)
        self.warned = False
        self.is_lost = False

    def _note(self, notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            self.warned = True

    def ask(self, says: Sequence[Say], deadline: float) -> list[Answer]:
        """The answers to one round.

        Args:
            says: the statements.
            deadline: of `time.monotonic`.

        Raises:
            Refused: the server refused one of them.
            TimeoutError: it did not answer in time. Whether something was committed is unknown, as with the next one.
            psycopg.OperationalError: the connection ended.
        """
        self.warned, self.is_lost = False, True
        waits = exchange(self._libpq, says)
        try:
            while True:
                wanted = next(waits)
                left = deadline - time.monotonic()
                if left <= 0 or not self._is_ready(wanted, left):
                    raise TimeoutError
        except StopIteration as stop:
            self.is_lost = False
            answers: list[Answer] = stop.value
            return answers
        except Refused as refused:
            self.is_lost = refused.sqlstate.startswith(_LOST[:-1]) or not refused.sqlstate
            raise

    async def aask(self, says: Sequence[Say], deadline: float) -> list[Answer]:
        """The same, awaited."""
        from asyncio import get_running_loop, timeout  # noqa: PLC0415 -- sync users must not load asyncio

        loop = get_running_loop()
        self.warned, self.is_lost = False, True
        waits = exchange(self._libpq, says)
        try:
            async with timeout(max(0.0, deadline - time.monotonic())):
                while True:
                    await _ready(loop, self._libpq.socket, next(waits))
        except StopIteration as stop:
            self.is_lost = False
            answers: list[Answer] = stop.value
            return answers
        except Refused as refused:
            self.is_lost = refused.sqlstate.startswith(_LOST[:-1]) or not refused.sqlstate
            raise

    @property
    def is_half_way(self) -> bool:
        """Whether a transaction was begun and has not ended."""
        return self._libpq.transaction_status != TransactionStatus.IDLE

    @property
    def has_ended(self) -> bool:
        """Whether the server closed it meanwhile, or says what nobody asked for."""
        return self._is_ready(READ, 0.0)

    def close(self) -> None:
        """Closes it; what was begun is undone by the server."""
        self._connection.close()


def _waiter(socket: int) -> Callable[[int, float], bool]:
    """A function that waits for a socket: for `READ` or `READ | WRITE`, for so many seconds; whether it is ready."""
    if not hasattr(select, "poll"):  # Windows

        def by_select(wanted: int, seconds: float) -> bool:
            return any(select.select([socket], [socket] if wanted & WRITE else [], [], seconds))

        return by_select
    reading, both = select.poll(), select.poll()
    reading.register(socket, select.POLLIN)
    both.register(socket, select.POLLIN | select.POLLOUT)

    def by_poll(wanted: int, seconds: float) -> bool:
        return bool((both if wanted & WRITE else reading).poll(seconds * 1000))

    return by_poll


async def _ready(loop: Any, socket: int, wanted: int) -> None:
    done = loop.create_future()

    def tell() -> None:
        if not done.done():
            done.set_result(None)

    loop.add_reader(socket, tell)
    if wanted & WRITE:
        loop.add_writer(socket, tell)
    try:
        await done
    finally:
        loop.remove_reader(socket)
        if wanted & WRITE:
            loop.remove_writer(socket)


class Idle:
    """Connections that nobody uses now. The latest is used first, so that those which are too many grow old."""

    __slots__ = ("_closed", "_connections")

    def __init__(self) -> None:
        self._connections: deque[tuple[Connection, float]] = deque()
        self._closed = False

    def __len__(self) -> int:
        return len(self._connections)

    def take(self) -> Connection | None:
        """One that is alive as far as is known here, if there is one."""
        while True:
            try:
                connection, _ = self._connections.pop()
            except IndexError:
                return None
            if not connection.has_ended:
                return connection
            connection.close()

    def put(self, connection: Connection) -> None:
        """Keeps it for the next, unless it is lost; then those that are as old lead to the same server, and go too."""
        if connection.is_lost or self._closed or connection.is_half_way:
            connection.close()
            if connection.is_lost:
                self.clear()
            return
        now = time.monotonic()
        self._connections.append((connection, now))
        try:
            oldest = self._connections.popleft()
        except IndexError:
            return
        if now - oldest[1] > _IDLE:
            oldest[0].close()
        else:
            self._connections.appendleft(oldest)

    def clear(self) -> None:
        """Closes them."""
        while self._connections:
            try:
                self._connections.pop()[0].close()
            except IndexError:
                return

    def close(self) -> None:
        """Closes them, and those in use when they are put back."""
        self._closed = True
        self.clear()


def unavailable(error: BaseException) -> StoreUnavailable:
    """What is told of an error: never the server's words, which may hold data, nor libpq's, which may hold the URL."""
    if isinstance(error, StoreUnavailable):
        return error
    if isinstance(error, Refused) and error.sqlstate:
        try:
            name = psycopg.errors.lookup(error.sqlstate).__name__
        except KeyError:
            name = "an error of its own"
        return StoreUnavailable(f"the database does not answer: {name} ({error.sqlstate})")
    return StoreUnavailable(f"the database does not answer: {type(error).__name__}")

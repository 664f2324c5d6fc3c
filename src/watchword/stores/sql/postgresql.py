"""Runs what the stores say in PostgreSQL: called, or awaited."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from threading import BoundedSemaphore
from typing import Any, Final, TypeVar

from watchword.core.rejection import StoreUnavailable
from watchword.stores.sql.connection import FAILURES, Connection, Idle, unavailable
from watchword.stores.sql.dialects import Say
from watchword.stores.sql.pipeline import Refused
from watchword.stores.sql.server import Server
from watchword.stores.sql.statements import ROLLBACK, Answer, Conversation

__all__ = ["AsyncPostgreSQLEngine", "PostgreSQLEngine"]

T = TypeVar("T")
_TRIES: Final = 3
_ROLLED_BACK: Final = frozenset({"40001", "40P01"})
"""The errors by which the server says that a transaction left nothing and may be made again: a serialization failure, a
deadlock. Nothing else is ever said twice."""


class PostgreSQLEngine:
    """One process's connections, opened as needed and as many at most as the server's description says."""

    __slots__ = ("_room", "_server", "idle")

    def __init__(self, server: Server) -> None:
        self._server = server
        self._room = BoundedSemaphore(server.max_connections)
        self.idle = Idle()

    def read(self, says: Sequence[Say]) -> list[Sequence[Any]]:
        """What each of the statements reads."""
        deadline = self._server.deadline()
        with self._lent(deadline) as connection:
            return [answer.read for answer in _whole(connection.ask(says, deadline), says)]

    def converse(self, start: Callable[[], Conversation[T]]) -> T:
        """What comes of the conversation that `start` begins."""
        deadline = self._server.deadline()
        with self._lent(deadline) as connection:
            for tried in range(1, _TRIES + 1):
                try:
                    return self._held(connection, start(), deadline)
                except Refused as refused:
                    if connection.is_half_way and not connection.is_lost:
                        connection.ask([ROLLBACK], deadline)
                    if refused.sqlstate not in _ROLLED_BACK or tried == _TRIES:
                        raise
        raise AssertionError

    def _held(self, connection: Connection, conversation: Conversation[T], deadline: float) -> T:
        try:
            says = next(conversation)
            while True:
                answers = connection.ask(says, deadline)
                check_warning(connection, says)
                says = conversation.send(answers)
        except StopIteration as stop:
            outcome: T = stop.value
            return outcome

    @contextmanager
    def _lent(self, deadline: float) -> Iterator[Connection]:
        if not self._room.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise self._server.is_busy()
        try:
            connection = self.idle.take() or self._server.connect()
            try:
                yield connection
            finally:
                self.idle.put(connection)
        except FAILURES as error:
            raise unavailable(error) from None
        finally:
            self._room.release()

    def close(self) -> None:
        """Closes the connections, those in use when they are given back."""
        self.idle.close()


class AsyncPostgreSQLEngine:
    """The same for an event loop."""

    __slots__ = ("_room", "_server", "idle")

    def __init__(self, server: Server) -> None:
        from asyncio import Semaphore  # noqa: PLC0415 -- sync users must not load asyncio

        self._server = server
        self._room = Semaphore(server.max_connections)
        self.idle = Idle()

    async def read(self, says: Sequence[Say]) -> list[Sequence[Any]]:
        """What each of the statements reads."""
        deadline = self._server.deadline()
        async with self._lent(deadline) as connection:
            return [answer.read for answer in _whole(await connection.aask(says, deadline), says)]

    async def converse(self, start: Callable[[], Conversation[T]]) -> T:
        """What comes of the conversation that `start` begins."""
        deadline = self._server.deadline()
        async with self._lent(deadline) as connection:
            for tried in range(1, _TRIES + 1):
                try:
                    return await self._held(connection, start(), deadline)
                except Refused as refused:
                    if connection.is_half_way and not connection.is_lost:
                        await connection.aask([ROLLBACK], deadline)
                    if refused.sqlstate not in _ROLLED_BACK or tried == _TRIES:
                        raise
        raise AssertionError

    async def _held(self, connection: Connection, conversation: Conversation[T], deadline: float) -> T:
        says = next(conversation)
        while True:
            answers = await connection.aask(says, deadline)
            check_warning(connection, says)
            try:
                says = conversation.send(answers)
            except StopIteration as stop:
                outcome: T = stop.value
                return outcome

    @asynccontextmanager
    async def _lent(self, deadline: float) -> AsyncIterator[Connection]:
        from asyncio import timeout, to_thread  # noqa: PLC0415 -- as above

        try:
            async with timeout(max(0.0, deadline - time.monotonic())):
                await self._room.acquire()
        except TimeoutError:
            raise self._server.is_busy() from None
        try:
            connection = self.idle.take()
            if connection is None:
                connection = await to_thread(self._server.connect)
            try:
                yield connection
            finally:
                self.idle.put(connection)
        except FAILURES as error:
            raise unavailable(error) from None
        finally:
            self._room.release()

    async def close(self) -> None:
        """Closes the connections."""
        self.idle.close()


def check_warning(connection: Connection, says: Sequence[Say]) -> None:
    """A commit that ends with a warning may be on this server alone: whoever waited for the standby was told to give up.

    Raises:
        StoreUnavailable: there was a warning.
    """
    if connection.warned and says:
        connection.is_lost = True
        raise StoreUnavailable("the database warned at a commit, which may be missing on its standby")


def _whole(answers: list[Answer], says: Sequence[Say]) -> list[Answer]:
    assert len(answers) == len(says)
    return answers

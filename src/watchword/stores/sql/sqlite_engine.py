"""Runs what the stores say in an SQLite database: called, or awaited."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from threading import Lock
from typing import Any, TypeVar

from watchword.core.rejection import StoreUnavailable
from watchword.stores.sql.database import Answering, Connections, Database
from watchword.stores.sql.dialects import Say
from watchword.stores.sql.statements import Answer, Conversation
from watchword.stores.sql.tables import tables

__all__ = ["AsyncSQLiteEngine", "SQLiteEngine"]

T = TypeVar("T")
_ANSWERING = Answering()


class SQLiteEngine:
    """One process's connections. SQLite's must not cross a fork, and a lock held at the fork would be held for ever."""

    __slots__ = ("_database", "_writing", "connections")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writing = Lock()
        with _ANSWERING:
            self.connections = Connections(database)

    def read(self, says: Sequence[Say]) -> list[Sequence[Any]]:
        """What each of the statements reads."""
        if self._database.in_memory:  # one connection for all: not while another thread is half way
            return self._alone(lambda connection: [connection.execute(*say).fetchall() for say in says])
        with _ANSWERING:
            connection = self.connections.take()
            try:
                return [connection.execute(*say).fetchall() for say in says]
            finally:
                self.connections.give_back(connection)

    def converse(self, start: Callable[[], Conversation[T]]) -> T:
        """What comes of the conversation that `start` begins."""
        return self._alone(lambda connection: _held(connection, start()))

    def _alone(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if not self._writing.acquire(timeout=self._database.timeout):  # threads queue here, and don't poll in SQLite
            raise StoreUnavailable("the database is busy")
        try:
            with _ANSWERING:
                connection = self.connections.take()
                try:
                    return work(connection)
                finally:
                    self.connections.give_back(connection)
        finally:
            self._writing.release()

    def close(self) -> None:
        """Closes the connections, those in use when they are given back."""
        self.connections.close()


def _held(connection: sqlite3.Connection, conversation: Conversation[T]) -> T:
    answers: list[Answer] | None = None
    while True:
        try:
            says = conversation.send(answers) if answers is not None else next(conversation)
        except StopIteration as stop:
            outcome: T = stop.value
            return outcome
        answers = []
        for say in says:
            cursor = connection.execute(*say)
            answers.append(Answer(cursor.rowcount, cursor.fetchall()))


class AsyncSQLiteEngine:
    """The same for an event loop, over SQLAlchemy and aiosqlite."""

    __slots__ = ("_database", "_engine", "_writing")

    def __init__(self, database: Database) -> None:
        from asyncio import Lock  # noqa: PLC0415 -- `import watchword` must not load asyncio

        from sqlalchemy import event  # noqa: PLC0415 -- an extra
        from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 -- an extra

        self._database = database
        self._engine = create_async_engine(database.engine_url(), **engine_options(database))
        event.listen(self._engine.sync_engine, "connect", on_connect(database))
        self._writing = Lock()

    async def read(self, says: Sequence[Say]) -> list[Sequence[Any]]:
        """What each of the statements reads."""
        async with AsyncExitStack() as stack:
            stack.enter_context(Answering())
            if self._database.in_memory:  # one connection for all: not while another task is half way
                await stack.enter_async_context(self._writing)
            connection = await stack.enter_async_context(self._engine.connect())
            return [(await connection.exec_driver_sql(*say)).all() for say in says]

    async def converse(self, start: Callable[[], Conversation[T]]) -> T:
        """What comes of the conversation that `start` begins."""
        conversation = start()
        answers: list[Answer] | None = None
        with Answering():
            async with self._writing, self._engine.connect() as connection:
                while True:
                    try:
                        says = conversation.send(answers) if answers is not None else next(conversation)
                    except StopIteration as stop:
                        outcome: T = stop.value
                        return outcome
                    answers = []
                    for say in says:
                        result = await connection.exec_driver_sql(*say)
                        answers.append(Answer(result.rowcount, result.all() if result.returns_rows else ()))

    async def close(self) -> None:
        """Closes the connections."""
        await self._engine.dispose()


def engine_options(database: Database) -> dict[str, Any]:
    """What is asked of SQLAlchemy: that it leave transactions to us, and never print parameters."""
    from sqlalchemy.pool import StaticPool  # noqa: PLC0415 -- an extra

    options: dict[str, Any] = {
        "isolation_level": "AUTOCOMMIT",
        "hide_parameters": True,
        "execution_options": {"preserve_rowcount": True},
        "connect_args": {"timeout": database.timeout, "check_same_thread": False},
    }
    if database.in_memory:
        options["poolclass"] = StaticPool
    else:
        options |= {"pool_size": 8, "max_overflow": -1}
    return options


def on_connect(database: Database) -> Callable[[Any, Any], None]:
    """What each new connection is told."""

    def tell(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous=NORMAL")
        if database.in_memory:
            for statement in tables(database.dialect):
                cursor.execute(statement)
        cursor.close()

    return tell

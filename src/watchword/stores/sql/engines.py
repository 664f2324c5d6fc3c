"""What runs the statements of a store in the database that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from watchword.stores.sql.database import Database
from watchword.stores.sql.sqlite_engine import AsyncSQLiteEngine, SQLiteEngine

if TYPE_CHECKING:
    from watchword.stores.sql.postgresql import AsyncPostgreSQLEngine, PostgreSQLEngine
    from watchword.stores.sql.server import Server

__all__ = ["AsyncEngine", "Engine", "async_engine_of", "engine_of"]

Engine: TypeAlias = "SQLiteEngine | PostgreSQLEngine"
"""`read(says)` reads, `converse(start)` writes, each waiting as long as the store says and no longer."""

AsyncEngine: TypeAlias = "AsyncSQLiteEngine | AsyncPostgreSQLEngine"
"""The same, awaited."""


def engine_of(database: Database | Server) -> Engine:
    """This process's connections to the database."""
    if isinstance(database, Database):
        return SQLiteEngine(database)
    from watchword.stores.sql.postgresql import PostgreSQLEngine  # noqa: PLC0415 -- an extra

    return PostgreSQLEngine(database)


def async_engine_of(database: Database | Server) -> AsyncEngine:
    """The connections of this process's running event loop."""
    if isinstance(database, Database):
        return AsyncSQLiteEngine(database)
    from watchword.stores.sql.postgresql import AsyncPostgreSQLEngine  # noqa: PLC0415 -- an extra

    return AsyncPostgreSQLEngine(database)

"""Remembering in SQL: `SQLStore`, called, and `AsyncSQLStore`, awaited, in the same databases.

`queries`, `statements` and `forgetting` say what is asked of the database and run nothing, in the words of one of the two
`dialects`. `vault` turns records into rows and seals secrets. For SQLite `database` opens the file and keeps its key, and
`sqlite_engine` runs what is said. For PostgreSQL `server` knows where it is and what it has to be like, `pipeline` is one round
trip, `connection` waits for it, and `postgresql` runs what is said. `tables` are made by these or by `migrations`. The two
stores join all that.
"""

from __future__ import annotations

from watchword.stores.sql.async_store import AsyncSQLStore
from watchword.stores.sql.store import SQLStore

__all__ = ["AsyncSQLStore", "SQLStore"]

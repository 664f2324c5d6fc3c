"""Remembering in SQLite: `SQLStore`, called, and `AsyncSQLStore`, awaited, on the same files.

`queries` and `statements` say what is asked of the database and run nothing; `vault` turns records into rows and seals
secrets; `database` opens the file and keeps its key. The two stores join these.
"""

from __future__ import annotations

from watchword.stores.sql.async_store import AsyncSQLStore
from watchword.stores.sql.store import SQLStore

__all__ = ["AsyncSQLStore", "SQLStore"]

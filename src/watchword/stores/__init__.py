"""Where users, keys and replay memory are kept: all speak `fetch` and `commit` (`core.records`).

| store | remembers | for |
|---|---|---|
| `MemoryStore` | in this process | tests, one process |
| `SQLStore`, `AsyncSQLStore` | in SQLite | any number of processes on one host |
| `SQLStore`, `AsyncSQLStore` | in PostgreSQL | any number of hosts |
| `RedisStore`, `AsyncRedisStore` | in one Redis or Valkey server | any number of processes and hosts |
| `HtpasswdStore`, `HtdigestStore` | nothing; read files | the password files that you have |
| `from_callables` | nothing; asks your look-ups | the user table that you have |
| `password_table` | nothing; asks your look-up | the passwords that another program writes |
| `RemoteKeySet` | the keys that an issuer publishes | tokens of others |
| `AgentDirectories` | the key directories of automated clients | Web Bot Auth |
| `TokenFile` | access and refresh tokens, in a file | `OAuth2Auth(…, tokens=…)`; it is no store of records |
| `ExplanationLog` | why requests were refused, in files | whoever is asked later (`Policy(explanations=…)`); it is no store of records |
| `combine` | each kind of record in the store that names it, or in the one that holds any | several of these |
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchword.stores.agents import AgentDirectories
    from watchword.stores.callables import from_callables
    from watchword.stores.combined import combine
    from watchword.stores.explanation_log import ExplanationLog
    from watchword.stores.files import HtdigestStore, HtpasswdStore
    from watchword.stores.jwks import RemoteKeySet
    from watchword.stores.memory import MemoryStore
    from watchword.stores.redis import AsyncRedisStore, RedisStore
    from watchword.stores.table import password_table
    from watchword.stores.token_file import TokenFile
    from watchword.stores.sql import AsyncSQLStore, SQLStore

__all__ = [
    "AgentDirectories", "AsyncRedisStore", "AsyncSQLStore", "ExplanationLog", "HtdigestStore", "HtpasswdStore", "MemoryStore",
    "RedisStore", "RemoteKeySet", "SQLStore", "TokenFile", "combine", "from_callables", "password_table",
]  # fmt: skip

# Loaded at first use (PEP 562), so that one store does not pay for the others.
_HOMES = {
    "AgentDirectories": "agents",
    "AsyncRedisStore": "redis",
    "AsyncSQLStore": "sql",
    "ExplanationLog": "explanation_log",
    "HtdigestStore": "files",
    "HtpasswdStore": "files",
    "MemoryStore": "memory",
    "RedisStore": "redis",
    "RemoteKeySet": "jwks",
    "SQLStore": "sql",
    "TokenFile": "token_file",
    "combine": "combined",
    "from_callables": "callables",
    "password_table": "table",
}


if not TYPE_CHECKING:  # a type checker reads the imports above, and calls a name that is not there an error

    def __getattr__(name: str) -> object:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module 'watchword.stores' has no attribute {name!r}")
        value = getattr(import_module(f"watchword.stores.{home}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Which store a URL means: the same API runs on any of them."""

from __future__ import annotations

import os

from watchword.stores import AsyncRedisStore, AsyncSQLStore, RedisStore, SQLStore

__all__ = ["async_store", "make_tables", "store"]


def store(url: str) -> SQLStore | RedisStore:
    """Called: for the launcher, and for `watchword explain`."""
    return RedisStore(url, secrets=store_key()) if is_redis(url) else SQLStore(url, secrets=_sql_key(url))


def async_store(url: str) -> AsyncSQLStore | AsyncRedisStore:
    """Awaited: for the server."""
    return AsyncRedisStore(url, secrets=store_key()) if is_redis(url) else AsyncSQLStore(url, secrets=_sql_key(url))


def make_tables(url: str) -> None:
    """Once, before any process serves: a PostgreSQL database has none until somebody makes them."""
    if url.startswith("postgresql"):
        from watchword.stores.sql.migrations import upgrade

        upgrade(url)


def is_redis(url: str) -> bool:
    """Whether the URL is that of a Redis or Valkey server."""
    return url.startswith(("redis://", "rediss://", "unix://"))


def _sql_key(url: str) -> bytes | None:
    """An SQLite file has its key beside it."""
    return None if url.startswith("sqlite") else store_key()


def store_key() -> bytes | None:
    """The key that seals secrets in a database without a place for it: WATCHWORD_SECRETS, 32 random octets or more."""
    given = os.environ.get("WATCHWORD_SECRETS")
    return None if given is None else given.encode()

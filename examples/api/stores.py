"""Which store a URL means: the same API runs on any of them."""

from __future__ import annotations

import os

from watchword.stores import AsyncRedisStore, AsyncSQLStore, RedisStore, SQLStore

__all__ = ["async_store", "store"]


def store(url: str) -> SQLStore | RedisStore:
    """Called: for the launcher, and for `watchword explain`."""
    return RedisStore(url, secrets=store_key()) if is_redis(url) else SQLStore(url)


def async_store(url: str) -> AsyncSQLStore | AsyncRedisStore:
    """Awaited: for the server."""
    return AsyncRedisStore(url, secrets=store_key()) if is_redis(url) else AsyncSQLStore(url)


def is_redis(url: str) -> bool:
    """Whether the URL is that of a Redis or Valkey server."""
    return url.startswith(("redis://", "rediss://", "unix://"))


def store_key() -> bytes | None:
    """The key that seals secrets in a database without a place for it: WATCHWORD_SECRETS, 32 random octets or more."""
    given = os.environ.get("WATCHWORD_SECRETS")
    return None if given is None else given.encode()

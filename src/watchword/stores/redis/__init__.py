"""Remembering in Redis or Valkey, on one server: `RedisStore`, called, and `AsyncRedisStore`, awaited, with the same keys.

`commit.lua` and `fetch.lua` are the two verbs, as the server runs them. `commands` says what is sent and reads what comes back;
`server` knows where the server is and what is demanded of it; `connections` sends, each with a deadline. The two stores join these.
"""

from __future__ import annotations

from watchword.stores.redis.async_store import AsyncRedisStore
from watchword.stores.redis.store import RedisStore

__all__ = ["AsyncRedisStore", "RedisStore"]

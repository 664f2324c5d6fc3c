"""Remembering in Redis or Valkey."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Generator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from watchword.core.records import COMMITTED, NOTHING_FOUND, Found, Outcome, Ref, Write
from watchword.stores.administration import Admin
from watchword.stores.changes import Changes
from watchword.stores.redis.remembering import Remembering, suited_kinds

__all__ = ["RedisStore"]

T = TypeVar("T")


class RedisStore(Admin):
    """Remembers in one Redis or Valkey server, for any number of processes on any number of hosts.

    What was used once is never accepted again while the server runs; with its append-only file and `appendfsync always` neither when
    it is killed or loses its power. With `appendfsync everysec` the last two seconds may be lost then. The server must
    not drop keys when its memory is full (`maxmemory-policy noeviction`), which is asked with each new connection.

    Records with secrets are sealed under `secrets`, which has to be given for them.

    Args:
        url: "redis://user:password@host:6379/0", "rediss://…" for TLS, "unix:///run/redis.sock".
        prefix: of all keys; stores with one prefix share what they remember, others on the same server don't.
        kinds: of records that it holds, where it is one of several stores (`combine`); None: any.
        secrets: the key that seals secrets, 32 octets or more, random. The first one is that of the prefix for good.
        allow_plaintext_secrets: store them in the clear.
        max_counters: of attempts; then the least valuable go (`stores.counting`).
        timeout: seconds for which a verb may take; connecting may take as long again.
        max_connections: at one time; further verbs wait for one, for `timeout` at most.
        ca: a file of the certificates that sign the server's; by default those of the system.
        certificate: a file with the client's certificate, if the server asks for one.
        key: a file with its private key.
        clock: seconds since the epoch, for everything that the store remembers or issues. By default the server's clock for what it
            remembers, and this host's for what it issues.

    Raises:
        ConfigurationError: an argument can't be used, or `pip install 'watchword[redis]'`. At the first use: the server may
            forget, or its records are sealed with another key.
        StoreUnavailable: the server does not answer in time, or refuses. Whatever was sent may have been carried out; it is never
            sent again.

    >>> RedisStore("redis://watchword:open-sesame@10.0.0.7:6379/0")
    RedisStore('redis://10.0.0.7:6379/0')
    """

    blocking = True

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "ww:",
        kinds: Collection[type] | None = None,
        secrets: bytes | None = None,
        allow_plaintext_secrets: bool = False,
        max_counters: int = 500_000,
        timeout: float = 5.0,
        max_connections: int = 64,
        ca: str | Path | None = None,
        certificate: str | Path | None = None,
        key: str | Path | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._remembering = Remembering(
            url, prefix, kinds, secrets, allow_plaintext_secrets, max_counters, timeout, max_connections, (ca, certificate, key), clock
        )  # fmt: skip
        from watchword.stores.redis.connections import Connections  # noqa: PLC0415 -- needs the extra

        self._make = Connections
        self.kinds = self._remembering.kinds
        self.clock: Callable[[], float] = clock or time.time
        self._changes = Changes()
        self._pools: dict[int, Connections] = {}

    def __repr__(self) -> str:
        return f"RedisStore({str(self._remembering.server)!r})"

    def __enter__(self) -> RedisStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes this process's connections. They are opened again when they are needed."""
        pool = self._pools.pop(os.getpid(), None)
        if pool is not None:
            pool.close()

    def check(self) -> None:
        """Connects, so that a program that begins finds out whether the server will do.

        Raises:
            ConfigurationError: as the class says.
            StoreUnavailable: as the class says.
        """
        self._ask(self._remembering.checking())

    @property
    def suited_kinds(self) -> frozenset[type]:
        """What it takes beside a store that holds any kind: replay marks and attempts (`combine`)."""
        return suited_kinds()

    def changes(self, kind: type, /) -> int:
        """A number that is another one after each write of that kind through this object (`core.scheme.Changes`)."""
        return self._changes.of(kind)

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        return self._ask(self._remembering.fetching(refs)) if refs else NOTHING_FOUND

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        if not writes:
            return COMMITTED
        try:
            return self._ask(self._remembering.committing(writes))
        finally:
            self._changes.note(writes)

    def records(self, kind: type[T], most: int | None = None) -> list[tuple[tuple[str, ...], T]]:
        """Every record of `kind` with its key, or `most` of them, in the order of the keys: for administration, not for guards.

        It looks through all keys of the database, a thousand at a time.
        """
        return self._ask(self._remembering.listing(kind, most))

    def _ask(self, conversation: Generator[Any, Any, T]) -> T:
        # Connections of the process from which this one was forked stay in the dict, unused.
        pool = self._pools.get(os.getpid())
        if pool is None:
            asked = self._remembering
            made = self._make(asked.server, asked.greeting, asked.most_connections)
            pool = self._pools.setdefault(os.getpid(), made)
        return pool.ask(conversation)

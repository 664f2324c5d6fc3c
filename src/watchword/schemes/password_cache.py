"""Passwords that were verified a moment ago: a keyed hash of each, never the password."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from watchword.core.rejection import ConfigurationError
from watchword.crypto.digests import compare, keyed_digest

__all__ = ["PasswordCache"]


class PasswordCache:
    """Remembers which password fitted which stored hash, so that a password is hashed once, not for every request.

    An entry is a keyed BLAKE2 of username and password, under a key of this process, and the stored hash that they
    fitted. The guard fetches the stored hash for every request all the same and compares: a password that is changed,
    a user who is removed or disabled, is refused from then on by every process that shares the store. Only right
    passwords are remembered; a wrong one costs its hash each time.

    Args:
        size: entries at most; the oldest goes first.
        ttl: seconds for which an entry is good.
        strict: True. There is no laxer mode: the stored hash is compared on every hit.
        clock: seconds that never go back.
        random: n unpredictable bytes, for the key.

    Raises:
        ConfigurationError: a size or ttl that isn't positive; `strict=False`.

    >>> PasswordCache(size=1000, ttl=60)
    PasswordCache(size=1000, ttl=60, entries=0)
    """

    def __init__(
        self,
        size: int = 10_000,
        ttl: float = 300.0,
        *,
        strict: bool = True,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        if size < 1 or not ttl > 0:
            raise ConfigurationError("size and ttl are positive numbers")
        if not strict:
            raise ConfigurationError("every hit is compared with the stored hash: leave strict= out")
        self._size = size
        self._ttl = ttl
        self._clock = clock
        self._key = random(32)
        self._entries: dict[bytes, tuple[bytes, float]] = {}
        self._filling = threading.Lock()

    def __repr__(self) -> str:
        return f"PasswordCache(size={self._size}, ttl={self._ttl:g}, entries={len(self._entries)})"

    def recognise(self, username: str, password: str) -> bytes:
        """What the two are remembered by."""
        # The length keeps ("ab", "c") and ("a", "bc") apart.
        return keyed_digest(self._key, f"{len(username)}:{username}{password}".encode("utf-8", "surrogatepass"))

    def holds(self, mark: bytes, encoded: str) -> bool:
        """Whether `mark` fitted this stored hash, lately enough."""
        entry = self._entries.get(mark)
        return entry is not None and entry[1] > self._clock() and compare(entry[0], encoded.encode("utf-8", "surrogatepass"))

    def keep(self, mark: bytes, encoded: str) -> None:
        """Remembers that `mark` fits this stored hash."""
        with self._filling:
            self._entries.pop(mark, None)
            while len(self._entries) >= self._size:
                del self._entries[next(iter(self._entries))]
            self._entries[mark] = (encoded.encode("utf-8", "surrogatepass"), self._clock() + self._ttl)

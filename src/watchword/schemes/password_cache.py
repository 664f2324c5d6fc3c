"""Passwords that were verified a moment ago: a keyed hash of each, never the password."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from watchword.core.identity import Identity
from watchword.core.rejection import ConfigurationError
from watchword.crypto.digests import compare, keyed_digester

__all__ = ["PasswordCache"]


class _Fitted(NamedTuple):
    """Which stored hash a mark fitted, and until when that is relied upon."""

    encoded: bytes
    until: float


Admitted = tuple[Identity[Any], str, int, float]
"""Whom a guard admitted, from which address, what the store's change number was before it looked the user up, and until
when that is relied upon."""
Recall = Callable[[bytes, str], Identity[Any] | None]


class PasswordCache:
    """Remembers which password fitted which stored hash, so that a password is hashed once, not for every request.

    An entry is a keyed BLAKE2 of username and password, under a key of this process, and the stored hash that they
    fitted, which is compared again on every hit. Only right passwords are remembered; a wrong one costs its hash each time.

    Unless `strict`, a guard also remembers for `ttl` seconds whom it admitted, and does not look up again: per user one
    spelling of the credentials, from one address, and only until somebody tries another password for that user. What is
    changed through the guard's own store object, in this process, is seen at once: a new password, a user who is removed or
    disabled. What another process changes is seen within `ttl` seconds; with `strict` at once too, for one look-up a
    request.

    Args:
        size: entries at most; the oldest goes first.
        ttl: seconds for which one hash, and one look-up, is relied upon.
        strict: look up for every request.
        clock: seconds that never go back.
        random: n unpredictable bytes, for the key.

    Raises:
        ConfigurationError: a size or a ttl that is none.

    >>> PasswordCache(size=1000, ttl=30)
    PasswordCache(size=1000, ttl=30, strict=False, entries=0)
    """

    __slots__ = (
        "_admitted", "_clock", "_digest", "_filling", "_fitted", "_latest", "_size", "_spelled", "_taken", "strict", "ttl",
    )  # fmt: skip

    def __init__(
        self,
        size: int = 10_000,
        ttl: float = 60.0,
        strict: bool = False,
        *,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        if type(size) is not int or size < 1:
            raise ConfigurationError("size= is the number of passwords to remember, at least 1")
        if type(ttl) not in (int, float) or not 0 < ttl <= 86_400:
            raise ConfigurationError("ttl= is a number of seconds, more than 0 and at most a day")
        if type(strict) is not bool:
            raise ConfigurationError("strict= is True or False")
        self.ttl = ttl
        self.strict = strict
        self._size = size
        self._clock = clock
        self._digest = keyed_digester(random(32))
        self._filling = threading.Lock()
        self._taken = False
        self._fitted: dict[bytes, _Fitted] = {}
        self._admitted: dict[bytes, Admitted] = {}
        self._latest: dict[str, bytes] = {}  # each user's one key in `_admitted`
        self._spelled: dict[bytes, Any] = {}  # right credentials as they came

    def __repr__(self) -> str:
        return f"PasswordCache(size={self._size}, ttl={self.ttl:g}, strict={self.strict}, entries={len(self._fitted)})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a PasswordCache stays in its process: its key must not leave it")

    def take(self) -> None:
        """Reserves the cache for one verifier: whom another admits need not be known to it.

        Raises:
            ConfigurationError: it is reserved.
        """
        if self._taken:
            raise ConfigurationError(
                "a PasswordCache belongs to one verifier, whose users it remembers: make one for each"
            )
        self._taken = True

    # ---- which password fitted which stored hash ----

    def recognise(self, username: str, password: str) -> bytes:
        """What the two are remembered by."""
        # The length keeps ("ab", "c") and ("a", "bc") apart.
        return self._digest(f"{len(username)}:{username}{password}".encode("utf-8", "surrogatepass"))

    def holds(self, mark: bytes, encoded: str) -> bool:
        """Whether `mark` fitted this stored hash, lately enough."""
        entry = self._fitted.get(mark)
        return (
            entry is not None
            and entry.until > self._clock()
            and compare(entry.encoded, encoded.encode("utf-8", "surrogatepass"))
        )

    def keep(self, mark: bytes, encoded: str) -> None:
        """Remembers that `mark` fits this stored hash."""
        entry = _Fitted(encoded.encode("utf-8", "surrogatepass"), self._clock() + self.ttl)
        with self._filling:
            self._fitted.pop(mark, None)
            while len(self._fitted) >= self._size:
                del self._fitted[next(iter(self._fitted))]
            self._fitted[mark] = entry

    def spell(self, authorization: bytes, claim: Any) -> None:
        """Remembers what this very field value claims, once its password was right; `claim` holds none."""
        key = self._digest(authorization)
        with self._filling:
            while key not in self._spelled and len(self._spelled) >= self._size:
                del self._spelled[next(iter(self._spelled))]
            self._spelled[key] = claim

    def spelled(self, authorization: bytes) -> Any:
        """What `spell` was told of this field value, or None."""
        return self._spelled.get(self._digest(authorization))

    # ---- whom a guard admitted ----

    def now(self) -> float:
        """The cache's own clock."""
        return self._clock()

    def recaller(self, changes: Callable[[type], int | None], kind: type) -> Recall:
        """Whom this very field value from this address proved, if no record of `kind` has changed since; else None."""
        digest, known, clock = self._digest, self._admitted.get, self._clock

        def recall(authorization: bytes, address: str) -> Identity[Any] | None:
            entry = known(digest(authorization))
            if entry is None:
                return None
            identity, whence, change, until = entry
            return identity if change == changes(kind) and whence == address and until > clock() else None

        return recall

    def remember(
        self, username: str, authorization: bytes, address: str, identity: Identity[Any], change: int, since: float
    ) -> None:
        """Remembers whom a guard admitted: `change` and `since` (`now`) are from before it looked the user up."""
        key = self._digest(authorization)
        with self._filling:
            self._forget(username)
            while len(self._admitted) >= self._size:
                self._forget(next(iter(self._latest)))
            self._latest[username] = key
            self._admitted[key] = (identity, address, change, since + self.ttl)

    def disturb(self, username: str) -> None:
        """Forgets whom the credentials of `username` proved: somebody presents other ones.

        So that nobody can try, against what is remembered, passwords that are no longer tried against the stored hash
        (a locked-out pair): each that is wrong takes the answer away, and only an admitted request brings it back.
        """
        if username in self._latest:
            with self._filling:
                self._forget(username)

    def _forget(self, username: str) -> None:
        key = self._latest.pop(username, None)
        if key is not None:
            self._admitted.pop(key, None)

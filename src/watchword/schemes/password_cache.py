"""Passwords that were verified a moment ago: a keyed hash of each, never the password."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from watchword.structures.bounded import Bounded
from watchword.core.identity import Identity
from watchword.core.records import Found, Ref
from watchword.core.scheme import UNUSED, Body, BodyNeed, Changes, Decision, Random
from watchword.crypto.digests import compare, keyed_digester
from watchword.crypto.passwords import Password
from watchword.schemes.verifier_cache import VerifierCache

__all__ = ["PasswordCache"]


class _Fitted(NamedTuple):
    """Which stored hash a password fitted, and until when that is relied upon."""

    encoded: bytes
    until: float


class Known(NamedTuple):
    """What credentials of exactly these octets are: whose, by which key their password is remembered, what to look up."""

    username: str
    password_key: bytes
    needs: Sequence[Ref[Any]]
    guesses: str


class Arrival(NamedTuple):
    """How credentials came: all of it from before anything was looked up.

    `field` is the key of the field value, `changes` tells the change number of the guard's store, `change` is what it was
    and `since` when that was, by the cache's clock.
    """

    field: bytes
    address: str
    changes: Changes
    change: int | None
    since: float

    def __repr__(self) -> str:
        return f"Arrival({self.address!r})"


class RememberedUser:
    """A claim that needs no look-up: somebody who was admitted by exactly these credentials a moment ago."""

    __slots__ = ("_decision", "arrival", "until")

    guesses: None = None
    flight: None = None
    needs: Sequence[Ref[Any]] = ()
    body: BodyNeed = UNUSED

    def __init__(self, identity: Identity[Any], arrival: Arrival, until: float) -> None:
        self._decision = Decision(identity)
        self.arrival = arrival
        self.until = until

    def __repr__(self) -> str:
        return f"RememberedUser({self._decision.identity!r})"

    @property
    def claimed(self) -> str:
        """The subject that was admitted."""
        return self._decision.identity.subject

    def slow(self, found: Found) -> bool:
        """Never."""
        return False

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision:
        """The identity that was admitted."""
        return self._decision


class PasswordCache(VerifierCache):
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

    __slots__ = ("_admitted", "_clock", "_digest", "_filling", "_fitted", "_known", "_latest")

    def __init__(
        self,
        size: int = 10_000,
        ttl: float = 60.0,
        strict: bool = False,
        *,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        super().__init__(size, ttl, strict)
        self._clock = clock
        self._digest = keyed_digester(random(32))
        self._filling = threading.Lock()
        self._fitted: Bounded[bytes, _Fitted] = Bounded(size)
        # A user has one entry in each of these two. Both are put in under one lock, so the same user's is the oldest in both.
        self._admitted: Bounded[bytes, RememberedUser] = Bounded(size)
        self._latest: Bounded[str, bytes] = Bounded(size)  # each user's key in `_admitted`
        self._known: Bounded[bytes, Known] = Bounded(size)  # right credentials by their octets

    def __repr__(self) -> str:
        return f"PasswordCache(size={self.size}, ttl={self.ttl:g}, strict={self.strict}, entries={len(self._fitted)})"

    # ---- which password fitted which stored hash ----

    def password_key(self, username: str, password: str) -> bytes:
        """The key by which the two are remembered together."""
        # The length keeps ("ab", "c") and ("a", "bc") apart.
        return self._digest(f"{len(username)}:{username}{password}".encode("utf-8", "surrogatepass"))

    def holds(self, password_key: bytes, encoded: str) -> bool:
        """Whether the password fitted this stored hash, lately enough."""
        entry = self._fitted.get(password_key)
        return (
            entry is not None
            and entry.until > self._clock()
            and compare(entry.encoded, encoded.encode("utf-8", "surrogatepass"))
        )

    def keep(self, password_key: bytes, encoded: str) -> None:
        """Remembers that the password fits this stored hash."""
        entry = _Fitted(encoded.encode("utf-8", "surrogatepass"), self._clock() + self.ttl)
        self._fitted.pop(password_key)  # the youngest again
        self._fitted.put(password_key, entry)

    # ---- credentials by their octets ----

    @property
    def field_key(self) -> Callable[[bytes], bytes]:
        """Gives the key by which a field value is remembered."""
        return self._digest

    def know(self, field: bytes, known: Known) -> None:
        """Remembers what credentials are, once their password was right."""
        self._known.put(field, known)

    def known(self, field: bytes) -> Known | None:
        """What `know` was told of this field value."""
        return self._known.get(field)

    # ---- whom a guard admitted ----

    def now(self) -> float:
        """The cache's own clock."""
        return self._clock()

    def known_reader(self, changes: Changes) -> Callable[[bytes, str], RememberedUser | None]:
        """Whom a field value from an address proved at the guard of `changes`, if no password record has changed since."""
        known, clock = self._admitted.get, self._clock

        def read_known(field: bytes, address: str) -> RememberedUser | None:
            claim = known(field)
            if claim is None:
                return None
            _, whence, told, change, _ = claim.arrival
            fits = told == changes and change == changes(Password) and whence == address and claim.until > clock()
            return claim if fits else None

        return read_known

    def remember(self, username: str, identity: Identity[Any], arrival: Arrival) -> None:
        """Remembers whom a guard admitted."""
        with self._filling:
            self._forget(username)
            self._latest.put(username, arrival.field)
            self._admitted.put(arrival.field, RememberedUser(identity, arrival, arrival.since + self.ttl))

    def forget_user(self, username: str) -> None:
        """Forgets whom the credentials of `username` proved: somebody presents other ones.

        So that nobody can try, against what is remembered, passwords that are no longer tried against the stored hash
        (a locked-out pair): each that is wrong takes the answer away, and only an admitted request brings it back.
        """
        if username in self._latest:
            with self._filling:
                self._forget(username)

    def _forget(self, username: str) -> None:
        key = self._latest.pop(username)
        if key is not None:
            self._admitted.pop(key)

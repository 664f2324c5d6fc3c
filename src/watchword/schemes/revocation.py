"""Taking back tokens that were issued: `Revocations`, by token id, by subject and time, by key.

What is taken back is always an issuer's: two issuers may use one token id, subject or key id for different things
(RFC 7519 §4.1.7, RFC 8725 §3.8).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol
from weakref import WeakSet

from watchword.structures.in_process import InProcess
from watchword.core.io import IO, Awaited, Direct, done, drive
from watchword.core.records import (
    AsyncStore, Committed, Found, Once, Put, Ref, Replayed, Spent, Store, Take, Write, clock_of,
)  # fmt: skip
from watchword.core.rejection import ConfigurationError, Reason, Rejected, StoreUnavailable

__all__ = ["Mark", "Revocations", "Revoked", "mark_of"]

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Revoked:
    """What is taken back, at `Ref(Revoked, ("revoked", "subject", issuer, subject))`, or "key" and a key id there.

    Args:
        before: tokens issued at this time or earlier, in seconds since the epoch; None: all tokens.
    """

    before: float | None = None


Program = Callable[[IO[Any, Any]], Coroutine[Any, Any, None]]


class Forgetting(Protocol):
    """What remembers verified tokens, and can forget them: a `TokenCache`."""

    def clear(self) -> None:
        """Forgets everything."""
        ...


class Revocations(InProcess):
    """Takes tokens back, and lets a `JWTVerifier` ask what was taken back; each change also as `await` (with an a).

    Give one and the same object to the verifiers of a process and to whatever takes tokens back: then their token caches
    forget at once. What another process takes back is seen by the next look-up in the store.

    Args:
        store: where it is remembered, for all processes that use the store.
        margin: seconds past the end of a token for which its id is remembered; no less than the verifiers' leeway.
        clock: seconds since the epoch; None: the store's own clock.

    Raises:
        ConfigurationError: a margin that is no length of time.

    >>> from watchword import JWTVerifier, Key, Rejected, Request, Guard
    >>> from watchword.stores import MemoryStore
    >>> revocations = Revocations(MemoryStore())
    >>> revocations.revoke_subject("alice", issuer="https://id.example")
    >>> guard = Guard([JWTVerifier(Key.generate("HS256"), revocations=revocations)])
    """

    def __init__(
        self, store: Store | AsyncStore, *, margin: float = 300, clock: Callable[[], float] | None = None
    ) -> None:
        if type(margin) not in (int, float) or not 0 <= margin < 1e9:
            raise ConfigurationError("margin= is a number of seconds, 0 or more")
        self._store = store
        self._margin = margin
        self._clock = clock_of(store) if clock is None else clock
        self._caches: WeakSet[Forgetting] = WeakSet()

    # ---- changing ----------------------------------------------------------------------------------------------------

    def revoke_token(self, token_id: str, *, issuer: str | None, until: float) -> None:
        """Takes one token back.

        Args:
            token_id: its `jti`.
            issuer: its `iss`; None if it names none.
            until: its `exp`, in seconds since the epoch; some time later it is forgotten.

        Raises:
            ConfigurationError: `until` is no time, or the same token was taken back with an earlier one; the store is
                asynchronous.
            StoreUnavailable: it is not known whether the token was taken back.
        """
        self._run(partial(self._once, token_id, issuer, until))

    async def arevoke_token(self, token_id: str, *, issuer: str | None, until: float) -> None:
        """As `revoke_token`."""
        await self._arun(partial(self._once, token_id, issuer, until))

    def revoke_subject(self, subject: str, *, issuer: str | None, before: float | None = None) -> None:
        """Takes back all tokens about `subject` that were issued at the time `before` or earlier; None: now.

        Tokens that don't say when they were issued (`iat`) are taken back too. A later time replaces an earlier one,
        never the reverse. The record stays until `restore_subject`.

        Raises:
            ConfigurationError: `before` is no time; the store is asynchronous.
            StoreUnavailable: it is not known whether they were taken back.
        """
        self._run(partial(self._put, "subject", issuer, subject, self._clock() if before is None else before))

    async def arevoke_subject(self, subject: str, *, issuer: str | None, before: float | None = None) -> None:
        """As `revoke_subject`."""
        await self._arun(partial(self._put, "subject", issuer, subject, self._clock() if before is None else before))

    def revoke_key(self, key_id: str | None, *, issuer: str | None) -> None:
        """Takes back all tokens of `issuer` that the key with this id has signed or will sign; None: keys without id.

        Raises:
            ConfigurationError: the store is asynchronous.
            StoreUnavailable: it is not known whether they were taken back.
        """
        self._run(partial(self._put, "key", issuer, key_id, None))

    async def arevoke_key(self, key_id: str | None, *, issuer: str | None) -> None:
        """As `revoke_key`."""
        await self._arun(partial(self._put, "key", issuer, key_id, None))

    def restore_subject(self, subject: str, *, issuer: str | None) -> None:
        """Undoes `revoke_subject`."""
        self._run(partial(self._take, "subject", issuer, subject))

    async def arestore_subject(self, subject: str, *, issuer: str | None) -> None:
        """As `restore_subject`."""
        await self._arun(partial(self._take, "subject", issuer, subject))

    def restore_key(self, key_id: str | None, *, issuer: str | None) -> None:
        """Undoes `revoke_key`."""
        self._run(partial(self._take, "key", issuer, key_id))

    async def arestore_key(self, key_id: str | None, *, issuer: str | None) -> None:
        """As `restore_key`."""
        await self._arun(partial(self._take, "key", issuer, key_id))

    def _run(self, program: Program) -> None:
        io = Direct(self._checked())
        try:
            drive(program(io))
        finally:  # also if it failed: nobody knows then what the store did
            self._forget()

    async def _arun(self, program: Program) -> None:
        try:
            await program(Awaited(self._store))
        finally:
            self._forget()

    def _forget(self) -> None:
        for cache in tuple(self._caches):
            cache.clear()

    async def _once(self, token_id: str, issuer: str | None, until: float, io: IO[Any, Any]) -> None:
        key = _key("token", issuer, token_id)
        outcome = await done(io.commit([Once(key, _moment(until, "until") + self._margin)]))
        if isinstance(outcome, Replayed):  # known, and remembered for long enough unless the caller errs
            spent = (await done(io.fetch([Ref(Spent, key)]))).get(Ref(Spent, key))
            if spent is None or spent.until < until:
                raise ConfigurationError(
                    "this token was taken back before, until an earlier time: pass its exp as until="
                )
        elif not isinstance(outcome, Committed):
            raise StoreUnavailable("the store could not take a token back")

    async def _put(
        self, kind: str, issuer: str | None, name: str | None, before: float | None, io: IO[Any, Any]
    ) -> None:
        if before is not None:
            _moment(before, "before")
        ref = Ref(Revoked, _key(kind, issuer, name))
        for _ in range(ROUNDS):
            found = await done(io.fetch([ref]))
            old = found.get(ref)
            if old is not None and (old.before is None or (before is not None and before <= old.before)):
                return
            outcome = await done(io.commit([Put(ref, Revoked(before), found.version(ref))]))
            if isinstance(outcome, Committed):
                return
        raise StoreUnavailable("the record kept changing while it was written")

    async def _take(self, kind: str, issuer: str | None, name: str | None, io: IO[Any, Any]) -> None:
        write: Write = Take(Ref(Revoked, _key(kind, issuer, name)))
        if not isinstance(await done(io.commit([write])), Committed):
            raise StoreUnavailable("the store could not forget a revocation")

    # ---- asking: a `Source` for the guards -----------------------------------------------------------------------------

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        """What was taken back, for a `Guard`."""
        return self._checked().fetch(refs)

    async def afetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        """What was taken back, for an `AsyncGuard`."""
        return await done(Awaited(self._store).fetch(refs))

    def tell(self, cache: Forgetting) -> None:
        """Clear `cache` at each change."""
        self._caches.add(cache)

    def _checked(self) -> Store:
        Direct(self._store)  # type: ignore[arg-type] # refuses an AsyncStore, and says what to do
        return self._store  # type: ignore[return-value]

    def __repr__(self) -> str:
        return f"Revocations({type(self._store).__name__})"


class Mark(NamedTuple):
    """By what a genuine token can be taken back: what to look up, and when it was issued."""

    refs: tuple[Ref[Any], ...]
    issued: float | None

    def check(self, found: Found) -> None:
        """Nothing, if none of it was.

        Raises:
            Rejected: REVOKED.
        """
        for ref in self.refs:
            record = found.get(ref)
            if record is None:
                continue
            before = record.before if isinstance(record, Revoked) else None
            if before is not None and self.issued is not None and self.issued > before:
                continue
            raise Rejected(Reason.REVOKED, f"this {ref.key[1]} was taken back", where=_PLACES[ref.key[1]], genuine=True)


_PLACES: Mapping[str, str] = {"token": "jti", "subject": "sub", "key": "kid"}


def mark_of(claims: Mapping[str, Any], subject: str, key_id: str | None) -> Mark:
    """The mark of a token with these verified claims, signed by this key."""
    issuer, token_id, issued = claims.get("iss"), claims.get("jti"), claims.get("iat")
    refs: tuple[Ref[Any], ...] = (
        Ref(Revoked, _key("subject", issuer, subject)), Ref(Revoked, _key("key", issuer, key_id)),
    )  # fmt: skip
    if token_id is not None:
        if not isinstance(token_id, str):
            raise Rejected(Reason.WRONG_CLAIM, "a token id is a text", where="jti")
        refs = (Ref(Spent, _key("token", issuer, token_id)), *refs)
    return Mark(refs, issued)


def _key(kind: str, issuer: str | None, name: str | None) -> tuple[str, ...]:
    """The ids of keys without one, and of issuers that are not named, are the empty text."""
    for text in (issuer, name):
        if text is not None and not isinstance(text, str):
            raise ConfigurationError(f"the issuer and the {kind} are texts, not {type(text).__name__}")
    return ("revoked", kind, issuer or "", name or "")


def _moment(value: float, name: str) -> float:
    if type(value) not in (int, float) or not 0 <= value < 253_402_300_800:
        raise ConfigurationError(f"{name}= is a time: seconds since 1970")
    return value

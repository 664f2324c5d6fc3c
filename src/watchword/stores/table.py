"""A user table that another program writes: its hashes are verified, and made anew only as that program makes them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from inspect import iscoroutinefunction
from typing import Any, Final, overload

from watchword.core.records import COMMITTED, Conflict, Found, Outcome, Put, Ref, Write
from watchword.core.rejection import ConfigurationError, StoreUnavailable
from watchword.crypto.digests import digest
from watchword.crypto.passwords import Decoy, Password, check_can_be_followed, is_alike

__all__ = ["AsyncPasswordTable", "PasswordTable", "password_table"]

Lookup = Callable[[str], Password | None]
AsyncLookup = Callable[[str], Awaitable[Password | None]]
Save = Callable[[str, str, str], int | bool | None]
AsyncSave = Callable[[str, str, str], Awaitable[int | bool | None]]

_DECOY: Final = Ref(Decoy, ("password",))


@overload
def password_table(lookup: Lookup, *, like: str, save: Save | None = None) -> PasswordTable: ...
@overload
def password_table(lookup: AsyncLookup, *, like: str, save: AsyncSave | None = None) -> AsyncPasswordTable: ...
def password_table(lookup: Any, *, like: str, save: Any = None) -> PasswordTable | AsyncPasswordTable:
    """A store of the passwords in your application's user table, for `BasicVerifier`.

    `like` says what the table's hashes are. An unknown user costs as much as one of them, and so does one whose own can't be
    used. With `save` an outdated hash is made anew at a log-in: in the format of `like`, with its parameters, never in
    another, so that your framework still accepts it.

    Args:
        lookup: `lookup(username) -> Password | None`. Who is not active is `Password(…, disabled=True)`.
        like: a hash as your framework makes them today: Werkzeug's `generate_password_hash("any")`, Django's
            `make_password("any")`. Its password and salt don't matter.
        save: `save(username, old, new)` writes the new hash if the row still has the old one; it returns how many rows it
            wrote (`UPDATE users SET hash = :new WHERE name = :username AND hash = :old`), or None. None: nothing is written.

    Returns:
        A `Store`; if the functions are coroutine functions, an `AsyncStore`.

    Raises:
        ConfigurationError: `like` is no hash that can be used; with `save`, one that nobody should make any more; one
            function is a coroutine function and the other is not.

    >>> like = "scrypt:32768:8:1$salt$" + "0" * 128
    >>> rows = {"alice": like}
    >>> def lookup(username):
    ...     return Password(rows[username]) if username in rows else None
    >>> def save(username, old, new):
    ...     rows[username] = new if rows[username] == old else rows[username]
    >>> table = password_table(lookup, like=like, save=save)
    >>> table.fetch([Ref(Password, ("alice",))]).get(Ref(Password, ("alice",)))
    Password(scopes=(), subject=None, disabled=False)
    """
    awaited = iscoroutinefunction(lookup)
    if save is not None and iscoroutinefunction(save) is not awaited:
        raise ConfigurationError("password_table takes coroutine functions or plain ones, not both")
    check_can_be_followed(like, made=save is not None)
    return AsyncPasswordTable(lookup, like, save) if awaited else PasswordTable(lookup, like, save)


class _Table:
    """What both colours share."""

    kinds: frozenset[type] | None = frozenset({Password, Decoy})

    def __init__(self, lookup: Any, like: str, save: Any) -> None:
        self._lookup = lookup
        self._like = like
        self._save = save

    def __repr__(self) -> str:
        return "password_table(…)"

    def _pattern(self) -> str:
        """A hash as the table's program makes them now."""
        return self._like

    def _is_written(self) -> bool:
        """Whether better hashes are saved."""
        return self._save is not None

    def _found(self, records: dict[Ref[Any], Any], like: str) -> Found:
        found: dict[Ref[Any], tuple[Any, int]] = {}
        for ref, record in records.items():
            if isinstance(record, Password):
                # 0: nobody makes a better hash in vain (`stores.callables.UNWRITABLE`).
                found[ref] = (record, _version_of(record) if self._is_written() else 0)
            elif record is not None:
                raise ConfigurationError(
                    f"the look-up of {self!r} returned {type(record).__name__}: return Password or None"
                )
        found[_DECOY] = (Decoy(like, pattern=True), 1)
        return Found(found)

    def _new_hash(self, writes: Sequence[Write], like: str) -> Put:
        """The one write that a table takes.

        Raises:
            ConfigurationError: something else is to be written.
        """
        put = writes[0]
        if not self._is_written() or len(writes) > 1 or not isinstance(put, Put) or not put.if_version:
            raise ConfigurationError(f"{self!r} takes nothing but better hashes, and these with save=: combine(…) it")
        if put.ref.kind is not Password or not isinstance(put.record, Password):
            raise ConfigurationError(f"{self!r} takes passwords only: combine(…) it")
        if not is_alike(put.record.encoded, like):
            raise ConfigurationError(f"{self!r} takes hashes in its own format only: set passwords by its own program")
        return put

    def _is_unchanged(self, put: Put, now: Password | None) -> bool:
        """Whether the row is still what the new hash was made for, and nothing but the hash would change."""
        return (
            now is not None
            and _version_of(now) == put.if_version
            and replace(now, encoded=put.record.encoded) == put.record
        )


class PasswordTable(_Table):
    """What `password_table` makes of plain functions."""

    blocking = True

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        return self._found({ref: self._ask(ref) for ref in refs if ref.kind is Password}, self._pattern())

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        if not writes:
            return COMMITTED
        put = self._new_hash(writes, self._pattern())
        now = self._ask(put.ref)
        if now is None or not self._is_unchanged(put, now):
            return Conflict(put)
        try:
            written = self._save(*put.ref.key, now.encoded, put.record.encoded)
        except Exception as error:
            raise _failed(f"save of {self!r}", error) from error
        return _outcome(put, written)

    def _ask(self, ref: Ref[Any]) -> Password | None:
        try:
            record: Password | None = self._lookup(*ref.key)
        except Exception as error:
            raise _failed(f"look-up of {self!r}", error) from error
        return record


class AsyncPasswordTable(_Table):
    """What `password_table` makes of coroutine functions."""

    async def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        return self._found({ref: await self._ask(ref) for ref in refs if ref.kind is Password}, self._pattern())

    async def commit(self, writes: Sequence[Write], /) -> Outcome:
        if not writes:
            return COMMITTED
        put = self._new_hash(writes, self._pattern())
        now = await self._ask(put.ref)
        if now is None or not self._is_unchanged(put, now):
            return Conflict(put)
        try:
            written = await self._save(*put.ref.key, now.encoded, put.record.encoded)
        except Exception as error:
            raise _failed(f"save of {self!r}", error) from error
        return _outcome(put, written)

    async def _ask(self, ref: Ref[Any]) -> Password | None:
        try:
            record: Password | None = await self._lookup(*ref.key)
        except Exception as error:
            raise _failed(f"look-up of {self!r}", error) from error
        return record


def _version_of(record: Password) -> int:
    """Another one for each hash, and never 0, which stands for "can't be written"."""
    return int.from_bytes(digest("sha-256", record.encoded.encode("utf-8", "surrogatepass"))[:7], "big") + 1


def _outcome(put: Put, written: int | bool | None) -> Outcome:
    return COMMITTED if written is None or written else Conflict(put)


def _failed(what: str, error: Exception) -> StoreUnavailable:
    # Its words stay out, they may hold what was looked up or written; the log has them by the cause.
    return StoreUnavailable(f"the {what} raised {type(error).__name__}")

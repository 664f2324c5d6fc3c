"""Look-ups of an application's own, asked by one verifier: `Lookup`. It is asked for what the token or key is looked up by."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Literal

from watchword.core.io import Awaited, is_async
from watchword.core.records import COMMITTED, Found, Outcome, Ref, Write
from watchword.core.rejection import ConfigurationError, Reason, Rejected, StoreUnavailable
from watchword.crypto.digests import digest

__all__ = ["By", "Lookup", "looked_up_by", "naming", "sha256_of", "told"]

By = Literal["sha256", "plain"] | Callable[[str], "str | None"]
"""By what a token is looked up: its SHA-256 in lower-case hexadecimal digits, the token itself, or the id in it that a function
finds."""

UNWRITABLE: Final = 0
"""The version of what is only read."""
DEPTH: Final = 16
"""Errors behind one another that are looked through."""


def sha256_of(token: str) -> str:
    """What `by="sha256"` looks up: lower-case hexadecimal digits.

    >>> sha256_of("abc")[:16]
    'ba7816bf8f01cfea'
    """
    return digest("sha-256", token.encode()).hex()


def naming(by: object) -> Callable[[str], str | None]:
    """The function that says by what a token is looked up.

    Raises:
        ConfigurationError: `by` is none of the ways.
    """
    if by == "sha256":
        return sha256_of
    if by == "plain":
        return str
    if callable(by):
        finds: Any = by
        named: Callable[[str], str | None] = finds  # what it gives is looked at when it does
        return named
    raise ConfigurationError('by= is "sha256", "plain", or a function that finds the id in a token')


def looked_up_by(name: Callable[[str], str | None], token: str, where: str) -> str:
    """By what this token is looked up.

    Raises:
        Rejected: MALFORMED_CREDENTIALS: it has no id.
        ConfigurationError: the function gives something else than a text.
    """
    try:
        found = name(token)
    except Exception as error:  # noqa: BLE001 -- it takes apart what anybody may send
        detail = f"by= raised {type(error).__name__}: it holds no id"
        raise Rejected(Reason.MALFORMED_CREDENTIALS, detail, where=where) from None
    if found is None or found == "":
        raise Rejected(Reason.MALFORMED_CREDENTIALS, "it holds no id to look up", where=where)
    if not isinstance(found, str):
        raise ConfigurationError(f"by= returned {type(found).__name__}: return the id as a text, or None")
    return found


def told(error: BaseException, names: Sequence[str]) -> BaseException | None:
    """The error, as the cause that a log may hold; None if it repeats what was looked up, which may be the secret itself."""
    each: BaseException | None = error
    for _ in range(DEPTH):
        if each is None:
            return error
        texts = f"{each!s} {each!r}"
        if any(name in texts for name in names):
            return None
        each = each.__cause__ or each.__context__
    return None


class Lookup:
    """A `Source` of one kind of record, over a plain function or a coroutine function.

    Args:
        ask: gives the record, or None; it is asked for the last part of a record's key.
        kind: the type of the records.
        name: whose it is, for messages.

    Raises:
        ConfigurationError: `ask` can't be called.
    """

    blocking = True
    local = True
    """It asks the application itself, nobody else's server."""

    def __init__(self, ask: Callable[[str], Any] | Callable[[str], Awaitable[Any]], kind: type, name: str) -> None:
        if not callable(ask):
            raise ConfigurationError(f"lookup= of {name} is a function: {name}(lookup=…), not {type(ask).__name__}")
        self._ask: Callable[[str], Any] = ask
        self._kind = kind
        self._name = name
        self.awaited = is_async(ask)
        self.kinds: frozenset[type] | None = frozenset((kind,))

    def __repr__(self) -> str:
        return f"Lookup({self._name})"

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        """The records, for a `Guard`, in the caller's thread.

        Raises:
            StoreUnavailable: the look-up failed.
            ConfigurationError: it is a coroutine function, or gave something else than a record.
        """
        if self.awaited:
            raise ConfigurationError(f"the look-up of {self._name} is a coroutine function: use AsyncGuard")
        found: dict[Ref[Any], tuple[Any, int]] = {}
        for ref in refs:
            try:
                record = self._ask(ref.key[-1])
            except Exception as error:  # noqa: BLE001 -- whatever it is, nothing can be decided
                raise self._failed(error) from told(error, ref.key)
            self._keep(found, ref, record)
        return Found(found)

    async def afetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        """The same, for an `AsyncGuard`: a plain function is called in a thread."""
        if not self.awaited:
            answer: Found = await Awaited(self).fetch(refs)
            return answer
        found: dict[Ref[Any], tuple[Any, int]] = {}
        for ref in refs:
            try:
                record = await self._ask(ref.key[-1])
            except Exception as error:  # noqa: BLE001 -- whatever it is, nothing can be decided
                raise self._failed(error) from told(error, ref.key)
            self._keep(found, ref, record)
        return Found(found)

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        """Nothing is ever written to a look-up."""
        return COMMITTED

    def _failed(self, error: Exception) -> StoreUnavailable:
        # Its words stay out, they may hold what was looked up; the log has them by the cause.
        return StoreUnavailable(f"the look-up of {self._name} raised {type(error).__name__}")

    def _keep(self, found: dict[Ref[Any], tuple[Any, int]], ref: Ref[Any], record: object) -> None:
        if record is None:
            return
        if not isinstance(record, self._kind):
            raise ConfigurationError(
                f"the look-up of {self._name} returned {type(record).__name__}: return {self._kind.__name__} or None"
            )
        found[ref] = (record, UNWRITABLE)

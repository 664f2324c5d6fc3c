"""Several stores as one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from inspect import isawaitable, iscoroutinefunction
from typing import Any, overload

from watchword.core.records import (
    COMMITTED, NOTHING_FOUND, Add, AsyncStore, Counter, Found, Once, Outcome, Ref, Spent, Store, TakeBack, Write,
)  # fmt: skip
from watchword.core.rejection import ConfigurationError
from watchword.stores.administration import Admin, AsyncAdmin

__all__ = ["combine"]


@overload
def combine(*stores: Store) -> CombinedStore: ...
@overload
def combine(*stores: Store | AsyncStore) -> CombinedStore | AsyncCombinedStore: ...
def combine(*stores: Store | AsyncStore) -> CombinedStore | AsyncCombinedStore:
    """One store that keeps each kind of record in the first of `stores` that holds it.

    A mark (`Once`, `TakeBack`) is of the kind `Spent`, a counter (`Add`) of the kind `Counter`. One commit must fall to one store
    whole, since nothing makes two of them commit together.

    Returns:
        An `AsyncStore` if any of them is one, else a `Store`.

    Raises:
        ConfigurationError: no store, or one that can never be reached because those before it hold everything.

    >>> from watchword import Password
    >>> from watchword.stores import MemoryStore, from_callables
    >>> users = {"alice": Password.hash("open sesame")}
    >>> store = combine(from_callables(password=users.get), MemoryStore())
    >>> store.fetch([Ref(Password, ("alice",))]).get(Ref(Password, ("alice",)))
    Password(scopes=(), subject=None, disabled=False)
    """
    _check(stores)
    if any(iscoroutinefunction(store.fetch) for store in stores):
        return AsyncCombinedStore(stores)
    return CombinedStore(stores)


class _Routes:
    """Which store a kind of record falls to: the first of `parts` that holds it."""

    def __init__(self, stores: Sequence[Any]) -> None:
        self.parts = tuple(stores)
        kinds = [store.kinds for store in stores]
        self.kinds: frozenset[type] | None = None if None in kinds else frozenset().union(*kinds)

    def __repr__(self) -> str:
        return f"combine({', '.join(repr(store) for store in self.parts)})"

    def _store_of(self, kind: type) -> Any:
        for store in self.parts:
            if store.kinds is None or kind in store.kinds:
                return store
        return None

    def changes(self, kind: type, /) -> int | None:
        """What the store that holds that kind says of it; None where it says nothing (`core.scheme.Changes`)."""
        changes = getattr(self._store_of(kind), "changes", None)
        return None if changes is None else changes(kind)

    @property
    def clock(self) -> Callable[[], float]:
        """That of the first store that has one."""
        clocks = (getattr(store, "clock", None) for store in self.parts)
        return next((clock for clock in clocks if clock is not None), time.time)

    def _questions(self, refs: Sequence[Ref[Any]]) -> list[tuple[Any, list[Ref[Any]]]]:
        parts: dict[int, tuple[Any, list[Ref[Any]]]] = {}
        for ref in refs:
            store = self._store_of(ref.kind)
            if store is not None:
                parts.setdefault(id(store), (store, []))[1].append(ref)
        return list(parts.values())

    def _keeper(self, writes: Sequence[Write]) -> Any:
        kinds = {_kind_of(write): None for write in writes}
        keepers = {id(store): store for store in map(self._store_of, kinds)}
        if len(keepers) == 1 and None not in keepers.values():
            return next(iter(keepers.values()))
        names = ", ".join(kind.__name__ for kind in kinds)
        if None in keepers.values():
            raise ConfigurationError(f"no store holds every one of {names}: combine(…, MemoryStore())")
        raise ConfigurationError(
            f"{names} are written together, but fall to different stores, which can't commit together: "
            "let the same store hold them"
        )


class CombinedStore(_Routes, Admin):
    """What `combine` makes of stores."""

    @property
    def blocking(self) -> bool:
        return any(store.blocking for store in self.parts)

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        found = NOTHING_FOUND
        for store, part in self._questions(refs):
            found = found.merged(store.fetch(part))
        return found

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        if not writes:
            return COMMITTED
        outcome: Outcome = self._keeper(writes).commit(writes)
        return outcome


class AsyncCombinedStore(_Routes, AsyncAdmin):
    """What `combine` makes if one of the stores is awaited; those that block are called in a thread."""

    async def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        found = NOTHING_FOUND
        for store, part in self._questions(refs):
            found = found.merged(await _ask(store, "fetch", part))
        return found

    async def commit(self, writes: Sequence[Write], /) -> Outcome:
        if not writes:
            return COMMITTED
        outcome: Outcome = await _ask(self._keeper(writes), "commit", writes)
        return outcome


async def _ask(store: Any, verb: str, argument: Sequence[Any]) -> Any:
    method = getattr(store, verb)
    if getattr(store, "blocking", False):
        from asyncio import to_thread  # noqa: PLC0415 -- sync users must not load asyncio

        return await to_thread(method, argument)
    answer = method(argument)
    return await answer if isawaitable(answer) else answer


def _kind_of(write: Write) -> type:
    if isinstance(write, Once | TakeBack):
        return Spent
    if isinstance(write, Add):
        return Counter
    return write.ref.kind


def _check(stores: Sequence[Store | AsyncStore]) -> None:
    if not stores:
        raise ConfigurationError("combine needs stores: combine(from_callables(…), MemoryStore())")
    covered: frozenset[type] = frozenset()
    for number, store in enumerate(stores, 1):
        if store.kinds is not None and not store.kinds - covered:
            raise ConfigurationError(f"store {number} of combine is never asked: those before it hold all its kinds")
        if store.kinds is None and number < len(stores):
            raise ConfigurationError(f"store {number} of combine holds every kind, so those after it are never asked")
        covered |= store.kinds or frozenset()

"""Several stores as one."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
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
    """One store that keeps each kind of record in the first of `stores` that names it, and all others in the one that holds any kind.

    A mark (`Once`, `TakeBack`) is of the kind `Spent`, a counter (`Add`) of the kind `Counter`. One commit must fall to one store
    whole, since nothing makes two of them commit together. A guard that is made with verifiers which would need that is refused.

    Beside another store that holds any kind a Redis store takes what passes, `suited_kinds`: replay marks and attempts.

    Returns:
        An `AsyncStore` if any of them is one, else a `Store`.

    Raises:
        ConfigurationError: no store, or one that is never asked because others hold all its kinds.

    >>> from watchword import Password
    >>> from watchword.stores import MemoryStore, from_callables
    >>> users = {"alice": Password.hash("open sesame")}
    >>> store = combine(from_callables(password=users.get), MemoryStore())
    >>> store.fetch([Ref(Password, ("alice",))]).get(Ref(Password, ("alice",)))
    Password(scopes=(), subject=None, disabled=False)
    """
    named = _named(stores)
    if any(iscoroutinefunction(store.fetch) for store in stores):
        return AsyncCombinedStore(stores, named)
    return CombinedStore(stores, named)


class _Routes:
    """Which store a kind of record falls to: the first of `parts` that names it, else the one that holds any kind."""

    def __init__(self, stores: Sequence[Any], named: Sequence[frozenset[type] | None]) -> None:
        self.parts = tuple(stores)
        self._named = tuple(zip(stores, named, strict=True))
        self._rest = next((store for store, kinds in self._named if kinds is None), None)
        self.kinds: frozenset[type] | None = (
            None if self._rest is not None else frozenset().union(*(kinds for kinds in named if kinds is not None))
        )

    def __repr__(self) -> str:
        return f"combine({', '.join(repr(store) for store in self.parts)})"

    def _store_of(self, kind: type) -> Any:
        for store, kinds in self._named:
            if kinds is not None and kind in kinds:
                return store
        return self._rest

    def check_together(self, committer: str, kinds: Collection[type]) -> None:
        """Nothing, if one store holds all of `kinds`; those that no store holds are left out.

        Args:
            committer: who commits them together, for the message.
            kinds: the kinds of records.

        Raises:
            ConfigurationError: they fall to different stores. The message says what to move.
        """
        holders: dict[int, tuple[Any, list[type]]] = {}
        for kind in sorted(
            kinds, key=lambda kind: (kind is not Spent, kind.__name__)
        ):  # what moves goes where the marks are
            store = self._store_of(kind)
            if store is not None:
                holders.setdefault(id(store), (store, []))[1].append(kind)
        if len(holders) < 2:
            return
        (target, here), *others = holders.values()
        away = [kind for _, there in others for kind in there]
        places = "; ".join(f"{_names(there)} to {store!r}" for store, there in holders.values())
        raise ConfigurationError(
            f"{committer} commits {_names([*here, *away])} together, but they fall to different stores, which can't commit together: "
            f"{places}. Let {target!r} hold {_names(away)} too"
        )

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


def _names(kinds: Sequence[type]) -> str:
    return " and ".join(kind.__name__ for kind in kinds)


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


def _named(stores: Sequence[Store | AsyncStore]) -> list[frozenset[type] | None]:
    """Of each store the kinds that fall to it by name; None: whatever no other one names.

    Raises:
        ConfigurationError: there is no store, or one that is never asked.
    """
    if not stores:
        raise ConfigurationError("combine needs stores: combine(from_callables(…), MemoryStore())")
    named = [store.kinds for store in stores]
    for place, store in enumerate(stores):
        if named[place] is None and named.count(None) > 1:
            named[place] = getattr(store, "suited_kinds", None)
    covered: frozenset[type] = frozenset()
    for number, kinds in enumerate(named, 1):
        if kinds is not None and not kinds - covered:
            raise ConfigurationError(f"store {number} of combine is never asked: those before it hold all its kinds")
        if kinds is None and None in named[: number - 1]:
            raise ConfigurationError(
                f"store {number} of combine is never asked: store {named.index(None) + 1} holds every kind that no other names"
            )
        covered |= kinds or frozenset()
    return named

"""Records, and the two verbs that every store speaks: `fetch` and `commit`.

A record is a frozen dataclass of plain values (`str`, `int`, `float`, `bool`, `bytes`, `None`, tuples and mappings of
these); a new kind of record is a new dataclass, not a new method. A class with `sensitive: ClassVar[bool] = True` holds
something from which an impostor could make credentials: stores encrypt it at rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar

import msgspec

__all__ = [
    "Add", "After", "AsyncStore", "Committed", "Conflict", "Counter", "Exceeded", "Found", "Once", "Outcome", "Put", "Record",
    "Ref", "Replayed", "Source", "Spent", "Store", "Take", "TakeBack", "Write", "clock_of",
]  # fmt: skip


class Record(Protocol):
    """Any frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Ref(NamedTuple, Generic[R_co]):
    """Names a record: its class and its key.

    >>> Ref(Spent, ("digest", "nonce", "00000001"))
    Ref(kind=<class 'watchword.core.records.Spent'>, key=('digest', 'nonce', '00000001'))
    """

    kind: type[R_co]
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spent:
    """The record that a committed `Once` leaves behind; fetched by `explain` only, since committing is the check."""

    until: float
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Counter:
    """The record that `Add` leaves behind."""

    value: int
    until: float


class Once(NamedTuple):
    """Marks `key` as used; refused as `Replayed` if it was marked before.

    `until` (seconds since the epoch) is when the store may forget it.

    With an `owner` (ASCII letters, digits, - and _) it is marked for that owner alone: each owner has marks of its own. A
    mark of the same key without an owner, as earlier versions made it, is everybody's. A scheme names an owner wherever the
    key by itself doesn't say whose it is.

    >>> Once(("webhook", "msg_1"), 2e9, "partner").place
    ('owner', 'partner', 'webhook', 'msg_1')
    """

    key: tuple[str, ...]
    until: float
    owner: str | None = None

    @property
    def place(self) -> tuple[str, ...]:
        """A key that is this owner's alone."""
        return self.key if self.owner is None else ("owner", self.owner, *self.key)

    @property
    def refs(self) -> tuple[Ref[Spent], ...]:
        """The records by which `is_used` tells whether it was marked before."""
        own = Ref(Spent, self.place)
        return (own,) if self.owner is None else (own, Ref(Spent, self.key))

    def is_used(self, found: Found) -> bool:
        """Whether committing it would be refused, by what was found under `refs`."""
        if found.get(Ref(Spent, self.place)) is not None:
            return True
        spent = found.get(Ref(Spent, self.key))
        return spent is not None and spent.owner in (None, self.owner)


class TakeBack(NamedTuple):
    """Removes the mark that a `Once` of this key and owner made; nothing happens if there is none."""

    key: tuple[str, ...]
    owner: str | None = None

    @property
    def place(self) -> tuple[str, ...]:
        """As that of the `Once`."""
        return self.key if self.owner is None else ("owner", self.owner, *self.key)


class Put(NamedTuple):
    """Writes `record`. `if_version` None: in any case; 0: only if there is none yet; n: only over version n.

    `until` (seconds since the epoch) is when the store may forget it; None: never. Of one kind either all records end
    or none does.
    """

    ref: Ref[Any]
    record: Any
    if_version: int | None = None
    until: float | None = None


class Take(NamedTuple):
    """Deletes the record, `Conflict` unless its version is `if_version` (None: in any case, also if there is none)."""

    ref: Ref[Any]
    if_version: int | None = None


class After(NamedTuple):
    """When an `Add` may begin its counter's life: once `counter` is at `value`. It begins at `start` then."""

    counter: tuple[str, ...]
    value: int
    start: int = 0


class Add(NamedTuple):
    """Adds `n` to a counter that lives `until` (seconds since the epoch; set by the first Add of its life).

    With `limit`, a sum above it is refused as `Exceeded` and nothing is written. With `limit` and n=0 nothing is written
    either way: it only asks whether the counter is above its limit. A counter that is at nothing has no life.

    With `after`, a life that would begin does so only if that other counter has come so far, else nothing is counted;
    a counter that lives is counted in any case. A negative `n` gives back what was counted with the same `until`: a life that ends
    later has begun since, and keeps what is in it.

    `limit` also tells how much a counter is worth: a store that is full of counters drops one that is below half of its
    limit, the least first, and never one without a limit.
    """

    counter: tuple[str, ...]
    n: int
    until: float
    limit: int | None = None
    after: After | None = None


Write = Once | Put | Take | Add | TakeBack


class Found(msgspec.Struct, frozen=True, eq=False):
    """The records that a fetch brought: `found.get(ref)` is the record or None, `found.version(ref)` its version or 0.

    `counts` is False if the store knows that there is no `Counter` among them, so that nobody looks for one.

    >>> ref = Ref(Spent, ("a",))
    >>> Found({ref: (Spent(7.0), 3)}).get(ref), Found({}).get(ref), Found({ref: (Spent(7.0), 3)}).version(ref)
    (Spent(until=7.0, owner=None), None, 3)
    """

    _records: Mapping[Ref[Any], tuple[Any, int]]
    _sought: frozenset[Ref[Any]] = frozenset()
    counts: bool = True

    def get(self, ref: Ref[R_co]) -> R_co | None:
        """The record that `ref` names, or None."""
        entry = self._records.get(ref)
        return None if entry is None else entry[0]

    def version(self, ref: Ref[Any]) -> int:
        """The version of that record, 0 if there is none; for `if_version`."""
        entry = self._records.get(ref)
        return 0 if entry is None else entry[1]

    def of(self, kind: type[R]) -> list[tuple[tuple[str, ...], R]]:
        """Every record of `kind` that is here, with its key: for `explain`, which is given more than `needs` asks for.

        >>> Found({Ref(Spent, ("a",)): (Spent(7.0), 3)}).of(Spent)
        [(('a',), Spent(until=7.0, owner=None))]
        """
        return [(ref.key, entry[0]) for ref, entry in self._records.items() if ref.kind is kind]

    def __repr__(self) -> str:
        # Records may hold secrets.
        return f"Found({len(self._records)} records)"

    def records(self) -> list[Any]:
        """Every record that is here."""
        return [record for record, _ in self._records.values()]

    def sought(self, ref: Ref[Any]) -> bool:
        """Whether `More` asked for that record: if it isn't found then, there is none."""
        return ref in self._sought

    def merged(self, other: Found, sought: Sequence[Ref[Any]] = ()) -> Found:
        """Both finds as one; `other`, for which `sought` was asked, wins."""
        records = {**self._records, **other._records}
        return Found(records, self._sought.union(other._sought, sought), self.counts or other.counts)


NOTHING_FOUND = Found({})


class Committed(NamedTuple):
    """All writes were made."""


class Replayed(NamedTuple):
    """A `Once` was taken before; nothing was written."""

    write: Once


class Conflict(NamedTuple):
    """A version moved; nothing was written. Fetch and decide again."""

    write: Put | Take


class Exceeded(NamedTuple):
    """A counter would pass its limit; nothing was written. `until` is when that counter ends."""

    write: Add
    until: float


Outcome = Committed | Replayed | Conflict | Exceeded
COMMITTED = Committed()


class Source(Protocol):
    """Records that come along with a verifier, wherever its guard keeps its own: keys that somebody else publishes.

    Both verbs answer for each of `refs`, or raise `StoreUnavailable`; neither waits longer than it has to. A source that may have
    to wait for another server raises `Rejected` (TOO_BUSY) where that can't be done now, and has one more method,
    `waits(refs)`: whether `fetch` would wait now. A `Guard` lets few requests wait so at one time, for each holds a thread.
    """

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        """The records, in the caller's thread."""
        ...

    async def afetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        """The same, awaited."""
        ...


class Store(Protocol):
    """Remembers, in the caller's thread. Raises `StoreUnavailable`, never an error of its own backend.

    `kinds` are the record classes that it holds (None: any). `blocking` is False if its verbs never wait.
    """

    @property
    def kinds(self) -> frozenset[type] | None: ...
    @property
    def blocking(self) -> bool: ...
    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        """The records that exist among `refs`."""
        ...

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        """All writes or none, atomically."""
        ...


class AsyncStore(Protocol):
    """The same two verbs, awaited."""

    @property
    def kinds(self) -> frozenset[type] | None: ...
    async def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        """The records that exist among `refs`."""
        ...

    async def commit(self, writes: Sequence[Write], /) -> Outcome:
        """All writes or none, atomically."""
        ...


def clock_of(store: Store | AsyncStore) -> Callable[[], float]:
    """The store's own clock, in seconds since the epoch, if it has one; else the host's."""
    clock: Callable[[], float] = getattr(store, "clock", time.time)
    return clock

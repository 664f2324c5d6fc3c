"""Remembering in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from heapq import heappop, heappush
from math import inf, isfinite
from threading import Lock
from typing import Any, Generic, TypeVar, cast

from watchword.core.records import (
    COMMITTED, Add, Conflict, Counter, Exceeded, Found, Once, Outcome, Put, Ref, Replayed, Spent, Take, Write,
)  # fmt: skip
from watchword.core.rejection import ConfigurationError, StoreUnavailable
from watchword.stores.admin import Admin
from watchword.stores.changes import Changes

__all__ = ["MemoryStore"]

GRACE = 60.0
"""Seconds past its `until` for which an entry is kept, so that clocks which differ a little forget nothing too early."""

_SHARDS = 64  # a dict of a million entries pauses for tens of ms when it grows; sixty-fourths of it don't
_SPAN = 16.0  # seconds whose entries are forgotten together
_STEP = 4  # entries forgotten per write: more than come in, so that what has ended never piles up

V = TypeVar("V")
Key = tuple[Any, ...]
Undo = Callable[[], object]


class MemoryStore(Admin):
    """Remembers in this process; forgets when it ends.

    Behind several processes each would have its own replay memory, so the same request would be accepted once by
    each: use `SQLStore` there. When `capacity` entries of replay memory and counters are alive, further ones are
    refused with `StoreUnavailable`: nothing that could still be replayed is ever dropped to make room.

    Args:
        capacity: marks and counters kept at most; counters fill half of it at most.
        clock: seconds since the epoch.

    >>> store = MemoryStore()
    >>> store.commit([Once(("nonce", "1"), until=time.time() + 300)])
    Committed()
    >>> store.commit([Once(("nonce", "1"), until=time.time() + 300)])  # doctest: +ELLIPSIS
    Replayed(write=Once(key=('nonce', '1'), until=...))
    """

    kinds: frozenset[type] | None = None
    blocking = False

    def __init__(self, *, capacity: int = 1_000_000, clock: Callable[[], float] = time.time) -> None:
        if capacity < 1:
            raise ConfigurationError(f"capacity={capacity}: at least 1, by default a million")
        self._capacity = capacity
        self._clock = clock
        self._lock = Lock()
        self._records: dict[Ref[Any], tuple[Any, int]] = {}
        self._spent: _Passing[float] = _Passing()
        self._counters: _Passing[Counter] = _Passing()
        self._ends: _Passing[float] = _Passing()  # of the records that end
        self._changes = Changes()

    def __repr__(self) -> str:
        return f"MemoryStore(capacity={self._capacity})"

    def changes(self, kind: type, /) -> int:
        """A number that is another one after each write of that kind (`core.shortcut`)."""
        return self._changes.of(kind)

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        found: dict[Ref[Any], tuple[Any, int]] = {}
        counts = False
        with self._lock:
            record, guesses = self._records.get, self._counters.size
            for ref in refs:
                kind = ref.kind
                if kind is Counter:
                    if not guesses:  # mostly nobody has guessed lately
                        continue
                    entry = self._counted(ref)
                    counts = counts or entry is not None
                else:
                    entry = self._marked(ref) if kind is Spent else record(ref)
                if entry is not None:
                    found[ref] = entry
        return Found(found, counts=counts)

    def _marked(self, ref: Ref[Any]) -> tuple[Any, int] | None:
        until = self._spent.get(ref.key)
        return None if until is None else (Spent(until), 1)

    def _counted(self, ref: Ref[Any]) -> tuple[Any, int] | None:
        counter = self._living(ref.key)
        return None if counter is None else (counter, 1)

    def records(self, kind: type[V]) -> list[tuple[Key, V]]:
        """Every record of `kind` with its key, in the order of the keys: for administration, not for guards."""
        with self._lock:
            entries = [(ref.key, entry[0]) for ref, entry in self._records.items() if ref.kind is kind]
        return sorted(entries, key=lambda entry: entry[0])

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        undo: list[Undo] = []
        refusal: Outcome | None = None
        with self._lock:
            try:
                for write in writes:
                    if (
                        type(write) is Once
                    ):  # before the others: of most commits there is one, and nothing else is written
                        refusal = self._mark(write, undo)
                    elif type(write) is Add:
                        # A question about counters where there are none is answered.
                        if write.n or write.limit is None or self._counters.size:
                            refusal = self._add(write, undo)
                    else:
                        refusal = self._replace(cast("Put | Take", write), undo)
                    if refusal is not None:
                        break
            except BaseException:
                _roll_back(undo)
                raise
            if refusal is not None:
                _roll_back(undo)
                return refusal
        return COMMITTED

    def _mark(self, write: Once, undo: list[Undo]) -> Outcome | None:
        key, until = write
        shard = self._spent.shard(key)
        if key in shard:
            return Replayed(write)
        check_until(until)
        self._make_room()
        undo.append(self._spent.add(shard, key, until, until))
        return None

    def _add(self, write: Add, undo: list[Undo]) -> Outcome | None:
        check_until(write.until)
        old = self._living(write.counter)
        if old is None and (write.n < 0 or _only_asks(write)):
            return None  # giving back to a counter that has ended; asking about none
        value = max(0, (old.value if old else 0) + write.n)
        until = old.until if old else write.until
        if write.limit is not None and write.n >= 0 and value > write.limit:
            return Exceeded(write, until)
        if _only_asks(write):
            return None
        if write.counter not in self._counters:
            self._make_room()
            # Marks are made by genuine credentials only, counters by whoever guesses: they must not shut genuine ones out.
            if self._counters.size >= max(1, self._capacity // 2):
                raise StoreUnavailable(f"half of the {self._capacity} entries are counters (MemoryStore capacity)")
        undo.append(self._counters.insert(write.counter, Counter(value, until), until))
        return None

    def _replace(self, write: Put | Take, undo: list[Undo]) -> Outcome | None:
        ref = write.ref
        check_ref(write)
        old = self._records.get(ref)
        version = 0 if old is None else old[1]
        if write.if_version is not None and write.if_version != version:
            return Conflict(write)
        if isinstance(write, Put):
            if write.until is not None:
                check_until(write.until)
                self._make_room()
                undo.append(self._ends.insert(ref, write.until, write.until))
            self._records[ref] = (write.record, version + 1)
        else:
            self._records.pop(ref, None)
        undo.append(lambda: self._put_back(ref, old))
        self._changes.note([write])
        return None

    def _put_back(self, ref: Ref[Any], old: tuple[Any, int] | None) -> None:
        if old is None:
            self._records.pop(ref, None)
        else:
            self._records[ref] = old

    def _living(self, key: Key) -> Counter | None:
        counter = self._counters.get(key)
        return counter if counter is not None and counter.until > self._clock() else None

    def _make_room(self) -> None:
        past = self._clock() - GRACE
        spent, counters, ends = self._spent, self._counters, self._ends
        if spent.due <= past:
            spent.forget(past, _STEP)
        if counters.due <= past:
            counters.forget(past, _STEP)
        if ends.due <= past:
            ends.forget(past, _STEP, self._drop)
        if spent.size + counters.size + ends.size >= self._capacity:
            raise StoreUnavailable(f"replay memory is full: {self._capacity} entries are alive (MemoryStore capacity)")

    def _drop(self, ref: Key) -> None:
        self._records.pop(ref, None)  # type: ignore[call-overload]


class _Passing(Generic[V]):
    """A mapping whose entries end, forgotten a few at a time in about the order in which they end.

    `size` is how many there are; before `due` (seconds since the epoch) there is nothing to forget.
    """

    __slots__ = ("_ends", "_queue", "_shards", "due", "size")

    def __init__(self) -> None:
        self._shards: tuple[dict[Key, V], ...] = tuple({} for _ in range(_SHARDS))
        self._ends: dict[int, list[Key]] = {}  # the keys by the span in which they end
        self._queue: list[int] = []  # those spans, a heap
        self.size = 0
        self.due = inf

    def __len__(self) -> int:
        return self.size

    def get(self, key: Key) -> V | None:
        return self._shards[hash(key) % _SHARDS].get(key)

    def __contains__(self, key: Key) -> bool:
        return key in self._shards[hash(key) % _SHARDS]

    def shard(self, key: Key) -> dict[Key, V]:
        """The part that `key` is in, if it is in any."""
        return self._shards[hash(key) % _SHARDS]

    def add(self, shard: dict[Key, V], key: Key, value: V, until: float) -> Undo:
        """Adds what is not there to its part; the returned callable takes that back."""
        shard[key] = value
        self.size += 1
        return partial(self._take_back, key, None, self._note(key, int(until // _SPAN)))

    def insert(self, key: Key, value: V, until: float) -> Undo:
        """Adds or replaces; the returned callable takes that back."""
        shard = self._shards[hash(key) % _SHARDS]
        old = shard.get(key)
        shard[key] = value
        notes: list[Key] | None = None
        if old is None:
            self.size += 1
        if old is None or _until(old) != until:
            notes = self._note(key, int(until // _SPAN))
        return partial(self._take_back, key, old, notes)

    def _note(self, key: Key, span: int) -> list[Key]:
        keys = self._ends.get(span)
        if keys is None:
            keys = self._ends[span] = []
            heappush(self._queue, span)
            self.due = (self._queue[0] + 1) * _SPAN
        keys.append(key)
        return keys

    def _take_back(self, key: Key, old: V | None, notes: list[Key] | None) -> None:
        if old is None:
            self._remove(key)
        else:
            self._shards[hash(key) % _SHARDS][key] = old
        if notes and notes[-1] == key:
            notes.pop()

    def _remove(self, key: Key) -> None:
        if self._shards[hash(key) % _SHARDS].pop(key, None) is not None:
            self.size -= 1

    def forget(self, past: float, count: int, gone: Callable[[Key], object] = len) -> None:
        """Up to `count` entries that ended before `past` (seconds since the epoch); tells `gone` of each."""
        while count and self._queue and (self._queue[0] + 1) * _SPAN <= past:
            keys = self._ends[self._queue[0]]
            if not keys:
                del self._ends[heappop(self._queue)]
                self.due = (self._queue[0] + 1) * _SPAN if self._queue else inf
                continue
            count -= 1
            key = keys.pop()
            value = self.get(key)
            if value is not None and _until(value) <= past:  # it may have begun a new life meanwhile
                self._remove(key)
                gone(key)


def _only_asks(write: Add) -> bool:
    return write.n == 0 and write.limit is not None


def _until(value: object) -> float:
    return value.until if isinstance(value, Counter) else value  # type: ignore[return-value]


def _roll_back(undo: list[Undo]) -> None:
    for step in reversed(undo):
        step()


def check_until(until: float) -> None:
    """A time that a store can order by; `ConfigurationError` for what is none."""
    if not isfinite(until):
        raise ConfigurationError(f"until={until}: seconds since the epoch, a finite number")


def check_ref(write: Put | Take) -> None:
    """`Put` and `Take` may not touch what `Once` and `Add` keep, and a record goes where its class belongs.

    Raises:
        ConfigurationError: the write breaks one of these.
    """
    kind = write.ref.kind
    if kind is Spent or kind is Counter:
        raise ConfigurationError(f"{kind.__name__} records are written by {'Once' if kind is Spent else 'Add'} only")
    if isinstance(write, Put) and type(write.record) is not kind:
        raise ConfigurationError(f"a {type(write.record).__name__} can't be put where a {kind.__name__} is kept")

"""Mappings in memory whose entries end, forgotten a few at a time in about the order in which they end."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from functools import partial
from heapq import heappop, heappush
from math import inf
from typing import Any

from watchword.stores.counting import KEPT, Tally

__all__ = ["Counters", "Key", "Passing", "Undo"]

_SHARDS = 64  # a dict of a million entries pauses for tens of ms when it grows; sixty-fourths of it don't
_SPAN = 16.0  # seconds whose entries are forgotten together
_STEP = 4  # entries forgotten per note made: more than come in, so that what has ended never piles up
_PART = 12  # two to the power of it are in line together

Key = tuple[Any, ...]
Undo = Callable[[], object]


class _Ends:
    """The keys of entries by the span of time in which they end, each in the order in which it was noted.

    Before `due` (seconds since the epoch) none of them has ended.
    """

    __slots__ = ("_queue", "_spans", "due")

    def __init__(self) -> None:
        self._spans: dict[int, deque[Key]] = {}
        self._queue: list[int] = []  # those spans, a heap
        self.due = inf

    def note(self, key: Key, span: int) -> deque[Key]:
        """Notes when `key` ends; where it was noted."""
        keys = self._spans.get(span)
        if keys is None:
            keys = self._spans[span] = deque()
            heappush(self._queue, span)
            self.due = (self._queue[0] + 1) * _SPAN
        keys.append(key)
        return keys

    def first(self, past: float) -> Key | None:
        """Takes out the key that ends first, if it ended before `past` (seconds since the epoch)."""
        while self.due <= past:
            span = self._queue[0]
            keys = self._spans[span]
            if keys:
                return keys.popleft()
            del self._spans[heappop(self._queue)]
            self.due = (self._queue[0] + 1) * _SPAN if self._queue else inf
        return None

    def notes(self) -> int:
        """How many are noted."""
        return sum(map(len, self._spans.values()))


class Passing(_Ends):
    """A mapping to times, in seconds since the epoch, at which its entries end. `size` is how many there are."""

    __slots__ = ("_shards", "size")

    def __init__(self) -> None:
        super().__init__()
        self._shards: tuple[dict[Key, float], ...] = tuple({} for _ in range(_SHARDS))
        self.size = 0

    def __len__(self) -> int:
        return self.size

    def get(self, key: Key) -> float | None:
        return self._shards[hash(key) % _SHARDS].get(key)

    def insert(self, key: Key, until: float) -> Undo:
        """Adds or replaces; the returned callable takes that back."""
        shard = self._shards[hash(key) % _SHARDS]
        old = shard.get(key)
        shard[key] = until
        notes: deque[Key] | None = None
        if old is None:
            self.size += 1
        if old != until:
            notes = self.note(key, int(until // _SPAN))
        return partial(self._take_back, key, old, notes)

    def _take_back(self, key: Key, old: float | None, notes: deque[Key] | None) -> None:
        if old is None:
            self._remove(key)
        else:
            self._shards[hash(key) % _SHARDS][key] = old
        if notes and notes[-1] == key:
            notes.pop()

    def _remove(self, key: Key) -> None:
        if self._shards[hash(key) % _SHARDS].pop(key, None) is not None:
            self.size -= 1

    def forget(self, past: float, gone: Callable[[Key], object] = len) -> None:
        """A few entries that ended before `past` (seconds since the epoch); tells `gone` of each."""
        for _ in range(_STEP):
            key = self.first(past)
            if key is None:
                return
            until = self.get(key)
            if until is not None and until <= past:  # it may have begun a new life meanwhile
                self._remove(key)
                gone(key)


class _Line:
    """Keys in the order in which they came; each is found again by its ticket, a number that only grows."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: OrderedDict[int, OrderedDict[Key, None]] = OrderedDict()  # in parts, as a dict in shards

    def join(self, key: Key, ticket: int) -> None:
        """Adds it at the end."""
        part = self._parts.get(ticket >> _PART)
        if part is None:
            part = self._parts[ticket >> _PART] = OrderedDict()
        part[key] = None

    def leave(self, key: Key, ticket: int) -> None:
        """Takes it out."""
        part = self._parts[ticket >> _PART]
        del part[key]
        if not part:
            del self._parts[ticket >> _PART]

    def first(self) -> Key:
        """The one that has been there the longest."""
        return next(iter(next(iter(self._parts.values()))))


class Counters(_Ends):
    """The counters of a store in memory: `size` are there, `sizes` of each rank, in the order in which they came to it."""

    __slots__ = ("_lines", "_shards", "_ticket", "size", "sizes")

    def __init__(self) -> None:
        super().__init__()
        self._shards: tuple[dict[Key, tuple[Tally, int]], ...] = tuple({} for _ in range(_SHARDS))
        self._lines = tuple(_Line() for _ in range(KEPT + 1))
        self._ticket = 0
        self.size = 0
        self.sizes = [0] * (KEPT + 1)

    def __len__(self) -> int:
        return self.size

    def get(self, key: Key) -> Tally | None:
        entry = self._shards[hash(key) % _SHARDS].get(key)
        return None if entry is None else entry[0]

    def put(self, key: Key, new: Tally) -> None:
        """Adds or replaces."""
        shard = self._shards[hash(key) % _SHARDS]
        old, ticket = shard.get(key, (None, 0))
        if old is not None:
            if old.until == new.until and old.rank == new.rank:
                shard[key] = new, ticket
                return
            self.remove(key)
        if old is None or old.until != new.until:
            self.note(key, int(new.until // _SPAN))
        self._ticket += 1
        shard[key] = new, self._ticket
        self._lines[new.rank].join(key, self._ticket)
        self.sizes[new.rank] += 1
        self.size += 1

    def remove(self, key: Key) -> None:
        """Takes it out, if it is there."""
        entry = self._shards[hash(key) % _SHARDS].pop(key, None)
        if entry is not None:
            tally, ticket = entry
            self._lines[tally.rank].leave(key, ticket)
            self.sizes[tally.rank] -= 1
            self.size -= 1

    def drop_least(self, share: int) -> None:
        """Drops the first in the lowest rank of which there are `share`."""
        for rank in range(KEPT):
            if self.sizes[rank] >= share:
                self.remove(self._lines[rank].first())
                return

    def forget(self, past: float, notes: int) -> None:
        """A few counters that ended before `past` (seconds since the epoch), for so many `notes` to come."""
        for _ in range(notes * _STEP):
            first = self.first(past)
            if first is None:
                return
            tally = self.get(first)
            if tally is not None and tally.until <= past:
                self.remove(first)

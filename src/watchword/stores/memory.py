"""Remembering in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from threading import Lock
from typing import Any, TypeVar, cast

from watchword.core.records import (
    COMMITTED, Add, Conflict, Counter, Exceeded, Found, Once, Outcome, Put, Ref, Replayed, Spent, Take, TakeBack, Write,
)  # fmt: skip
from watchword.core.rejection import ConfigurationError, StoreUnavailable
from watchword.stores.administration import Admin
from watchword.stores.changes import Changes
from watchword.stores.counting import KEPT, Tally, adding, is_question, most_kept, no_room_to_keep, share_of_a_rank
from watchword.stores.marks import Marks
from watchword.stores.passing import Counters, Key, Passing, Undo
from watchword.stores.writes import GRACE, check_once, check_ref, check_until

__all__ = ["MemoryStore"]

V = TypeVar("V")


class MemoryStore(Admin):
    """Remembers in this process; forgets when it ends.

    Behind several processes each would have its own replay memory, so the same request would be accepted once by
    each: use `SQLStore` there. When `capacity` entries of replay memory and counters are alive, further ones are
    refused with `StoreUnavailable`: nothing that could still be replayed is ever dropped to make room. Counters have half of
    it, and the least valuable of them goes when that is full (`stores.counting`).

    Args:
        capacity: marks and counters kept at most; counters fill half of it at most.
        clock: seconds since the epoch, for everything that the store remembers or issues.

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
        self.clock = clock
        self._lock = Lock()
        self._records: dict[Ref[Any], tuple[Any, int]] = {}
        self._marks = Marks(capacity)
        self._counters = Counters()
        self._most_counters = max(1, capacity // 2)
        self._ends = Passing()  # of the records that end
        self._changes = Changes()

    def __repr__(self) -> str:
        return f"MemoryStore(capacity={self._capacity})"

    def changes(self, kind: type, /) -> int:
        """A number that is another one after each write of that kind (`core.scheme.Changes`)."""
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
        key, marks, past = ref.key, self._marks, self.clock() - GRACE
        until = marks.until(marks.place(key), past)
        if until is None and key[:1] == ("owner",):  # as `Once.place` spells it
            until = marks.until(marks.place(key[2:], *key[1:2]), past)
        return None if until is None else (Spent(until), 1)

    def _counted(self, ref: Ref[Any]) -> tuple[Any, int] | None:
        tally = self._living(ref.key, self.clock())
        return None if tally is None else (Counter(tally.value, tally.until), 1)

    def records(self, kind: type[V], most: int | None = None) -> list[tuple[Key, V]]:
        """Every record of `kind` with its key, or `most` of them, in the order of the keys: for administration, not for guards."""
        with self._lock:
            found = ((ref.key, entry[0]) for ref, entry in self._records.items() if ref.kind is kind)
            entries = list(islice(found, most))
        return sorted(entries, key=lambda entry: entry[0])

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        undo: list[Undo] = []
        counted: dict[Key, Tally] = {}
        refusal: Outcome | None = None
        with self._lock:
            try:
                for write in writes:
                    if type(write) is Once:  # before the others: most commits are one, with questions before it
                        refusal = self._mark(write, undo)
                    elif type(write) is Add:
                        # A question about counters where there are none is answered.
                        if counted or self._counters.size or not is_question(write):
                            refusal = self._add(write, counted)
                    elif type(write) is TakeBack:
                        self._take_back(write, undo)
                    else:
                        refusal = self._replace(cast("Put | Take", write), undo)
                    if refusal is not None:
                        break
                if counted and refusal is None:
                    self._count(counted)
            except BaseException:
                _roll_back(undo)
                raise
            if refusal is not None:
                _roll_back(undo)
                return refusal
        return COMMITTED

    def _mark(self, write: Once, undo: list[Undo]) -> Outcome | None:
        check_once(write)
        key, until, owner = write
        marks, counters, ends, past = self._marks, self._counters, self._ends, self.clock() - GRACE
        if counters.due <= past or ends.due <= past:
            self._forget(past, 1)
        if marks.size + counters.size + ends.size >= self._capacity:
            if any(self._marked(ref) for ref in write.refs):  # that needs no room
                return Replayed(write)
            self._check_room(past, 1)
        # A mark that has ended before it is made tells of another clock: it is kept for the grace all the same.
        place = marks.mark(key, owner, max(until, past + GRACE), past)
        if place is None:
            return Replayed(write)
        undo.append(partial(marks.remove, place))
        return None

    def _take_back(self, write: TakeBack, undo: list[Undo]) -> None:
        marks = self._marks
        place = marks.place(write.key, write.owner)
        until = marks.remove(place)
        if until is not None:
            undo.append(partial(marks.put_back, place, until))

    def _add(self, write: Add, counted: dict[Key, Tally]) -> Outcome | None:
        """Notes in `counted` what becomes of the counter."""
        check_until(write.until)
        now = self.clock()

        def living(key: Key) -> Tally | None:
            tally = counted.get(key)
            return self._living(key, now) if tally is None else tally if tally.lives(now) else None

        made = adding(write, living(write.counter), None if write.after is None else living(write.after.counter))
        if isinstance(made, Exceeded):
            return made
        if made is not None:
            counted[write.counter] = made
        return None

    def _count(self, counted: dict[Key, Tally]) -> None:
        """Keeps the counters as they are now, all or none of them."""
        counters, most = self._counters, self._most_counters
        past = self.clock() - GRACE
        self._forget(past, len(counted))
        sizes = [*counters.sizes]
        for key, tally in counted.items():
            old = counters.get(key)
            if old is not None:
                sizes[old.rank] -= 1
            if tally.value:
                sizes[tally.rank] += 1
        # Marks are made by genuine credentials only, counters by whoever guesses: they must not shut genuine ones out.
        excess, share = sum(sizes) - most, share_of_a_rank(most)
        if sizes[KEPT] > max(counters.sizes[KEPT], most_kept(most)):
            raise no_room_to_keep(most)
        if excess > sum(max(0, size - share + 1) for size in sizes[:KEPT]):
            raise StoreUnavailable(f"half of the {self._capacity} entries are counters (MemoryStore capacity)")
        self._check_room(past, sum(sizes) - max(0, excess) - counters.size)
        for key, tally in counted.items():
            if tally.value:
                counters.put(key, tally)
            else:
                counters.remove(key)
        for _ in range(excess):
            counters.drop_least(share)

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
                self._make_room(self.clock() - GRACE)
                undo.append(self._ends.insert(ref, write.until))
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

    def _living(self, key: Key, now: float) -> Tally | None:
        tally = self._counters.get(key)
        return tally if tally is not None and tally.lives(now) else None

    def _make_room(self, past: float) -> None:
        self._forget(past, 1)
        self._check_room(past, 1)

    def _forget(self, past: float, more: int) -> None:
        counters, ends = self._counters, self._ends
        if counters.due <= past:
            counters.forget(past, more)
        if ends.due <= past:
            ends.forget(past, self._drop)

    def _check_room(self, past: float, more: int) -> None:
        room = self._capacity - self._counters.size - self._ends.size - more
        if self._marks.size > room and not self._marks.sweep(past, room):
            raise StoreUnavailable(f"replay memory is full: {self._capacity} entries are alive (MemoryStore capacity)")

    def _drop(self, ref: Key) -> None:
        self._records.pop(ref, None)  # type: ignore[call-overload]


def _roll_back(undo: list[Undo]) -> None:
    for step in reversed(undo):
        step()

"""What a million replay marks cost `MemoryStore`: octets each, and the longest that one commit takes.

Times are processor time of the thread that commits, its garbage collections included. Every request leaves an object behind
that the collector goes through, as those of an application do.
"""

from __future__ import annotations

import gc
import os
import sys
from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import thread_time
from typing import Any

from bench.harness import Unfit
from watchword.core.records import COMMITTED, Once, Replayed
from watchword.core.rejection import StoreUnavailable
from watchword.stores import MemoryStore
from watchword.stores.writes import GRACE

LIFE = 300.0
SPREAD = 16
OWNER = "b7f2a2f0c1d34c55"


def report(seed: int | None, cases: int | None) -> Iterable[str]:
    """The lines of the report; `cases` marks, a million by default. Keys are random, whatever the seed."""
    count = cases or 1_000_000
    now = [1e9]
    store = MemoryStore(capacity=count, clock=lambda: now[0])
    yield f"MemoryStore with {count:,} live marks of 32 hexadecimal digits each, every other one with an owner"
    empty, before = collected(), resident()
    yield line("filled", taken(store, marks(count, now), now, LIFE / count))
    yield memory(store, count, before)
    first = Once(("bench", "first"), now[0] + LIFE)
    yield line("refused, full", [refused(store, first) for _ in range(5000)])
    yield f"  a full collection takes {collected() * 1e3:.2f} ms, and {empty * 1e3:.2f} ms when the store was empty"
    now[0] += GRACE + SPREAD
    yield line("one goes, one comes", taken(store, marks(count * 9 // 10, now), now, LIFE / count))
    yield memory(store, count, before)


def marks(count: int, now: list[float]) -> Iterator[Once]:
    """New ones, which don't end in the order in which they come."""
    for number in range(count):
        until = now[0] + LIFE + number % SPREAD
        yield Once(("bench", "a-client", os.urandom(16).hex()), until, OWNER if number % 2 else None)


def memory(store: MemoryStore, count: int, before: int) -> str:
    """What the marks take, of a process that had so much `before`."""
    counted = store._marks.octets()  # noqa: SLF001 -- a store doesn't tell
    return f"  memory: {counted / count:.1f} octets a mark by sys.getsizeof, {(resident() - before) / count:.1f} by the growth of the process"


def taken(store: MemoryStore, writes: Iterable[Once], now: list[float], pace: float) -> array[float]:
    """Seconds that each commit took, while the clock goes on at this pace.

    Raises:
        Unfit: a mark is not taken, or taken twice.
    """
    times, commit, kept = array("d"), store.commit, deque[list[Any]](maxlen=10_000)
    for write in writes:
        now[0] += pace
        start = thread_time()
        kept.append([commit([write]), write])
        times.append(thread_time() - start)
        if kept[-1][0] != COMMITTED:
            raise Unfit(f"{kept[-1][0]} for a new mark")
    if any(commit([write]) != Replayed(write) for _, write in kept):
        raise Unfit("a mark is taken twice")
    return times


def refused(store: MemoryStore, write: Once) -> float:
    """Seconds that the refusal took.

    Raises:
        Unfit: it was taken.
    """
    start = thread_time()
    try:
        store.commit([write])
    except StoreUnavailable:
        return thread_time() - start
    raise Unfit("more marks than there is room for")


def collected() -> float:
    """Seconds that a collection of all generations takes: the longest of five."""
    longest = 0.0
    for _ in range(5):
        start = thread_time()
        gc.collect()
        longest = max(longest, thread_time() - start)
    return longest


def resident() -> int:
    """Octets of memory that the process has."""
    if sys.platform != "linux":
        return 0
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def line(name: str, taken: Iterable[float]) -> str:
    """The middle one, the thousandth longest in a thousand, and the longest."""
    times = sorted(taken)
    middle, late, longest = times[len(times) // 2], times[-1 - len(times) // 1000], times[-1]
    return f"  {name:<20} {middle * 1e6:6.1f} µs in the middle, {late * 1e6:6.1f} µs at 99.9 %, {longest * 1e3:5.2f} ms the longest"

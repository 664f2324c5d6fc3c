"""What a program of steps asks of its driver."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple

from watchword.core.lock import Lock
from watchword.core.records import Found, Ref, Source, Write
from watchword.core.scheme import BodyNeed, Digests, More

__all__ = ["Acquire", "Commit", "Fetch", "ReadBody", "Step", "Work", "fetching"]


class Fetch(NamedTuple):
    """Answered by `Found`; from the guard's store unless `source` is given."""

    refs: Sequence[Ref[Any]]
    source: Source | None = None


class Commit(NamedTuple):
    """Answered by an `Outcome`."""

    writes: Sequence[Write]


class ReadBody(NamedTuple):
    """Answered by a `Body` of at most `limit` octets."""

    need: BodyNeed | Digests
    limit: int


class Work(NamedTuple):
    """Answered by what `call()` returns; it takes milliseconds and must not hold up an event loop."""

    call: Callable[[], Any]


class Acquire(NamedTuple):
    """Answered by the `Turn` that holds `lock`; `StoreUnavailable` after `patience` seconds in its queue."""

    lock: Lock
    lease: float
    patience: float


Step = Fetch | Commit | ReadBody | Work | Acquire


def fetching(more: More, found: Found) -> Generator[Step, Any, Found]:
    """What was `found`, and what `more` asks for."""
    if more.refs:
        found = found.merged((yield Fetch(more.refs)), more.refs)
    for source, refs in more.asks:
        found = found.merged((yield Fetch(refs, source)), refs)
    return found

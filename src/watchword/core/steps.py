"""What a program of steps asks of its driver."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from watchword.core.records import Ref, Write
from watchword.core.scheme import BodyNeed, Digests

__all__ = ["Commit", "Fetch", "ReadBody", "Step", "Work"]


class Fetch(NamedTuple):
    """Answered by `Found`."""

    refs: Sequence[Ref[Any]]


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


Step = Fetch | Commit | ReadBody | Work

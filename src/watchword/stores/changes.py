"""Which kinds of records were written through a store, so that what is remembered of them elsewhere can be forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from watchword.core.records import Put, Take, Write

__all__ = ["Changes"]


class Changes:
    """Numbers by kind; safe in threads without a lock, as no number is ever given twice.

    >>> from watchword.core.records import Ref, Spent
    >>> changes = Changes()
    >>> before = changes.of(Spent)
    >>> changes.note([Take(Ref(Spent, ("a",)))])
    >>> changes.of(Spent) == before
    False
    """

    __slots__ = ("_latest", "_numbers")

    def __init__(self) -> None:
        self._numbers = count(1)
        self._latest: dict[type, int] = {}

    def of(self, kind: type) -> int:
        """The number that the latest write of that kind got; 0: none was written yet."""
        return self._latest.get(kind, 0)

    def note(self, writes: Sequence[Write]) -> None:
        """Call it once `writes` can be fetched, or may be: after the commit, however it ended."""
        for write in writes:
            if isinstance(write, Put | Take):
                self._latest[write.ref.kind] = next(self._numbers)

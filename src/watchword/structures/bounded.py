"""A table of what is worth remembering, which never grows beyond its size: `Bounded`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

__all__ = ["Bounded"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """Remembers `most` entries; of more the one that was put in first goes first.

    `get` is that of a dict and takes no lock, for every request asks something of such a table, and few put something in.
    Threads may share one.

    A copy, pickled or not, begins empty: what a process has learnt stays in it.

    >>> table = Bounded(2)
    >>> for name in ("a", "b", "c"):
    ...     table.put(name, name.upper())
    >>> list(table), table.get("c"), table.get("a")
    (['b', 'c'], 'C', None)
    """

    __slots__ = ("_changing", "_entries", "_most", "get")

    def __init__(self, most: int) -> None:
        self._entries: dict[K, V] = {}
        self._most = most
        self._changing = threading.Lock()
        self.get: Callable[[K], V | None] = self._entries.get

    def put(self, key: K, value: V) -> None:
        """Remembers `value`; in the place of the one that `key` has, if it has one."""
        entries = self._entries
        with self._changing:
            if key not in entries and len(entries) >= self._most:
                del entries[next(iter(entries))]
            entries[key] = value

    def pop(self, key: K) -> V | None:
        """Forgets the entry, and gives it back; None if there is none."""
        with self._changing:
            return self._entries.pop(key, None)

    def values(self) -> list[V]:
        """All values, the oldest first."""
        return list(self._entries.values())

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[K]:
        return iter(list(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"Bounded({self._most}, entries={len(self)})"

    def __reduce__(self) -> tuple[type[Bounded[K, V]], tuple[int]]:
        return type(self), (self._most,)

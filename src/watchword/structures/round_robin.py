"""Turns by rotation: the groups of one level are served one after the other, however much each of them has waiting."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

__all__ = ["RoundRobin"]

T = TypeVar("T", bound=Hashable)


class RoundRobin(Generic[T]):
    """Items below paths of groups, widest group first; the items of one path come first in, first out.

    Every operation takes as many steps as the path is long. A group is forgotten with its last item.

    >>> waiting = RoundRobin[str]()
    >>> for path, item in (("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1")):
    ...     waiting.append([path], item)
    >>> [waiting.pop() for _ in range(4)]
    ['a1', 'b1', 'a2', 'a3']
    """

    __slots__ = ("_groups", "_items")

    def __init__(self) -> None:
        self._groups: OrderedDict[str, RoundRobin[T]] = OrderedDict()
        self._items: OrderedDict[T, None] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._groups or self._items)

    def append(self, path: Sequence[str], item: T) -> None:
        """Puts `item` behind those of its path; a group that had none comes after the others of its level."""
        if path:
            self._groups.setdefault(path[0], RoundRobin()).append(path[1:], item)
        else:
            self._items[item] = None

    def remove(self, path: Sequence[str], item: T) -> None:
        """Takes out `item`, which was appended with this path."""
        if not path:
            del self._items[item]
            return
        inner = self._groups[path[0]]
        inner.remove(path[1:], item)
        if not inner:
            del self._groups[path[0]]

    def pop(self) -> T:
        """Takes out the next item; its groups go behind the others of their level."""
        if not self._groups:
            return self._items.popitem(last=False)[0]
        group, inner = self._groups.popitem(last=False)
        item = inner.pop()
        if inner:
            self._groups[group] = inner
        return item

"""A call that may run in another thread, and what is to follow it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Call"]

T = TypeVar("T")


class Call(Generic[T]):
    """`call`, which may run in another thread, and the call that is to follow it.

    Raises:
        RuntimeError: when called, if what is to follow it has followed.

    >>> call = Call(lambda: "done")
    >>> call(), call.then(lambda: print("over"))
    over
    ('done', None)
    """

    __slots__ = ("_call", "_following", "_is_over", "_mutex", "_runs")

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._mutex = threading.Lock()
        self._runs = False
        self._is_over = False
        self._following: Callable[[], None] | None = None

    def __call__(self) -> T:
        with self._mutex:
            if self._is_over:  # the thread came too late: somebody else has the turn by now
                raise RuntimeError("the turn of this work has ended before the work began")
            self._runs = True
        try:
            return self._call()
        finally:
            with self._mutex:
                self._runs = False
                following = self._following
            if following is not None:
                following()

    def then(self, following: Callable[[], None]) -> None:
        """Calls `following` when this doesn't run any more; if it hasn't begun, it never will."""
        with self._mutex:
            if self._runs:
                self._following = following
                return
            self._is_over = True
        following()

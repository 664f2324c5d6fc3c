"""Watches which handlers run, without touching them: an app may refuse a request after its handler has done the work.

The interpreter's profile hook sees each call and each return. Decorators, closures and frameworks stay as they are.
"""

from __future__ import annotations

import dis
import functools
import inspect
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

__all__ = ["Watch", "innermost"]


def innermost(endpoint: object) -> Callable[..., Any] | None:
    """The function at the heart of an endpoint: without decorators that say what they wrap, partials and bound methods.

    >>> def orders(): ...
    >>> innermost(functools.partial(functools.wraps(orders)(lambda: orders()))) is orders
    True
    """
    inner: Any = endpoint
    for _ in range(32):
        if isinstance(inner, functools.partial):
            inner = inner.func
        elif hasattr(inner, "__wrapped__"):
            inner = inner.__wrapped__
        elif inspect.ismethod(inner):
            inner = inner.__func__
        else:
            break
    return inner if inspect.isfunction(inner) else None


class Watch:
    """Which of the handlers ran, and what they returned."""

    def __init__(self) -> None:
        self.reached: set[CodeType] = set()
        self.completed: list[tuple[CodeType, Any]] = []
        self._codes: frozenset[CodeType] = frozenset()

    def start(self) -> None:
        """Has threads that are started from now on watched too: frameworks run plain functions in threads."""
        threading.setprofile(self._see)

    def stop(self) -> None:
        """Ends that."""
        threading.setprofile(None)

    @contextmanager
    def over(self, codes: frozenset[CodeType]) -> Iterator[None]:
        """Watches these functions while the block runs."""
        self.reached, self.completed, self._codes = set(), [], codes
        before = sys.getprofile()
        if codes:
            sys.setprofile(self._see)
        try:
            yield
        finally:
            if codes:
                sys.setprofile(before)
            self._codes = frozenset()

    def _see(self, frame: FrameType, event: str, value: Any) -> None:
        code = frame.f_code
        if code not in self._codes:
            return
        if event == "call":
            self.reached.add(code)
        elif event == "return" and _ends(frame):
            self.completed.append((code, value))


def _ends(frame: FrameType) -> bool:
    """Whether a function returns, rather than that it awaits, yields or raises: all four are events of the same name."""
    name = dis.opname[frame.f_code.co_code[frame.f_lasti]]
    return name.startswith("RETURN") and name != "RETURN_GENERATOR"

"""Who calls: a library asks its Auth for credentials without saying which client it asks for, and through what it sends.

A client's proxies and transports decide whether a password stays on this host, its settings how a token is fetched. The
client is found among the callers, by the function that asks; where it isn't there, nothing is known of it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any

__all__ = ["calls", "code_of"]


def code_of(function: Callable[..., Any] | None) -> CodeType | None:
    """What is run where `function` is called, by which `calls` knows it; None for what isn't written in Python."""
    return getattr(function, "__code__", None)


def calls(*codes: CodeType | None) -> Iterator[FrameType]:
    """The calls of the functions with this code that are under way in this thread or task, the innermost first."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 -- the documented way to the callers; CPython has it
    while frame is not None:
        if frame.f_code in codes:
            yield frame
        frame = frame.f_back

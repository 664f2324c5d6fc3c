"""A flow that belongs to no request of the caller's: to begin a log-in, to finish it, to give a token back."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

from watchword.core.message import Request
from watchword.effects import Context

__all__ = ["Errand"]

T = TypeVar("T")


class Errand(Generic[T]):
    """Made by `OAuth2Auth`, carried out by `watchword.clients.direct.perform`; its result is a `T`.

    Args:
        what: a few words about it.
        steps: makes its effects.
    """

    __slots__ = ("__weakref__", "_steps", "_what")

    def __init__(self, what: str, steps: Callable[[Context], Generator[Any, Any, T]]) -> None:
        self._what, self._steps = what, steps

    def flow(self, request: Request, context: Context, /) -> Generator[Any, Any, T]:
        """Its effects; no request of the caller's is among them."""
        return self._steps(context)

    def __repr__(self) -> str:
        return f"Errand({self._what})"

"""An act of administration as a method: its parameters, result and documentation, without a second signature.

An act is a coroutine function whose first parameter is an `Administered`. As a method it is given the store instead.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from watchword.core.io import Awaited, Direct, drive
from watchword.core.records import AsyncStore, Store, clock_of
from watchword.stores.administration.administered import Administered

__all__ = ["awaited", "called"]

P = ParamSpec("P")
T = TypeVar("T")

Act = Callable[Concatenate[Administered, P], Coroutine[Any, Any, T]]


def called(act: Act[P, T]) -> Callable[Concatenate[Store, P], T]:
    """The method that performs `act` on a `Store`, in the caller's thread."""

    @wraps(act)
    def method(store: Store, /, *args: P.args, **options: P.kwargs) -> T:
        return drive(act(Administered(Direct(store), clock_of(store)), *args, **options))

    return method


def awaited(act: Act[P, T]) -> Callable[Concatenate[AsyncStore, P], Coroutine[Any, Any, T]]:
    """The method that performs `act` on an `AsyncStore`; slow work is done in a thread."""

    @wraps(act)
    async def method(store: AsyncStore, /, *args: P.args, **options: P.kwargs) -> T:
        return await act(Administered(Awaited(store), clock_of(store)), *args, **options)

    return method

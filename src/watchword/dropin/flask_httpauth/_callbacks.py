"""Calling functions of the application's: plain ones and coroutine functions, with as many arguments as they take."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isawaitable, signature
from typing import Any, TypeVar

from watchword.core.rejection import not_installed

try:
    import flask
except ImportError:
    raise not_installed("flask") from None

__all__ = ["Callback", "View", "called", "takes"]

Callback = TypeVar("Callback", bound=Callable[..., Any])
View = TypeVar("View", bound=Callable[..., Any])


def called(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What the function returns. An awaitable is awaited, whatever kind of callable gave it.

    A coroutine is true. Whoever takes it for the answer of a check lets everybody in.
    """
    app = flask.current_app
    answer = app.ensure_sync(function)(*args, **kwargs)
    if not isawaitable(answer):
        return answer

    async def awaited() -> Any:
        return await answer

    return app.ensure_sync(awaited)()


def takes(function: Callable[..., Any], count: int) -> bool:
    """Whether the function can be called with `count` arguments; True where nobody can tell.

    >>> takes(lambda status: "no", 1), takes(lambda: "no", 1)
    (True, False)
    """
    try:
        signature(function).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # some functions in C have no signature
        return True
    return True

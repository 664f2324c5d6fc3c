"""Views of Flask that ask first."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from watchword.core.rejection import not_installed

try:
    import flask
except ImportError:
    raise not_installed("flask") from None

__all__ = ["View", "asking_first", "globals_now", "request_now"]

View = TypeVar("View", bound=Callable[..., Any])


def asking_first(view: View, ask: Callable[[], object]) -> View:
    """`view`, called once `ask` has returned."""
    waits = iscoroutinefunction(view)

    @wraps(view)
    def asking(*args: Any, **kwargs: Any) -> Any:
        ask()
        return (flask.current_app.ensure_sync(view) if waits else view)(*args, **kwargs)

    return asking  # type: ignore[return-value] # an async view is awaited by Flask's own means


# What Flask's proxies stand for, asked once where each question would cost a look-up; documented under this name.
request_now: Callable[[], flask.Request] = flask.request._get_current_object  # type: ignore[attr-defined]  # noqa: SLF001
globals_now: Callable[[], Any] = flask.g._get_current_object  # noqa: SLF001

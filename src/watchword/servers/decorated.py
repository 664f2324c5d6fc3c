"""Decorators of handlers: what they are given, and what they stand above."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from inspect import isclass
from typing import Any

from watchword.core.rejection import ConfigurationError

__all__ = ["check_handler", "check_scopes", "functions_of"]


def check_scopes(scopes: tuple[str, ...], name: str) -> tuple[str, ...]:
    """The scopes that a decorator was given.

    Raises:
        ConfigurationError: it was given something else, as where its parentheses are missing.
    """
    if not all(isinstance(scope, str) for scope in scopes):
        raise ConfigurationError(f"{name} takes scopes: write {name}() or {name}('orders:write') above the handler")
    return scopes


def check_handler(handler: object, instead: str) -> None:
    """Takes what can be wrapped.

    Raises:
        ConfigurationError: it is a class, or can't be called; `instead` says what to write for a class.
    """
    if isclass(handler) or not callable(handler):
        what = f"the class {handler.__name__}" if isclass(handler) else type(handler).__name__
        raise ConfigurationError(f"this decorator stands above functions and methods, not above {what}{instead}")


def functions_of(handler: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """The handler, and what it wraps, as far as its decorators say what that is (`functools.wraps`)."""
    found: Any = handler
    while found is not None:
        yield found
        found = getattr(found, "__wrapped__", None)

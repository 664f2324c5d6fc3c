"""Decorators of handlers: what they are given, and what they stand above."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import isclass
from typing import Any
from weakref import WeakKeyDictionary

from watchword.core.rejection import ConfigurationError

__all__ = ["Bare", "check_handler", "check_scopes"]


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


class Bare:
    """What decorators were given, and what they ask: for a handler that is registered without the decorator around it.

    That is so where the decorator stands above its route: there it wraps in vain, and everybody would pass. `noted` grows
    with each.
    """

    def __init__(self) -> None:
        self.noted = 0
        self._asked: WeakKeyDictionary[Any, Sequence[tuple[tuple[str, ...], bool]]] = WeakKeyDictionary()

    def note(self, handler: Callable[..., Any], scopes: tuple[str, ...], optional: bool) -> None:
        """Notes it of the handler, and of what that wraps, as far as its decorators say what that is (`functools.wraps`)."""
        self.noted += 1
        found: Any = handler
        while found is not None:
            self._asked[found] = (*self._asked.get(found, ()), (scopes, optional))
            found = getattr(found, "__wrapped__", None)

    def asked_above(self, handler: Any) -> Sequence[tuple[tuple[str, ...], bool]]:
        """The scopes, and whether anonymous requests may pass, of each decorator that stands above that very handler."""
        try:
            return self._asked.get(handler, ())
        except TypeError:  # it can't be noted, so it wasn't
            return ()

"""Decorators of handlers: what they are given, and what they stand above."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from inspect import isclass, isfunction
from typing import Any
from weakref import WeakKeyDictionary, ref

from watchword.core.rejection import ConfigurationError

__all__ = ["Bare", "check_handler", "check_scopes", "wrapped"]


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
        self._hidden: WeakKeyDictionary[Any, Sequence[Sequence[ref[Any]]]] = WeakKeyDictionary()

    def note(self, handler: Callable[..., Any], scopes: tuple[str, ...], optional: bool, result: object) -> None:
        """Notes it of the handler, and of what that wraps, as far as its decorators say what that is (`functools.wraps`).

        Args:
            handler: what the decorator stands above.
            scopes: what it demands.
            optional: whether anonymous requests may pass.
            result: what it makes of the handler.
        """
        self.noted += 1
        *_, innermost = [self._note(each, scopes, optional) for each in wrapped(handler)]
        for hidden in _held(innermost):
            for each in wrapped(hidden):
                self._hidden[each] = (*self._hidden.get(each, ()), (ref(result), ref(handler)))

    def asked_above(self, handler: Any) -> Sequence[tuple[tuple[str, ...], bool]]:
        """The scopes, and whether anonymous requests may pass, of each decorator that stands above that very handler."""
        try:
            return self._asked.get(handler, ())
        except TypeError:  # it can't be noted, so it wasn't
            return ()

    def check_hidden(self, registered: Collection[Any]) -> None:
        """Takes handlers that no decorator hides from one of these, which stands above it and above their routes.

        Args:
            registered: the handlers of an application, and all that they wrap.

        Raises:
            ConfigurationError: it would be called bare, and everybody would pass.
        """
        there = {id(each) for each in registered}
        for handler in registered:
            for refs in self._hidden.get(handler, ()) if isfunction(handler) else ():
                if not any(id(each()) in there for each in refs):
                    raise ConfigurationError(
                        f"a decorator above {handler.__qualname__} and its route hides it from @auth.required: write that "
                        "below the route, or use functools.wraps in the decorator"
                    )

    def _note(self, handler: Any, scopes: tuple[str, ...], optional: bool) -> Any:
        self._asked[handler] = (*self._asked.get(handler, ()), (scopes, optional))
        return handler


def wrapped(handler: Any) -> Iterator[Any]:
    """A handler, and all that its decorators say that they wrap."""
    while handler is not None:
        yield handler
        handler = getattr(handler, "__wrapped__", None)


def _held(handler: Any) -> Sequence[Any]:
    """The functions that one closes over, or an object has, and theirs: what it may wrap without saying so."""
    found: dict[int, Any] = {}
    todo = [handler]
    while todo:
        each = todo.pop()
        parts = [*getattr(each, "__dict__", {}).values(), getattr(each, "func", None)]
        for cell in getattr(each, "__closure__", None) or ():
            with suppress(ValueError):  # not filled yet
                parts.append(cell.cell_contents)
        new = {id(part): part for part in parts if isfunction(part) and id(part) not in found}
        found |= new
        todo += new.values()
    return list(found.values())

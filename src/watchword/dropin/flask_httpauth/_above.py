"""Decorators that stand above a route, where they guard nothing: noticed before any view of the app answers."""

from __future__ import annotations

from inspect import isfunction
from typing import Any
from weakref import WeakKeyDictionary, ref

from watchword.core.rejection import ConfigurationError, not_installed
from watchword.servers.decorated import wrapped
from watchword.servers.flask.registered import registered

try:
    import flask
except ImportError:
    raise not_installed("flask") from None

__all__ = ["Above"]

NOTED = "watchword_httpauth_noted"


class Above:
    """What the decorators of one object made, to be looked for among the views of each app at its first request."""

    def __init__(self) -> None:
        self._made: WeakKeyDictionary[Any, list[ref[Any]]] = WeakKeyDictionary()
        self._silent: WeakKeyDictionary[flask.Flask, int] = WeakKeyDictionary()
        self._noted = 0

    def note(self, view: Any, result: object) -> None:
        """Called for each decorated view, with what the decorator made of it."""
        if flask.has_request_context():
            return  # decorated for this one request, as some packages do it
        self._noted += 1
        for each in wrapped(view):
            if isfunction(each):
                self._made.setdefault(each, []).append(ref(result))
                each.__dict__.setdefault(NOTED, []).append(self)  # the signal holds no receiver, and nothing else may
        flask.request_started.connect(self._before_request)

    def _before_request(self, app: flask.Flask, **_: Any) -> None:
        if self._silent.get(app) == self._noted:
            return
        functions = registered(app)
        there = {id(each) for each in functions}
        for each in functions:
            made = [one() for one in self._made.get(each, ())] if isfunction(each) else []
            if made and not any(id(one) in there for one in made) and _was_decorated(each, made):
                raise ConfigurationError(
                    f"login_required stands above the route of {each.__qualname__}, where it guards nothing: write it below"
                )
        self._silent[app] = self._noted


def _was_decorated(view: Any, made: list[Any]) -> bool:
    """Whether the name of the view stands for what the decorator made.

    Else the program has called `login_required` itself, for another app, and shows the bare view to everybody on purpose. Of
    functions inside functions nobody can tell.
    """
    if "<locals>" in view.__qualname__:
        return True
    bound = view.__globals__.get(view.__name__)
    return any(each is one for each in wrapped(bound) for one in made if one is not None)

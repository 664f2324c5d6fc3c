"""What decorators ask of the functions that Flask will call for a request, where they stand above what registered those."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from watchword.servers.decorated import Bare, wrapped
from watchword.servers.flask.asking import View, asking_first

__all__ = ["asks_anywhere", "cover", "registered"]

HTTP_METHODS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")
"""The methods of a `MethodView`."""


def cover(bare: Bare, app: Any, demand: Callable[..., object]) -> None:
    """Wraps what was registered bare, since a decorator stands above its route or its `before_request`, where it wraps in vain.

    Args:
        bare: what the decorators noted.
        app: Flask's.
        demand: `demand(scopes, optional=…)`, which raises for a request that may not pass.
    """

    def covered(function: View) -> View:
        for scopes, optional in bare.asked_above(function):
            function = asking_first(function, partial(demand, scopes, optional=optional))
        return function

    for endpoint, view in app.view_functions.items():
        app.view_functions[endpoint] = covered(view)
    for functions in app.before_request_funcs.values():
        functions[:] = map(covered, functions)


def registered(app: Any) -> list[Any]:
    """All functions that the app calls for a request, what these wrap, and the methods of view classes.

    Args:
        app: Flask's.
    """
    functions = [*app.view_functions.values(), *(each for some in app.before_request_funcs.values() for each in some)]
    found = [each for function in functions for each in wrapped(function)]
    classes = {id(kind): kind for each in found if (kind := getattr(each, "view_class", None)) is not None}.values()
    methods = [getattr(kind, name, None) for kind in classes for name in ("dispatch_request", *HTTP_METHODS)]
    return [*found, *(each for method in methods for each in wrapped(method))]


def asks_anywhere(bare: Bare, app: Any) -> bool:
    """Whether any of these asks, wherever its decorator stands.

    Args:
        bare: what the decorators noted.
        app: Flask's.
    """
    return any(bare.asked_above(each) for each in registered(app))

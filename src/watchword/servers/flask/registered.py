"""What decorators ask of the functions that Flask will call for a request, where they stand above what registered those."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from watchword.servers.decorated import Bare
from watchword.servers.flask.asking import View, asking_first

__all__ = ["asks_anywhere", "cover"]

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


def asks_anywhere(bare: Bare, app: Any) -> bool:
    """Whether any view of the app asks, or any `before_request`, wherever its decorator stands.

    Args:
        bare: what the decorators noted.
        app: Flask's.
    """
    functions = [*app.view_functions.values(), *(each for some in app.before_request_funcs.values() for each in some)]
    return any(bare.asked_above(each) for function in functions for each in _wrapped(function))


def _wrapped(function: Any) -> Iterator[Any]:
    """The function, all that it wraps, and the methods of a view class."""
    while function is not None:
        yield function
        view_class = getattr(function, "view_class", None)
        if view_class is not None:
            for name in ("dispatch_request", *HTTP_METHODS):
                yield from _wrapped(getattr(view_class, name, None))
        function = getattr(function, "__wrapped__", None)

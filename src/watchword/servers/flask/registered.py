"""What decorators ask of the functions that Flask will call for a request, where they stand above what registered those."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from watchword.servers.decorated import Bare
from watchword.servers.flask.asking import View, asking_first

__all__ = ["asked_in_vain", "cover"]


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


def asked_in_vain(bare: Bare, app: Any, request: Any) -> Iterator[tuple[tuple[str, ...], bool]]:
    """The scopes, and whether anonymous requests may pass, of each such decorator.

    Args:
        bare: what the decorators noted.
        app: Flask's.
        request: Flask's, which has been routed.
    """
    for name in (None, *reversed(request.blueprints)):
        for function in app.before_request_funcs.get(name, ()):
            yield from bare.asked_above(function)
    rule = request.url_rule
    if rule is None or (request.method == "OPTIONS" and getattr(rule, "provide_automatic_options", False)):
        return  # no view is called
    yield from bare.asked_above(app.view_functions[rule.endpoint])

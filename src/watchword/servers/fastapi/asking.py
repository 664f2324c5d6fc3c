"""Which guards the routes of FastAPI will ask: looked up in the trees of their dependencies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant

from watchword.servers.asgi.request import Scope

__all__ = ["asks", "calls_of_routes"]

Overrides = Mapping[Callable[..., Any], Callable[..., Any]]


def asks(required: Callable[..., Any], optional: Callable[..., Any], scope: Scope) -> bool | None:
    """None if the route depends on neither; else whether anonymous requests may pass, as they may by `optional` alone.

    Args:
        required: the dependency that demands an identity.
        optional: the dependency that takes anonymous requests too.
        scope: the request's, with what routing has put there.
    """
    route = scope.get("route")
    # The routes of an included router have their dependencies, and those of where it was included, in a context of their own.
    context = (scope.get("fastapi") or {}).get("effective_route_context")
    if context is not None and context.original_route is route:
        route = context
    dependant: Dependant | None = getattr(route, "dependant", None)
    if dependant is None:
        return None
    wanted = {required: False, optional: True}
    return min((wanted[call] for call in _calls(dependant, _overrides(route)) if call in wanted), default=None)


def calls_of_routes(routes: Sequence[Any]) -> Iterator[tuple[str, list[Any]]]:
    """The path and the dependencies of each route, those of included routers too, but not of what is mounted.

    Args:
        routes: an app's.
    """
    for route in routes:
        included = getattr(route, "effective_route_contexts", None)
        for one in (route,) if included is None else included():
            dependant: Dependant | None = getattr(one, "dependant", None)
            if dependant is not None:
                yield one.path, _calls(dependant, _overrides(one))


def _overrides(route: Any) -> Overrides:
    overrides: Overrides = getattr(getattr(route, "dependency_overrides_provider", None), "dependency_overrides", {})
    return overrides


def _calls(dependant: Dependant, overrides: Overrides) -> list[Any]:
    """All dependencies below; `dependency_overrides` take the place of what they override."""
    found = []
    for child in dependant.dependencies:
        call: Any = child.call
        if overrides and call in overrides:
            call = overrides[call]
            child = get_dependant(path=child.path or "", call=call)  # noqa: PLW2901 -- the one that is solved instead
        found += [call, *_calls(child, overrides)]
    return found

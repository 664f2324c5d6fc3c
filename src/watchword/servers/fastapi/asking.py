"""Whether the route that FastAPI has chosen will ask a guard: looked up in the tree of its dependencies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant

from watchword.servers.asgi.request import Scope

__all__ = ["asks"]

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
    provider = getattr(route, "dependency_overrides_provider", None)
    found = _found({required: False, optional: True}, dependant, getattr(provider, "dependency_overrides", {}))
    return min(found, default=None)


def _found(wanted: Mapping[Callable[..., Any], bool], dependant: Dependant, overrides: Overrides) -> list[bool]:
    """What `wanted` says of each dependency below; `dependency_overrides` take the place of what they override."""
    found = []
    for child in dependant.dependencies:
        call: Any = child.call
        if overrides and call in overrides:
            call = overrides[call]
            child = get_dependant(path=child.path or "", call=call)  # noqa: PLW2901 -- the one that is solved instead
        if call in wanted:
            found.append(wanted[call])
        found += _found(wanted, child, overrides)
    return found

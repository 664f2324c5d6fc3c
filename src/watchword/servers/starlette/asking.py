"""Which guards the endpoints of Starlette will ask: noted by their decorators, and looked up when the app starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from starlette.routing import Mount, Router

__all__ = ["asked_by_routes", "note"]

ASKED = "watchword_asked"


def note(endpoint: Any, auth: object) -> None:
    """Notes at a decorated endpoint that it asks `auth`; decorators that use `functools.wraps` hand it on."""
    setattr(endpoint, ASKED, (*getattr(endpoint, ASKED, ()), auth))


def asked_by_routes(routes: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """The path of each route, and what its endpoint asks; those below a `Mount` with routes too, but of no other app.

    Args:
        routes: an app's.
    """
    for route in routes:
        if isinstance(route, Mount) and isinstance(route.app, Router):
            yield from asked_by_routes(route.app.routes)
        endpoint = getattr(route, "endpoint", None)
        methods = [getattr(endpoint, name, None) for name in dir(endpoint)] if isinstance(endpoint, type) else []
        for each in (endpoint, *methods):
            for auth in getattr(each, ASKED, ()):
                yield route.path, auth

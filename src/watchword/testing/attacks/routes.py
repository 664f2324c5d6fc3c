"""The routes of an app: what each attack is tried on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from watchword.core.rejection import ConfigurationError

__all__ = ["WEBSOCKET", "Route", "listed", "matches"]

WEBSOCKET = "WEBSOCKET"
"""Stands in the place of the method."""

PLACE = re.compile(r"\{([^{}]*)\}|<([^<>]*)>")
"""A parameter in a path: `{id}`, `{id:int}` or `<int:id>`."""

VALUES = {"int": "1", "float": "1.5", "decimal": "1.5", "uuid": "00000000-0000-4000-8000-000000000001"}
"""A value for each kind of parameter; `1` for any other."""


class Route(NamedTuple):
    """One way into an app.

    Args:
        method: the method, or "WEBSOCKET".
        path: the path as the app writes it, with its parameters.
        handler: the function at its heart, where it could be found.
        framework: whether the framework itself brought the route, as FastAPI brings /docs.
        wrapped: whether a decorator stands above the one that made the route, so that it never runs.
        upgrades: None for a GET that may be a WebSocket's handshake, as far as its router can tell; then what it was found to be.

    >>> Route("GET", "/orders/{order_id:int}").id
    'GET /orders/{order_id:int}'
    >>> Route("GET", "/orders/<int:order_id>").example({"order_id": "7"})
    '/orders/7'
    """

    method: str
    path: str
    handler: Callable[..., Any] | None = None
    framework: bool = False
    wrapped: str = ""
    upgrades: bool | None = False

    @property
    def id(self) -> str:
        """What pytest shows in brackets."""
        return f"{self.method} {self.path}"

    @property
    def is_websocket(self) -> bool:
        """Whether this is a WebSocket."""
        return self.method == WEBSOCKET or self.upgrades is True

    def example(self, parameters: Mapping[str, object]) -> str:
        """The path with a value in the place of each parameter."""

        def value(match: re.Match[str]) -> str:
            first, _, second = (match[1] if match[1] is not None else match[2]).partition(":")
            name, kind = (first, second) if match[1] is not None else (second or first, first)
            return str(parameters.get(name, VALUES.get(kind.strip(), "1")))

        return PLACE.sub(value, self.path)


def matches(pattern: str, route: Route) -> bool:
    """Whether a pattern of the user's means this route: "/orders", "GET /orders", "/orders/*" or "*".

    >>> matches("DELETE /orders/*", Route("DELETE", "/orders/{id}"))
    True
    """
    method, space, path = pattern.strip().partition(" ")
    if not space:
        method, path = "*", method
    path = path.strip()
    named = path == route.path or fnmatchcase(route.path, path.replace("[", "[[]"))
    return named and fnmatchcase(route.method, method.upper())


def listed(lines: Iterable[str]) -> list[Route]:
    """The routes that the user lists, one on each line: `GET /orders`, or `/orders` alone for GET.

    Raises:
        ConfigurationError: a line says something else.
    """
    routes = []
    for line in filter(None, (line.strip() for line in lines)):
        method, space, path = line.partition(" ")
        if not space:
            method, path = "GET", line
        if not path.strip().startswith("/"):
            raise ConfigurationError(f"watchword_routes: {line!r} names no path; write GET /orders, or WEBSOCKET /feed")
        routes.append(Route(method.upper(), path.strip()))
    return routes

"""Reads the routes and WebSockets off the apps of the frameworks, each in the framework's own terms."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from watchword.testing.attacks.application import framework_of
from watchword.testing.attacks.routes import WEBSOCKET, Route
from watchword.testing.attacks.watching import innermost

__all__ = ["GUARDING", "discover"]

AUTOMATIC = frozenset({"HEAD", "OPTIONS"})
"""Methods that frameworks add by themselves; attacks try them on every route anyway."""
METHODS = ("get", "post", "put", "patch", "delete", "options", "trace")
GUARDING = re.compile(
    r"auth|login|log_in|requir|scope|permission|permit|role|admin|guard|protect|token|jwt|user|sign|verif|secur|privat|owner|csrf|only|must|need|allow|"
    r"check|access|right|session|member|staff",
    re.IGNORECASE,
)
"""The names of decorators that guard."""
OWN = ("fastapi.", "starlette.", "litestar.", "flask.", "quart.", "django.contrib.", "aiohttp.")
"""What comes from these modules was brought by the framework."""


def discover(app: Any) -> list[Route] | None:
    """The routes of an app; None if it is of no framework whose routes can be listed."""
    found = framework_of(app)
    if found is None:
        return None
    name, inner = found
    routes: dict[str, Route] = {}
    for route in READERS[name](inner):
        if not (route.method in AUTOMATIC and route.handler is None):
            routes.setdefault(route.id, route)
    for route in [route for route in routes.values() if route.method in AUTOMATIC]:
        if any(other.path == route.path and other.method not in AUTOMATIC for other in routes.values()):
            del routes[route.id]
    return list(routes.values())


def _made(method: str, path: str, endpoint: Any, *, framework: bool | None = None) -> Route:
    handler = innermost(endpoint)
    brought = (getattr(endpoint, "__module__", None) or "").startswith(OWN) if framework is None else framework
    return Route(method, path or "/", handler, brought, _above(endpoint, handler))


def _above(endpoint: Any, handler: Callable[..., Any] | None) -> str:
    """The name of what was put above the decorator that made the route; "" for nothing, and for decorators of ours.

    The module then calls something else by the handler's name than what the framework was given. Decorators of watchword's count wherever they are.
    """
    if handler is None or "." in handler.__qualname__:
        return ""
    now = getattr(sys.modules.get(handler.__module__), handler.__name__, None)
    if not inspect.isfunction(now) or now is handler or not _reaches(now, handler) or _reaches(endpoint, now):
        return ""
    if now.__globals__.get("__name__", "").startswith("watchword."):
        return ""
    return _spoken(now.__code__.co_qualname)


def _spoken(qualified: str) -> str:
    """What people call a decorator: of the functions in which its wrapper was made the outermost whose name says that it guards."""
    outer = [part for part in qualified.split(".") if part != "<locals>"]
    return next((part for part in outer[:-1] if GUARDING.search(part)), outer[0])


def _reaches(wrapper: Any, inner: Any, depth: int = 6) -> bool:
    """Whether a wrapper holds a function: by `__wrapped__`, in its closure or as what it is a method of."""
    if wrapper is inner:
        return True
    held = [getattr(wrapper, name, None) for name in ("__wrapped__", "__func__", "func")]
    for cell in getattr(wrapper, "__closure__", None) or ():
        try:
            held.append(cell.cell_contents)
        except ValueError:
            continue
    return depth > 0 and any(callable(one) and _reaches(one, inner, depth - 1) for one in held)


def _by_method(path: str, endpoint: Any) -> Iterator[Route]:
    """The routes of a class whose methods are called after HTTP's; a plain callable is asked with GET."""
    kind = endpoint if inspect.isclass(endpoint) else type(endpoint)
    found = [method for method in METHODS if inspect.isfunction(getattr(kind, method, None))]
    for method in found:
        yield _made(method.upper(), path, getattr(kind, method))
    if not found:
        yield _made("GET", path, endpoint)


# ---- Starlette and FastAPI -------------------------------------------------------------------------------------------


def _starlette(app: Any) -> Iterator[Route]:
    yield from _of_starlette_routes(app.routes, "")


def _of_starlette_routes(routes: Iterable[Any], prefix: str) -> Iterator[Route]:
    for route in _flat(routes):
        path = f"{prefix}{getattr(route, 'path', None) or ''}"
        inner = getattr(route, "app", None)
        if hasattr(route, "endpoint") and route.endpoint is not None:
            yield from _of_starlette(route, path)
        elif getattr(route, "routes", None):
            yield from _of_starlette_routes(route.routes, path)
        elif inner is not None:
            found = framework_of(inner)
            if found is None:
                yield _made("GET", f"{path}/", inner)
            else:
                yield from (route._replace(path=f"{path}{route.path}") for route in READERS[found[0]](found[1]))


def _of_starlette(route: Any, path: str) -> Iterator[Route]:
    endpoint, methods = route.endpoint, getattr(route, "methods", None)
    if "WebSocket" in type(getattr(route, "original_route", route)).__name__:
        receive = getattr(endpoint, "on_receive", None) if inspect.isclass(endpoint) else None
        yield _made(WEBSOCKET, path, receive or endpoint)
    elif methods:
        yield from (_made(method, path, endpoint) for method in sorted(methods) if method not in AUTOMATIC)
        if set(methods) <= AUTOMATIC:
            yield from (_made(method, path, endpoint) for method in sorted(methods))
    else:
        yield from _by_method(path, endpoint)


def _flat(routes: Iterable[Any]) -> Iterator[Any]:
    """FastAPI keeps the routers that were included; its public iterator unfolds them."""
    unfold = getattr(sys.modules.get("fastapi.routing"), "iter_route_contexts", None)
    for route in routes:
        if type(route).__module__ == "fastapi.routing" and unfold is not None:
            yield from unfold([route])
        else:
            yield route


# ---- Litestar --------------------------------------------------------------------------------------------------------


def _litestar(app: Any) -> Iterator[Route]:
    for route in app.routes:
        path = re.sub(r":(\w+)\}", r":\1}", route.path)
        handlers = getattr(route, "route_handlers", None) or [route.route_handler]
        for handler in handlers:
            function = innermost(getattr(handler, "fn", None))
            module = getattr(function, "__module__", None) or ""
            brought = module.startswith("litestar.")
            if hasattr(handler, "http_methods"):
                methods = sorted(str(getattr(method, "value", method)) for method in handler.http_methods)
                for method in methods:
                    if not (brought and method == "OPTIONS"):
                        yield Route(method, path, function, brought)
            else:
                kind = WEBSOCKET if "ebsocket" in type(handler).__name__ else "GET"
                yield Route(kind, path, function, brought)


# ---- Flask and Quart -------------------------------------------------------------------------------------------------


def _flask(app: Any) -> Iterator[Route]:
    for rule in app.url_map.iter_rules():
        view = app.view_functions.get(rule.endpoint)
        own = rule.endpoint == "static" or rule.endpoint.endswith(".static")
        kind = getattr(view, "view_class", None)
        if getattr(rule, "websocket", False):
            yield _made(WEBSOCKET, rule.rule, view)
            continue
        for method in sorted((rule.methods or set()) - AUTOMATIC):
            inner = getattr(kind, method.lower(), None) if kind is not None else view
            yield _made(method, rule.rule, inner or view, framework=own)


# ---- Django ----------------------------------------------------------------------------------------------------------


def _django(handler: Any) -> Iterator[Route]:
    from django.urls import get_resolver  # noqa: PLC0415 -- only for a project of Django's

    yield from _of_patterns(get_resolver().url_patterns, "/")


def _of_patterns(patterns: Iterable[Any], prefix: str) -> Iterator[Route]:
    for pattern in patterns:
        path = prefix + _django_path(str(pattern.pattern))
        if hasattr(pattern, "url_patterns"):
            yield from _of_patterns(pattern.url_patterns, path)
        else:
            yield from _of_django_view(path, pattern.callback)


def _of_django_view(path: str, view: Any) -> Iterator[Route]:
    kind = getattr(view, "view_class", None) or getattr(view, "cls", None)
    framework = (getattr(view, "__module__", None) or "").startswith(OWN)
    actions = getattr(view, "actions", None)
    if actions:  # a view set of Django REST framework
        yield from (_made(verb.upper(), path, getattr(kind, name), framework=False) for verb, name in actions.items())
    elif kind is not None:
        found = [method for method in METHODS if hasattr(kind, method) and method != "options"]
        yield from (_made(method.upper(), path, getattr(kind, method), framework=framework) for method in found)
    else:
        for method in ("GET", "POST"):  # a function is asked with any method
            yield _made(method, path, view, framework=framework)


def _django_path(pattern: str) -> str:
    """A path of `path()` as it is; the plain part of a regular expression of `re_path()`."""
    if not pattern.startswith("^") and "(?P" not in pattern:
        return pattern
    text = re.sub(r"\(\?P<(\w+)>[^()]*\)", r"<\1>", pattern.lstrip("^"))
    return re.sub(r"\\(.)", r"\1", text.replace("$", "").replace(r"\Z", "").replace("/?", "/"))


# ---- aiohttp, Falcon -------------------------------------------------------------------------------------------------


def _aiohttp(app: Any, prefix: str = "") -> Iterator[Route]:
    for route in app.router.routes():
        if route.resource is None or route.method in AUTOMATIC:
            continue
        path = prefix + route.resource.canonical
        handler = route.handler
        methods = [route.method] if route.method != "*" else ["GET", "POST"]
        if inspect.isclass(handler):
            yield from (_may_upgrade(route) for route in _by_method(path, handler))
        elif _opens_websocket(handler):
            yield _made(WEBSOCKET, path, handler)
        else:
            yield from (_may_upgrade(_made(method, path, handler)) for method in methods)


def _may_upgrade(route: Route) -> Route:
    """A handler of aiohttp's may leave it to another coroutine to make the WebSocketResponse: its answers tell."""
    return route._replace(upgrades=None) if route.method == "GET" else route


def _opens_websocket(handler: Any) -> bool:
    """aiohttp has no routes for WebSockets: a handler that makes a WebSocketResponse answers a handshake."""
    function = innermost(handler)
    return function is not None and "WebSocketResponse" in function.__code__.co_names


def _falcon(app: Any) -> Iterator[Route]:
    from falcon import inspect as falcon_inspect  # noqa: PLC0415 -- only for an app of Falcon's

    resources = {node.uri_template: node.resource for node in _nodes(app._router._roots)}  # noqa: SLF001 -- no public way
    for route in falcon_inspect.inspect_routes(app):
        resource = resources.get(route.path)
        for method in route.methods:
            if not method.internal:
                name = WEBSOCKET if method.method == "WEBSOCKET" else method.method
                yield _made(name, route.path, getattr(type(resource), method.function_name, None), framework=False)


def _nodes(nodes: Iterable[Any]) -> Iterator[Any]:
    for node in nodes:
        yield node
        yield from _nodes(node.children)


READERS: dict[str, Callable[[Any], Iterator[Route]]] = {
    "Starlette": _starlette,
    "Router": _starlette,
    "Litestar": _litestar,
    "Flask": _flask,
    "Quart": _flask,
    "Application": _aiohttp,
    "App": _falcon,
    "BaseHandler": _django,
}

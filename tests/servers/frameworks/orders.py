"""Orders in which decorators, dependencies and middlewares can stand, of which each demands the scope "write" of GET /x."""

# No `from __future__ import annotations`: FastAPI reads annotations, which name what is local here.

from tests.servers.frameworks.rest_views import rest  # first: REST framework needs the project's settings

from collections.abc import Callable, Mapping
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Annotated, Any

import flask
import litestar
from aiohttp import web
from django.http import HttpResponse
from django.urls import path
from django.views import View
from fastapi import APIRouter, Depends, FastAPI, Security
from flask.views import MethodView
from rest_framework.permissions import AllowAny, IsAdminUser, IsAuthenticated
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.servers.frameworks.made import Made, by_aiohttp, by_wsgi
from watchword import Identity
from watchword.servers import aiohttp as of_aiohttp
from watchword.servers import asgi, wsgi
from watchword.servers import fastapi as of_fastapi
from watchword.servers import flask as of_flask
from watchword.servers import litestar as of_litestar
from watchword.servers import starlette as of_starlette
from watchword.servers.django import RequiredMixin, optional, required
from watchword.servers.django.rest_framework import required as permission

Orders = Mapping[str, tuple[Callable[[Any], Made], str]]
"""The app, with a guard in it, and what stands before the route's path."""


def logged(handler: Any) -> Any:
    @wraps(handler)
    def wrapper(*args: Any, **named: Any) -> Any:
        return handler(*args, **named)

    @wraps(handler)
    async def waiting(*args: Any, **named: Any) -> Any:
        return await handler(*args, **named)

    return waiting if iscoroutinefunction(handler) else wrapper


BELOW: Mapping[str, Callable[[Any, Any], Any]] = {
    "alone": lambda auth, handler: auth.required("write")(handler),
    "twice": lambda auth, handler: auth.required()(auth.required("write")(handler)),
    "twice, the other way": lambda auth, handler: auth.required("write")(auth.required()(handler)),
    "optional inside": lambda auth, handler: auth.required("write")(auth.optional(handler)),
    "optional outside": lambda auth, handler: auth.optional(auth.required("write")(handler)),
}
DECORATORS: Mapping[str, Callable[[Any, Any, Any], Any]] = {
    **{name: lambda route, auth, handler, how=how: route(how(auth, handler)) for name, how in BELOW.items()},
    "around another": lambda route, auth, handler: route(auth.required("write")(logged(handler))),
    "inside another": lambda route, auth, handler: route(logged(auth.required("write")(handler))),
    "above": lambda route, auth, handler: auth.required("write")(route(handler)),
    "above another": lambda route, auth, handler: auth.required("write")(logged(route(handler))),
    "above and below": lambda route, auth, handler: auth.required("write")(route(auth.required()(handler))),
    "optional above": lambda route, auth, handler: auth.optional(route(auth.required("write")(handler))),
}
"""Where routes are decorators too."""


def in_flask(order: Callable[[Any, Any, Any], Any], guard: Any) -> Made:
    app = flask.Flask("orders")
    auth = of_flask.Authenticate(guard, app)
    order(app.route("/x"), auth, lambda: "done")
    return Made(app, [], by_wsgi)


def in_flask_by_a_class(guard: Any) -> Made:
    app = flask.Flask("orders")
    auth = of_flask.Authenticate(guard, app)

    class View(MethodView):
        decorators = (auth.required("write"), auth.optional)

        def get(self) -> str:
            return "done"

    app.add_url_rule("/x", view_func=View.as_view("x"))
    return Made(app, [], by_wsgi)


def in_aiohttp(order: Callable[[Any, Any, Any], Any], guard: Any) -> Made:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text="done")

    def made() -> web.Application:
        auth, app, routes = of_aiohttp.Authenticate(guard), web.Application(), web.RouteTableDef()
        order(routes.get("/x"), auth, handler)
        app.add_routes(routes)
        auth.install(app)
        return app

    return Made(made, [], by_aiohttp)


async def done(request: Any) -> PlainTextResponse:
    return PlainTextResponse("done")


def in_starlette(order: Callable[[Any, Any], Any], guard: Any, *, wrapped: Callable[..., Any] = lambda it: it) -> Made:
    auth = of_starlette.Authenticate(guard)
    app = Starlette(routes=[Route("/x", wrapped(order(auth, done)))])
    auth.install(app)
    return Made(app, [])


def by_method(endpoint: Any) -> Any:
    async def get(self: Any, request: Any) -> Any:
        return await endpoint(request)

    return type("Orders", (HTTPEndpoint,), {"get": get})


def in_fastapi(
    guard: Any, *, app: str = "", router: str = "", route: str = "", below: bool = False, middleware: str = ""
) -> Made:  # fmt: skip
    """Each is one of "write", "any", "maybe" and "nested", or none."""
    auth = of_fastapi.Authenticate(guard)

    def writer(who: Annotated[Identity, Security(auth, scopes=["write"])]) -> Identity:
        return who

    kinds = {
        "write": Security(auth, scopes=["write"]), "any": Depends(auth), "maybe": Depends(auth.optional), "nested": Depends(writer),
    }  # fmt: skip
    at_app, at_router, at_route = ([kinds[each] for each in names.split()] for names in (app, router, route))
    made, inner = FastAPI(dependencies=at_app), APIRouter()
    inner.get("/x", dependencies=at_route)(lambda: "done")

    async def passed_on(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    if middleware == "inside":
        made.add_middleware(GZipMiddleware)
        made.add_middleware(BaseHTTPMiddleware, dispatch=passed_on)
    if not below:
        auth.install(made)
    made.include_router(inner, dependencies=at_router)
    if below:
        auth.install(made)
    if middleware == "outside":
        made.add_middleware(BaseHTTPMiddleware, dispatch=passed_on)
    return Made(made, [])


def in_litestar(guard: Any, *, app: str = "", router: str = "", route: str = "") -> Made:
    auth = of_litestar.Authenticate(guard)
    kinds = {"write": auth.required("write"), "any": auth.required(), "maybe": auth.optional}
    at_app, at_router, at_route = ([kinds[each] for each in names.split()] for names in (app, router, route))

    @litestar.get("/x", guards=at_route)
    async def handler() -> str:
        return "done"

    inner = litestar.Router("/", route_handlers=[handler], guards=at_router)
    return Made(litestar.Litestar([inner], plugins=[auth], guards=at_app, logging_config=None), [])


def in_asgi(how: Callable[[Any, Any], Any], guard: Any) -> Made:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("done")(scope, receive, send)

    return Made(how(partial(asgi.protect, guard=guard), (app, asgi.requires("write"), asgi.requires())), [])


def in_wsgi(how: Callable[[Any, Any], Any], guard: Any) -> Made:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return [b"done"]

    protect = partial(wsgi.protect, guard=guard)
    return Made(how(protect, (app, wsgi.requires("write"), wsgi.requires())), [], by_wsgi)


PLACES = [
    {"route": "write"}, {"route": "any write"}, {"route": "write any"}, {"route": "maybe write"}, {"route": "write maybe"},
    {"router": "write"}, {"app": "write"}, {"app": "maybe", "route": "write"}, {"app": "write", "route": "maybe"},
    {"app": "any", "router": "write", "route": "maybe"}, {"router": "maybe", "route": "any write"},
]  # fmt: skip
MORE: list[dict[str, Any]] = [
    {"route": "nested"}, {"app": "maybe", "route": "nested any"}, {"route": "write", "below": True},
    {"route": "write", "middleware": "inside"}, {"route": "maybe nested", "middleware": "outside"},
]  # fmt: skip
RAW: Mapping[str, Callable[[Any, Any], Any]] = {
    "alone": lambda protect, parts: protect(parts[1](parts[0])),
    "twice": lambda protect, parts: protect(parts[2](parts[1](parts[0]))),
    "twice, the other way": lambda protect, parts: protect(parts[1](parts[2](parts[0]))),
    "optional": lambda protect, parts: protect(parts[1](parts[0]), optional=True),
    "optional outside": lambda protect, parts: protect(protect(parts[1](parts[0])), optional=True),
    "optional inside": lambda protect, parts: protect(protect(parts[1](parts[0]), optional=True)),
}


class Decorators:
    """Django's, by the names that others have."""

    required = staticmethod(required)
    optional = staticmethod(optional)


def view(request: Any) -> HttpResponse:
    return HttpResponse("done")


class Whole(RequiredMixin, View):
    required_scopes = ("write",)

    def get(self, request: Any) -> HttpResponse:
        return HttpResponse("done")


VIEWS: Mapping[str, Mapping[str, Any]] = {
    "d": {
        **{name: how(Decorators, view) for name, how in BELOW.items()},
        "around another": required("write")(logged(view)),
        "inside another": logged(required("write")(view)),
        "a class": Whole.as_view(),
        "a class, optional inside": required("write")(Whole.as_view(optional_identity=True)),
    },
    "r": {
        "alone": rest(view, permission("write")),
        "twice": rest(view, IsAuthenticated, permission("write")),
        "and": rest(view, permission() & permission("write")),
        "or": rest(view, permission("write") | IsAdminUser),
        "or, the other way": rest(view, IsAdminUser | permission("write")),
        "with anybody": rest(view, AllowAny, permission("write")),
        "a decorator outside": required("write")(rest(view, permission())),
        "a decorator outside of anybody's": required("write")(rest(view)),
        "optional outside": optional(rest(view, permission("write"))),
    },
}
urlpatterns = [path(f"{kind}{number}/x", view) for kind in VIEWS for number, view in enumerate(VIEWS[kind].values())]


def here(get_response: Any) -> Any:
    """The middleware by which the project has these URLs."""

    def middleware(request: Any) -> Any:
        request.urlconf = __name__
        return get_response(request)

    return middleware


def of(kind: str, make: Callable[..., Made]) -> Orders:
    made = partial(make, MIDDLEWARE=["watchword.servers.django.Authenticate", f"{__name__}.here"])
    return {name: (made, f"/{kind}{number}") for number, name in enumerate(VIEWS[kind])}


def orders(**made: Callable[[Any], Made]) -> Orders:
    return {name: (each, "") for name, each in made.items()}


FLASK = orders(**{name: partial(in_flask, order) for name, order in DECORATORS.items()}, a_class=in_flask_by_a_class)
AIOHTTP = orders(**{name: partial(in_aiohttp, order) for name, order in DECORATORS.items()})
STARLETTE = orders(
    **{name: partial(in_starlette, order) for name, order in BELOW.items()},
    **{f"{name}, a method": partial(in_starlette, order, wrapped=by_method) for name, order in BELOW.items()},
    inside_another=partial(in_starlette, BELOW["alone"], wrapped=logged),
)
FASTAPI = orders(**{str(places): partial(in_fastapi, **places) for places in [*PLACES, *MORE]})
LITESTAR = orders(**{str(places): partial(in_litestar, **places) for places in PLACES})
ASGI = orders(**{name: partial(in_asgi, how) for name, how in RAW.items()})
WSGI = orders(**{name: partial(in_wsgi, how) for name, how in RAW.items()})

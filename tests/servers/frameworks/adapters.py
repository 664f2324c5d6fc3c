"""All adapters: how the small app is made in each, where it can be asked, and what an adapter can't carry."""

from __future__ import annotations

from tests.servers.frameworks import django_project  # first: views need its settings

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

from aiohttp import web
from django.test import override_settings
from fastapi import FastAPI
from flask.views import View
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from tests.core.fakes import FakeVerifier
from tests.servers.frameworks import asgi_rows, orders, wsgi_rows
from tests.servers.frameworks.aiohttp_row import of_aiohttp
from tests.servers.frameworks.made import Made
from tests.servers.frameworks.orders import Orders
from tests.servers.frameworks.wsgi_rows import of_http_server
from watchword import AsyncGuard, Guard
from watchword.servers import aiohttp, asgi, django, flask, http_server, litestar, starlette, wsgi
from watchword.servers.django import rest_framework

Refuses = Mapping[str, tuple[str, Callable[[], object]]]


class Adapter(NamedTuple):
    """One row.

    Args:
        make: the app with a guard in it.
        orders: the app with GET /x, for which all that can demand "write" stands in every order.
        prefixes: where the app's routes are, in what is mounted too.
        around: the same guard round all of the app.
        cors: a middleware that answers preflights, round all of the app.
        refuses: what it can't carry, with what is said of that at construction.
        problem: refusals have a body.
        public: there are routes about which nobody is asked; else the guard is round all of the app.
        before_the_body: it runs before the framework receives the body.
        sockets: WebSockets.
        cancels: a handler may be cancelled. (Django leaves its file of the body open then.)
        later: something may run after the answer.
        failures: what a handler raises is answered; else the connection is closed.
        csrf: the app with the framework's check of forgeries.
    """

    make: Callable[[Any], Made]
    orders: Orders
    prefixes: Sequence[str] = ("", "/below")
    around: Callable[..., Any] | None = None
    cors: Callable[[Any], Any] | None = None
    refuses: Refuses = {}  # noqa: RUF012 -- never changed
    problem: bool = True
    public: bool = True
    before_the_body: bool = True
    sockets: bool = False
    cancels: bool = True
    later: bool = True
    csrf: Callable[[Any], Made] | None = None
    failures: bool = True


# ---- what is refused at construction ------------------------------------------------------------------------------------


def standing_wrong(auth: Any, a_class: type) -> Refuses:
    return {
        "a decorator without parentheses": ("scopes", lambda: auth.required(print)),
        "a decorator above a class": ("stands above", lambda: auth.required()(a_class)),
        "a decorator above what can't be called": ("stands above", lambda: auth.required()(7)),
    }


def start_of_django(**settings: Any) -> None:
    with override_settings(**settings):
        django.Authenticate(print)  # type: ignore[arg-type]


def waits(make: Callable[[Any], object]) -> Refuses:
    return {"a guard that waits for its store": ("not AsyncGuard", lambda: make(AsyncGuard([FakeVerifier()])))}


GUARD = Guard([FakeVerifier()])
SEALED = Guard([FakeVerifier()], seal=SimpleNamespace(seal=lambda _: None))  # type: ignore[arg-type]
ME, GZIP = "watchword.servers.django.Authenticate", "django.middleware.gzip.GZipMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"
DJANGO: Refuses = {
    "a seal inside of what changes answers": (
        "first", partial(start_of_django, WATCHWORD={"guard": SEALED}, MIDDLEWARE=[GZIP, ME]),
    ),
    "a body that was read": ("before it", partial(start_of_django, WATCHWORD={"guard": GUARD}, MIDDLEWARE=[CSRF, ME])),
}  # fmt: skip
STARLETTE: Refuses = {
    "an app of FastAPI": ("servers.fastapi", lambda: starlette.Authenticate(GUARD).install(FastAPI())),
    **standing_wrong(starlette.Authenticate(GUARD), HTTPEndpoint),
}
HTTP_SERVER: Refuses = {
    "a class that is guarded already": ("already", lambda: http_server.protect(of_http_server(GUARD).app, GUARD)),
    "a decorator without parentheses": ("scopes", lambda: http_server.requires(print)),  # type: ignore[arg-type]
    "a decorator above a class": ("method", lambda: http_server.requires()(type)),
}
REST: Refuses = {"a permission without parentheses": ("scopes", lambda: rest_framework.required(print))}  # type: ignore[arg-type]
LITESTAR: Refuses = {"a guard without parentheses": ("scopes", lambda: litestar.Authenticate(GUARD).required(print))}  # type: ignore[arg-type]


def no_application(requires: Any) -> Refuses:
    return {
        "parentheses are missing": ("scopes", lambda: requires(print)),
        "a handler that a framework calls": ("wraps an application", lambda: requires()(lambda request: None)),
    }


# ---- the table ----------------------------------------------------------------------------------------------------------


async def passed_on(request: Any, call_next: Any) -> Any:
    return await call_next(request)


def copying(app: Any) -> Any:
    """A middleware that hands on another scope."""

    async def copied(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope}, receive, send)

    return copied


def cors_of_wsgi(app: Any) -> Any:
    def inside(environ: Any, start_response: Any) -> Any:
        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start_response(status, [*headers, ("Access-Control-Allow-Origin", "*")], *more)

        if environ["REQUEST_METHOD"] == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ:
            start("200 OK", [])
            return []
        return app(environ, start)

    return inside


cors = partial(CORSMiddleware, allow_origins=["*"], allow_headers=["authorization"])
OUTSIDE = (Middleware(BaseHTTPMiddleware, dispatch=passed_on), Middleware(copying))
INSIDE = (*OUTSIDE, Middleware(GZipMiddleware))  # outside it would change what is sealed
by_routers = asgi_rows.fastapi_app_of_routers
FASTAPI = Adapter(asgi_rows.fastapi_app, orders.FASTAPI, around=asgi.protect, cors=cors, sockets=True)
# Of a handler that is cancelled by itself, and not with the request, this middleware makes an exception.
WITH_MIDDLEWARE = FASTAPI._replace(orders={}, prefixes=["/below"], cancels=False)
of_django, of_django_asgi = django_project.of_django, django_project.of_django_asgi
CHECKED = [ME, CSRF]

ADAPTERS = {
    "starlette": Adapter(
        asgi_rows.starlette_app, orders.STARLETTE, around=asgi.protect, cors=cors, refuses=STARLETTE, sockets=True
    ),
    "fastapi": FASTAPI,
    "fastapi, routers": FASTAPI._replace(make=by_routers, orders={}),
    "fastapi, middleware inside": WITH_MIDDLEWARE._replace(make=partial(by_routers, before=INSIDE)),
    "fastapi, middleware outside": WITH_MIDDLEWARE._replace(make=partial(by_routers, after=OUTSIDE)),
    "litestar": Adapter(asgi_rows.litestar_app, orders.LITESTAR, around=asgi.protect, cors=cors, refuses=LITESTAR, sockets=True),
    "asgi": Adapter(
        asgi_rows.raw_app, orders.ASGI, around=asgi.protect, cors=cors, refuses=no_application(asgi.requires), problem=False, sockets=True
    ),
    "django asgi": Adapter(
        of_django_asgi, orders.of("d", of_django_asgi), around=asgi.protect, cors=cors, refuses=DJANGO, before_the_body=False, cancels=False, later=False,
        csrf=partial(of_django_asgi, MIDDLEWARE=CHECKED),
    ),
    "rest framework asgi": Adapter(
        partial(django_project.of_this_site, of_django_asgi), orders.of("r", of_django_asgi), ["/rest"], around=asgi.protect, cors=cors, refuses=REST, before_the_body=False,
        cancels=False, later=False, csrf=of_django_asgi,
    ),
    "django": Adapter(
        of_django, orders.of("d", of_django), around=wsgi.protect, cors=cors_of_wsgi, refuses=DJANGO, cancels=False, later=False,
        csrf=partial(of_django, MIDDLEWARE=CHECKED),
    ),
    "rest framework": Adapter(
        partial(django_project.of_this_site, of_django), orders.of("r", of_django), ["/rest"], around=wsgi.protect, cors=cors_of_wsgi, refuses=REST, cancels=False, later=False, csrf=of_django,
    ),
    "flask": Adapter(
        wsgi_rows.of_flask, orders.FLASK, around=wsgi.protect, cors=cors_of_wsgi, cancels=False,
        refuses=waits(wsgi_rows.of_flask) | standing_wrong(flask.Authenticate(GUARD), View),
    ),
    "wsgi": Adapter(
        wsgi_rows.of_wsgi, orders.WSGI, around=wsgi.protect, cors=cors_of_wsgi, refuses=waits(wsgi_rows.of_wsgi) | no_application(wsgi.requires),
        problem=False, cancels=False, later=False,
    ),
    "http.server": Adapter(
        of_http_server, {}, [""], refuses=waits(of_http_server) | HTTP_SERVER, problem=False, public=False, cancels=False, later=False,
        failures=False,
    ),
    "aiohttp": Adapter(of_aiohttp, orders.AIOHTTP, refuses=standing_wrong(aiohttp.Authenticate(GUARD), web.View), later=False),
}  # fmt: skip

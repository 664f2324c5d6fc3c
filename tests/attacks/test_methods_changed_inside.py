"""Another site's page has a GET made, for which a cookie is taken, and something inside of the guard makes it a DELETE."""

from __future__ import annotations

from tests.servers.frameworks import django_project as project  # noqa: F401 -- first: views need its settings

import asyncio
from typing import Any

import fastapi
import flask
import litestar
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient as AiohttpClient
from aiohttp.test_utils import TestServer
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from werkzeug.test import EnvironBuilder, run_wsgi_app

from watchword import ConfigurationError, Guard, InCookie, RegisteredToken, TokenVerifier
from watchword.servers import asgi, wsgi
from watchword.servers.aiohttp import Authenticate as AiohttpAuthenticate
from watchword.servers.django import required
from watchword.servers.fastapi import Authenticate as FastAPIAuthenticate
from watchword.servers.flask import Authenticate as FlaskAuthenticate
from watchword.servers.litestar import Authenticate as LitestarAuthenticate
from watchword.servers.starlette import Authenticate as StarletteAuthenticate

GUARD = Guard([TokenVerifier(lambda _: RegisteredToken("victim"), place=InCookie())])
HEADERS = {"Cookie": "__Host-token=abc", "Sec-Fetch-Site": "cross-site"}


def deleting(app: Any) -> Any:
    async def inside(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "method": "DELETE"} if scope["type"] == "http" else scope, receive, send)

    return inside


def of_fastapi(ran: list[str]) -> Any:
    auth = FastAPIAuthenticate(GUARD)
    app = fastapi.FastAPI()
    app.add_middleware(deleting)
    auth.install(app)

    def delete(who: Any = fastapi.Security(auth)) -> None:
        ran.append("delete")

    app.delete("/x")(delete)
    return app


def of_starlette(ran: list[str]) -> Any:
    auth = StarletteAuthenticate(GUARD)

    @auth.required()
    def delete(request: Any) -> PlainTextResponse:
        ran.append("delete")
        return PlainTextResponse("done")

    app = Starlette(routes=[Route("/x", delete, methods=["DELETE"])])
    app.add_middleware(deleting)
    auth.install(app)
    return app


def of_litestar(ran: list[str]) -> Any:
    auth = LitestarAuthenticate(GUARD)

    @litestar.route(
        "/x", http_method=["GET", "DELETE"], status_code=200, sync_to_thread=False, guards=[auth.required()]
    )
    def delete(request: litestar.Request[Any, Any, Any]) -> str:
        ran.append(request.method.lower())
        return "done"

    return litestar.Litestar([delete], plugins=[auth], middleware=[deleting])


@pytest.mark.parametrize("made", [of_fastapi, of_starlette, of_litestar])
def test_under_asgi(made: Any) -> None:
    ran: list[str] = []
    answer = TestClient(made(ran), raise_server_exceptions=False).get("/x", headers=HEADERS)
    assert "delete" not in ran
    assert answer.status_code != 200 or ran == ["get"], "litestar routes first, so its middleware changes nothing"


def of_nothing(ran: list[str]) -> Any:
    async def delete(scope: Any, receive: Any, send: Any) -> None:
        ran.append("delete")
        await PlainTextResponse("done")(scope, receive, send)

    return asgi.protect(delete, GUARD)


@pytest.mark.parametrize("made", [of_fastapi, of_starlette, of_litestar, of_nothing])
def test_between_a_guard_that_is_round_the_app_and_the_same_inside(made: Any) -> None:
    ran: list[str] = []
    app = asgi.protect(deleting(made(ran)), GUARD)
    assert TestClient(app, raise_server_exceptions=False).get("/x", headers=HEADERS).status_code != 200
    assert ran == []


def changed(app: Any) -> Any:
    return lambda environ, start_response: app({**environ, "REQUEST_METHOD": "DELETE"}, start_response)


@pytest.mark.parametrize("framework", [True, False])
def test_between_a_guard_that_is_round_a_wsgi_app_and_the_same_inside(framework: bool) -> None:
    ran: list[str] = []
    app = flask.Flask("x")
    auth = FlaskAuthenticate(GUARD, app)
    delete = app.delete("/x")
    delete(
        auth.required()(lambda: ran.append("delete") or "done") if framework else lambda: ran.append("delete") or "done"
    )
    served = wsgi.protect(changed(app if framework else wsgi.protect(app, GUARD)), GUARD)
    environ = EnvironBuilder("/x", headers=HEADERS).get_environ()
    if framework:
        assert run_wsgi_app(served, environ)[1].startswith("500")
    else:
        with pytest.raises(ConfigurationError, match="DELETE is served"):
            run_wsgi_app(served, environ)
    assert ran == []


def test_in_flask() -> None:
    ran = []
    app = flask.Flask("x")
    inner = app.wsgi_app
    app.wsgi_app = lambda environ, start: inner({**environ, "REQUEST_METHOD": "DELETE"}, start)  # type: ignore[method-assign]
    auth = FlaskAuthenticate(GUARD, app)
    app.delete("/x")(auth.required()(lambda: ran.append("delete") or "done"))
    assert app.test_client(use_cookies=False).get("/x", headers=HEADERS).status_code == 403
    assert ran == []


def changing(get_response: Any) -> Any:
    def middleware(request: Any) -> Any:
        request.method = "DELETE"
        return get_response(request)

    return middleware


def test_in_django() -> None:
    ran = []

    @csrf_exempt
    @required()
    def view(request: Any) -> HttpResponse:
        ran.append(request.method)
        return HttpResponse("done")

    middleware = ["watchword.servers.django.Authenticate", f"{__name__}.changing"]
    with (
        override_settings(WATCHWORD={"guard": GUARD}, MIDDLEWARE=middleware, ROOT_URLCONF=(path("x", view),)),
        pytest.raises(ConfigurationError, match="DELETE is served"),
    ):
        Client().get("/x", headers=HEADERS)
    assert ran == []


def test_in_aiohttp() -> None:
    ran = []
    auth = AiohttpAuthenticate(GUARD)

    @web.middleware
    async def inside(request: web.Request, handler: Any) -> Any:
        return await handler(request.clone(method="DELETE"))

    @auth.required()
    async def view(request: web.Request) -> web.Response:
        ran.append(request.method)
        return web.Response(text="done")

    app = web.Application(middlewares=[inside])
    auth.install(app)
    app.router.add_get("/x", view)

    async def asked() -> int:
        async with AiohttpClient(TestServer(app)) as client, client.get("/x", headers=HEADERS) as answer:
            return answer.status

    assert (asyncio.run(asked()), ran) == (500, [])

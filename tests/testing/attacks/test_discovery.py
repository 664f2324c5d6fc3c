"""Routes and WebSockets of every framework, and the ways to drive its apps."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated

import aiohttp.web
import falcon
import fastapi
import flask
import litestar
import pytest
import quart
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute

from tests.patience import PATIENCE
from tests.test_house import ROOT
from tests.testing.attacks.tried import BEARER, TOKEN, attacked, is_hole, outcome
from watchword import BearerAuth, Guard, RegisteredToken, TokenVerifier
from watchword.core.guard import AsyncGuard
from watchword.core.rejection import ConfigurationError
from watchword.servers.asgi import protect as protect_asgi
from watchword.servers.wsgi import protect as protect_wsgi
from watchword.testing.attacks import Credentials
from watchword.testing.attacks.application import load
from watchword.testing.attacks.discovery import discover
from watchword.testing.attacks.outcome import Apart
from watchword.testing.attacks.routes import Route as Found
from watchword.testing.attacks.routes import listed, matches
from watchword.testing.attacks.samples import samples_of

pytestmark = pytest.mark.sweep

ALICE = Credentials(BEARER)


class Item(BaseModel):
    name: str
    amount: Annotated[int, fastapi.Query(ge=3)]


def of_fastapi(guarded):
    def demand(authorization: Annotated[str, fastapi.Header()] = ""):
        if guarded and authorization != f"Bearer {TOKEN}":
            raise fastapi.HTTPException(401)

    app = fastapi.FastAPI()
    router = fastapi.APIRouter(prefix="/api", dependencies=[fastapi.Depends(demand)])

    @router.get("/orders/{order_id}")
    def order(order_id: int):
        return {"order": order_id}

    @router.post("/orders")
    def add(item: Item, dry: bool):
        return {"name": item.name}

    @router.websocket("/feed")
    async def feed(websocket: fastapi.WebSocket):
        await websocket.accept()
        await websocket.send_text("orders")

    app.include_router(router)
    return app


def of_starlette(guarded):
    class Orders(HTTPEndpoint):
        async def get(self, request):
            return PlainTextResponse("orders", 200 if self.known(request) else 401)

        async def delete(self, request):
            return PlainTextResponse("gone", 200 if self.known(request) else 401)

        def known(self, request):
            return not guarded or request.headers.get("authorization") == f"Bearer {TOKEN}"

    async def feed(websocket):
        if guarded and websocket.headers.get("authorization") != f"Bearer {TOKEN}":
            await websocket.close()
            return
        await websocket.accept()

    return Starlette(routes=[Mount("/shop", routes=[Route("/orders", Orders), WebSocketRoute("/feed", feed)])])


def of_litestar(guarded):
    def demand(connection, handler):
        if guarded and connection.headers.get("authorization") != f"Bearer {TOKEN}":
            raise litestar.exceptions.NotAuthorizedException

    @litestar.get("/orders", guards=[demand], sync_to_thread=False)
    def order() -> dict[str, int]:
        return {"order": 1}

    @litestar.websocket("/feed", guards=[demand])
    async def feed(socket: litestar.WebSocket) -> None:
        await socket.accept()
        await socket.send_text("orders")
        await socket.receive_text()

    return litestar.Litestar([order, feed], openapi_config=None)


def of_flask(guarded):
    app = flask.Flask(__name__)

    @app.before_request
    def demand():
        if guarded and flask.request.headers.get("Authorization") != f"Bearer {TOKEN}":
            flask.abort(401)

    @app.route("/orders/<int:order_id>", methods=["GET", "PUT"])
    def order(order_id):
        return {"order": order_id}

    return app


def of_quart(guarded):
    app = quart.Quart(__name__)

    @app.before_request
    async def demand():
        if guarded and quart.request.headers.get("Authorization") != f"Bearer {TOKEN}":
            quart.abort(401)

    @app.get("/orders")
    async def orders():
        return {"orders": []}

    @app.websocket("/feed")
    async def feed():
        if guarded and quart.websocket.headers.get("Authorization") != f"Bearer {TOKEN}":
            quart.abort(403)
        await quart.websocket.send("orders")

    return app


def of_falcon(guarded):
    class Orders:
        def on_get(self, req, resp, order_id):
            if guarded and req.auth != f"Bearer {TOKEN}":
                raise falcon.HTTPUnauthorized
            resp.media = {"order": order_id}

    app = falcon.App()
    app.add_route("/orders/{order_id:int}", Orders())
    return app


def of_aiohttp(guarded):
    routes = aiohttp.web.RouteTableDef()

    def demand(request):
        if guarded and request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise aiohttp.web.HTTPUnauthorized

    @routes.get("/orders/{order_id}")
    async def order(request):
        demand(request)
        return aiohttp.web.json_response({"order": request.match_info["order_id"]})

    @routes.get("/feed")
    async def feed(request):
        demand(request)
        socket = aiohttp.web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str("orders")
        return socket

    app = aiohttp.web.Application()
    app.add_routes(routes)
    return app


APPS = {
    of_fastapi: ["GET /api/orders/{order_id}", "POST /api/orders", "WEBSOCKET /api/feed"],
    of_starlette: ["GET /shop/orders", "DELETE /shop/orders", "WEBSOCKET /shop/feed"],
    of_litestar: ["GET /orders", "WEBSOCKET /feed"],
    of_flask: ["GET /orders/<int:order_id>", "PUT /orders/<int:order_id>"],
    of_quart: ["GET /orders", "WEBSOCKET /feed"],
    of_falcon: ["GET /orders/{order_id:int}"],
    of_aiohttp: ["GET /orders/{order_id}", "WEBSOCKET /feed"],
}  # fmt: skip
ROUTES = [(make, route) for make, routes in APPS.items() for route in routes]


@pytest.mark.parametrize("make", APPS, ids=lambda make: make.__name__)
def test_routes_and_websockets_are_found(make):
    assert sorted(route.id for route in discover(make(True)) if not route.framework) == sorted(APPS[make])


@pytest.mark.parametrize(("make", "route"), ROUTES)
def test_each_is_driven_and_its_hole_is_found(make, route):
    assert is_hole(outcome("no_credentials", make(False), ALICE, route))
    assert outcome("no_credentials", make(True), ALICE, route) is None


@pytest.mark.parametrize(("make", "route"), ROUTES)
def test_the_handler_of_each_is_seen_to_run(make, route):
    from watchword.testing.attacks.trial import Trial

    with attacked(make(False)) as target:
        trial = Trial(target, next(one for one in target.routes if one.id == route), Credentials(BEARER))
        trial.baseline()
        assert trial.watched


def test_a_refused_handshake_of_aiohttp_is_not_waited_for(monkeypatch):
    from watchword.testing.attacks import aiohttp_driver

    monkeypatch.setattr(aiohttp_driver, "WAIT", PATIENCE * 10)  # whoever waited would not come to an end
    assert outcome("no_credentials", of_aiohttp(True), ALICE, "WEBSOCKET /feed") is None


def test_routes_that_the_framework_brings_are_told_apart():
    brought = {route.id for route in discover(of_fastapi(True)) if route.framework}
    assert {"GET /docs", "GET /openapi.json"} <= brought
    assert {route.id for route in discover(of_flask(True)) if route.framework} == {"GET /static/<path:filename>"}


TOKENS = {TOKEN: RegisteredToken("alice", secret=TOKEN)}


@pytest.mark.parametrize("make", [of_starlette, of_flask])
def test_the_framework_inside_a_guard_of_ours_is_found(make):
    if make is of_flask:
        app = protect_wsgi(make(False), Guard([TokenVerifier(TOKENS.get, by="plain")]))
    else:
        app = protect_asgi(make(False), AsyncGuard([TokenVerifier(TOKENS.get, by="plain")]))
    assert sorted(route.id for route in discover(app) if not route.framework) == sorted(APPS[make])
    assert outcome("no_credentials", app, Credentials(BearerAuth(TOKEN)), APPS[make][0]) is None
    assert outcome("secrets_told", app, Credentials(BearerAuth(TOKEN)), APPS[make][0]) is None


def test_django_is_found_in_a_process_of_its_own():
    program = """
from django.core.asgi import get_asgi_application
from watchword.testing.attacks.discovery import discover
print(*sorted(route.id for route in discover(get_asgi_application())), sep="\\n")
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], check=True, capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE,
        env={**__import__("os").environ, "DJANGO_SETTINGS_MODULE": "examples.frameworks.django_settings", "PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    found = done.stdout.split("\n")
    assert {"GET /orders", "POST /orders", "GET /order", "GET /api/orders", "POST /api/orders"} <= set(found)
    assert "DELETE /api/orders" not in found


def test_an_app_of_no_known_framework_has_no_list():
    async def app(scope, receive, send):
        raise NotImplementedError

    assert discover(app) is None


def test_bodies_and_queries_are_made_of_the_openapi_document():
    sample = samples_of(of_fastapi(True))["POST /api/orders"]
    assert sample.body == {"name": "text", "amount": 3}
    assert sample.query == "dry=False"


def test_listed_routes_are_read_line_by_line():
    assert [route.id for route in listed(["GET /orders", "", " /health ", "websocket /feed"])] == [
        "GET /orders", "GET /health", "WEBSOCKET /feed",
    ]  # fmt: skip
    with pytest.raises(ConfigurationError, match="GET /orders"):
        listed(["orders"])


@pytest.mark.parametrize(
    ("pattern", "route", "fits"),
    [
        ("/orders", ("GET", "/orders"), True),
        ("GET /orders", ("POST", "/orders"), False),
        ("get /orders", ("GET", "/orders"), True),
        ("/orders/*", ("DELETE", "/orders/{id}"), True),
        ("/orders", ("GET", "/orders/{id}"), False),
        ("*", ("WEBSOCKET", "/feed"), True),
    ],
)
def test_a_pattern_means_these_routes(pattern, route, fits):
    assert matches(pattern, Found(*route)) is fits


def test_parameters_in_a_path_get_values():
    assert (
        Found("GET", "/a/{b}/<int:c>/{d:uuid}/<e>").example({"e": "x"})
        == "/a/1/1/00000000-0000-4000-8000-000000000001/x"
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [("app", "write module:app"), ("no_such_module:app", "no module"), ("json:no_such_name", "has no 'no_such_name'")],
)
def test_an_app_that_is_not_there_is_named(name, text):
    with pytest.raises(ConfigurationError, match=text):
        load(name)


def test_a_function_without_arguments_makes_the_app():
    assert isinstance(load("examples.frameworks.aiohttp_app:make_app"), aiohttp.web.Application)
    assert isinstance(load("examples.frameworks.aiohttp_app:make_app()"), aiohttp.web.Application)


def talking(mended, *, by_class=False):
    """An app of aiohttp's whose handler leaves the handshake to another coroutine; one that is no WebSocket is beside it."""

    async def talk(request):
        socket = aiohttp.web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str("orders")
        return socket

    async def feed(request):
        if mended and request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise aiohttp.web.HTTPUnauthorized
        return await talk(request)

    class Feed(aiohttp.web.View):
        async def get(self):
            return await feed(self.request)

    async def orders(request):
        raise aiohttp.web.HTTPBadRequest

    app = aiohttp.web.Application()
    app.router.add_get("/orders", orders)
    app.router.add_get("/feed", Feed if by_class else feed)
    return app


@pytest.mark.parametrize("by_class", [True, False])
def test_a_get_that_turns_out_to_be_a_handshake_is_attacked_as_a_websocket(by_class):
    found = outcome("no_credentials", talking(False, by_class=by_class), ALICE, "GET /feed")
    assert is_hole(found)
    assert found.came.startswith("the WebSocket was opened")
    for attack in ("no_credentials", "garbage", "path_spellings"):
        assert outcome(attack, talking(True, by_class=by_class), ALICE, "GET /feed") is None
    cookie = Credentials({"Cookie": "session=a-long-session-of-alice"})
    assert is_hole(outcome("foreign_websocket", talking(False, by_class=by_class), cookie, "GET /feed"))


def test_a_get_that_is_answered_400_and_is_no_handshake_stays_a_get():
    assert isinstance(outcome("foreign_websocket", talking(True), ALICE, "GET /orders"), Apart)
    assert "answered 400" in str(outcome("replay", talking(True), ALICE, "GET /orders"))

"""Attacks without credentials: each finds its hole, and passes where the hole is mended."""

from __future__ import annotations

import json
from functools import wraps

import flask
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute

from tests.testing.attacks.tried import BEARER, TOKEN, app_that, attacked, has_token, is_hole, outcome
from watchword.testing.attacks import Credentials
from watchword.testing.attacks.listed import ATTACKS
from watchword.testing.attacks.outcome import NotTried, Weakness
from watchword.testing.attacks.trial import OPEN, Trial

ALICE = Credentials(BEARER)


class PathGuard:
    """Guards the paths for which `guards` says so; the router inside decides for itself what a path means."""

    def __init__(self, app, guards):
        self.app = app
        self.guards = guards

    async def __call__(self, scope, receive, send):
        fields = dict(scope.get("headers", ()))
        if (
            scope["type"] == "http"
            and self.guards(scope)
            and fields.get(b"authorization") != f"Bearer {TOKEN}".encode()
        ):
            await JSONResponse({}, 401)(scope, receive, send)
            return
        await self.app(scope, receive, send)


async def orders(request):
    return JSONResponse({"orders": []})


async def health(request):
    return PlainTextResponse("well")


def guarded(guards, *more):
    return PathGuard(Starlette(routes=[Route("/orders", orders), Route("/health", health), *more]), guards)


@pytest.mark.parametrize(
    ("guards", "hole"), [(lambda scope: scope["path"].startswith("/api"), True), (lambda scope: True, False)]
)
def test_a_route_outside_the_guard_is_found(guards, hole):
    inside = Starlette(routes=[Route("/report", orders)])
    found = outcome("no_credentials", guarded(guards, Mount("/internal", inside)), ALICE, "GET /internal/report")
    assert is_hole(found) is hole


def test_a_finding_says_what_was_sent_what_came_why_it_is_a_hole_and_what_to_write():
    found = outcome("no_credentials", app_that(lambda request: True), ALICE)
    assert "GET /orders" in found.sent
    assert found.came == '200 {"orders":[]}'
    assert "Nobody said who they are" in found.why
    assert "public=" in found.write


def feed(mended):
    async def socket(websocket):
        if mended and websocket.headers.get("authorization") != f"Bearer {TOKEN}":
            await websocket.close(1008)
            return
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())

    class Auth(BaseHTTPMiddleware):
        async def dispatch(self, request, call_next):
            return await call_next(request) if has_token(request) else JSONResponse({}, 401)

    return Starlette(routes=[WebSocketRoute("/feed", socket), Route("/orders", orders)], middleware=[Middleware(Auth)])


def test_a_websocket_that_the_middleware_does_not_see_is_found():
    assert is_hole(outcome("no_credentials", feed(mended=False), ALICE, "WEBSOCKET /feed"))
    assert outcome("no_credentials", feed(mended=True), ALICE, "WEBSOCKET /feed") is None
    assert outcome("no_credentials", feed(mended=False), ALICE) is None


def test_a_websocket_that_asks_for_the_token_in_its_first_message_refuses():
    async def socket(websocket):
        await websocket.accept()
        said = await websocket.receive_json()
        if said.get("token") != TOKEN:
            await websocket.close(4401)
            return
        await websocket.send_text("welcome")

    app = Starlette(routes=[WebSocketRoute("/feed", socket)])
    assert outcome("no_credentials", app, ALICE, "WEBSOCKET /feed") is None


def flask_app(above, *, functools_wraps=True):
    app = flask.Flask(__name__)

    @app.before_request
    def authenticate():
        if flask.request.headers.get("Authorization") != f"Bearer {TOKEN}":
            flask.abort(401)

    def requires_admin(function):
        def inner(*args, **kwargs):
            return function(*args, **kwargs)

        return wraps(function)(inner) if functools_wraps else inner

    def view():
        return {"orders": []}

    view.__qualname__ = "view"  # as at the top of a module
    made = (
        requires_admin(app.get("/orders")(view))
        if above
        else app.get("/orders", endpoint="orders")(requires_admin(view))
    )
    globals()["view"] = made
    return app


@pytest.mark.parametrize("functools_wraps", [True, False])
def test_a_decorator_above_the_route_is_found_although_somebody_else_authenticates(functools_wraps):
    found = outcome("decorator_in_vain", flask_app(above=True, functools_wraps=functools_wraps), ALICE)
    assert is_hole(found)
    assert "requires_admin" in found.tried
    assert outcome("decorator_in_vain", flask_app(above=False, functools_wraps=functools_wraps), ALICE) is None


@pytest.mark.parametrize(
    ("lets_in", "tried"),
    [
        (lambda value: value.startswith("Bearer"), "Bearer"),
        (lambda value: value.partition(" ")[2] in ("", "null"), "Authorization"),
        (lambda value: value.startswith("Basic "), "Basic"),
        (lambda value: len(value) > 1000, "AAAA"),
    ],
)
def test_credentials_that_prove_nothing_are_found_to_be_accepted(lets_in, tried):
    careless = app_that(lambda request: has_token(request) or lets_in(request.headers.get("authorization", "x y")))
    found = outcome("garbage", careless, ALICE)
    assert is_hole(found)
    assert tried in found.tried + found.sent
    assert outcome("garbage", app_that(has_token), ALICE) is None


@pytest.mark.parametrize("value", ["null", "", "undefined", "A" * 5000])
def test_a_key_or_cookie_that_proves_nothing_is_found_to_be_accepted(value):
    def key(request):
        return request.headers.get("x-api-key") in ("a-long-api-key", value)

    def cookie(request):
        return request.cookies.get("session") in ("a-long-session", value)

    assert is_hole(outcome("garbage", app_that(key), Credentials({"X-API-Key": "a-long-api-key"})))
    assert is_hole(outcome("garbage", app_that(cookie), Credentials({"Cookie": "session=a-long-session"})))


def test_two_lines_of_authorization_are_found_to_be_accepted():
    careless = app_that(lambda request: has_token(request) or len(request.headers.getlist("authorization")) > 1)
    assert "two Authorization lines" in outcome("garbage", careless, ALICE).tried


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE"])
def test_a_method_that_the_guard_leaves_out_is_found(method):
    async def any_method(scope, receive, send):
        await JSONResponse({"orders": []})(scope, receive, send)

    class Anything:
        async def __call__(self, scope, receive, send):
            await any_method(scope, receive, send)

    app = Starlette(routes=[Route("/orders", Anything(), methods=["GET", "HEAD", "OPTIONS", "TRACE"])])
    assert is_hole(outcome("methods", PathGuard(app, lambda scope: scope["method"] != method), ALICE))
    assert outcome("methods", PathGuard(app, lambda scope: True), ALICE) is None


def test_a_preflight_that_the_framework_answers_is_no_hole():
    app = flask.Flask(__name__)

    @app.before_request
    def authenticate():
        if flask.request.method != "OPTIONS" and flask.request.headers.get("Authorization") != f"Bearer {TOKEN}":
            flask.abort(401)

    @app.get("/orders")
    def orders():
        return {"orders": []}

    assert outcome("methods", app, ALICE) is None


def test_a_method_that_a_field_overrides_is_found():
    class Override:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            fields = dict(scope.get("headers", ()))
            if b"x-http-method-override" in fields:
                scope = {**scope, "method": fields[b"x-http-method-override"].decode()}
            await self.app(scope, receive, send)

    app = Starlette(routes=[Route("/orders", orders, methods=["DELETE"])])
    inside = PathGuard(Override(app), lambda scope: scope["method"] == "DELETE")
    outside = Override(PathGuard(app, lambda scope: scope["method"] == "DELETE"))
    assert is_hole(outcome("methods", inside, ALICE, "DELETE /orders"))
    assert outcome("methods", outside, ALICE, "DELETE /orders") is None


@pytest.mark.parametrize(
    "normalise",
    [
        lambda path: "/" + path.strip("/"), lambda path: path.lower(), lambda path: path.partition(";")[0],
        lambda path: path.replace("//", "/"), lambda path: path.removesuffix(".json"), lambda path: path.replace("/./", "/"),
    ],
)  # fmt: skip
def test_a_spelling_that_only_the_router_understands_is_found(normalise):
    class Normalising:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            scope = {**scope, "path": normalise(scope["path"])} if scope["type"] == "http" else scope
            await self.app(scope, receive, send)

    app = Starlette(routes=[Route("/orders", orders)])
    first_the_guard = PathGuard(Normalising(app), lambda scope: scope["path"] == "/orders")
    assert is_hole(outcome("path_spellings", first_the_guard, ALICE))
    assert outcome("path_spellings", PathGuard(Normalising(app), lambda scope: True), ALICE) is None


def test_a_line_break_after_the_path_is_found_where_texts_are_compared():
    """The patterns of Starlette's router end in `$`, which a line break may follow."""
    found = outcome("path_spellings", guarded(lambda scope: scope["path"] == "/orders"), ALICE)
    assert is_hole(found)
    assert "%0a" in found.tried
    assert outcome("path_spellings", guarded(lambda scope: scope["path"] != "/health"), ALICE) is None


def test_a_public_page_for_any_other_path_is_no_hole():
    async def page(request):
        return PlainTextResponse("welcome")

    app = Starlette(routes=[Route("/orders", orders), Route("/{path:path}", page)])
    assert outcome("path_spellings", PathGuard(app, lambda scope: scope["path"].startswith("/orders")), ALICE) is None


def test_a_path_in_host_is_found_to_choose_what_is_guarded():
    def by_url(scope):
        host = dict(scope["headers"])[b"host"].decode()
        return f"{host}{scope['path']}".partition("?")[0].partition("/")[2] != "health"

    credentials = Credentials(BEARER, public=["/health"])
    found = outcome("host_field", guarded(by_url), credentials)
    assert is_hole(found)
    assert "host: testserver/health?" in found.sent
    assert outcome("host_field", guarded(lambda scope: scope["path"] != "/health"), credentials) is None


def test_a_public_route_that_fails_on_a_malformed_authorization_is_found():
    def careless(request):
        return request.headers.get("authorization", "a b").split(" ")[1] is not None

    credentials = Credentials(public=["/orders"])
    assert is_hole(outcome("public_route", app_that(careless), credentials))
    assert outcome("public_route", app_that(lambda request: True), credentials) is None


def test_work_that_is_done_before_the_refusal_is_found():
    written = []

    def late(function):
        @wraps(function)
        async def inner(request):
            answer = await function(request)
            return answer if has_token(request) else JSONResponse({}, 401)

        return inner

    async def write(request):
        written.append(1)
        return JSONResponse({"orders": len(written)})

    app = Starlette(routes=[Route("/orders", late(write), methods=["POST"])])
    found = outcome("no_credentials", app, ALICE, "POST /orders")
    assert is_hole(found)
    assert "refused after the handler had run" in found.tried


def test_a_handler_that_refuses_by_itself_is_no_hole():
    assert outcome("no_credentials", app_that(has_token), ALICE) is None

    app = flask.Flask(__name__)

    @app.get("/orders")
    def orders():
        if flask.request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return {"error": "unauthorized"}, 401
        return {"orders": []}

    assert outcome("no_credentials", app, ALICE) is None


def test_a_request_that_never_comes_to_the_guard_is_not_counted_as_refused():
    app = flask.Flask(__name__)

    @app.post("/orders")
    def order():
        return {"item": flask.request.get_json()["item"]["name"]}

    found = outcome("no_credentials", app, ALICE, "POST /orders")
    assert isinstance(found, Weakness)
    assert "bodies=" in found.write
    given = Credentials(BEARER, bodies={"/orders": {"item": {"name": "tea"}}})
    assert is_hole(outcome("no_credentials", app, given, "POST /orders"))


@pytest.mark.parametrize("guarded", [True, False])
def test_a_route_whose_first_request_uses_up_the_thing_is_judged_all_the_same(guarded):
    app = flask.Flask(__name__)
    things = {1: "tea"}

    @app.before_request
    def authenticate():
        if guarded and flask.request.headers.get("Authorization") != f"Bearer {TOKEN}":
            flask.abort(401)

    @app.delete("/orders/<int:number>")
    def delete(number):
        return {"deleted": things.pop(number)} if number in things else ({"error": "not found"}, 404)

    route = "DELETE /orders/<int:number>"
    assert is_hole(outcome("no_credentials", app, ALICE, route)) is not guarded
    for attack in ("methods", "garbage", "believed_identity"):
        found = outcome(attack, app, ALICE, route)
        assert found is None if guarded else isinstance(found, (NotTried, Weakness))


def test_what_a_genuine_request_is_answered_counts_as_let_in_for_others():
    """The order is gone already: the user with the right gets 404, so that one without it must get 403."""

    def app(mended):
        made = flask.Flask(__name__)

        @made.before_request
        def authenticate():
            token = flask.request.headers.get("Authorization", "")
            if token not in ("Bearer of-alice-123", "Bearer of-bob-4567"):
                flask.abort(401)
            if mended and token != "Bearer of-alice-123":
                flask.abort(403)

        @made.delete("/orders/<int:number>")
        def delete(number):
            return {"error": "not found"}, 404

        return made

    credentials = Credentials(
        {"Authorization": "Bearer of-alice-123"}, forbidden={"/orders/*": {"Authorization": "Bearer of-bob-4567"}}
    )
    assert is_hole(outcome("missing_scope", app(mended=False), credentials, "DELETE /orders/<int:number>"))
    assert outcome("missing_scope", app(mended=True), credentials, "DELETE /orders/<int:number>") is None


def test_a_log_in_page_is_no_way_in():
    class Page:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            fields = dict(scope.get("headers", ()))
            known = fields.get(b"authorization") == f"Bearer {TOKEN}".encode()
            answer = self.app if known or scope["type"] != "http" else PlainTextResponse("log in, please")
            await answer(scope, receive, send)

    assert outcome("no_credentials", Page(Starlette(routes=[Route("/orders", orders)])), ALICE) is None


def test_attacks_on_an_open_route_send_the_reader_to_the_one_that_matters():
    found = outcome("host_field", app_that(lambda request: True), ALICE)
    assert isinstance(found, NotTried)
    assert not isinstance(found, Weakness)
    assert "no_credentials" in str(found)


def cached(order):
    """A Flask app with a cache, before the guard or behind it, that keeps answers in other words than the view's."""
    app, kept = flask.Flask(__name__), {}

    def authenticated(function):
        @wraps(function)
        def inner():
            if flask.request.headers.get("Authorization") != f"Bearer {TOKEN}":
                flask.abort(401)
            return function()

        return inner

    def cache(function):
        @wraps(function)
        def inner():
            if "orders" not in kept:
                answer = function()
                kept["orders"] = json.dumps(answer)
                return answer
            return flask.Response(kept["orders"], mimetype="application/json")

        return inner

    def orders():
        return {"orders": []}

    app.get("/orders")({"before": cache(authenticated(orders)), "behind": authenticated(cache(orders))}[order])
    return app


def test_a_cache_before_the_guard_is_found_by_the_attack_that_the_others_name():
    found = outcome("no_credentials", cached("before"), ALICE)
    assert is_hole(found)
    assert "after a genuine request" in found.tried
    assert outcome("no_credentials", cached("behind"), ALICE) is None


@pytest.mark.parametrize("order", ["before", "behind"])
def test_no_attack_says_that_a_route_is_open_which_no_credentials_finds_closed(order):
    found = {}
    with attacked(cached(order)) as target:
        route = next(one for one in target.routes if one.id == "GET /orders")
        for attack in ATTACKS:
            found[attack.name] = Trial(target, route, ALICE).run(attack.run)
    says_open = [name for name, one in found.items() if isinstance(one, NotTried) and str(one) == OPEN]
    assert bool(says_open) is is_hole(found["no_credentials"]) is (order == "before")


@pytest.mark.parametrize(("status", "tried"), [(400, False), (404, False), (500, False), (401, True), (403, True)])
def test_a_route_that_tells_nothing_of_who_may_ask_is_a_finding_of_its_own(status, tried):
    app = Starlette(routes=[Route("/orders", lambda request: PlainTextResponse("no", status))])
    assert is_hole(outcome("genuine_request", app, ALICE)) is not tried
    assert outcome("genuine_request", app_that(has_token), Credentials()) is None
    assert outcome("genuine_request", app_that(has_token), ALICE) is None

"""Starlette alone: the whole app behind a guard, `request.user` and `request.auth`, and where decorators stand."""

from __future__ import annotations

import json
from functools import wraps

import pytest
from starlette.applications import Starlette
from starlette.authentication import requires
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient

from tests.core.fakes import FakeVerifier
from tests.servers.frameworks.made import Made
from watchword import BasicVerifier, ConfigurationError, Guard
from watchword.servers.starlette import Authenticate, Refused, User, protect
from watchword.stores import MemoryStore

FAKE = {"authorization": "fake alice"}
GUARD = Guard([FakeVerifier(scopes=frozenset({"orders:read"}))])


async def told(request):
    return JSONResponse([type(request.user).__name__, request.user.display_name, list(request.auth.scopes)])


@requires("orders:write")
async def write(request):
    raise AssertionError


def protected(**options):
    app = Starlette(routes=[Route("/", told), Route("/write", write)])
    app.add_middleware(protect, guard=GUARD, **options)
    return Made(app, [])


def test_behind_protect_a_request_has_a_user_and_the_scopes():
    got = protected().ask("/", headers=FAKE)
    assert json.loads(got.content) == ["User", "alice", ["authenticated", "orders:read"]]


def test_authenticated_is_only_who_was_admitted():
    got = protected(optional=True).ask("/")
    assert json.loads(got.content) == ["UnauthenticatedUser", "", []]
    assert protected(optional=True).ask("/", headers={"authorization": "fake wrong"}).status == 401


def test_behind_protect_refusals_are_problem_details():
    refused = protected().ask("/")
    assert (refused.status, refused.values("content-type")) == (401, ["application/problem+json"])
    assert json.loads(refused.content) == {"type": "about:blank", "title": "Unauthorized", "status": 401}
    assert protected().ask("/", method="HEAD").content == b""


def test_starlettes_own_requires_knows_the_scopes():
    assert protected().ask("/write", headers=FAKE).status == 403


def test_a_user_is_the_maker_of_the_request():
    assert User(GUARD.verify).is_authenticated


def test_an_endpoint_without_its_middleware_or_its_decorator_is_a_mistake_that_says_what_to_write():
    auth = Authenticate(GUARD)
    app = Starlette(routes=[Route("/", auth.required()(told))])
    with pytest.raises(ConfigurationError, match=r"auth\.install\(app\)"):
        Made(app, []).ask("/", headers=FAKE)

    async def undecorated(request):
        return PlainTextResponse(auth.identity(request).subject)

    app = Starlette(routes=[Route("/", undecorated)])
    auth.install(app)
    with pytest.raises(ConfigurationError, match="nobody has asked"):
        Made(app, []).ask("/", headers=FAKE)


async def write_nothing(request):
    return PlainTextResponse("")


def by_another(endpoint):
    @wraps(endpoint)
    async def called(request):
        return await endpoint(request)

    return called


def by_a_method(auth):
    class Told(HTTPEndpoint):
        get = auth.required()(told)

    return Route("/asked", Told)


ASKED = {
    "required": lambda auth: Route("/asked", auth.required()(told)),
    "optional": lambda auth: Route("/asked", auth.optional(told)),
    "inside another decorator": lambda auth: Route("/asked", by_another(auth.required()(told))),
    "a method": by_a_method,
    "below": lambda auth: Mount("/below", routes=[Route("/asked", auth.required()(told))]),
    "a socket": lambda auth: WebSocketRoute("/asked", auth.required()(told)),
}


@pytest.mark.parametrize("where", ASKED)
def test_an_app_whose_endpoints_ask_a_guard_that_is_not_installed_beside_one_that_is_does_not_start(where):
    known, other = Authenticate(GUARD), Authenticate(Guard([FakeVerifier()]))
    app = Starlette(routes=[Route("/public", write_nothing), ASKED[where](known), ASKED[where](other)])
    known.install(app)
    with pytest.raises(ConfigurationError, match="/asked asks a guard"), TestClient(app):
        pass
    with pytest.raises(ConfigurationError, match="/asked asks a guard"):
        Made(app, []).ask("/public")
    around = Starlette(routes=[Mount("/", app)])
    other.install(around)
    for whole in (app, around):
        with TestClient(whole):
            pass
    assert Made(around, []).ask("/public").status == 200


@pytest.mark.parametrize("key", [HTTPException, 401, Refused])
def test_an_apps_own_handler_words_refusals_and_the_challenges_go_out_all_the_same(key):
    auth = Authenticate(Guard([BasicVerifier(realm="r")], MemoryStore()))
    app = Starlette(routes=[Route("/", auth.required()(told))])
    auth.install(app)
    app.add_exception_handler(key, lambda _, error: JSONResponse({"own": error.detail}, error.status_code))
    refused = Made(app, []).ask("/")
    assert (refused.status, refused.content) == (401, b'{"own":"Unauthorized"}')
    assert refused.values("www-authenticate") == ['Basic realm="r", charset="UTF-8"']

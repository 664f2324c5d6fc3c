"""Litestar alone: what its OpenAPI document says of guards, and what an app may change."""

from __future__ import annotations

from typing import Any

import litestar
import pytest
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig
from litestar.testing import TestClient

from tests.core.fakes import FakeVerifier
from tests.servers.frameworks.made import Made
from watchword import APIKeyVerifier, BasicVerifier, ConfigurationError, Guard, JWTVerifier, Key
from watchword.servers.litestar import Authenticate, Refused
from watchword.stores import MemoryStore

KEY = Key.from_secret(b"a secret that signs the tokens..", algorithm="HS256", key_id="id-1")
FLOWS = {
    "authorizationCode": {"authorizationUrl": "https://id.example/a", "tokenUrl": "https://id.example/t", "scopes": {}}
}


def app_of(*handlers: Any, plugins: list[Any], **parts: Any) -> litestar.Litestar:
    return litestar.Litestar([*handlers], plugins=plugins, logging_config=None, **parts)


def handler(path: str, *guards: Any, **parts: Any) -> Any:
    @litestar.get(path, guards=[*guards], name=path, **parts)
    async def orders() -> None: ...

    return orders


def test_the_document_says_what_each_route_demands():
    auth = Authenticate(Guard([JWTVerifier(KEY), BasicVerifier(realm="r")], MemoryStore()))
    read, write = auth.required("orders:read"), auth.required("orders:write")
    app = app_of(
        handler("/public"), handler("/maybe", auth.optional), handler("/orders", read, write), plugins=[auth],
        openapi_config=OpenAPIConfig("Orders", "1"),
    )  # fmt: skip
    document = app.openapi_schema.to_schema()
    assert document["components"]["securitySchemes"] == {
        "Bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}, "Basic": {"type": "http", "scheme": "basic"},
    }  # fmt: skip
    security = {path: item["get"].get("security") for path, item in document["paths"].items()}
    both = ["orders:read", "orders:write"]
    assert security == {
        "/public": None, "/maybe": [{"Bearer": []}, {"Basic": []}, {}], "/orders": [{"Bearer": both}, {"Basic": both}],
    }  # fmt: skip


def test_two_guards_of_one_route_are_needed_together_beside_what_the_route_says_itself():
    users, machines = Authenticate(Guard([JWTVerifier(KEY)])), Authenticate(Guard([APIKeyVerifier()], MemoryStore()))
    route = handler("/orders", users.required(), machines.required(), security=[{"own": []}])
    document = app_of(route, plugins=[users, machines]).openapi_schema.to_schema()
    assert document["paths"]["/orders"]["get"]["security"] == [{"own": []}, {"Bearer": [], "X-API-Key": []}]


def test_where_people_can_log_in_is_told():
    auth = Authenticate(Guard([JWTVerifier(KEY)]), login={"type": "oauth2", "flows": FLOWS})
    document = app_of(handler("/orders", auth.required()), plugins=[auth]).openapi_schema.to_schema()
    assert document["components"]["securitySchemes"]["Bearer"] == {"type": "oauth2", "flows": FLOWS}


def test_without_the_plugin_every_request_of_a_guarded_route_fails():
    auth = Authenticate(Guard([FakeVerifier()]))
    app = app_of(handler("/orders", auth.required()), plugins=[])
    assert Made(app, []).ask("/orders", headers={"authorization": "fake alice"}).status == 500


@litestar.websocket("/asked")
async def talk(socket: litestar.WebSocket[Any, Any, Any]) -> None: ...


ASKED: dict[str, Any] = {
    "required": lambda auth: handler("/asked", auth.required()),
    "optional": lambda auth: handler("/asked", auth.optional),
    "of a router": lambda auth: litestar.Router("/", route_handlers=[handler("/asked")], guards=[auth.required()]),
    "a socket": lambda auth: litestar.Router("/", route_handlers=[talk], guards=[auth.required()]),
}


@pytest.mark.parametrize("where", ASKED)
def test_an_app_whose_routes_ask_a_guard_that_is_no_plugin_beside_one_that_is_does_not_start(where):
    known, other = (Authenticate(Guard([FakeVerifier()]), name=name) for name in ("", "other."))
    app = app_of(handler("/public"), handler("/known", known.required()), ASKED[where](other), plugins=[known])
    with pytest.raises(ExceptionGroup) as caught, TestClient(app):
        pass
    assert caught.group_contains(ConfigurationError, match="/asked asks a guard")
    app = app_of(handler("/known", known.required()), ASKED[where](other), plugins=[other, known])
    with TestClient(app) as client:
        assert client.get("/known").status_code == 401


def test_an_app_inside_may_ask_a_guard_of_the_app_around_it():
    known, other = (Authenticate(Guard([FakeVerifier()]), name=name) for name in ("", "other."))
    inner = app_of(handler("/asked", other.required()), plugins=[known])
    app_of(litestar.asgi("/below", is_mount=True, copy_scope=True)(inner), plugins=[other])
    with TestClient(inner):
        pass


@pytest.mark.parametrize("key", [HTTPException, 401, Refused])
def test_an_apps_own_handler_words_refusals_and_the_challenges_go_out_all_the_same(key):
    def worded(_: Any, error: HTTPException) -> litestar.Response[Any]:
        return litestar.Response({"own": error.detail}, status_code=error.status_code)

    auth = Authenticate(Guard([BasicVerifier(realm="r")], MemoryStore()))
    app = app_of(handler("/orders", auth.required()), plugins=[auth], exception_handlers={key: worded})
    refused = Made(app, []).ask("/orders")
    assert (refused.status, refused.content) == (401, b'{"own":"Unauthorized"}')
    assert refused.values("www-authenticate") == ['Basic realm="r", charset="UTF-8"']

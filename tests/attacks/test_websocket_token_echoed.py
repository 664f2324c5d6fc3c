"""A token in a WebSocket subprotocol is shown to nobody: not to the application, and not in the answer, where logs and proxies see it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from watchword import ConfigurationError, Guard, InSubprotocol, RegisteredToken, TokenVerifier
from watchword.servers.asgi import identity, protect
from watchword.servers.starlette import Authenticate

TOKEN = "mF_9.B5f-4.1JqM"
GUARD = Guard([TokenVerifier({TOKEN: RegisteredToken("alice")}.get, by="plain", place=InSubprotocol("bearer."))])


def connected(
    offered: list[str], chosen: Any, guard: Guard = GUARD, optional: bool = False
) -> tuple[list[str], list[dict[str, Any]]]:
    """What the application was offered, and what went out."""
    seen: list[str] = []
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.extend(scope["subprotocols"])
        seen.append(identity(scope).subject)
        await receive()
        await send({"type": "websocket.accept", **chosen(scope["subprotocols"])})
        await send({"type": "websocket.close", "code": 1000})

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "websocket", "scheme": "wss", "path": "/", "raw_path": b"/", "query_string": b"", "subprotocols": list(offered),
        "headers": [(b"host", b"api.example"), (b"sec-websocket-protocol", ", ".join(offered).encode())],
    }  # fmt: skip
    asyncio.run(protect(app, guard, optional=optional)(scope, receive, send))  # type: ignore[arg-type]
    assert scope["subprotocols"] == offered, "an outer application's scope is its own"
    return seen, sent


@pytest.mark.parametrize("offered", [["v1", f"bearer.{TOKEN}", "v2"], [f"bearer.{TOKEN}", "v1", "v2"]])
@pytest.mark.parametrize(
    ("chosen", "accepted"),
    [(lambda _: {}, "v1"), (lambda _: {"subprotocol": None}, "v1"), (lambda of: {"subprotocol": of[-1]}, "v2")],
)
def test_the_application_sees_the_others_and_one_of_them_is_accepted(
    offered: list[str], chosen: Any, accepted: str
) -> None:
    seen, sent = connected(offered, chosen)
    assert seen == ["v1", "v2", "alice"]
    assert (sent[0]["type"], sent[0]["subprotocol"]) == ("websocket.accept", accepted)
    assert TOKEN not in str(sent)


def test_the_token_is_never_sent_back() -> None:
    with pytest.raises(ConfigurationError, match="would show it") as caught:
        connected(["v1", f"bearer.{TOKEN}"], lambda _: {"subprotocol": f"bearer.{TOKEN}"})
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "offered", [["v1"], [f"bearer.{TOKEN}"], ["v1", "bearer.unknown"], ["v1", f"bearer.{TOKEN}", "bearer.x"], []]
)
def test_a_refused_handshake_accepts_nothing(offered: list[str]) -> None:
    seen, sent = connected(offered, lambda _: {})
    assert seen == []
    assert [message["type"] for message in sent] == ["websocket.close"]
    assert TOKEN not in str(sent)


def test_what_an_application_without_tokens_accepts_is_its_own_business() -> None:
    plain = Guard([TokenVerifier(lambda _: RegisteredToken("alice"), place=None)])

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    scope = {
        "type": "websocket", "scheme": "wss", "path": "/", "raw_path": b"/", "query_string": b"", "subprotocols": ["v1"],
        "headers": [(b"host", b"api.example"), (b"authorization", b"Bearer abc")],
    }  # fmt: skip
    asyncio.run(protect(app, plain)(scope, receive, send))
    assert sent == [{"type": "websocket.accept"}]


@pytest.mark.parametrize("order", [0, 1])
def test_it_is_hidden_as_well_where_a_route_asks_for_the_verdict(order: int) -> None:
    seen: list[str] = []
    sent: list[Any] = []
    auth = Authenticate(GUARD)

    @auth.required()
    async def live(websocket: WebSocket) -> None:
        seen.extend([*websocket.scope["subprotocols"], auth.identity(websocket).subject])
        await websocket.accept()
        await websocket.close()

    app = Starlette(routes=[WebSocketRoute("/", live)])
    auth.install(app)
    offered = [["v1", f"bearer.{TOKEN}"], [f"bearer.{TOKEN}", "v1"]][order]

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "websocket", "scheme": "wss", "path": "/", "raw_path": b"/", "query_string": b"", "subprotocols": offered,
        "headers": [(b"host", b"api.example"), (b"sec-websocket-protocol", ", ".join(offered).encode())],
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    assert seen == ["v1", "alice"]
    assert (sent[0]["type"], sent[0]["subprotocol"]) == ("websocket.accept", "v1")
    assert TOKEN not in str(sent)

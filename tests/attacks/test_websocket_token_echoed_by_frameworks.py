"""A token in a WebSocket subprotocol is shown to no application of a framework either, and never sent back by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fastapi
import litestar
import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from watchword import Guard, InSubprotocol, RegisteredToken, TokenVerifier
from watchword.servers.fastapi import Authenticate as FastAPIAuthenticate
from watchword.servers.litestar import Authenticate as LitestarAuthenticate
from watchword.servers.starlette import Authenticate as StarletteAuthenticate

TOKEN = "mF_9.B5f-4.1JqM"
GUARD = Guard([TokenVerifier({TOKEN: RegisteredToken("alice")}.get, by="plain", place=InSubprotocol("bearer."))])


def of_starlette(seen: list[str], asks: bool) -> Any:
    auth = StarletteAuthenticate(GUARD)

    async def socket(websocket: WebSocket) -> None:
        seen.extend(websocket.scope["subprotocols"])
        await websocket.accept(subprotocol=next(iter(seen), None))
        await websocket.close()

    app = Starlette(routes=[WebSocketRoute("/x", auth.required()(socket) if asks else socket)])
    auth.install(app)
    return app


def of_fastapi(seen: list[str], asks: bool) -> Any:
    auth = FastAPIAuthenticate(GUARD)
    app = fastapi.FastAPI()
    auth.install(app)

    async def answer(websocket: fastapi.WebSocket) -> None:
        seen.extend(websocket.scope["subprotocols"])
        await websocket.accept(subprotocol=next(iter(seen), None))
        await websocket.close()

    async def asking(websocket: fastapi.WebSocket, who: Any = fastapi.Security(auth)) -> None:
        await answer(websocket)

    app.websocket("/x")(asking if asks else answer)
    return app


def of_litestar(seen: list[str], asks: bool) -> Any:
    auth = LitestarAuthenticate(GUARD)

    @litestar.websocket("/x", guards=[auth.required()] if asks else [])
    async def answer(socket: litestar.WebSocket[Any, Any, Any]) -> None:
        seen.extend(socket.scope["subprotocols"])
        await socket.accept(subprotocols=next(iter(seen), None))
        await socket.close()

    return litestar.Litestar([answer], plugins=[auth])


@pytest.mark.parametrize("asks", [True, False], ids=["asked", "public"])
@pytest.mark.parametrize("made", [of_starlette, of_fastapi, of_litestar])
def test_the_application_sees_no_token_and_accepts_another_subprotocol(
    made: Callable[[list[str], bool], Any], asks: bool
) -> None:
    seen: list[str] = []
    client = TestClient(made(seen, asks))
    with client.websocket_connect("/x", subprotocols=[f"bearer.{TOKEN}", "v1", "v2"]) as connection:
        assert (seen, connection.accepted_subprotocol) == (["v1", "v2"], "v1")

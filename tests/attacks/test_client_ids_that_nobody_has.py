"""A client id with control characters reaches no look-up and no log: a NUL breaks databases, a line end forges lines."""

from __future__ import annotations

import asyncio
import base64
from typing import Any
from urllib.parse import quote

import pytest

from watchword import Key
from watchword.authorization_server.token_endpoint import TokenEndpoint, TokenVerdict
from watchword.servers.endpoint import asgi_endpoint
from watchword.stores import from_callables


@pytest.mark.parametrize("client_id", ["ro\0bot", "robot\ntoken issued", "\x1b[2J", "\u202erobot", "robot\x85"])
@pytest.mark.parametrize("by_basic", [False, True])
def test_it_is_an_unknown_client(client_id: str, by_basic: bool) -> None:
    verdicts: list[TokenVerdict] = []

    def client(client_id: str) -> Any:
        raise ValueError("a look-up that can't take it")

    endpoint = TokenEndpoint(
        Key.generate("HS256"), issuer="https://id.example", audience="api", observe=verdicts.append
    )
    app = asgi_endpoint(endpoint, from_callables(client=client))
    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    body = "grant_type=client_credentials"
    if by_basic:
        headers.append((b"authorization", b"Basic " + base64.b64encode(f"{quote(client_id)}:x".encode())))
    else:
        body += f"&client_id={quote(client_id)}&client_secret=x"
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body.encode()}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/token", "raw_path": b"/token", "headers": headers}
    asyncio.run(app(scope, receive, send))
    assert (sent[0]["status"], sent[1]["body"]) == (401, b'{"error":"invalid_client"}')
    assert [(verdict.error, verdict.client_id) for verdict in verdicts] == [("invalid_client", None)]

"""ASGI's header fields are any iterable: one that can be read once hides no credentials, from the guard or the application."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from watchword import Guard, JWTVerifier, Key
from watchword.crypto import jose
from watchword.servers import asgi

KEY = Key.generate("HS256")
GENUINE = b"Bearer " + jose.sign(b'{"sub":"alice"}', KEY).encode()
HOST = (b"host", b"api.example")


def ask(headers: Any, *, optional: bool) -> tuple[int, Any, list[Any]]:
    """The status, the identity, and the fields that the application finds."""
    sent: list[Any] = []
    seen: list[Any] = [None, []]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen[:] = asgi.identity(scope), list(scope["headers"])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "headers": headers}
    asyncio.run(asgi.protect(app, Guard([JWTVerifier(KEY)]), optional=optional)(scope, receive, send))
    return sent[0]["status"], *seen


@pytest.mark.parametrize("optional", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_credentials_are_found_wherever_they_stand(first: bool, optional: bool) -> None:
    for value, status in ((b"Bearer forged", 401), (GENUINE, 200)):
        lines = [(b"authorization", value), HOST] if first else [HOST, (b"authorization", value)]
        answer, who, found = ask(iter(lines), optional=optional)
        assert answer == status
        if status == 200:
            assert (who.subject, found) == ("alice", lines)

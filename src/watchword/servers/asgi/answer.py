"""Sending a refusal to an ASGI server."""

from __future__ import annotations

from watchword.core.answer import Refusal
from watchword.core.message import Headers
from watchword.servers.asgi.request import Receive, Scope, Send
from watchword.servers.problem import RefusalBody, content_of, no_body

__all__ = ["DENIAL", "answer"]

DENIAL = "websocket.http.response"


async def answer(refusal: Refusal, scope: Scope, receive: Receive, send: Send, body: RefusalBody = no_body) -> None:
    """Sends `refusal`; a WebSocket is closed before it is accepted, with the refusal itself where the server can."""
    media_type, content = content_of(refusal, body)
    if scope.get("method") == "HEAD":
        content = b""
    response = refusal.response(content, media_type)
    kind, headers = "http.response", [*response.headers]
    if scope["type"] == "websocket":
        await receive()  # websocket.connect
        kind = DENIAL
        if kind not in (scope.get("extensions") or {}):
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return
        headers = _one_line_each(headers)
    await send({"type": f"{kind}.start", "status": response.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": content})


def _one_line_each(headers: Headers) -> list[tuple[bytes, bytes]]:
    """One line per field (RFC 9110 §5.3): a repeated field in a refused handshake ends the worker of granian 2.8."""
    values: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(value)
    return [(name, b", ".join(group)) for name, group in values.items()]

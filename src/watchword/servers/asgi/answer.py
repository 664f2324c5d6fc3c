"""Sending a refusal to an ASGI server."""

from __future__ import annotations

from watchword.core.answer import Refusal
from watchword.servers.asgi.request import Receive, Scope, Send

__all__ = ["DENIAL", "answer"]

DENIAL = "websocket.http.response"


async def answer(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    """Sends `refusal`; a WebSocket is closed before it is accepted, with the refusal itself where the server can."""
    response = refusal.response()
    kind, headers = "http.response", [*response.headers]
    if scope["type"] == "websocket":
        await receive()  # websocket.connect
        kind = DENIAL
        if kind not in (scope.get("extensions") or {}):
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return
        headers = _joined(headers)
    await send({"type": f"{kind}.start", "status": response.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": b""})


def _joined(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """One line per field (RFC 9110 §5.3): a repeated field in a refused handshake ends the worker of granian 2.8."""
    values: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(value)
    return [(name, b", ".join(group)) for name, group in values.items()]

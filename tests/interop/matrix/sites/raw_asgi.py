"""Plain ASGI: one application for whoever the guard admits, one for all."""

from __future__ import annotations

from typing import Any

from tests.interop.matrix.sites.answers import HOPS, Arrived, guard
from watchword.servers.asgi import identity_or_none, protect


async def answers(scope: Any, receive: Any, send: Any) -> None:
    arrived, more = Arrived(), True
    while more:
        message = await receive()
        arrived.add(message.get("body", b""))
        more = message.get("more_body", False)
    status, headers = 200, []
    if to := HOPS.get(scope["path"]):
        status, headers = 307, [(b"location", to.encode())]
    content = arrived.told(identity_or_none(scope))
    headers.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


_guard = guard()
guarded, optional = protect(answers, _guard), protect(answers, _guard, optional=True)


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await (optional if scope["path"] == "/maybe" else guarded)(scope, receive, send)

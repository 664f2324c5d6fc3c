"""A Litestar app for Litestar's test client, which tells of a request's target otherwise than servers do."""

from __future__ import annotations

from typing import Any

from watchword.servers.asgi.request import Receive, Scope, Send

__all__ = ["served"]


def served(app: Any) -> Any:
    """The app as servers call it: `TestClient(served(app))`.

    Litestar's test client puts the query into `raw_path`, which holds the path alone (ASGI, HTTP connection scope). A guard would
    take the query for a part of it, and refuse each signature that covers the target.

    Args:
        app: the app. (Its type is Litestar's own for ASGI applications, which is not that of other libraries.)

    >>> async def app(scope, receive, send):
    ...     print(scope["raw_path"])
    >>> import asyncio
    >>> asyncio.run(served(app)({"type": "http", "raw_path": b"/orders?id=7"}, None, None))
    b'/orders'
    """

    async def told_rightly(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            scope["raw_path"] = scope["raw_path"].partition(b"?")[0]
        await app(scope, receive, send)

    return told_rightly

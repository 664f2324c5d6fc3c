"""Applications that answer for their own host, and leave the requests for others to whoever answers those."""

from __future__ import annotations

from typing import Any

from watchword.servers.asgi.request import App as ASGIApp
from watchword.servers.asgi.request import Receive, Scope, Send
from watchword.servers.asgi.request import request_of as request_of_scope
from watchword.servers.wsgi.request import App as WSGIApp
from watchword.servers.wsgi.request import Environ, request_of
from watchword.testing.signing import Elsewhere

__all__ = ["asgi_with", "wsgi_with"]


def wsgi_with(app: WSGIApp, host: str, elsewhere: Elsewhere | None) -> WSGIApp:
    """`app` for `host`; `elsewhere` answers for the others."""
    if elsewhere is None:
        return app

    def by_host(environ: Environ, start_response: Any) -> Any:
        request = request_of(environ)
        if request.authority == host:
            return app(environ, start_response)
        answer = elsewhere(request, environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        lines = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.response.headers]
        start_response(f"{answer.response.status} Answered", lines)
        return [answer.body or b""]

    return by_host


def asgi_with(app: ASGIApp, host: str, elsewhere: Elsewhere | None) -> ASGIApp:
    """The same for an ASGI application."""
    if elsewhere is None:
        return app

    async def by_host(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or request_of_scope(scope).authority == host:
            await app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        answer = elsewhere(request_of_scope(scope), body)
        await send(
            {"type": "http.response.start", "status": answer.response.status, "headers": list(answer.response.headers)}
        )
        await send({"type": "http.response.body", "body": answer.body or b""})

    return by_host

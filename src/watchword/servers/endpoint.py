"""Hosting an endpoint of the authorization server, as an ASGI or a WSGI application of its own."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from http import HTTPStatus
from typing import Any, Protocol

from watchword.core.answer import ResponseSealer
from watchword.core.io import IO, Awaited, Direct, drive
from watchword.structures.line import ClientGone
from watchword.core.message import Request
from watchword.core.records import AsyncStore, Store
from watchword.core.rejection import ConfigurationError
from watchword.core.together import check_store_of
from watchword.servers.asgi.failing import failing as asgi_failing
from watchword.servers.asgi.incoming import Incoming
from watchword.servers.asgi.request import App as ASGIApp
from watchword.servers.asgi.request import Receive, Scope, Send, headers_of, request_of
from watchword.servers.endpoint_sealing import Answered, Failures, Sealing
from watchword.servers.wsgi.body import Body
from watchword.servers.wsgi.failing import failing as wsgi_failing
from watchword.servers.wsgi.leaving import client_has_left
from watchword.servers.wsgi.request import App as WSGIApp
from watchword.servers.wsgi.request import Environ
from watchword.servers.wsgi.request import request_of as request_of_environ

__all__ = ["Endpoint", "asgi_endpoint", "wsgi_endpoint"]


class Endpoint(Protocol):
    """A program that answers a request itself.

    It may have `committed_together`, the kinds of records that it writes in one commit.
    """

    async def respond(self, request: Request, io: IO[Any, Any], receive: Any, gone: Any, /) -> Answered:
        """The answer; `receive` gives the body's chunks, as `io` reads them, and `gone` is for `io.wait`.

        Raises:
            ClientGone: nobody is there to be answered.
        """
        ...


def asgi_endpoint(
    endpoint: Endpoint, store: Store | AsyncStore | None = None, *, seal: ResponseSealer | None = None
) -> ASGIApp:
    """The endpoint as an ASGI application.

    Args:
        endpoint: what answers.
        store: where its records are; None for one that needs none.
        seal: proves each answer to the client, `SignatureSeal(key)`.

    Raises:
        ConfigurationError: what the endpoint commits together falls to different stores (`combine`).

    >>> from watchword import Key
    >>> from watchword.authorization_server.token_endpoint import TokenEndpoint
    >>> from watchword.stores import MemoryStore
    >>> app = asgi_endpoint(TokenEndpoint(Key.generate("HS256"), issuer="https://id.example", audience="api"), MemoryStore())
    """
    check_store_of(endpoint, getattr(endpoint, "committed_together", ()), store)
    io = Awaited(store)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ConfigurationError(f"an endpoint answers http requests, not {scope['type']!r} scopes")
        incoming = Incoming(receive, scope["type"], headers_of(scope))
        request = request_of(scope)
        sealing = Sealing(seal, request)
        try:
            answer = await endpoint.respond(request, io, sealing.checking_awaited(incoming.chunk), incoming.gone)
            if sealing.waits:
                sealing.settle(await incoming.chunk())
        except ClientGone:
            return
        finally:
            incoming.close()
        status, headers = answer.response.status, [*answer.response.headers, *sealing.lines(answer)]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    return app if seal is None else asgi_failing(app, Failures(seal))


def wsgi_endpoint(endpoint: Endpoint, store: Store | None = None, *, seal: ResponseSealer | None = None) -> WSGIApp:
    """The endpoint as a WSGI application; as `asgi_endpoint`.

    Raises:
        ConfigurationError: the store is an `AsyncStore`; or as `asgi_endpoint`.

    >>> from watchword import Key
    >>> from watchword.authorization_server.token_endpoint import TokenEndpoint
    >>> from watchword.stores import MemoryStore
    >>> app = wsgi_endpoint(TokenEndpoint(Key.generate("HS256"), issuer="https://id.example", audience="api"), MemoryStore())
    """
    check_store_of(endpoint, getattr(endpoint, "committed_together", ()), store)
    io = Direct(store)

    def app(environ: Environ, start_response: Any) -> Iterable[bytes]:
        request = request_of_environ(environ)
        sealing = Sealing(seal, request)
        try:
            body = Body(environ)
            gone = partial(client_has_left, environ)
            answer = drive(endpoint.respond(request, io, sealing.checking(body.chunk), gone))
            if sealing.waits:
                sealing.settle(body.chunk())
        except ClientGone:
            start_response("503 Service Unavailable", [("Content-Length", "0")])  # WSGI wants an answer
            return []
        status = answer.response.status
        lines = (*answer.response.headers, *sealing.lines(answer))
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in lines]
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [answer.body]

    return app if seal is None else wsgi_failing(app, Failures(seal))

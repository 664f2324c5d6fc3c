"""Drives an ASGI application in process: no socket, the octets of the target and of each field line as an attacker wrote them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote_to_bytes

from watchword.core.message import Request
from watchword.testing.attacks.answer import Answer

__all__ = ["ASGIDriver", "field_lines"]

Message = MutableMapping[str, Any]
ASGIApp = Callable[[Any, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

WAIT = 10.0
"""Seconds until an app that says nothing more is left alone."""
QUIET = 0.3
"""Seconds for which an open WebSocket may stay silent before it counts as open for good."""
PROBE = "{}"
"""The first message on a WebSocket: nothing that would authenticate anybody."""
CLOSED_FOR_AUTHENTICATION = (1008, 3000)
"""Close codes that refuse (RFC 6455 §7.4.1, IANA); 4000 to 4999 are the app's own."""


def field_lines(request: Request, body: bytes) -> list[tuple[bytes, bytes]]:
    """The field lines as a server hands them over: Host first unless the request has its own, and the length of the body."""
    names = {name for name, _ in request.headers}
    lines = [] if b"host" in names else [(b"host", request.authority.encode("latin-1"))]
    lines += request.headers
    if body and not names & {b"content-length", b"transfer-encoding"}:
        lines.append((b"content-length", b"%d" % len(body)))
    return lines


class ASGIDriver:
    """One application with its lifespan, on an event loop of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._runner = asyncio.Runner()
        self._lifespan: _Lifespan | None = None

    def start(self) -> None:
        """Runs the app's startup; an app without lifespan goes without, as with every server."""
        self._lifespan = _Lifespan(self._app)
        self._runner.run(self._lifespan.start())

    def close(self) -> None:
        """Runs the app's shutdown."""
        try:
            if self._lifespan is not None:
                self._runner.run(self._lifespan.stop())
        finally:
            self._runner.close()

    def send(self, request: Request, body: bytes) -> Answer:
        """The answer to one request."""
        exchange = _Exchange(body)
        self._runner.run(exchange.run(self._app, self._scope(request, body, "http")))
        return exchange.answer()

    def connect(self, request: Request) -> Answer:
        """What becomes of one WebSocket handshake."""
        handshake = _Handshake()
        self._runner.run(handshake.run(self._app, self._scope(request, b"", "websocket")))
        return handshake.answer()

    def _scope(self, request: Request, body: bytes, kind: str) -> dict[str, Any]:
        path, _, query = request.target.partition(b"?")
        host, _, port = request.authority.partition(":")
        secure = request.scheme == "https"
        scope: dict[str, Any] = {
            "type": kind,
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": request.scheme if kind == "http" else ("wss" if secure else "ws"),
            "path": unquote_to_bytes(path).decode("utf-8", "replace"),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": field_lines(request, body),
            "client": (request.peer.address, 50000),
            "server": (host, int(port) if port.isdigit() else 443 if secure else 80),
            "state": {} if self._lifespan is None else dict(self._lifespan.state),
            "extensions": {"websocket.http.response": {}} if kind == "websocket" else {},
        }
        if kind == "http":
            scope["method"] = request.method
        else:
            offered = b",".join(request.values(b"sec-websocket-protocol")).decode("latin-1")
            scope["subprotocols"] = [word.strip() for word in offered.split(",") if word.strip()]
        return scope


class _Lifespan:
    """Startup and shutdown (ASGI's lifespan protocol)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._incoming: asyncio.Queue[Message] = asyncio.Queue()
        self._outgoing: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self.state: dict[str, Any] = {}

    async def start(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        self._task = asyncio.ensure_future(_awaited(self._app, scope, self._incoming.get, self._outgoing.put))
        message = await self._told("startup")
        if message is not None and message["type"] == "lifespan.startup.failed":
            raise RuntimeError(f"the app does not start: {message.get('message', '')}")

    async def stop(self) -> None:
        if self._task is not None and not self._task.done():
            await self._told("shutdown")
            await _end(self._task)

    async def _told(self, what: str) -> Message | None:
        assert self._task is not None
        await self._incoming.put({"type": f"lifespan.{what}"})
        said = asyncio.ensure_future(self._outgoing.get())
        await asyncio.wait([said, self._task], return_when=asyncio.FIRST_COMPLETED, timeout=WAIT)
        if said.done():
            return said.result()
        await _end(said)
        return None  # the app has no lifespan, or has left it


async def _awaited(app: ASGIApp, *arguments: Any) -> None:
    await app(*arguments)


async def _end(task: asyncio.Future[Any]) -> None:
    """Waits for a task that ought to end, and cancels it otherwise; the result is of no interest."""
    await asyncio.wait([task], timeout=0.1)
    task.cancel()
    await asyncio.wait([task], timeout=WAIT)
    if task.done() and not task.cancelled():
        task.exception()


class _Exchange:
    """One HTTP request."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._content = b""
        self._ended = asyncio.Event()
        self._error = ""

    async def run(self, app: ASGIApp, scope: dict[str, Any]) -> None:
        task = asyncio.ensure_future(_awaited(app, scope, self._receive, self._send))
        ended = asyncio.ensure_future(self._ended.wait())
        await asyncio.wait([task, ended], return_when=asyncio.FIRST_COMPLETED, timeout=WAIT)
        self._ended.set()  # a stream without end gets its disconnect
        await asyncio.wait([task], timeout=WAIT)
        await _end(ended)
        if task.done() and not task.cancelled() and task.exception() is not None:
            self._error = type(task.exception()).__name__
        await _end(task)

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._ended.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = [(bytes(name).lower(), bytes(value)) for name, value in message.get("headers", ())]
        elif message["type"] == "http.response.body":
            self._content += message.get("body", b"")
            if not message.get("more_body", False):
                self._ended.set()

    def answer(self) -> Answer:
        return Answer(self._status or 500, self._headers, self._content, self._error)


class _Handshake:
    """One WebSocket: opened, sent one message that proves nothing, and listened to for a moment.

    An app that closes it then with a code for that, before it has said anything, refuses as well as one that never opens it.
    """

    def __init__(self) -> None:
        self._incoming: asyncio.Queue[Message] = asyncio.Queue()
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self._status, self._error, self._said = 403, "", b""
        self._headers: list[tuple[bytes, bytes]] = []

    async def run(self, app: ASGIApp, scope: dict[str, Any]) -> None:
        await self._incoming.put({"type": "websocket.connect"})
        task = asyncio.ensure_future(_awaited(app, scope, self._incoming.get, self._events.put))
        try:
            await self._listen(task)
        finally:
            await self._incoming.put({"type": "websocket.disconnect", "code": 1001})
            await _end(task)
        if task.done() and not task.cancelled() and task.exception() is not None:
            self._error = type(task.exception()).__name__

    async def _listen(self, task: asyncio.Future[None]) -> None:
        first = await self._next(task, WAIT)
        if first is None or first["type"] == "websocket.close":
            return
        self._headers = [(bytes(name).lower(), bytes(value)) for name, value in first.get("headers", ())]
        if first["type"] == "websocket.http.response.start":
            self._status = first["status"]
            return
        self._status = 101
        await self._incoming.put({"type": "websocket.receive", "text": PROBE})
        said = await self._next(task, QUIET)
        if said is None:
            return
        if said["type"] == "websocket.close":
            code = said.get("code", 1000)
            if code in CLOSED_FOR_AUTHENTICATION or 4000 <= code < 5000:
                self._status = 403
        else:
            self._said = said.get("bytes") or (said.get("text") or "").encode()

    async def _next(self, task: asyncio.Future[None], patience: float) -> Message | None:
        event = asyncio.ensure_future(self._events.get())
        both: list[asyncio.Future[Any]] = [event, task]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED, timeout=patience)
        if not event.done():
            await asyncio.wait([event], timeout=0.01)  # the app may have ended with its last message
        if event.done():
            return event.result()
        await _end(event)
        return None

    def answer(self) -> Answer:
        return Answer(self._status, self._headers, self._said, self._error)

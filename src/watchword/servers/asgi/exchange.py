"""The messages of one admitted ASGI request: adding to the answer, checking the body as it passes."""

from __future__ import annotations

from watchword.core.guard import AsyncGuard
from watchword.core.message import Response
from watchword.core.admission import Admission
from watchword.core.rejection import ConfigurationError, Rejected
from watchword.core.scheme import BodyStream
from watchword.servers.asgi.answer import DENIAL, answer
from watchword.servers.asgi.request import App, Message, Receive, Scope, Send

__all__ = ["exchange"]

HARMLESS = frozenset({"tls", DENIAL})


async def exchange(
    app: App, guard: AsyncGuard, admission: Admission, scope: Scope, receive: Receive, send: Send
) -> None:
    """Runs the application where its answer gets more fields, or where its body is checked as it passes."""
    outgoing = _Outgoing(guard, admission, scope, send)
    checked = receive
    if admission.holds_back:  # a file that the server sends by itself can't be sealed
        scope["extensions"] = {key: it for key, it in (scope.get("extensions") or {}).items() if key in HARMLESS}
    if admission.stream is not None:
        checked = _Checked(receive, admission.stream, outgoing)
    try:
        await app(scope, checked, outgoing)
    except Exception:
        if outgoing.failed is None:  # else it comes of the body, whatever the application has made of that
            raise
    failed = outgoing.failed
    if failed is None:
        return
    if outgoing.started:
        raise failed  # the server cuts the connection: half an answer must not look whole
    await answer(await guard.refuse(admission.attributed(failed)), scope, receive, send)


class _Checked:
    """`receive` through the decision's stream; once it fails it only fails."""

    __slots__ = ("_outgoing", "_receive", "_stream")

    def __init__(self, receive: Receive, stream: BodyStream, outgoing: _Outgoing) -> None:
        self._receive = receive
        self._stream = stream
        self._outgoing = outgoing

    async def __call__(self) -> Message:
        if self._outgoing.failed is not None:
            raise self._outgoing.failed
        message = await self._receive()
        if message["type"] != "http.request":
            return message
        try:
            data = self._stream.feed(message.get("body", b""))
            if not message.get("more_body", False):
                data += self._stream.end()
        except Rejected as rejected:
            self._outgoing.failed = rejected
            raise
        return {**message, "body": data}


class _Outgoing:
    """`send` that adds the decision's fields, holding the body back where they depend on it."""

    __slots__ = ("_admission", "_body", "_dropped", "_guard", "_held", "_scope", "_send", "failed", "started")

    def __init__(self, guard: AsyncGuard, admission: Admission, scope: Scope, send: Send) -> None:
        self._guard = guard
        self._admission = admission
        self._scope = scope
        self._send = send
        self._held: Message | None = None
        self._body = bytearray()
        self._dropped = False
        self.failed: Rejected | None = None
        self.started = False

    async def __call__(self, message: Message) -> None:
        if self._dropped or self.failed is not None:
            return  # what the application says of a body that failed is not sent
        kind = message["type"]
        if kind.endswith("http.response.start") and self._admission.holds_back:
            self._held = {**message, "trailers": False}
        elif kind.endswith("http.response.start") or kind == "websocket.accept":
            await self._start(message, b"" if kind == "websocket.accept" else None)
        elif kind.endswith("http.response.body") and self._held is not None:
            await self._collect(message, self._held)
        elif kind == "websocket.close" and not self.started and self._admission.answer_seal is not None:
            await self._deny(message)
        elif kind.startswith("http.response.") and self._admission.holds_back and not self.started:
            raise ConfigurationError(f"{kind} was not offered: what is sealed goes through http.response.body")
        else:
            await self._send(message)

    async def _deny(self, message: Message) -> None:
        """The server would answer 403 by itself."""
        if DENIAL not in (self._scope.get("extensions") or {}):
            await self._send(message)
            return
        await self({"type": f"{DENIAL}.start", "status": 403, "headers": [(b"content-length", b"0")]})
        await self({"type": f"{DENIAL}.body", "body": b""})

    async def _start(self, message: Message, body: bytes | None) -> None:
        headers = list(message.get("headers") or ())
        response = Response(message.get("status", 101), headers)
        self.started = True
        more = self._admission.answer_headers(self._guard.plan, response, body)
        await self._send({**message, "headers": [*headers, *more]})

    async def _collect(self, message: Message, start: Message) -> None:
        self._body += message.get("body", b"")
        if len(self._body) > self._guard.plan.limits.body:
            self._dropped = self.started = True
            failed = self._admission.oversized(self._guard.plan)
            await self._send({**start, "status": failed.status, "headers": [*failed.headers]})
            await self._send({**message, "body": b"", "more_body": False})
        elif not message.get("more_body", False):
            self._held = None
            await self._start(start, bytes(self._body))
            await self._send({**message, "body": bytes(self._body)})

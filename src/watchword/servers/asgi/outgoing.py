"""The answer of one admitted ASGI request: more fields, a seal, and not before the request's body is proven."""

from __future__ import annotations

from watchword.core.admission import Additions
from watchword.core.guard import AsyncGuard
from watchword.core.message import Response
from watchword.core.rejection import ConfigurationError, Rejected
from watchword.servers.asgi.answer import DENIAL
from watchword.servers.asgi.checked import CheckedMessages
from watchword.servers.asgi.request import Message, Scope, Send

__all__ = ["Outgoing"]


class Outgoing:
    """`send` that adds the decision's fields, holding the body back where they depend on it.

    Before the body is judged, the start of the answer waits for what follows it: many applications send it, and read then.
    """

    __slots__ = (
        "_additions", "_body", "_checked", "_dropped", "_guard", "_held", "_scope", "_send", "_waiting", "started"
    )  # fmt: skip

    def __init__(
        self, guard: AsyncGuard, additions: Additions, scope: Scope, send: Send, checked: CheckedMessages | None
    ) -> None:
        self._guard = guard
        self._additions = additions
        self._scope = scope
        self._send = send
        self._checked = checked
        self._waiting: Message | None = None
        self._held: Message | None = None
        self._body = bytearray()
        self._dropped = False
        self.started = False

    @property
    def failed(self) -> Rejected | None:
        """What was wrong with the body, noticed so far."""
        return None if self._checked is None else self._checked.failed

    async def __call__(self, message: Message) -> None:
        if self._dropped or (self._checked is not None and self._checked.left):
            return
        if self.failed is not None:
            raise self.failed  # what the application says of a body that failed is not sent
        kind = message["type"]
        if self._waiting is not None:
            start, self._waiting = self._waiting, None
            await self._judge(start)
            if self._dropped:
                return
            await self._start(start, None)
        if kind.endswith("http.response.start") and self._additions.holds_back:
            self._held = {**message, "trailers": False}
        elif kind.endswith("http.response.start") and self._checked is not None and not self._checked.ended:
            self._waiting = message
        elif kind.endswith("http.response.start") or kind == "websocket.accept":
            await self._start(message, b"" if kind == "websocket.accept" else None)
        elif kind.endswith("http.response.body") and self._held is not None:
            await self._collect(message, self._held)
        elif kind == "websocket.close" and not self.started and self._additions.answer_seal is not None:
            await self._deny(message)
        elif kind.startswith("http.response.") and self._additions.holds_back and not self.started:
            raise ConfigurationError(f"{kind} was not offered: what is sealed goes through http.response.body")
        elif not (kind.endswith(".trailers") and self._additions.holds_back):  # not offered, and not proven
            await self._send(message)

    async def _judge(self, start: Message) -> None:
        """Lets an answer begin; drops it where nobody is there any more to send the rest of the body.

        Raises:
            Rejected: the body has failed.
        """
        if self._checked is not None:
            await self._checked.judge(self._guard.plan.limits.body, error=start["status"] >= 400)
            self._dropped = self._checked.left
            if self._checked.failed is not None and not self._dropped:
                raise self._checked.failed

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
        more = self._additions.answer_headers(self._guard.plan, response, body)
        await self._send({**message, "headers": [*headers, *more]})

    async def _collect(self, message: Message, start: Message) -> None:
        self._body += message.get("body", b"")
        oversized = len(self._body) > self._guard.plan.limits.body
        if oversized or not message.get("more_body", False):
            await self._judge(start)
        if self._dropped:
            return
        if oversized:
            self._dropped = self.started = True
            failed = self._additions.oversized(self._guard.plan)
            await self._send({**start, "status": failed.status, "headers": [*failed.headers]})
            await self._send({**message, "body": b"", "more_body": False})
        elif not message.get("more_body", False):
            self._held = None
            await self._start(start, bytes(self._body))
            await self._send({**message, "body": bytes(self._body)})

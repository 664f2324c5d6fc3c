"""The body of an ASGI request that is checked as it passes."""

from __future__ import annotations

from asyncio import Lock
from collections import deque
from contextlib import suppress

from watchword.core.rejection import Reason, Rejected
from watchword.core.scheme import BodyStream
from watchword.servers.asgi.request import Message, Receive
from watchword.servers.checked_body import too_long

__all__ = ["CheckedMessages"]


class CheckedMessages:
    """`receive` through the decision's stream (STREAM); once it fails it only fails.

    `failed` is the `Rejected` that ended it, `ended` says that all of the body has come and is proven, `left` that the client
    has gone before that: then it has failed too, since many applications take any message without `more_body` for the end.

    Args:
        receive: the server's.
        stream: the check.
        waits: the client waits to be asked for the body (RFC 9110 §10.1.1), which the first `receive` does.
    """

    __slots__ = ("_kept", "_receive", "_stream", "_taken", "_turn", "_waits", "ended", "failed", "left")

    def __init__(self, receive: Receive, stream: BodyStream, waits: bool) -> None:
        self._receive = receive
        self._stream = stream
        self._waits = waits
        self._kept: deque[Message] = deque()
        self._taken = 0
        self._turn = Lock()  # an application may receive in one task and send in another
        self.ended = False
        self.left = False
        self.failed: Rejected | None = None

    async def __call__(self) -> Message:
        async with self._turn:
            if self.failed is not None:
                raise self.failed
            return self._kept.popleft() if self._kept else await self._next()

    async def begin(self, bodiless: bool) -> None:
        """Called before the application runs: finds out whether any octets come, unless their sender waits to be asked.

        Args:
            bodiless: the request has no body, whatever it says (a WebSocket's handshake).
        """
        with suppress(Rejected):  # it is in `failed`
            if bodiless:
                self._end()
            while not (self._over or self._taken or self._waits):
                self._kept.append(await self._next())

    async def judge(self, limit: int, *, error: bool) -> None:
        """Called where the application begins to answer: reads the rest, and keeps it for the application's later reads.

        Args:
            limit: octets that are read and kept; a longer rest has failed.
            error: the answer claims nothing (its status is 400 or above). It waits neither for octets that the client was
                not asked for, nor for more than `limit`.
        """
        if error and self._waits and not self._taken:
            return
        until = self._taken + limit
        with suppress(Rejected):
            while not self._over:
                async with self._turn:
                    if self._over:
                        return
                    if self._taken > until:
                        self.failed = None if error else too_long(limit)
                        return
                    self._kept.append(await self._next())

    @property
    def _over(self) -> bool:
        return self.ended or self.failed is not None

    async def _next(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect" and not self.ended:
            self.left = True
            self.failed = Rejected(Reason.MALFORMED_REQUEST, "the client left before its end", where="body")
            raise self.failed
        if message["type"] != "http.request":
            return message
        chunk = message.get("body", b"")
        self._taken += len(chunk)
        try:
            data = self._stream.feed(chunk)
            if not message.get("more_body", False):
                data += self._end()
        except Rejected as rejected:
            self.failed = rejected
            raise
        return {**message, "body": data}

    def _end(self) -> bytes:
        try:
            rest = self._stream.end()
        except Rejected as rejected:
            self.failed = rejected
            raise
        self.ended = True
        return rest

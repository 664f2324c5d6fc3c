"""The body of an ASGI request: for the guard, again for the application, and to its end before a refusal."""

from __future__ import annotations

from asyncio import Future, get_running_loop

from watchword.structures.line import ClientGone
from watchword.core.message import Headers
from watchword.core.rejection import Reason, Rejected
from watchword.servers.asgi.ahead import ReadAhead
from watchword.servers.asgi.request import Message, Receive

__all__ = ["Incoming"]

UNREAD = 1024 * 1024
"""Octets of a refused request's body that are read all the same."""


class Incoming:
    """The body of a request, as chunks for the guard and again as messages for the application.

    `receive` gives the messages that nobody has taken yet: the server's own, unless they were read ahead.

    Args:
        receive: the server's.
        kind: the scope's type.
        headers: the request's.
    """

    __slots__ = ("_ahead", "_begun", "_ended", "_headers", "_kind", "receive")

    def __init__(self, receive: Receive, kind: str, headers: Headers) -> None:
        self.receive = receive
        self._kind = kind
        self._headers = headers
        self._ahead: ReadAhead | None = None
        self._begun = False
        self._ended = kind == "websocket"  # RFC 6455 §4.1: a handshake has no body

    def gone(self) -> Future[object]:
        """Done once the client has left, which is watched from the first call on.

        Not watched are the handshake of a WebSocket, where servers differ in what may be received, and a client that
        waits to be asked for its body: to receive is to ask (RFC 9110 §10.1.1).
        """
        if self._ahead is not None:
            return self._ahead.gone
        if self._kind != "http" or (not self._begun and _expects(self._headers)):
            return get_running_loop().create_future()
        self.receive = self._ahead = ReadAhead(self.receive)
        return self._ahead.gone

    def close(self) -> None:
        """Called once the request is over."""
        if self._ahead is not None:
            self._ahead.close()

    async def chunk(self) -> bytes:
        """The next chunk, b"" at the end.

        Raises:
            ClientGone: it left before it had sent all of its body.
            Rejected: as `misframed`.
        """
        if not self._begun and (failed := self.misframed()):
            raise failed
        return await self._chunk()

    async def _chunk(self) -> bytes:
        while not self._ended:
            self._begun = True
            message = await self.receive()
            if message["type"] != "http.request":
                raise ClientGone
            self._ended = not message.get("more_body", False)
            if body := message.get("body", b""):
                return bytes(body)
        return b""

    async def message(self) -> Message:
        """The next message, as `receive` gives it, for an application: what is read so is not read again by `drained`."""
        message = await self.receive()
        if message["type"] == "http.request":
            self._begun, self._ended = True, not message.get("more_body", False)
        return message

    def misframed(self) -> Rejected | None:
        """MALFORMED_REQUEST where the body has two lengths (RFC 9112 §6.1): the application may go by the wrong one."""
        names = {name for name, _ in self._headers}
        if b"content-length" in names and b"transfer-encoding" in names:
            return Rejected(Reason.MALFORMED_REQUEST, "next to Content-Length", where="transfer-encoding")
        return None

    @property
    def waits(self) -> bool:
        """Whether the client waits to be asked for its body."""
        return not self._begun and _expects(self._headers) and _announces(self._headers)

    async def drained(self, headers: Headers) -> bool:
        """Reads on, before a refusal goes out: closing with octets unread resets the connection under the answer.

        Not where that is far to go, nor where the client waits to be asked for its body (RFC 9110 §10.1.1). False if
        there is nobody to answer.
        """
        if _expects(headers):
            return True
        for name, value in headers:
            if name == b"content-length" and not (value.isdigit() and len(value) < 8 and int(value) <= UNREAD):
                return True
        left = UNREAD
        try:
            while left > 0 and (chunk := await self._chunk()):
                left -= len(chunk)
        except ClientGone:
            return False
        return True

    def replay(self, body: bytes) -> Receive:
        """`receive` for the application: `body` first, then whatever the server still has to say.

        A WebSocket's application expects no message of a body, and its handshake has none.
        """
        if not self._ended:  # the guard stopped early
            raise AssertionError("a body was admitted before it was read")
        if self._kind == "websocket":
            return self.receive
        pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            return pending.pop() if pending else await self.receive()

        return receive


def _expects(headers: Headers) -> bool:
    return any(name == b"expect" for name, _ in headers)


def _announces(headers: Headers) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0") != b"")
        for name, value in headers
    )

"""The body of an ASGI request: for the guard, again for the application, and to its end before a refusal."""

from __future__ import annotations

from watchword.core.message import Headers
from watchword.servers.asgi.request import Message, Receive

__all__ = ["Incoming", "PeerGone"]

UNREAD = 1024 * 1024
"""Octets of a refused request's body that are read all the same."""


class PeerGone(Exception):
    """The client left before its body was read; there is nobody to answer."""


class Incoming:
    """The body of a request, as chunks for the guard and again as messages for the application."""

    __slots__ = ("_ended", "_receive")

    def __init__(self, receive: Receive, kind: str) -> None:
        self._receive = receive
        self._ended = kind == "websocket"  # RFC 6455 §4.1: a handshake has no body

    async def chunk(self) -> bytes:
        """The next chunk, b"" at the end."""
        while not self._ended:
            message = await self._receive()
            if message["type"] != "http.request":
                raise PeerGone
            self._ended = not message.get("more_body", False)
            if body := message.get("body", b""):
                return bytes(body)
        return b""

    async def drained(self, headers: Headers) -> bool:
        """Reads on, before a refusal goes out: closing with octets unread resets the connection under the answer.

        Not where that is far to go, nor where the client waits to be asked for its body (RFC 9110 §10.1.1). False if
        there is nobody to answer.
        """
        for name, value in headers:
            if name == b"expect":
                return True
            if name == b"content-length" and not (value.isdigit() and len(value) < 8 and int(value) <= UNREAD):
                return True
        left = UNREAD
        try:
            while left > 0 and (chunk := await self.chunk()):
                left -= len(chunk)
        except PeerGone:
            return False
        return True

    def replay(self, body: bytes) -> Receive:
        """`receive` for the application: `body` first, then whatever the server still has to say."""
        if not self._ended:  # the guard stopped early
            raise AssertionError("a body was admitted before it was read")
        pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            return pending.pop() if pending else await self._receive()

        return receive

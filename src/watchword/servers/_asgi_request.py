"""What an ASGI scope and its first messages say of a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from watchword.core.message import Headers, Peer, Request

__all__ = ["App", "Incoming", "Message", "PeerGone", "Receive", "Scope", "Send", "headers_of", "request_of"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def headers_of(scope: Scope) -> Headers:
    """The field lines; any iterable, says ASGI, and one that can be read once would be empty after us."""
    headers: Headers = scope["headers"]
    if not isinstance(headers, (list, tuple)):
        headers = scope["headers"] = list(headers)
    return headers


def request_of(scope: Scope) -> Request:
    """The request of an http or websocket scope; not exact where the server gives no `raw_path`."""
    headers = headers_of(scope)
    authority = ""
    for name, value in headers:
        if name == b"host":
            authority = value.decode("latin-1")
            break
    target = scope.get("raw_path")
    exact = target is not None
    if target is None:
        from urllib.parse import quote  # noqa: PLC0415 -- only for servers without raw_path

        # What is no Unicode has no octets to go by; the target is a guess in any case.
        target = quote(scope["path"], errors="surrogatepass").encode()
    query = scope.get("query_string")
    if query:
        target += b"?" + query
    client = scope.get("client")
    websocket = scope["type"] == "websocket"
    extensions = scope.get("extensions")
    return Request.raw(
        "GET" if websocket else scope["method"],
        scope.get("scheme") or ("ws" if websocket else "http"),
        authority,
        target,
        headers,
        Peer(
            client[0] if client else "", _certificate(extensions["tls"]) if extensions and "tls" in extensions else None
        ),
        exact,
    )


def _certificate(tls: dict[str, Any]) -> bytes | None:
    chain = tls.get("client_cert_chain")
    if not chain or tls.get("client_cert_error"):
        return None
    from binascii import a2b_base64  # noqa: PLC0415 -- only for client certificates

    return a2b_base64("".join(line for line in chain[0].splitlines() if line and "-----" not in line))


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

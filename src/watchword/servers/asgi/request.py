"""What an ASGI scope says of a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from watchword.core.message import Headers, Peer, Request

__all__ = ["App", "Message", "Receive", "Scope", "Send", "headers_of", "request_of"]

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
    headers = scope["headers"]
    if type(headers) is not list:  # nearly every server gives one
        headers = headers_of(scope)
    lines = dict(headers)
    host = lines.get(b"host", b"")
    if len(lines) != len(headers):  # of several lines the first, not the last
        host = next((value for name, value in headers if name == b"host"), b"")
    target = scope.get("raw_path")
    exact = target is not None
    if target is None:
        from urllib.parse import quote  # noqa: PLC0415 -- only for servers without raw_path

        # What is no Unicode has no octets to go by; the target is a guess in any case.
        target = quote(scope["path"], errors="surrogatepass").encode()
    query = scope.get("query_string")
    if query:
        target += b"?" + query
    client, extensions = scope.get("client"), scope.get("extensions")
    peer = Peer(
        client[0] if client else "", _certificate(extensions["tls"]) if extensions and "tls" in extensions else None
    )
    method, scheme = ("GET", "ws") if scope["type"] == "websocket" else (scope["method"], "http")
    return Request.raw(
        method, scope.get("scheme") or scheme, host.decode("latin-1"), target, headers, peer, exact, lines
    )


def _certificate(tls: dict[str, Any]) -> bytes | None:
    chain = tls.get("client_cert_chain")
    if not chain or tls.get("client_cert_error"):
        return None
    from binascii import a2b_base64  # noqa: PLC0415 -- only for client certificates

    return a2b_base64("".join(line for line in chain[0].splitlines() if line and "-----" not in line))

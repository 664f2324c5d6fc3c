"""What a handler of http.server knows of a request."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from typing import Any

from watchword.core.message import Headers, Peer, Request
from watchword.servers.http_server.lines import fields_of, target_of

__all__ = ["bare_request_of", "request_of"]


def request_of(handler: BaseHTTPRequestHandler, line: bytes, lines: list[bytes]) -> Request:
    """The request, its target from the request line: `handler.path` has lost leading slashes.

    Args:
        handler: has read the head of the request.
        line: its request line.
        lines: the lines of its header section.

    Raises:
        Rejected: MALFORMED_REQUEST.
    """
    return _request(handler, target_of(line), fields_of(lines))


def bare_request_of(handler: BaseHTTPRequestHandler) -> Request:
    """The request line alone, for the answer to a request whose head can't be read."""
    return _request(handler, handler.requestline.split()[1].encode("latin-1"), ())


def _request(handler: BaseHTTPRequestHandler, target: bytes, headers: Headers) -> Request:
    address: Any = handler.client_address  # a path, or nothing, on a Unix socket
    return Request.raw(
        handler.command,
        "https" if hasattr(handler.connection, "getpeercert") else "http",
        next((value.decode("latin-1") for name, value in headers if name == b"host"), ""),
        target,
        headers,
        Peer(address[0] if isinstance(address, tuple) else "", _certificate(handler.connection)),
        True,
    )


def _certificate(connection: Any) -> bytes | None:
    if not hasattr(connection, "getpeercert") or not connection.context.verify_mode:
        return None
    certificate: bytes | None = connection.getpeercert(binary_form=True)
    return certificate

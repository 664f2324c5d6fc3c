"""What a handler of http.server knows of a request."""

from __future__ import annotations

from email import errors
from http.server import BaseHTTPRequestHandler
from typing import Any

from watchword.core.message import Headers, Peer, Request
from watchword.core.rejection import Reason, Rejected

__all__ = ["bare_request_of", "request_of"]

# Signs that the mail parser behind http.server dropped lines or read them otherwise than HTTP does (RFC 9112 §5).
BROKEN = (
    errors.MissingHeaderBodySeparatorDefect, errors.InvalidHeaderDefect, errors.FirstHeaderLineIsContinuationDefect,
    errors.MisplacedEnvelopeHeaderDefect,
)  # fmt: skip


def request_of(handler: BaseHTTPRequestHandler) -> Request:
    """The request, its target from the request line: `handler.path` has lost leading slashes.

    Raises:
        Rejected: MALFORMED_REQUEST, a field line is broken or folded.
    """
    return _request(handler, _headers(handler))


def bare_request_of(handler: BaseHTTPRequestHandler) -> Request:
    """The request line alone, for the answer to a request whose fields can't be read."""
    return _request(handler, ())


def _request(handler: BaseHTTPRequestHandler, headers: Headers) -> Request:
    address: Any = handler.client_address  # a path, or nothing, on a Unix socket
    return Request.raw(
        handler.command,
        "https" if hasattr(handler.connection, "getpeercert") else "http",
        next((value.decode("latin-1") for name, value in headers if name == b"host"), ""),
        handler.requestline.split()[1].encode("latin-1"),
        headers,
        Peer(address[0] if isinstance(address, tuple) else "", _certificate(handler.connection)),
        True,
    )


def _headers(handler: BaseHTTPRequestHandler) -> Headers:
    message = handler.headers
    if message.get_unixfrom() or any(isinstance(defect, BROKEN) for defect in message.defects):
        raise Rejected(Reason.MALFORMED_REQUEST, "a line of the header section is no field line", where="headers")
    lines = []
    for name, value in message.raw_items():
        if "\n" in value or "\r" in value:  # RFC 9112 §5.2
            raise Rejected(Reason.MALFORMED_REQUEST, "a field is folded over several lines", where=name)
        lines.append((name.lower().encode("latin-1"), value.strip(" \t").encode("latin-1")))
    return lines


def _certificate(connection: Any) -> bytes | None:
    if not hasattr(connection, "getpeercert") or not connection.context.verify_mode:
        return None
    certificate: bytes | None = connection.getpeercert(binary_form=True)
    return certificate

"""What a handler of http.server knows of a request, and its body as chunks."""

from __future__ import annotations

from contextlib import suppress
from email import errors
from http.server import BaseHTTPRequestHandler
from socket import SHUT_WR
from time import monotonic
from typing import Any

from watchword.core.message import Headers, Peer, Request
from watchword.core.rejection import Reason, Rejected

__all__ = ["DRAIN", "Body", "bare_request_of", "linger", "request_of"]

CHUNK = DRAIN = 64 * 1024
LINGER = 2.0  # seconds

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


def linger(connection: Any) -> None:
    """Reads on for a while: closing with octets unread would reset the connection under the answer."""
    until = monotonic() + LINGER
    with suppress(OSError):
        connection.shutdown(SHUT_WR)
        while (left := until - monotonic()) > 0:
            connection.settimeout(left)
            if not connection.recv(DRAIN):
                break


class Body:
    """A request body as chunks; `left` is how much of it the connection still holds, None if that can't be told."""

    __slots__ = ("_file", "_said", "left")

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self._file = handler.rfile
        self._said = handler.headers.get_all("Content-Length", [])
        self.left: int | None = 0
        if "Transfer-Encoding" in handler.headers or len(self._said) > 1:
            self.left = None
        elif self._said:
            text = self._said[0].strip(" \t")
            self.left = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None

    def chunk(self) -> bytes:
        """The next chunk, b"" at the end.

        Raises:
            Rejected: the body is shorter than announced, or http.server cannot say where it ends.
        """
        if self.left is None:
            raise Rejected(
                Reason.MALFORMED_REQUEST, "http.server reads bodies by one Content-Length only", where="body"
            )
        if not self.left:
            return b""
        data = self._file.read(min(CHUNK, self.left))
        if not data:
            raise Rejected(Reason.MALFORMED_REQUEST, f"{self.left} octets are missing", where="body")
        self.left -= len(data)
        return data

    def drain(self) -> bool:
        """Reads what is left; False if the client sends less."""
        return not self.left or len(self._file.read(self.left)) == self.left

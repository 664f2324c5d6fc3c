"""The body of a request to http.server: as chunks, and to its end before the next request."""

from __future__ import annotations

from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from socket import SHUT_WR
from time import monotonic
from typing import Any

from watchword.core.rejection import Reason, Rejected

__all__ = ["DRAIN", "Body", "linger"]

CHUNK = DRAIN = 64 * 1024
LINGER = 2.0  # seconds


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

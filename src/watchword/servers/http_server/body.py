"""The body of a request to http.server: as chunks, and to its end before the next request."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from contextlib import suppress
from socket import SHUT_WR
from time import monotonic
from typing import TYPE_CHECKING, Any

from watchword.core.body import check_declared
from watchword.core.message import Request
from watchword.core.rejection import Reason, Rejected

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["Body", "LengthRequired", "UncheckedBody", "linger"]

CHUNK = DRAIN = 64 * 1024
LINGER = 2.0  # seconds


class LengthRequired(Rejected):
    """A body of which http.server can't find the end: 411 (RFC 9110 §15.5.12)."""


def length_of(request: Request) -> int:
    """The octets of the body (RFC 9112 §6.3). What can't be told would be left to be taken for the next request.

    Raises:
        LengthRequired: there is a Transfer-Encoding, of which http.server knows none.
        Rejected: MALFORMED_REQUEST, Content-Length is not one decimal number.
    """
    if request.values(b"transfer-encoding"):
        raise LengthRequired(
            Reason.MALFORMED_REQUEST, "http.server knows no transfer coding", where="transfer-encoding"
        )
    check_declared(request, math.inf)
    return int(next(iter(request.values(b"content-length")), b"0"))


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
    """A request body as chunks; `left` is how much of it the connection still holds, None while that isn't known.

    `invite` tells the client to send its body; None where it does not wait for that.
    """

    __slots__ = ("_file", "_handed_out", "_invite", "_read", "left")

    def __init__(self, file: Any, invite: Callable[[], object] | None) -> None:
        self._file = file
        # What has come; unbuffered files have `read`.
        self._read: Callable[[int], bytes] = getattr(file, "read1", file.read)
        self._handed_out = False
        self._invite = invite
        self.left: int | None = None

    def measure(self, request: Request) -> None:
        """Learns where the body ends; if it never does, the connection is closed.

        Raises:
            Rejected: as `length_of`.
        """
        self.left = length_of(request)

    @property
    def waits(self) -> bool:
        """Whether the client waits to be asked for it."""
        return self._invite is not None

    @property
    def is_far_from_its_end(self) -> bool:
        """Whether the next request can't be reached with little effort, or not at all."""
        if self.left is None or self._handed_out:
            return True
        return self.left > DRAIN or (self.left > 0 and self._invite is not None)  # which may never be sent then

    def fileno(self) -> int:
        """For a program that reads on by itself, nobody knows how far: the connection is closed after this request."""
        self.ask()
        self._handed_out = True
        return int(self._file.fileno())

    def ask(self) -> None:
        """Has the client asked for its body, if it waits for that."""
        if self._invite is not None:  # RFC 9110 §10.1.1
            self._invite()
            self._invite = None

    def chunk(self, size: int = CHUNK) -> bytes:
        """The next chunk, of `size` octets at most; b"" at the end.

        Raises:
            Rejected: the body is shorter than announced.
        """
        if not self.left:
            return b""
        self.ask()
        data = self._read(min(size, self.left))
        if not data:
            raise Rejected(Reason.MALFORMED_REQUEST, f"{self.left} octets are missing", where="body")
        self.left -= len(data)
        return data

    def drain(self) -> bool:
        """Reads what is left; False if the client sends less."""
        with suppress(Rejected):
            while self.chunk():
                pass
        return not self.left


class UncheckedBody(io.RawIOBase):
    """A body as the handler's file, which ends where the body does: the handler can't read into the next request."""

    def __init__(self, body: Body) -> None:
        super().__init__()
        self._body = body

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fills `buffer` with what has come; a body that is shorter than announced just ends, as in http.server."""
        view = memoryview(buffer).cast("B")
        data = b""
        with suppress(Rejected):
            data = self._body.chunk(len(view))
        view[: len(data)] = data
        return len(data)

    def fileno(self) -> int:
        """As `Body.fileno`; http.server's CGI handler asks for it."""
        return self._body.fileno()

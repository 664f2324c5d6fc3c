"""The body of a WSGI request: as chunks, and to its end before a refusal."""

from __future__ import annotations

import io
from contextlib import suppress

from watchword.core.admission import Additions
from watchword.core.io import once
from watchword.core.rejection import Reason, Rejected
from watchword.servers.checked_body import CheckedBody, check_unread
from watchword.servers.wsgi.request import Environ

__all__ = ["Body", "checked_input"]

CHUNK = 64 * 1024
UNREAD = 1024 * 1024
"""Octets of a refused request's body that are read all the same."""


class Body:
    """wsgi.input as chunks: as long as it says, or to its end where the server marks it.

    Args:
        environ: the request's.
        taken: somebody inside has it already, and may have read from it: then the guard can't.
    """

    __slots__ = ("_input", "_left", "_unbounded", "_unreadable", "taken")

    _left: int | None

    def __init__(self, environ: Environ, *, taken: bool = False) -> None:
        self._input = environ["wsgi.input"]
        length, self._left, self._unbounded, self._unreadable = environ.get("CONTENT_LENGTH"), None, False, False
        if length and length.isascii() and length.isdigit() and len(length) < 20:  # the guard refuses any other
            self._left = int(length)
        elif environ.get("wsgi.input_terminated"):
            self._unbounded = True
        else:
            self._unreadable = "HTTP_TRANSFER_ENCODING" in environ
        self.taken = taken and bool(self._left or self._unbounded or self._unreadable)

    @property
    def announced(self) -> int:
        """Octets that are still to come, as Content-Length says; 0 where it says nothing."""
        return self._left or 0

    def chunk(self) -> bytes:
        """The next chunk, b"" at the end.

        Raises:
            Rejected: the body is shorter than announced, or the server can't read it, or cannot say where it ends.
            ConfigurationError: it was taken.
        """
        check_unread(self.taken)
        if self._unreadable:
            raise Rejected(Reason.MALFORMED_REQUEST, "this server gives no end of a chunked body", where="body")
        if self._unbounded:
            return self._read(CHUNK)
        if not self._left:
            return b""
        data = self._read(min(CHUNK, self._left))
        if not data:
            raise Rejected(Reason.MALFORMED_REQUEST, f"{self._left} octets are missing", where="body")
        self._left -= len(data)
        return data

    def _read(self, size: int) -> bytes:
        try:
            return bytes(self._input.read(size))
        except Rejected:  # another guard's, round this one
            raise
        except Exception as error:  # servers raise what they like where a client leaves or its chunks are no chunks
            rejected = Rejected(Reason.MALFORMED_REQUEST, "the server could not read it to its end", where="body")
            raise rejected from error

    def drain(self, environ: Environ) -> None:
        """Reads on, before a refusal goes out: closing with octets unread resets the connection under the answer.

        Not where that is far to go, nor where the client waits to be asked for its body (RFC 9110 §10.1.1).
        """
        if self.taken or "HTTP_EXPECT" in environ or (self._left or 0) > UNREAD:
            return
        left = UNREAD
        with suppress(Rejected):  # it is refused in any case
            while left > 0 and (chunk := self.chunk()):
                left -= len(chunk)


def checked_input(additions: Additions, environ: Environ, body: Body, limit: int) -> CheckedBody | None:
    """Puts the body that is checked as it passes in place of the server's, if that is asked for.

    Args:
        additions: what the exchange needs.
        environ: the request's; its `wsgi.input` is replaced.
        body: the server's.
        limit: octets that are read before the application runs, where nothing says how many come.
    """
    if additions.stream is None:
        return None
    check_unread(body.taken)
    chunk = body.chunk if additions.body is None else once(additions.body)
    checked = CheckedBody(chunk, additions.stream, expects="HTTP_EXPECT" in environ)
    if not body.announced:  # applications that read by Content-Length would never be told of the end
        checked.judge(limit)
        environ["CONTENT_LENGTH"] = str(checked.ready)
    environ["wsgi.input"] = io.BufferedReader(checked)
    environ["wsgi.input_terminated"] = True
    return checked

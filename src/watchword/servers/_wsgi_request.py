"""What a WSGI environ says of a request, and its body as chunks."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import quote

from watchword.core.message import Headers, Peer, Request
from watchword.core.rejection import Reason, Rejected

__all__ = ["Body", "Environ", "request_of"]

Environ = dict[str, Any]

CHUNK = 64 * 1024
UNREAD = 1024 * 1024
"""Octets of a refused request's body that are read all the same."""
UNQUOTED = "/:@!$&'()*+,;=~"  # RFC 3986 §3.3


def request_of(environ: Environ) -> Request:
    """The request; not exact where the server does not hand the request line out."""
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if target is None:
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        query = environ.get("QUERY_STRING", "")
        rebuilt = quote(_octets(path), safe=UNQUOTED).encode() + (b"?" + _octets(query) if query else b"")
    return Request.raw(
        environ["REQUEST_METHOD"],
        environ.get("wsgi.url_scheme", "http"),
        environ.get("HTTP_HOST", ""),
        rebuilt if target is None else _octets(target),
        _headers(environ),
        Peer(environ.get("REMOTE_ADDR") or ""),
        target is not None,
    )


def _headers(environ: Environ) -> Headers:
    lines = [
        (_octets(name[5:].replace("_", "-").lower()), _octets(value))
        for name, value in environ.items()
        if name.startswith("HTTP_")
    ]
    for name, field in (("CONTENT_TYPE", b"content-type"), ("CONTENT_LENGTH", b"content-length")):
        if environ.get(name):
            lines.append((field, _octets(environ[name])))
    return lines


def _octets(text: str) -> bytes:
    """PEP 3333's "bytes in a string"; UTF-8 where a server or a middleware put real text."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        pass
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a surrogate pair: octets that nothing takes for its own
        return text.encode("utf-8", "surrogatepass")


class Body:
    """wsgi.input as chunks: as long as it says, or to its end where the server marks it."""

    __slots__ = ("_input", "_left", "_unbounded", "_unreadable")

    def __init__(self, environ: Environ) -> None:
        self._input = environ["wsgi.input"]
        length = environ.get("CONTENT_LENGTH") or ""
        digits = length.isascii() and length.isdigit() and len(length) < 20  # the guard refuses any other
        self._left = int(length) if digits else None
        self._unbounded = self._left is None and bool(environ.get("wsgi.input_terminated"))
        self._unreadable = self._left is None and not self._unbounded and "HTTP_TRANSFER_ENCODING" in environ

    def chunk(self) -> bytes:
        """The next chunk, b"" at the end.

        Raises:
            Rejected: the body is shorter than announced, or this server cannot say where it ends.
        """
        if self._unreadable:
            raise Rejected(Reason.MALFORMED_REQUEST, "this server gives no end of a chunked body", where="body")
        if self._unbounded:
            return bytes(self._input.read(CHUNK))
        if not self._left:
            return b""
        data = bytes(self._input.read(min(CHUNK, self._left)))
        if not data:
            raise Rejected(Reason.MALFORMED_REQUEST, f"{self._left} octets are missing", where="body")
        self._left -= len(data)
        return data

    def drain(self, environ: Environ) -> None:
        """Reads on, before a refusal goes out: closing with octets unread resets the connection under the answer.

        Not where that is far to go, nor where the client waits to be asked for its body (RFC 9110 §10.1.1).
        """
        if "HTTP_EXPECT" in environ or (self._left or 0) > UNREAD:
            return
        left = UNREAD
        with suppress(Rejected, OSError):  # it is refused in any case
            while left > 0 and (chunk := self.chunk()):
                left -= len(chunk)

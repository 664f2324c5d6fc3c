# ruff: noqa: SLF001 -- aiohttp offers no other way to put a body in place of its own than the attributes that it keeps it in
"""What aiohttp says of a request, and its body: for the guard, again for the handler, or checked as it passes."""

from __future__ import annotations

from asyncio import get_running_loop
from typing import Any

from watchword.core.message import Peer, Request
from watchword.core.rejection import Reason, Rejected, not_installed
from watchword.structures.streams import BodyStream
from watchword.servers.aiohttp.checked import UNPAUSED, CheckedReader
from watchword.servers.checked_body import check_unread

try:
    from aiohttp import web
except ImportError:
    raise not_installed("aiohttp") from None
from aiohttp.streams import StreamReader

__all__ = ["Incoming", "request_of"]


def request_of(request: web.BaseRequest) -> Request:
    """The request, as its line and fields came."""
    transport = request.transport
    tls = None if transport is None else transport.get_extra_info("ssl_object")
    certificate = None if tls is None else tls.getpeercert(binary_form=True)
    return Request.raw(
        request.method,
        request.scheme,
        request.headers.get("Host", ""),
        request.raw_path.encode("utf-8", "surrogateescape"),
        [(name.lower(), value) for name, value in request.raw_headers],
        Peer(request.remote or "", certificate),
        True,
    )


class Incoming:
    """The body of a request, for the guard.

    Args:
        request: that of the handler which asks; a middleware may have cloned it.
        original: aiohttp's.
    """

    def __init__(self, request: Any, original: Any) -> None:
        self._request = request
        self._shown = (request,) if request is original else (request, original)
        self._kept = request._read_bytes  # somebody has read it already
        # Of a form with files, and of what was read from `content`, nothing is kept that could be verified.
        self._taken = self._kept is None and (request._post is not None or getattr(request._payload, "_cursor", 0) > 0)

    async def chunk(self) -> bytes:
        """The next chunk, b"" at the end.

        Raises:
            Rejected: the client left, or what it sent is no body.
            ConfigurationError: somebody has read from it already.
        """
        check_unread(self._taken)
        if self._kept is not None:
            kept, self._kept = self._kept, b""
            return bytes(kept)
        try:
            return bytes(await self._request._payload.readany())
        except Exception as error:  # a connection that broke, chunks that are none
            rejected = Rejected(Reason.MALFORMED_REQUEST, "the server could not read it to its end", where="body")
            raise rejected from error

    def replay(self, body: bytes) -> None:
        """Gives the handler what the guard has read."""
        reader = StreamReader(self._request.protocol, UNPAUSED, loop=get_running_loop())
        if body:
            reader.feed_data(body)
        reader.feed_eof()
        self._put(reader)

    def check(self, stream: BodyStream, body: bytes | None) -> CheckedReader:
        """Has the body checked as the handler reads it; raises as `chunk` does, where somebody has read from it already."""
        check_unread(self._taken)
        if body is not None:
            self.replay(body)
        elif self._kept is not None:
            self.replay(self._kept)
        reader = CheckedReader(stream, self._request.protocol, self._request._payload)
        self._put(reader)
        return reader

    def hold(self, writer: Any) -> None:
        """Has the answer go through `writer`."""
        for request in self._shown:
            request._payload_writer = writer

    def _put(self, reader: StreamReader) -> None:
        for request in self._shown:
            request._payload, request._read_bytes = reader, None
            request._cache.pop("content", None)  # somebody may have asked for it

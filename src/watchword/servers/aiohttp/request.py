# ruff: noqa: SLF001 -- aiohttp offers no other way to put a body in place of its own than the attributes that it keeps it in
"""What aiohttp says of a request, and its body: for the guard, again for the handler, or checked as it passes."""

from __future__ import annotations

from asyncio import get_running_loop
from contextlib import suppress
from typing import Any

from watchword.core.message import Peer, Request
from watchword.core.rejection import Reason, Rejected, not_installed
from watchword.core.streams import BodyStream
from watchword.servers.checked_body import too_long

try:
    from aiohttp import web
except ImportError:
    raise not_installed("aiohttp") from None
from aiohttp.streams import StreamReader

__all__ = ["CheckedReader", "Incoming", "request_of"]

UNPAUSED = 2**40
"""A mark so high that what is in memory already never pauses the connection."""


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
    """The body of a request, for the guard."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self._kept = request._read_bytes  # somebody has read it already

    async def chunk(self) -> bytes:
        """The next chunk, b"" at the end.

        Raises:
            Rejected: the client left, or what it sent is no body.
        """
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
        """Has the body checked as the handler reads it."""
        if body is not None:
            self.replay(body)
        elif self._kept is not None:
            self.replay(self._kept)
        self._request._read_bytes = None
        reader = CheckedReader(stream, self._request.protocol, self._request._payload)
        self._put(reader)
        return reader

    def _put(self, reader: StreamReader) -> None:
        self._request._payload = reader
        self._request._cache.pop("content", None)  # somebody may have asked for it


class CheckedReader(StreamReader):
    """A body whose every octet has passed `stream`; once it fails it only fails.

    `failed` is the `Rejected` that ended it.
    """

    def __init__(self, stream: BodyStream, protocol: Any, source: StreamReader) -> None:
        super().__init__(protocol, UNPAUSED, loop=get_running_loop())
        self._source = source
        self._stream = stream
        self._taken = 0
        self.failed: Rejected | None = None

    async def begin(self) -> None:
        """Called before the handler runs: finds out whether any octets come."""
        with suppress(Rejected):  # it is in `failed`
            while not (self.is_eof() or self._taken):
                await self._wait("begin")

    async def judge(self, limit: int, *, error: bool) -> Rejected | None:
        """Called where the handler begins to answer: reads the rest, and keeps it for the handler's later reads.

        Args:
            limit: octets that are read and kept; a longer rest has failed.
            error: the answer claims nothing (its status is 400 or above), and does not wait for more than `limit`.
        """
        until = self._taken + limit
        with suppress(Rejected):
            while self.failed is None and not self.is_eof():
                if self._taken > until:
                    self.failed = None if error else too_long(limit)
                    break
                await self._wait("judge")
        return self.failed

    async def _wait(self, func_name: str) -> None:
        """Where every method of `StreamReader` comes that needs more octets."""
        if self.failed is not None:
            raise self.failed
        try:
            try:
                chunk = await self._source.readany()
            except Exception as error:
                raise Rejected(Reason.MALFORMED_REQUEST, "the connection broke before its end", where="body") from error
            self._taken += len(chunk)
            data = self._stream.feed(chunk) if chunk else self._stream.end()
        except Rejected as rejected:
            self.failed = rejected
            self.set_exception(rejected)
            raise
        if data:
            self.feed_data(data)
        if not chunk:
            self.feed_eof()

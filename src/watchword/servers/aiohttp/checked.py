"""The body of a request of aiohttp's that is checked as it passes."""

from __future__ import annotations

from asyncio import get_running_loop
from contextlib import suppress
from typing import Any

from watchword.core.rejection import Reason, Rejected, not_installed
from watchword.structures.streams import BodyStream
from watchword.servers.checked_body import too_long

try:
    from aiohttp.streams import StreamReader
except ImportError:
    raise not_installed("aiohttp") from None

__all__ = ["UNPAUSED", "CheckedReader"]

UNPAUSED = 2**40
"""A mark so high that what is in memory already never pauses the connection."""


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

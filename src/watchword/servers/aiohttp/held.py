"""An answer that is held back until all of it is known, since its seal depends on that."""

from __future__ import annotations

from typing import Any

from watchword.core.admission import Additions
from watchword.core.message import Response
from watchword.core.plan import Plan
from watchword.core.rejection import ConfigurationError, not_installed

try:
    from aiohttp.abc import AbstractStreamWriter
except ImportError:
    raise not_installed("aiohttp") from None
from multidict import CIMultiDict

__all__ = ["HeldWriter"]


class HeldWriter(AbstractStreamWriter):
    """Stands in for the writer of a request.

    Args:
        writer: aiohttp's.
        additions: what the answer gets.
        plan: the guard's.
    """

    def __init__(self, writer: Any, additions: Additions, plan: Plan) -> None:
        self._writer = writer
        self._additions = additions
        self._plan = plan
        self._line = ""
        self._headers: CIMultiDict[str] = CIMultiDict()
        self._body = bytearray()
        self._over = False
        self.length: int | None = None

    async def write_headers(self, status_line: str, headers: CIMultiDict[str]) -> None:
        """Keeps them; but those of an answer without content, which nothing follows."""
        self._line, self._headers = status_line, headers
        if self._status < 200:  # a WebSocket: it goes on as something else
            self._over = True
            await self._begin(b"")

    async def write(self, chunk: bytes | bytearray | memoryview) -> None:
        """Keeps it, up to the guard's limit."""
        if self._over:
            await self._writer.write(chunk)
            return
        self._body += chunk
        self.output_size = len(self._body)
        if len(self._body) > self._plan.limits.body:
            self._over = True
            failed = self._additions.oversized(self._plan)
            self._line = f"{self._line.partition(' ')[0]} 500 Internal Server Error"
            self._headers = CIMultiDict((name.decode(), value.decode("latin-1")) for name, value in failed.headers)
            await self._writer.write_headers(self._line, self._headers)
            await self._writer.write_eof()
            raise ConfigurationError("the answer is longer than what is held back for its seal: Limits(body=…)")

    async def write_eof(self, chunk: bytes = b"") -> None:
        """Sends all of it."""
        if self._over:
            await self._writer.write_eof(chunk)
            return
        await self.write(chunk)
        self._over = True
        if self._headers.pop("Transfer-Encoding", None) is not None:
            self._headers["Content-Length"] = str(len(self._body))
        await self._begin(bytes(self._body))
        await self._writer.write_eof(bytes(self._body))

    async def drain(self) -> None:
        """Nothing waits."""

    def enable_chunking(self) -> None:
        """Not needed: the length will be known."""

    def enable_compression(self, encoding: str = "deflate", strategy: int | None = None) -> None:
        """Refused.

        Raises:
            ConfigurationError: the octets that it would make are not those that are sealed.
        """
        raise ConfigurationError(
            "a sealed answer is not compressed as it is written: compress its body, or seal without digest"
        )

    @property
    def _status(self) -> int:
        return int(self._line.split(" ", 2)[1])

    async def _begin(self, body: bytes) -> None:
        lines = [(name.lower().encode(), value.encode("latin-1")) for name, value in self._headers.items()]
        for name, value in self._additions.answer_headers(self._plan, Response(self._status, lines), body):
            self._headers.add(name.decode(), value.decode("latin-1"))
        await self._writer.write_headers(self._line, self._headers)

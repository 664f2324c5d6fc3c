"""Drives an aiohttp application in process: its own protocol, on a transport that only remembers what was written."""

from __future__ import annotations

import asyncio
import io
from http.client import HTTPException, HTTPResponse
from typing import Any

from watchword.core.message import Request
from watchword.testing.attacks.answer import Answer
from watchword.testing.attacks.asgi_driver import CLOSED_FOR_AUTHENTICATION, PROBE, QUIET, WAIT, field_lines

__all__ = ["AiohttpDriver"]

MASK = bytes(4)
"""RFC 6455 §5.3 wants clients to mask what they send; a mask of zeros leaves the octets as they are."""


class AiohttpDriver:
    """One application with its startup and shutdown."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._runner = asyncio.Runner()
        self._server: Any = None

    def start(self) -> None:
        """Runs the app's startup."""
        from aiohttp import web  # noqa: PLC0415 -- only for an app of aiohttp's

        async def setup() -> Any:
            runner = web.AppRunner(self._app, handle_signals=False, access_log=None)
            await runner.setup()
            return runner

        self._server = self._runner.run(setup())

    def close(self) -> None:
        """Runs the app's shutdown."""
        try:
            if self._server is not None:
                self._runner.run(self._server.cleanup())
        finally:
            self._runner.close()

    def send(self, request: Request, body: bytes) -> Answer:
        """The answer to one request."""
        return _parsed(self._runner.run(self._exchange(request, body)), request.method)

    def connect(self, request: Request) -> Answer:
        """What becomes of one WebSocket handshake."""
        upgrade = [
            (b"connection", b"Upgrade"), (b"upgrade", b"websocket"), (b"sec-websocket-version", b"13"),
            (b"sec-websocket-key", b"d2F0Y2h3b3JkLWtub2Nrcw=="),
        ]  # fmt: skip
        raw = self._runner.run(self._exchange(request.with_headers(upgrade), b""))
        head, _, frames = raw.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101"):
            return _parsed(raw, "GET")
        if len(frames) >= 4 and frames[0] & 15 == 8:
            code = int.from_bytes(frames[2:4], "big")
            if code in CLOSED_FOR_AUTHENTICATION or 4000 <= code < 5000:
                return Answer(403)
            frames = b""
        return Answer(101, (), frames[2:])

    async def _exchange(self, request: Request, body: bytes) -> bytes:
        transport = _Transport(request.peer.address, secure=request.scheme == "https")
        protocol = self._server.server()
        transport.protocol = protocol
        protocol.connection_made(transport)
        protocol.data_received(_written(request, body))
        while not transport.ended.is_set():
            try:
                await asyncio.wait_for(transport.changed.wait(), WAIT)
            except TimeoutError:
                break
            transport.changed.clear()
            if transport.written.startswith(b"HTTP/1.1 101") and b"\r\n\r\n" in transport.written:
                await self._listen(transport, protocol)
                break
            if _whole(bytes(transport.written)):  # a refused handshake leaves the connection open
                break
        protocol.connection_lost(None)
        return bytes(transport.written)

    async def _listen(self, transport: _Transport, protocol: Any) -> None:
        text = PROBE.encode()
        protocol.data_received(bytes([0x81, 0x80 | len(text)]) + MASK + text)
        await asyncio.wait([asyncio.ensure_future(transport.ended.wait())], timeout=QUIET)


def _written(request: Request, body: bytes) -> bytes:
    head = b"%s %s HTTP/1.1\r\n" % (request.method.encode("latin-1"), request.target)
    lines = field_lines(request, body)
    if not any(name == b"connection" for name, _ in lines):
        lines.append((b"connection", b"close"))
    return head + b"".join(b"%s: %s\r\n" % line for line in lines) + b"\r\n" + body


def _whole(written: bytes) -> bool:
    """Whether an answer has come to its end, by its Content-Length (RFC 9112 §6.2)."""
    head, end, content = written.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name == b"content-length" and value.strip().isdigit():
            return bool(end) and len(content) >= int(value)
    return False


class _Socket:
    """As much of a socket as `http.client` needs to read an answer."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._octets)


def _parsed(raw: bytes, method: str) -> Answer:
    response = HTTPResponse(_Socket(raw), method=method)  # type: ignore[arg-type] # it only makes a file of it
    try:
        response.begin()
        content = response.read()
    except (HTTPException, OSError, ValueError):
        return Answer(500, error="no HTTP answer")
    finally:
        response.close()
    lines = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.getheaders()]
    return Answer(response.status, lines, content)


class _Transport(asyncio.Transport):
    """Remembers what is written, and has the peer that the attempt says."""

    def __init__(self, address: str, *, secure: bool) -> None:
        super().__init__({"peername": (address, 50000), "sslcontext": True if secure else None, "socket": None})
        self.written = bytearray()
        self.changed = asyncio.Event()
        self.ended = asyncio.Event()
        self.protocol: Any = None

    def write(self, data: bytes | bytearray | memoryview[int]) -> None:
        self.written += data
        self.changed.set()

    def close(self) -> None:
        self.ended.set()
        self.changed.set()

    def abort(self) -> None:
        self.close()

    def is_closing(self) -> bool:
        return self.ended.is_set()

    def is_reading(self) -> bool:
        return True

    def pause_reading(self) -> None:
        """Everything was handed over already."""

    def resume_reading(self) -> None:
        """As `pause_reading`."""

    def get_write_buffer_size(self) -> int:
        return 0

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        result: asyncio.BaseProtocol = self.protocol
        return result

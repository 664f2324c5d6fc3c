"""The body of a request of aiohttp: its octets, whether it can be sent twice, and another one in its place."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Literal

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.multipart import BodyPartReaderPayload
from aiohttp.payload import AsyncIterablePayload, BytesPayload, IOBasePayload, Payload

from watchword.clients._repeats import MAY_WANT, position, unreplayable
from watchword.core.io import drive
from watchword.core.rejection import ConfigurationError

__all__ = ["check_repeatable", "read", "replaced"]

Body = Payload | Literal[b""]


def read(request: aiohttp.ClientRequest) -> bytes:
    """The octets of a request's body, which stays ready to be sent.

    Raises:
        ConfigurationError: it can be read only once, or is changed on its way.
    """
    body = request.body
    if request.compress:
        raise ConfigurationError("this scheme covers the body, which compress= changes on its way: pass it compressed")
    if not isinstance(body, Payload):
        return b""
    if isinstance(body, BytesPayload):
        return bytes(drive(body.as_bytes()))
    check_repeatable(body, "this scheme covers the body")
    # aiohttp reads files on an event loop; the one of this thread waits for the flow.
    with ThreadPoolExecutor(1, "watchword-body") as thread:
        return thread.submit(asyncio.run, _written(body)).result()


async def _written(body: Payload) -> bytes:
    writer = _Collecting()
    await body.write(writer)
    return bytes(writer.octets)


class _Collecting(AbstractStreamWriter):
    """Takes what would be sent."""

    def __init__(self) -> None:
        self.octets = bytearray()

    async def write(self, chunk: Any) -> None:
        self.octets += chunk

    async def write_eof(self, chunk: bytes = b"") -> None:
        self.octets += chunk

    async def drain(self) -> None:
        pass

    def enable_compression(self, encoding: str = "deflate", strategy: int | None = None) -> None:
        raise AssertionError

    def enable_chunking(self) -> None:
        raise AssertionError

    async def write_headers(self, status_line: str, headers: Any) -> None:
        raise AssertionError


def check_repeatable(body: Body, need: str = MAY_WANT) -> None:
    """Nothing, if a body can be sent twice.

    Raises:
        ConfigurationError: it can be read only once.
    """
    if isinstance(body, Payload) and not _is_repeatable(body):
        raise unreplayable(need)


def _is_repeatable(body: Payload) -> bool:
    if isinstance(body, aiohttp.MultipartWriter):
        return all(_is_repeatable(part) for part, _, _ in body)
    if isinstance(body, IOBasePayload):
        return position(body._value) is not None  # noqa: SLF001 -- aiohttp says it only after it was read
    return not (body.consumed or isinstance(body, (AsyncIterablePayload, BodyPartReaderPayload)))


@contextmanager
def replaced(request: aiohttp.ClientRequest, content: bytes) -> Iterator[None]:
    """Has `content` sent. Who is redirected elsewhere sends the plain body, without the credentials."""
    library: Any = request
    plain, chunked = library._body, request.chunked  # noqa: SLF001 -- aiohttp closes the file of a body that is replaced
    library._body, request.chunked = BytesPayload(content), None  # noqa: SLF001 -- as above
    request.headers.popall("Transfer-Encoding", None)
    request.headers["Content-Length"] = str(len(content))
    try:
        yield
    finally:
        library._body, request.chunked = plain, chunked  # noqa: SLF001 -- as above

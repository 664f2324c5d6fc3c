"""What a flow gets of an answer of aiohttp: its header section, and as much of its body as it wants."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import aiohttp
from aiohttp.base_protocol import BaseProtocol

from watchword.clients._exchange import LIMIT, Head, as_sent, oversized
from watchword.core.message import Headers
from watchword.core.rejection import CredentialsUnavailable
from watchword.effects import Received, Send

__all__ = ["answer_to", "content_of_own", "drain", "head_of", "lines_of", "octets_of"]


def lines_of(request: aiohttp.ClientRequest) -> Headers:
    """The field lines of a request."""
    return octets_of(request.headers.items())


def octets_of(lines: Iterable[tuple[str, str]]) -> Headers:
    """Field lines as aiohttp sends them: in UTF-8."""
    return [(name.lower().encode(), value.encode()) for name, value in lines]


def head_of(response: aiohttp.ClientResponse) -> Received:
    """The answer without its body."""
    return Received(Head(response.status, response.raw_headers))


async def answer_to(send: Send, request: aiohttp.ClientRequest, response: aiohttp.ClientResponse) -> Received:
    """The answer with its body, as far as the flow wants that."""
    answer = head_of(response)
    limit: float | None = float("inf")
    if send.head is not None:
        answer = answer._replace(sent=as_sent(send, lines_of(request)))
        limit = send.head(answer)
    if limit is None:
        return answer
    body = await _taken(response, limit)
    if body is None:
        response.close()
    elif body:
        _give_back(response, body)
    return answer._replace(body=body)


async def content_of_own(response: aiohttp.ClientResponse) -> bytes:
    """The content of the answer to a request of the flow's own.

    Raises:
        CredentialsUnavailable: it is encoded, or more than `LIMIT` octets.
    """
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise CredentialsUnavailable("the endpoint for credentials answers in an encoding that was not asked for")
    body = await _taken(response, LIMIT)
    if body is None:
        raise oversized()
    return body


async def drain(response: aiohttp.ClientResponse) -> None:
    """Frees the connection of an answer that the caller doesn't get."""
    with suppress(aiohttp.ClientError):
        if await _taken(response, LIMIT) is not None:
            response.release()
            return
    response.close()


async def _taken(response: aiohttp.ClientResponse, limit: float) -> bytes | None:
    """All content; None, and no more of it read, once it is more than `limit` octets."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


def _give_back(response: aiohttp.ClientResponse, body: bytes) -> None:
    """Lets the caller read the content, whole or in parts, as if nobody had."""
    loop = response.content._loop  # noqa: SLF001 -- that of the session
    response.content = aiohttp.StreamReader(BaseProtocol(loop), len(body), loop=loop)
    response.content.feed_data(body)
    response.content.feed_eof()

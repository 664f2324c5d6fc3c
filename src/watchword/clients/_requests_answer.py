"""What the adapter for requests reads of an answer: its header section, and as much of its body as the flow wants."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import requests
from requests.exceptions import ChunkedEncodingError, ContentDecodingError
from urllib3 import HTTPHeaderDict

from watchword.clients._exchange import LIMIT, as_sent, capped, field_lines, octets
from watchword.core.message import Headers
from watchword.transport.deferred import DeferredResponse
from watchword.effects import Received, Send

__all__ = ["answer_to", "content", "drain", "received"]


class _Head(DeferredResponse):
    """Status and field lines of an answer; `lines` has them as urllib3 does, or as requests has merged them."""

    __slots__ = ("_lines",)

    def __init__(self, status: int, lines: Any) -> None:
        self.status = status
        self._lines = lines

    def _make_headers(self) -> Headers:
        return field_lines(self._lines.items())

    def values(self, name: bytes) -> list[bytes]:
        return [octets(value) for value in self._lines.getlist(name.decode())]


def received(response: requests.Response) -> Received:
    """The answer without its body."""
    lines = getattr(response.raw, "headers", None)
    if not isinstance(lines, HTTPHeaderDict):  # a session's adapter may be anybody's
        lines = HTTPHeaderDict(response.headers if lines is None else lines.items())
    return Received(_Head(response.status_code, lines))


def answer_to(send: Send, response: requests.Response) -> Received:
    """The answer, its body with it if the flow wants that, and as far as it wants it."""
    answer = received(response)
    if not send.want:
        return answer
    if send.head is None:
        return answer._replace(body=response.content)
    answer = answer._replace(sent=as_sent(send, response.request.headers.items()))
    limit = send.head(answer)
    if limit is None:
        return answer
    body = content(response, limit)
    if body is None:
        response.close()
    return answer._replace(body=body)


def content(response: requests.Response, limit: int) -> bytes | None:
    """The content, which stays there for the caller; None if it is longer."""
    library: Any = response
    if getattr(library, "_content", None) is False:  # requests reads all or nothing by itself
        body = capped(response.iter_content(65536), limit)
        if body is None:
            return None
        library._content = body  # noqa: SLF001 -- as above
    return response.content


def drain(response: requests.Response) -> None:
    """Frees the connection of an answer that the caller doesn't get."""
    with suppress(ChunkedEncodingError, ContentDecodingError, RuntimeError):
        content(response, LIMIT)
    response.close()

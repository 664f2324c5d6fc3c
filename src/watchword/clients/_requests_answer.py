"""What the adapter for requests reads of an answer: its header section, and as much of its body as the flow wants."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import requests
from requests.exceptions import ChunkedEncodingError, ContentDecodingError

from watchword.clients._exchange import LIMIT, as_sent, capped, field_lines
from watchword.core.message import Response
from watchword.effects import Received, Send

__all__ = ["answer_to", "content", "drain", "received"]


def received(response: requests.Response) -> Received:
    """The answer without its body."""
    raw = getattr(response.raw, "headers", None)
    lines = response.headers.items() if raw is None else raw.items()
    return Received(Response(response.status_code, field_lines(lines)))


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

"""What a flow gets of an answer of urllib.request: its header section, and as much of its body as it wants."""

from __future__ import annotations

import http.client
import io
import sys
from functools import partial
from typing import Any
from urllib.response import addinfourl

from watchword.clients._exchange import as_sent, capped, field_lines, limited
from watchword.core.message import Headers, Response
from watchword.core.rejection import CredentialsUnavailable
from watchword.effects import Received, Send

__all__ = ["Answer", "answer_to", "content_of_own", "head_of"]

Answer = Any
"""`http.client.HTTPResponse`, or `urllib.response.addinfourl` of a handler of the user's own."""


def head_of(response: Answer) -> Received:
    """The answer without its body."""
    return Received(Response(response.status, field_lines(response.headers.items())))


def answer_to(send: Send, lines: Headers, response: Answer) -> tuple[Received, Answer]:
    """The answer, its body with it if the flow wants that and as far as it wants it; and what the caller gets of it."""
    answer = head_of(response)
    if not send.want:
        return answer, response
    limit: int | None = sys.maxsize
    if send.head is not None:
        answer = answer._replace(sent=as_sent(send, lines))
        limit = send.head(answer)
    if limit is None:
        return answer, response
    body = capped(_chunks(response), limit)
    if body is None:
        response.close()
        return answer, response
    return answer._replace(body=body), _unread(response, body)


def content_of_own(response: Answer) -> bytes:
    """The content of the answer to a request of the flow's own.

    Raises:
        CredentialsUnavailable: it is encoded, or more than `LIMIT` octets.
    """
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise CredentialsUnavailable("the endpoint for credentials answers in an encoding that was not asked for")
    return limited(_chunks(response))


def _chunks(response: Answer) -> Any:
    return iter(partial(response.read, 65536), b"")


def _unread(response: Answer, body: bytes) -> Answer:
    """The answer as if nobody had read its body."""
    if isinstance(response, http.client.HTTPResponse):
        library: Any = response
        library.fp, library.length, library.chunked = io.BytesIO(body), len(body), False
        return response
    unread: Any = addinfourl(io.BytesIO(body), response.headers, response.url, response.status)
    unread.msg = getattr(response, "msg", "")
    return unread

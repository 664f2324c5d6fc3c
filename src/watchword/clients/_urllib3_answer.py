"""What a flow gets of an answer of urllib3: its header section, and as much of its body as it wants."""

from __future__ import annotations

import io
import sys
from contextlib import suppress

from urllib3 import BaseHTTPResponse, HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import HTTPError

from watchword.clients._exchange import LIMIT, as_sent, capped, field_lines, limited
from watchword.core.message import Response
from watchword.core.rejection import CredentialsUnavailable
from watchword.effects import Received, Send

__all__ = ["answer_to", "content_of_own", "drain", "head_of"]

_CHUNK = 65536


def head_of(response: BaseHTTPResponse) -> Received:
    """The answer without its body."""
    return Received(Response(response.status, field_lines(response.headers.items())))


def answer_to(send: Send, lines: HTTPHeaderDict, response: BaseHTTPResponse) -> tuple[Received, BaseHTTPResponse]:
    """The answer, its body with it if the flow wants that and as far as it wants it; and what the caller gets of it."""
    answer = head_of(response)
    if not send.want:
        return answer, response
    limit: int | None = sys.maxsize
    if send.head is not None:
        answer = answer._replace(sent=as_sent(send, lines.items()))
        limit = send.head(answer)
    if limit is None:
        return answer, response
    body = capped(response.stream(_CHUNK, decode_content=False), limit)
    if body is None:
        _end(response)
        return answer, response
    return answer._replace(body=body), _unread(response, body)


def content_of_own(response: BaseHTTPResponse) -> bytes:
    """The content of the answer to a request of the flow's own.

    Raises:
        CredentialsUnavailable: it is encoded, or more than `LIMIT` octets.
    """
    if response.headers.get("content-encoding", "identity") != "identity":
        raise CredentialsUnavailable("the endpoint for credentials answers in an encoding that was not asked for")
    return limited(response.stream(_CHUNK, decode_content=False))


def drain(response: BaseHTTPResponse) -> None:
    """Frees the connection of an answer that the caller doesn't get."""
    with suppress(HTTPError):
        if capped(response.stream(_CHUNK, decode_content=False), LIMIT) is not None:
            response.release_conn()
            return
    _end(response)


def _end(response: BaseHTTPResponse) -> None:
    response.close()
    response.release_conn()  # its place in the pool; the connection is closed


def _unread(response: BaseHTTPResponse, body: bytes) -> BaseHTTPResponse:
    """The answer as if nobody had read its body, which the caller may read whole or in parts."""
    response.release_conn()
    return HTTPResponse(
        io.BytesIO(body), response.headers, response.status, response.version, response.version_string, response.reason,
        preload_content=False, decode_content=response.decode_content, enforce_content_length=False,
        request_url=response.url,
    )  # fmt: skip

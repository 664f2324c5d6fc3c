"""What a flow puts into a prepared request of requests, and what is taken out of it before it is redirected."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.structures import CaseInsensitiveDict

from watchword.clients._exchange import changes
from watchword.clients._requests_headers import Lines
from watchword.core.message import Request
from watchword.core.rejection import CredentialsUnavailable
from watchword.effects import Send

__all__ = ["bare", "check_unjudged", "put", "put_lines"]


def put(prepared: requests.PreparedRequest, plain: Request, send: Send, fields: set[bytes]) -> None:
    """Puts the flow's fields, target and content into `prepared`; `fields` are those that it ever changed."""
    fields.update(changes(plain, send.request))
    lines = {
        name.decode("latin-1").title(): b", ".join(values).decode("latin-1")
        for name in fields
        if (values := send.request.values(name))
    }
    put_lines(prepared.headers, CaseInsensitiveDict(lines), fields)
    if send.request.target != prepared.path_url.encode():
        parts = urlsplit(prepared.url or "")
        prepared.url = f"{parts.scheme}://{parts.netloc}{send.request.target.decode('latin-1')}"
    if send.content is not None:
        prepared.body = send.content
        prepared.headers["Content-Length"] = str(len(send.content))


def put_lines(headers: Lines, lines: Lines, fields: Iterable[bytes]) -> None:
    """Replaces `fields` by those of `lines`, or takes them out."""
    for field in fields:
        name = field.decode("latin-1")
        headers.pop(name, None)
        if name in lines:
            headers[name.title()] = lines[name]


def bare(prepared: requests.PreparedRequest, fields: Iterable[bytes], body: Any) -> None:
    """Takes out of a copy what `put` has put in, and what would put it in anew: it goes to wherever the answer points."""
    prepared.headers = CaseInsensitiveDict(prepared.headers)
    for name in fields:
        prepared.headers.pop(name.decode("latin-1"), None)
    if prepared.body is not body:
        prepared.body = body
        prepared.headers.pop("Content-Length", None)
        prepared.prepare_content_length(body)


def check_unjudged(response: requests.Response, refuse: bool) -> None:
    """Refuses an answer that no flow waits for, to a request that was sent once more, where each has to be judged."""
    if refuse:
        response.close()
        raise CredentialsUnavailable("this answer can't be judged: prepare the request anew for each time it is sent")

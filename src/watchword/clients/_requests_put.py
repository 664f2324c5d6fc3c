"""What a flow puts into a prepared request of requests, and what is taken out of it before it is redirected."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.structures import CaseInsensitiveDict

from watchword.clients._requests_headers import Lines, stored
from watchword.clients._requests_run import Run
from watchword.core.rejection import CredentialsUnavailable
from watchword.transport.deferred import changed_since

__all__ = ["bare", "check_unjudged", "put", "put_lines"]


def put(prepared: requests.PreparedRequest, run: Run, fields: set[bytes]) -> None:
    """Puts the fields, target and content of a run into `prepared`; `fields` are those that the flows of it ever changed."""
    plain, send, lines = run.bare, run.send, stored(prepared.headers)
    request = send.request
    fields.update(changed_since(request, plain))
    for field in fields:
        name = field.decode("latin-1")
        lines.pop(name, None)
        if values := request.values(field):
            lines[name] = (name.title(), b", ".join(values).decode("latin-1"))
    if request.target != plain.target or prepared.url != plain.url:
        parts = urlsplit(plain.url)
        prepared.url = f"{parts.scheme}://{parts.netloc}{request.target.decode('latin-1')}"
    if send.content is not None:
        prepared.body = send.content
        prepared.headers["Content-Length"] = str(len(send.content))


def put_lines(headers: Lines, sent: Lines, fields: Iterable[bytes]) -> None:
    """Replaces `fields` by those of `sent`, or takes them out."""
    lines, fresh = stored(headers), stored(sent)
    for field in fields:
        name = field.decode("latin-1")
        lines.pop(name, None)
        if name in fresh:
            lines[name] = fresh[name]


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

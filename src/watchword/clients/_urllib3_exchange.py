"""One request of urllib3 to one target, with its retries by the flow, and the flow's own requests."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import urllib3
from urllib3 import BaseHTTPResponse, HTTPHeaderDict, Retry, Timeout
from urllib3.exceptions import HTTPError
from urllib3.util import SKIP_HEADER, Url, parse_url

from watchword.clients._cookies import fresh_cookies
from watchword.clients._exchange import changes, field_lines, merged_cookies, url_of
from watchword.clients._repeats import check_repeatable, read, rewind
from watchword.clients._urllib3_answer import answer_to, content_of_own, drain, head_of
from watchword.clients._urllib3_route import Route
from watchword.core.message import Headers, Request
from watchword.effects import ORIGINAL, Received, Send
from watchword.transport.flow import ClientContext, Drive

__all__ = ["Exchange"]

_LIBRARY: Any = urllib3
_AGENT: Final = f"python-urllib3/{_LIBRARY.__version__}"
_BODILESS: Final = frozenset({"GET", "HEAD", "DELETE", "TRACE", "OPTIONS", "CONNECT"})
"""The methods for which no Content-Length says that there is no body."""


class Exchange:
    """One request of the caller; `error` is the one by which sending it has failed."""

    def __init__(self, route: Route, method: str, url: Url, headers: HTTPHeaderDict, settings: dict[str, Any]) -> None:
        self.error: HTTPError | None = None
        self._route = route
        self._method = method
        self._url = url
        self._settings = settings
        self._body, self._start = settings["body"], settings.get("body_pos")
        self._plain = _complete(headers, method, self._body, bool(settings.get("chunked")))
        self._answer: BaseHTTPResponse | None = None
        lines = field_lines((name, value) for name, value in self._plain.items() if value != SKIP_HEADER)
        authority = self._plain.get("Host", url.netloc or "")
        target = url.request_uri.encode()
        self._bare = Request.raw(method, url.scheme or "http", authority, target, lines, route.peer(url), exact=True)

    def run(self, drive_of: Callable[[Request, ClientContext], Drive], retries: Retry) -> BaseHTTPResponse:
        """The answer to the request, once the flow is content with it."""
        context = ClientContext(
            partial(read, self._body, self._start),
            check_repeatable=partial(check_repeatable, self._body, self._start),
            peer=lambda own: self._route.peer(parse_url(url_of(own))),
        )
        drive = drive_of(self._bare, context)
        try:
            send = drive.advance()
            while send is not None:
                received = self._send(send) if send.body is ORIGINAL else self._fetch(send, retries)
                send = drive.advance(received)
        except BaseException:
            if self._answer is not None:
                self._answer.close()
                self._answer.release_conn()
            raise
        finally:
            drive.close()
        assert self._answer is not None  # a flow without a Send of the caller's request has raised
        return self._answer

    def read(self, response: BaseHTTPResponse) -> None:
        """Reads the content of the answer, for a caller who wants that."""
        try:
            response.read(cache_content=True)
        except HTTPError as error:
            self.error = error
            raise

    def _send(self, send: Send) -> Received:
        if self._answer is not None:
            self._prepare_once_more(self._answer)
        headers = HTTPHeaderDict(self._plain)
        for name, lines in changes(self._bare, send.request).items():
            headers.discard(name.decode())
            for line in lines:
                headers.add(name.decode().title(), line.decode("latin-1"))
        settings = {**self._settings, "headers": headers}
        if send.content is not None:
            settings |= {"body": send.content, "body_pos": None, "chunked": False}
            headers["Content-Length"] = str(len(send.content))
            headers.discard("Transfer-Encoding")
        try:
            response = self._route.open(self._method, self._url, send.request.target.decode("latin-1"), **settings)
        except HTTPError as error:
            self.error = error
            raise
        self._answer = response
        received, self._answer = answer_to(send, headers, response)
        return received

    def _prepare_once_more(self, refused: BaseHTTPResponse) -> None:
        cookies = fresh_cookies(self._url.url, refused.headers.getlist("Set-Cookie"))
        drain(refused)
        rewind(self._body, self._start)
        if merged := merged_cookies(self._plain.get("Cookie", ""), cookies):
            self._plain["Cookie"] = merged

    def _fetch(self, send: Send, retries: Retry) -> Received:
        timeout = self._settings.get("timeout", Timeout.DEFAULT_TIMEOUT)
        headers = _own_lines(send.request.headers)
        url, body = url_of(send.request), send.body or None
        if send.terms is not None and not send.terms.repeatable:  # connecting may be tried again
            retries = retries.new(read=False, other=0, status_forcelist=(), respect_retry_after_header=False)
        response = self._route.open_own(send.request.method, url, timeout, retries, body=body, headers=headers)
        try:
            answer = head_of(response)
            return answer._replace(body=content_of_own(response)) if send.want else answer
        finally:
            drain(response)


def _own_lines(headers: Headers) -> HTTPHeaderDict:
    lines = HTTPHeaderDict({"Accept-Encoding": "identity"})
    for name, value in headers:
        lines.add(name.decode().title(), value.decode("latin-1"))
    return lines


def _complete(headers: HTTPHeaderDict, method: str, body: Any, chunked: bool) -> HTTPHeaderDict:
    """The field lines, with those that urllib3 would add as it sends them: a flow shall see what is sent."""
    lines = HTTPHeaderDict(headers)
    lines.setdefault("Accept-Encoding", "identity")
    lines.setdefault("User-Agent", _AGENT)
    length: int | None = None
    if isinstance(body, (str, bytes, bytearray)):
        length = len(body.encode() if isinstance(body, str) else body)
    elif body is None and method.upper() not in _BODILESS:
        length = 0
    if length is not None and not chunked and "Transfer-Encoding" not in lines:
        lines.setdefault("Content-Length", str(length))
    return lines

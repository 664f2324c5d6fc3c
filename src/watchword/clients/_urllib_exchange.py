"""One request of urllib.request with its retries by the flow, and the flow's own requests."""

from __future__ import annotations

import copy
import socket
from functools import partial
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import BaseHandler, HTTPCookieProcessor, OpenerDirector, Request as LibraryRequest

from watchword.clients._cookies import fresh_cookies
from watchword.clients._exchange import changes, field_lines, merged_cookies, url_of, waiting
from watchword.clients._repeats import check_repeatable, position, read, rewind
from watchword.clients._urllib_answer import Answer, answer_to, content_of_own, head_of
from watchword.clients._urllib_route import OwnRequest, opening, peer_of, target_of
from watchword.core.message import Headers, Request
from watchword.effects import ORIGINAL, Received, Send
from watchword.transport.flow import ClientContext, Drive

__all__ = ["Exchange"]


class Exchange:
    """One request of the caller, to be opened by the handlers that come after `handler`."""

    def __init__(self, request: LibraryRequest, opener: OpenerDirector, handler: BaseHandler) -> None:
        self._opener = opener
        self._handler = handler
        self._request = request
        self._start = position(request.data)
        self._answer: Answer = None
        self._cookies = request.get_header("Cookie") or ""
        parts = urlsplit(request.full_url)
        authority = request.get_header("Host") or parts.netloc
        self.bare = Request.raw(
            request.get_method(), parts.scheme, authority, target_of(request).encode(), _lines(request),
            peer_of(request, opener, type(handler)), exact=True,
        )  # fmt: skip
        self.context = ClientContext(
            partial(read, request.data, self._start),
            check_repeatable=partial(check_repeatable, request.data, self._start),
            peer=lambda own: peer_of(OwnRequest(url_of(own)), opener, type(handler)),
        )

    def run(self, drive: Drive) -> Answer:
        """The answer to the request, once the flow is content with it."""
        try:
            send = drive.advance()
            while send is not None:
                send = drive.advance(self._send(send) if send.body is ORIGINAL else self._fetch(send))
        except BaseException:
            if self._answer is not None:
                self._answer.close()
            raise
        finally:
            drive.close()
        return self._answer

    def _send(self, send: Send) -> Received:
        if self._answer is not None:
            self._prepare_once_more(self._answer)
        request = self._put(send)
        self._answer = self._open(request, after=self._handler)
        if self._start is not None and 300 <= self._answer.status < 400:
            rewind(self._request.data, self._start)  # for a handler that goes on with the same file
        received, self._answer = answer_to(send, _lines(request), self._answer)
        return received

    def _put(self, send: Send) -> LibraryRequest:
        """A copy of the caller's request as the flow wants it: redirects go on with the caller's own, and its fields."""
        request = copy.copy(self._request)
        request.headers, request.unredirected_hdrs = dict(request.headers), dict(request.unredirected_hdrs)
        if not request.has_header("Accept-encoding"):
            _set(request, "Accept-encoding", "identity")  # as http.client does, but later
        if self._cookies:
            _set(request, "Cookie", self._cookies)
        for name, lines in changes(self.bare, send.request).items():
            _set(request, name.decode(), b", ".join(lines).decode("latin-1"))
        if send.request.target != self.bare.target:
            target = send.request.target.decode("latin-1")
            parts = urlsplit(request.full_url)
            request.selector = f"{parts.scheme}://{parts.netloc}{target}" if request.has_proxy() else target
        if send.content is not None:
            request.data = send.content
            _set(request, "Content-length", str(len(send.content)))
            request.remove_header("Transfer-encoding")
        return request

    def _prepare_once_more(self, refused: Answer) -> None:
        """Each answer has a connection of its own, which ends with it."""
        fresh = fresh_cookies(self._request.full_url, refused.headers.get_all("Set-Cookie", []))
        library: Any = self._opener
        for handler in library.handlers:
            if isinstance(handler, HTTPCookieProcessor):
                handler.cookiejar.extract_cookies(refused, self._request)
        refused.close()
        rewind(self._request.data, self._start)
        self._cookies = merged_cookies(self._cookies, fresh)

    def _fetch(self, send: Send) -> Received:
        given: Any = self._request.timeout
        own = OwnRequest(url_of(send.request), send.body or None, method=send.request.method)
        own.timeout = waiting(given if isinstance(given, (int, float)) else socket.getdefaulttimeout())
        _set(own, "Host", own.host)
        _set(own, "Accept-encoding", "identity")
        if send.body or own.get_method() == "POST":
            _set(own, "Content-length", str(len(send.body or b"")))
        for name, value in self._opener.addheaders:
            if name.lower() == "user-agent":
                _set(own, name, value)
        for name_octets, line in send.request.headers:
            _set(own, name_octets.decode(), line.decode("latin-1"))
        with self._open(own) as response:
            answer = head_of(response)
            return answer._replace(body=content_of_own(response)) if send.want else answer

    def _open(self, request: LibraryRequest, after: BaseHandler | None = None) -> Answer:
        kind = request.type
        for handler in opening(self._opener, kind, after):
            response = getattr(handler, f"{kind}_open")(request)
            if response is not None:
                return response
        raise URLError(f"no handler opens {kind}")


def _set(request: LibraryRequest, name: str, value: str) -> None:
    request.remove_header(name.capitalize())
    if value:
        request.add_unredirected_header(name, value)


def _lines(request: LibraryRequest) -> Headers:
    """The field lines as they are sent: two of them are added on the way."""
    given = {name.lower(): value for name, value in request.header_items()}
    return field_lines({"accept-encoding": "identity", **given, "connection": "close"}.items())

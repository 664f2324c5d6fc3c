"""One prepared request of requests with its retries and redirects."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import ref

import requests
import requests.cookies

from watchword.clients._exchange import differs, merged_cookies
from watchword.clients._redirects import Trail
from watchword.clients._repeats import position
from watchword.clients._requests_answer import answer_to, drain
from watchword.clients._requests_io import advance, origin, request_of, rewind
from watchword.clients._requests_put import bare, check_unjudged, put
from watchword.clients._requests_route import context_of, peer_again, peer_at_first
from watchword.core.message import Peer, Request
from watchword.core.scheme import Send
from watchword.transport.flow import ClientContext, Drive

__all__ = ["Exchange"]


class Exchange:
    """One prepared request; `drive` runs the flow of a request, and with `every_answer` each answer has to be judged."""

    def __init__(
        self, drive: Callable[[Request, ClientContext], Drive], every_answer: bool, prepared: requests.PreparedRequest
    ) -> None:
        self._driven_by = drive
        self._every_answer = every_answer
        self._first = ref(prepared)
        self._trail = Trail(origin(prepared))
        self._start = position(prepared.body)
        self._body = prepared.body
        self._pointed = False
        self._send: Send | None = None
        self._drive: Drive | None = None
        self._fields: set[bytes] = set()
        self._settings: dict[str, Any] = {}  # those of the session, known once it has an answer

    def begin(self, prepared: requests.PreparedRequest) -> None:
        """Runs up to where requests sends the request itself."""
        self._drive = drive = self._driven(prepared, peer_at_first(prepared.url or ""))
        self._send = send = advance(drive, None, {})
        assert send is not None  # a flow without a Send of the caller's request has raised
        put(prepared, self._bare, send, self._fields)

    def _driven(self, prepared: requests.PreparedRequest, peer: Peer) -> Drive:
        self._bare = request_of(prepared, peer)
        return self._driven_by(self._bare, context_of(prepared.body, self._start, self._settings))

    def answered(self, r: requests.Response, **kwargs: Any) -> requests.Response:
        """The response hook: the answer, or that to a retry."""
        sent = r.request
        self._settings |= kwargs
        # If one prepared request is sent twice at the same time, the second answer starts a new flow.
        drive, self._drive = self._drive, None
        redirected = sent is not self._first()
        if not redirected:
            self._trail = Trail(origin(sent))
        stays = self._trail.leads_to(origin(sent))
        if (drive is None or not stays) and not (redirected and self._pointed):
            check_unjudged(r, self._every_answer)
        if stays:
            r = self._resume(r, drive, kwargs)
        self._pointed = self._pointed or r.is_redirect
        if r.is_redirect and sent is self._first():
            # requests goes on with a copy of `sent` to wherever the answer points: with none of our fields in it.
            r.request = sent.copy() if r.request is sent else r.request
            bare(sent, self._fields, self._body)
        return r

    def _resume(self, r: requests.Response, drive: Drive | None, kwargs: dict[str, Any]) -> requests.Response:
        sent = self._send
        try:
            if drive is None:
                if not self._refused(r):
                    return r
                drive = self._driven(r.request, peer_again(r.request.url or "", r.connection, kwargs))
                sent = advance(drive, None, kwargs)
                # A flow that begins without credentials begins with the answer that is there.
                if sent is not None and differs(self._bare, sent):
                    r = self._resend(r, sent, kwargs)
            while sent is not None and (sent := advance(drive, partial(answer_to, sent, r), kwargs)) is not None:
                r = self._resend(r, sent, kwargs)
        except BaseException:
            r.close()
            raise
        return r

    def _refused(self, r: requests.Response) -> bool:
        """Whether a request that carries none of our fields, as it was redirected, was refused and shall carry them."""
        if any(name.decode("latin-1") in r.request.headers for name in self._fields):
            return r.status_code == 401
        return 400 <= r.status_code < 500

    def _resend(self, r: requests.Response, send: Send, kwargs: dict[str, Any]) -> requests.Response:
        drain(r)
        again = r.request.copy()
        rewind(again.body, self._start)
        library: Any = requests.cookies  # untyped
        jar = library.RequestsCookieJar()
        library.extract_cookies_to_jar(jar, r.request, r.raw)
        had: Any = again.headers.pop("Cookie", "")
        if cookies := merged_cookies(had, library.get_cookie_header(jar, again) or ""):
            again.headers["Cookie"] = cookies
        put(again, self._bare, send, self._fields)
        response: requests.Response = r.connection.send(again, **kwargs)
        response.history = [*r.history, r]
        return response

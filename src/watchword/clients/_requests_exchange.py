"""One prepared request of requests with its retries and redirects."""

from __future__ import annotations

from functools import partial
from threading import get_ident
from typing import Any
from weakref import ref

import requests
import requests.cookies

from watchword.clients._exchange import differs, merged_cookies
from watchword.clients._redirects import Trail
from watchword.clients._repeats import check_repeatable, position, rewind
from watchword.clients._requests_answer import drain
from watchword.clients._requests_headers import Lines, RenewedHeaders
from watchword.clients._requests_io import Bare, origin
from watchword.clients._requests_put import bare, check_unjudged, put, put_lines
from watchword.clients._requests_run import Make, Run

__all__ = ["Exchange"]


class Exchange:
    """One request of the caller; `make` makes the driver of a flow, and with `every_answer` each answer has to be judged."""

    def __init__(self, make: Make, every_answer: bool, prepared: requests.PreparedRequest) -> None:
        self._make = make
        self._every_answer = every_answer
        self._first = self._last = ref(prepared)
        self._body = body = prepared.body
        self._start = None if body is None else position(body)
        self._fields: set[bytes] = set()
        self._renewed: dict[int, Run] = {}  # by the thread that wrote the request
        # Runs up to where requests sends the request itself.
        self._run: Run | None = Run(Bare(prepared), self._start, make)
        self._put(self._run, prepared)
        self._home = self._run.bare.origin
        self._trail: Trail | None = None  # only redirects need one
        self._led = False

    def _put(self, run: Run, prepared: requests.PreparedRequest) -> None:
        self._last = sent = ref(prepared)
        put(prepared, run, self._fields)
        prepared.headers = RenewedHeaders(prepared.headers, partial(self._renew, run, sent))

    def _renew(self, run: Run, sent: ref[requests.PreparedRequest], written: Lines) -> None:
        """Makes the fields anew for what urllib3 repeats: its own settings say what that is, and how often."""
        prepared, again = sent(), run.anew()
        if prepared is not None and again is not None:
            self._renewed[get_ident()] = again
            put(prepared, again, self._fields)
            put_lines(written, prepared.headers, self._fields)

    def answered(self, r: requests.Response, **kwargs: Any) -> requests.Response:
        """The response hook: the answer, or that to a retry."""
        sent = self._request_of(r)
        vars(sent).pop("copy", None)
        # If one prepared request is sent twice at the same time, the second answer starts a new flow.
        run, self._run = self._renewed.pop(get_ident(), self._run), None
        if sent is self._first():
            self._trail, self._led, stays = None, False, True
        else:
            stays = self._leads_to(sent)
        if run is None if stays else not self._led:
            check_unjudged(r, self._every_answer)
        if stays:
            r = self._resume(r, run, kwargs)
        if 300 <= r.status_code < 400 and r.is_redirect:
            # requests goes on with a copy of `sent`, or with two: one of them is the answer's `next`.
            self._trail = self._trail or Trail(origin(sent))
            vars(sent)["copy"] = partial(self._redirected, sent)
        return r

    def _leads_to(self, request: requests.PreparedRequest) -> bool:
        if self._trail is None:
            self._trail = Trail(self._home)
        return self._trail.leads_to(origin(request))

    def _request_of(self, r: requests.Response) -> requests.PreparedRequest:
        """The request that was answered, whatever stands for it in an answer that a test has made up (requests-mock)."""
        shown: Any = r.request
        return shown if isinstance(shown, requests.PreparedRequest) else self._last() or shown

    def _redirected(self, sent: requests.PreparedRequest) -> requests.PreparedRequest:
        """The copy of `sent` that goes to wherever the answer points."""
        copy = requests.PreparedRequest.copy(sent)
        self._last = ref(copy)
        bare(copy, self._fields, self._body)
        vars(copy)["prepare_cookies"] = partial(self._settled, copy)
        return copy

    def _settled(self, copy: requests.PreparedRequest, cookies: Any) -> None:
        """The copy has its method, target and body now, and gets its cookies; then it is signed, if it stays at the origin."""
        del vars(copy)["prepare_cookies"]
        copy.prepare_cookies(cookies)
        self._led = True
        if self._leads_to(copy):
            check_repeatable(copy.body, self._start, "the server redirects the request with its body")
            if self._run is None or not self._run.fits(copy):
                self._run = Run(Bare(copy), self._start, self._make)
            self._put(self._run, copy)
            vars(copy)["prepare_auth"] = _keep  # else ~/.netrc would replace the credentials

    def _resume(self, r: requests.Response, run: Run | None, kwargs: dict[str, Any]) -> requests.Response:
        try:
            if run is None:
                if not self._refused(r):
                    return r
                run = Run(Bare(self._request_of(r)), self._start, self._make)
                # A flow that begins without credentials begins with the answer that is there.
                if differs(run.bare, run.send):
                    run, r = self._resend(r, run, kwargs)
            while run.goes_on(r):
                run, r = self._resend(r, run, kwargs)
        except BaseException:
            r.close()
            raise
        return r

    def _refused(self, r: requests.Response) -> bool:
        """Whether a request was refused that nobody has signed anew, or that carries none of our fields."""
        if any(name.decode("latin-1") in r.request.headers for name in self._fields):
            return r.status_code == 401
        return 400 <= r.status_code < 500

    def _resend(self, r: requests.Response, run: Run, kwargs: dict[str, Any]) -> tuple[Run, requests.Response]:
        drain(r)
        sent = self._request_of(r)
        again = requests.PreparedRequest.copy(sent)
        rewind(again.body, self._start)
        library: Any = requests.cookies  # untyped
        jar = library.RequestsCookieJar()
        library.extract_cookies_to_jar(jar, sent, r.raw)
        had: Any = again.headers.pop("Cookie", "")
        if cookies := merged_cookies(had, library.get_cookie_header(jar, again) or ""):
            again.headers["Cookie"] = cookies
        self._put(run, again)
        response: requests.Response = r.connection.send(again, **kwargs)
        response.history = [*r.history, r]
        return self._renewed.pop(get_ident(), run), response


def _keep(*_: object, **__: object) -> None:
    """Puts no other credentials into a request."""

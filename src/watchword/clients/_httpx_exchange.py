"""One request of httpx or httpx2 with its retries and redirects."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from watchword.clients._exchange import LIMIT, Replacements, differs, merged_cookies, oversized
from watchword.clients._httpx_own import own_request, put, url_of
from watchword.clients._httpx_parts import Kit
from watchword.clients._httpx_route import peer_of
from watchword.clients._redirects import Origin, origin_of
from watchword.clients._repeats import MAY_WANT, check_repeatable, position, unreplayable
from watchword.core.message import Peer, Request
from watchword.core.rejection import ConfigurationError, CredentialsUnavailable
from watchword.core.scheme import ORIGINAL, Send

__all__ = ["Exchange"]


class Exchange:
    """One request of the caller, as long as `more` is true."""

    def __init__(self, kit: Kit, request: Any) -> None:
        self._kit = kit
        self._origin = _origin(request.url)
        self._own: list[Any] = []  # the flow's own requests
        self._history: list[Any] = []
        self._begin(request, None)

    def _begin(self, request: Any, always_needed: Any) -> None:
        self.more = True
        self._request = request
        self._answer = self._standing = always_needed
        self._spent = always_needed is not None
        self._start = position(getattr(request.stream, "_stream", None))
        # A copy of headers leaves behind what an earlier flow put into them.
        self._plain = self._kit.module.Headers(request.headers)
        lines = tuple((name.lower(), value) for name, value in self._plain.raw)
        host = next((value for name, value in lines if name == b"host"), request.url.netloc)
        url, text = request.url, host.decode("latin-1")
        target = request.extensions.get("target", url.raw_path)
        peer = peer_of(self._kit.module, url)
        self.bare = Request.raw(request.method, url.scheme, text, target, lines, peer, exact=True)

    def body(self) -> bytes:
        """The caller's body, which stays ready to be sent."""
        if not hasattr(self._request.stream, "__iter__"):
            raise ConfigurationError("this scheme covers the body: pass bytes, or `await request.aread()` before")
        if self._spent:
            self._rewind("this scheme covers the body")
        return bytes(self._request.read())

    def peer(self, own: Request) -> Peer:
        """Who is connected to for a request of the flow's own."""
        return peer_of(self._kit.module, self._kit.module.URL(url_of(own)))

    def always_needed(self, send: Send) -> Any:
        """The answer to a redirected request, where the flow begins without credentials as well; else None."""
        answer, self._standing = self._standing, None
        return None if send.body is not ORIGINAL or differs(self.bare, send) else answer

    def outgoing(self, send: Send) -> Any:
        """The library's request for `send`."""
        if send.body is not None:  # else it is ORIGINAL
            return self._own_request(send.request, send.body)
        if self._spent:
            self._rewind("the server wants the request with its body once more")
        self._spent = True
        self._request.headers = self._bound(put(self._kit.module, self._request, self.bare, send))
        return self._request

    def arrived(self, send: Send, response: Any) -> Any:
        """The answer to the request that was sent: not to where the client was redirected from it."""
        if send.body is not ORIGINAL:
            if response.request is not self._own[-1]:
                raise CredentialsUnavailable("the endpoint for credentials redirects, which is not followed")
            if response.headers.get("content-encoding", "identity") != "identity":
                raise CredentialsUnavailable(
                    "the endpoint for credentials answers in an encoding that was not asked for"
                )
            response.stream = self._kit.answer(response.stream, LIMIT, oversized)
            return response
        self._answer = response
        if response.request is not self._request:
            response = [hop for hop in response.history if hop.request is self._request][-1]
        library = self._kit.module
        probe = library.Request("GET", self._request.url)
        with suppress(
            UnicodeEncodeError
        ):  # the library can't send these cookies; the answer is the caller's all the same
            library.Cookies(response.cookies).set_cookie_header(probe)
        if fresh := probe.headers.get("cookie"):
            self._plain["Cookie"] = merged_cookies(self._plain.get("cookie", ""), fresh)
        return response

    def finished(self) -> None:
        """Settles the answer's history, and whether a redirected request is authenticated anew."""
        self.more = False
        answer = self._answer
        known = [id(hop) for hop in self._history]
        hops = [hop for hop in answer.history if id(hop) not in known and not _among(hop.request, self._own)]
        answer.history = [*self._history, *hops]
        # Once a redirect has led elsewhere, somebody else chose the target: nothing is signed any more.
        stayed = all(_origin(hop.request.url) == self._origin for hop in (*answer.history, answer))
        if answer.request is not self._request and stayed and 400 <= answer.status_code < 500:
            self._history = [*answer.history, answer]
            self._begin(answer.request, answer)

    def _bound(self, replaced: Replacements) -> Any:
        gone = replaced.keys() - {b"content-length"}  # that of the plain body, for a copy
        plain = [pair for pair in self._plain.raw if pair[0].lower() not in gone]
        return self._kit.headers(plain, [(name.title(), line) for name, lines in replaced.items() for line in lines])

    def _own_request(self, request: Request, body: bytes) -> Any:
        own = own_request(self._kit, request, body, self._request.extensions.get("timeout"))
        self._own.append(own)
        return own

    def check_repeatable(self, need: str = MAY_WANT) -> None:
        """Nothing, if the body can be sent twice; else `ConfigurationError`."""
        if self._is_its_own():
            return
        source = getattr(self._request.stream, "_stream", None)
        if source is None:  # a stream of the caller's own
            raise unreplayable(need)
        check_repeatable(source, self._start, need)

    def _is_its_own(self) -> bool:
        """Octets, or a multipart form, which rewinds its files itself."""
        stream = self._request.stream
        return isinstance(stream, self._kit.module.ByteStream) or hasattr(stream, "iter_chunks")

    def _rewind(self, need: str) -> None:
        self.check_repeatable(need)
        if self._start is not None and not self._is_its_own():
            self._request.stream._stream.seek(self._start)  # noqa: SLF001 -- as position() was asked of it


def _origin(url: Any) -> Origin:
    return origin_of(url.scheme, url.host, url.port)


def _among(one: Any, many: list[Any]) -> bool:
    return any(one is other for other in many)

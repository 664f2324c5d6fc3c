"""One request of httpx or httpx2 on its way, the caller's or one that it was redirected to, with the flow that signs it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from watchword.clients._exchange import Replacements, differs, merged_cookies, url_of
from watchword.clients._httpx_own import put
from watchword.clients._httpx_parts import Kit
from watchword.clients._httpx_route import Call
from watchword.clients._repeats import MAY_WANT, check_repeatable, unreplayable
from watchword.core.message import Peer, Request
from watchword.core.rejection import ConfigurationError
from watchword.effects import ORIGINAL, Send
from watchword.transport.flow import ClientContext

__all__ = ["Leg", "Make"]

Make = Callable[[Request, ClientContext], Any]
"""Makes the driver of a flow, for a sync or an async client."""


class Leg:
    """A request and its flow.

    `drive` runs the flow. Where the client was redirected to the request, `send` is what went out with it, and `standing` says
    that its answer is there already.

    Args:
        kit: the library.
        call: the client's call.
        request: the library's request.
        start: where its body stood before anything was sent, if that is a file.
        make: makes the driver.
        redirected: whether the client was redirected to it, so that its body was sent before.
    """

    def __init__(self, kit: Kit, call: Call, request: Any, start: int | None, make: Make, *, redirected: bool) -> None:
        self.request = request
        self.send: Send | None = None
        self.standing = False
        self._kit = kit
        self._call = call
        self._start = start
        self._spent = redirected
        # A copy of headers leaves behind what an earlier flow put into them.
        self._plain = kit.module.Headers(request.headers)
        lines = tuple((name.lower(), value) for name, value in self._plain.raw)
        host = next((value for name, value in lines if name == b"host"), request.url.netloc)
        url, text = request.url, host.decode("latin-1")
        target = request.extensions.get("target", url.raw_path)
        self.bare = Request.raw(request.method, url.scheme, text, target, lines, call.peer(url), exact=True)
        context = ClientContext(self._body, check_repeatable=self._check_repeatable, peer=self._peer)
        self.drive = make(self.bare, context)

    def begin(self, send: Send) -> None:
        """Has `send` go out with the request that the library is about to send; it can't send another one before that."""
        if send.body is ORIGINAL:
            self.outgoing(send)
            self.send = send
        else:
            self.drive.close()

    def outgoing(self, send: Send) -> Any:
        """The library's request with what `send` puts into it."""
        if self._spent:
            self._rewind("the server wants the request with its body once more")
        self._spent = True
        self.request.headers = self._bound(put(self._kit.module, self.request, self.bare, send))
        return self.request

    def is_plain(self, send: Send) -> bool:
        """Whether by `send` the request goes out as it is."""
        return send.body is ORIGINAL and not differs(self.bare, send)

    def take_cookies(self, answer: Any) -> None:
        """Puts the cookies of an answer into the request, for when it is sent again."""
        if "set-cookie" not in answer.headers:
            return
        library = self._kit.module
        probe = library.Request("GET", self.request.url)
        with suppress(UnicodeEncodeError):  # the library can't send these; the answer is the caller's all the same
            library.Cookies(answer.cookies).set_cookie_header(probe)
        if fresh := probe.headers.get("cookie"):
            self._plain["Cookie"] = merged_cookies(self._plain.get("cookie", ""), fresh)

    def _bound(self, replaced: Replacements) -> Any:
        gone = replaced.keys() - {b"content-length"}  # that of the plain body, for a copy
        plain = [pair for pair in self._plain.raw if pair[0].lower() not in gone]
        return self._kit.headers(plain, [(name.title(), line) for name, lines in replaced.items() for line in lines])

    def _peer(self, own: Request) -> Peer:
        return self._call.peer(self._kit.module.URL(url_of(own)))

    def _body(self) -> bytes:
        """The body, which stays ready to be sent."""
        if not hasattr(self.request.stream, "__iter__"):
            raise ConfigurationError("this scheme covers the body: pass bytes, or `await request.aread()` before")
        if self._spent:
            self._rewind("this scheme covers the body")
        return bytes(self.request.read())

    def _check_repeatable(self, need: str = MAY_WANT) -> None:
        if self._is_its_own():
            return
        source = getattr(self.request.stream, "_stream", None)
        if source is None:  # a stream of the caller's own
            raise unreplayable(need)
        check_repeatable(source, self._start, need)

    def _is_its_own(self) -> bool:
        """Octets, or a multipart form, which rewinds its files itself."""
        stream = self.request.stream
        return isinstance(stream, self._kit.module.ByteStream) or hasattr(stream, "iter_chunks")

    def _rewind(self, need: str) -> None:
        self._check_repeatable(need)
        if self._start is not None and not self._is_its_own():
            self.request.stream._stream.seek(self._start)  # noqa: SLF001 -- as position() was asked of it

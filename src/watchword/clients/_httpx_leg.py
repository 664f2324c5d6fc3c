"""One request of httpx or httpx2 on its way, the caller's or one that it was redirected to, with the flow that signs it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from watchword.clients._exchange import differs, merged_cookies, url_of
from watchword.clients._httpx_own import put
from watchword.clients._httpx_parts import Kit
from watchword.clients._httpx_request import Bare
from watchword.clients._httpx_route import Call
from watchword.clients._repeats import MAY_WANT, check_repeatable, unreplayable
from watchword.core.message import Peer, Request
from watchword.core.rejection import ConfigurationError
from watchword.effects import ORIGINAL, Send
from watchword.transport.flow import HostContext

__all__ = ["Leg", "Make"]

Make = Callable[[Request, HostContext], Any]
"""Makes the driver of a flow, for a sync or an async client."""


class Leg(HostContext):
    """A request and its flow.

    `drive` runs the flow. Where the client was redirected to the request, `send` is what went out with it, and `standing` says
    that its answer is there already. `answer` is the last answer to the request.

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
        self.answer: Any = None
        self._kit = kit
        self._call = call
        self._start = start
        self._spent = redirected
        # A copy of headers leaves behind what an earlier flow put into them.
        self._plain = kit.module.Headers(request.headers)
        self.bare = Bare(request, self._plain, call)
        self.drive = make(self.bare, self)

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
        if self.answer is not None:
            self._take_cookies(self.answer)
        self._spent = True
        self.request.headers = self._kit.headers(self._plain, put(self._kit.module, self.request, self.bare, send))
        return self.request

    def is_plain(self, send: Send) -> bool:
        """Whether by `send` the request goes out as it is."""
        return send.body is ORIGINAL and not differs(self.bare, send)

    def _take_cookies(self, answer: Any) -> None:
        """Puts the cookies of the last answer into the request, which is sent again."""
        if "set-cookie" not in answer.headers:
            return
        library = self._kit.module
        probe = library.Request("GET", self.request.url)
        with suppress(UnicodeEncodeError):  # the library can't send these; the answer is the caller's all the same
            library.Cookies(answer.cookies).set_cookie_header(probe)
        if fresh := probe.headers.get("cookie"):
            self._plain = library.Headers(self._plain)  # a flow goes on to see the request as it was
            self._plain["Cookie"] = merged_cookies(self._plain.get("cookie", ""), fresh)

    def peer(self, request: Request, /) -> Peer:
        """Who the client connects to for a request of the flow's own."""
        return self._call.peer(self._kit.module.URL(url_of(request)))

    def body(self) -> bytes:
        """The body, which stays ready to be sent."""
        if not hasattr(self.request.stream, "__iter__"):
            raise ConfigurationError("this scheme covers the body: pass bytes, or `await request.aread()` before")
        if self._spent:
            self._rewind("this scheme covers the body")
        return bytes(self.request.read())

    def check_repeatable(self, need: str = MAY_WANT) -> None:
        """Nothing, if the body can be sent twice; else a `ConfigurationError` that begins with `need`."""
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
        self.check_repeatable(need)
        if self._start is not None and not self._is_its_own():
            self.request.stream._stream.seek(self._start)  # noqa: SLF001 -- as position() was asked of it

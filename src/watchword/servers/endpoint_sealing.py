"""The seal on the answers of an endpoint that is hosted for itself, without a guard."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from watchword.core.answer import Refusal, ResponseSealer
from watchword.core.message import Headers, Request, Response
from watchword.core.rejection import Reason, Rejected
from watchword.core.seal import has_content
from watchword.structures.streams import BodyStream

__all__ = ["Answered", "Failures", "Sealing"]


class Answered(Protocol):
    """A response and its body."""

    @property
    def response(self) -> Response: ...
    @property
    def body(self) -> bytes: ...


class Sealing:
    """The seal of one answer, and the check of the request's body that it speaks of; nothing where there is no sealer."""

    def __init__(self, sealer: ResponseSealer | None, request: Request) -> None:
        self._sealer = sealer
        self._request = request
        self._seal = None if sealer is None else sealer.seal(request)
        self._unread: BodyStream | None = None

    def checking(self, chunk: Callable[[], bytes]) -> Callable[[], bytes]:
        """`chunk`, which gives the parts of the body, raising `Rejected` at its end if it is not the one that the seal will speak of."""
        passed = self._check()
        return chunk if passed is None else lambda: passed(chunk())

    def checking_awaited(self, chunk: Callable[[], Awaitable[bytes]]) -> Callable[[], Awaitable[bytes]]:
        """The same on an event loop."""
        passed = self._check()
        if passed is None:
            return chunk

        async def checked() -> bytes:
            return passed(await chunk())

        return checked

    @property
    def waits(self) -> bool:
        """Whether the endpoint has read nothing of a body that is to be checked, and that the request says is empty."""
        empty = not any(length.strip(b"0") for length in self._request.values(b"content-length"))
        return self._unread is not None and empty and not self._request.values(b"transfer-encoding")

    def settle(self, first: bytes) -> None:
        """Checks a body that the endpoint didn't read, if that can be told by its first part: there is none."""
        assert self._unread is not None
        assert self._sealer is not None
        if first:
            return
        try:
            self._unread.end()
        except Rejected:
            # The answer is what it is, whatever the body was: only the seal must not say that it was this one.
            self._seal = self._sealer.seal(self._request)
            self._check()

    def lines(self, answer: Answered) -> Headers:
        """What the answer gets."""
        if self._seal is None:
            return ()
        body = answer.body if has_content(self._request.method, answer.response.status) else b""
        return self._seal.headers(answer.response, body if self._seal.needs_body else None, time.time(), os.urandom)

    def _check(self) -> Callable[[bytes], bytes] | None:
        if self._seal is None or self._seal.check is None:
            return None
        stream = self._unread = self._seal.check()

        def passed(data: bytes) -> bytes:
            self._unread = None
            try:
                if data:
                    stream.feed(data)
                else:
                    stream.end()
            except Rejected as rejected:
                # It is no fault of the credentials, which an endpoint would read it as.
                detail = rejected.rejection.detail
                raise Rejected(Reason.MALFORMED_REQUEST, detail, where="content-digest") from None
            return data

        return passed


class Failures:
    """What a server would say by itself where an endpoint fails."""

    def __init__(self, seal: ResponseSealer) -> None:
        self._seal = seal

    def failure(self, request: Request) -> Refusal:
        """500, sealed."""
        seal = self._seal.seal(request)
        return Refusal(500)._replace(
            sealing=lambda answer, content: seal.headers(answer, content, time.time(), os.urandom)
        )

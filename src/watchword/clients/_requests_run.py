"""The run of a flow for one prepared request: what was sent last, and how it is put into the request and made anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests

from watchword.clients._exchange import url_of
from watchword.clients._repeats import check_repeatable, read
from watchword.clients._requests_answer import answer_to
from watchword.clients._requests_io import Bare, advance
from watchword.clients._requests_route import caller
from watchword.core.message import Peer, Request
from watchword.transport.flow import Drive, HostContext

__all__ = ["Make", "Run"]

Make = Callable[[Request, HostContext], Drive]
"""Makes the driver of a flow."""


class _Context(HostContext):
    """What a flow may use for a prepared request whose body is `body`; `start` is where that stood, if it is a file."""

    def __init__(self, body: Any, start: int | None) -> None:
        self._body = body
        self._start = start

    def body(self) -> bytes:
        """The octets of the body."""
        return read(self._body, self._start)

    def check_repeatable(self) -> None:
        """Nothing, if the body can be sent twice; else a `ConfigurationError`."""
        check_repeatable(self._body, self._start)

    def peer(self, request: Request, /) -> Peer:
        """Who the session connects to for a request of the flow's own."""
        return caller().peer(url_of(request))


class Run:
    """A flow that waits for the answer to a request; `send` is what it has sent last.

    Args:
        bare: the request without what the flow puts into it.
        start: where its body stood, if that is a file.
        make: makes the flow's driver.
    """

    def __init__(self, bare: Bare, start: int | None, make: Make) -> None:
        self.bare = bare
        self._start = start
        self._make = make
        self._drive = make(bare, _Context(bare.body, start))
        send = advance(self._drive)
        assert send is not None  # a flow without a Send of the caller's request has raised
        self.send = send

    def fits(self, prepared: requests.PreparedRequest) -> bool:
        """Whether it is a run for the same request, which waits to be sent."""
        bare, other = self.bare, Bare(prepared)
        return (bare.method, bare.target, bare.headers) == (other.method, other.target, other.headers)

    def anew(self) -> Run | None:
        """A new run for the same request; None if its credentials are not in fields, which alone can still be changed."""
        check_repeatable(self.bare.body, self._start)
        run = Run(self.bare, self._start, self._make)
        return None if run.send.content is not None or run.send.request.target != self.bare.target else run

    def goes_on(self, answer: requests.Response) -> bool:
        """Takes the answer; whether the request has to be sent again."""
        try:
            received = answer_to(self.send, answer)
        except BaseException:
            self._drive.close()
            raise
        send = advance(self._drive, received)
        if send is None:
            return False
        self.send = send
        return True

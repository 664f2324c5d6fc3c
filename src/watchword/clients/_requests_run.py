"""The run of a flow for one prepared request: what was sent last, and how it is put into the request and made anew."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import requests

from watchword.clients._exchange import differs, url_of
from watchword.clients._repeats import check_repeatable, read
from watchword.clients._requests_answer import answer_to
from watchword.clients._requests_io import advance, request_of
from watchword.clients._requests_put import put
from watchword.clients._requests_route import caller
from watchword.core.message import Request
from watchword.effects import Send
from watchword.transport.flow import ClientContext, Drive

__all__ = ["Run"]


class Run:
    """A flow that waits for the answer to a request.

    Args:
        bare: the request without what the flow puts into it.
        context: the means that the flow may use.
        make: makes the flow's driver.
    """

    def __init__(self, bare: Request, context: ClientContext, make: Callable[[Request, ClientContext], Drive]) -> None:
        self._bare = bare
        self._context = context
        self._make = make
        self._drive = make(bare, context)
        self._send = advance(self._drive)

    @classmethod
    def of(
        cls, prepared: requests.PreparedRequest, start: int | None, make: Callable[[Request, ClientContext], Drive]
    ) -> Run:
        """The run for `prepared`; `start` is where its body stood, if that is a file."""
        body = prepared.body
        context = ClientContext(
            partial(read, body, start),
            check_repeatable=partial(check_repeatable, body, start),
            peer=lambda own: caller().peer(url_of(own)),
        )
        return cls(request_of(prepared, caller().peer(prepared.url or "")), context, make)

    def fits(self, prepared: requests.PreparedRequest) -> bool:
        """Whether it is a run for the same request, which waits to be sent."""
        bare, other = self._bare, request_of(prepared, self._bare.peer)
        return (bare.method, bare.target, bare.headers) == (other.method, other.target, other.headers)

    def anew(self) -> Run | None:
        """A new run for the same request; None if its credentials are not in fields, which alone can still be changed."""
        self._context.check_repeatable()
        run = Run(self._bare, self._context, self._make)
        send = run._sending
        return None if send.content is not None or send.request.target != self._bare.target else run

    @property
    def changes_request(self) -> bool:
        """Whether the flow sends the request otherwise than it is."""
        return differs(self._bare, self._sending)

    def put(self, prepared: requests.PreparedRequest, fields: set[bytes]) -> None:
        """Puts the credentials into `prepared`; `fields` are those that the flows of this request ever changed."""
        put(prepared, self._bare, self._sending, fields)

    def goes_on(self, answer: requests.Response) -> bool:
        """Takes the answer; whether the request has to be sent again."""
        self._send = advance(self._drive, partial(answer_to, self._sending, answer))
        return self._send is not None

    @property
    def _sending(self) -> Send:
        assert self._send is not None  # a flow without a Send of the caller's request has raised
        return self._send

"""The judgement on one request of aiohttp's: made once, by whoever asks first."""

from __future__ import annotations

import math
from asyncio import ensure_future, get_running_loop, shield
from collections.abc import Sequence
from typing import Any

from watchword.core.answer import Refusal
from watchword.core.body import check_declared
from watchword.core.guard import AsyncGuard
from watchword.core.message import Response
from watchword.core.rejection import ConfigurationError, Rejected, StoreUnavailable, not_installed
from watchword.servers.aiohttp.checked import CheckedReader
from watchword.servers.aiohttp.held import HeldWriter
from watchword.servers.aiohttp.request import Incoming, request_of
from watchword.servers.judgement import Judgement, check_method, refused

try:
    from aiohttp import web
except ImportError:
    raise not_installed("aiohttp") from None
from aiohttp.http import StreamWriter

__all__ = ["Judge"]


class Judge:
    """Judges one request, and sees to it that the answer gets all that the verdict says of it.

    `refusal` is the last answer that somebody was told to send, `checked` the body that is checked as it passes.
    """

    def __init__(self, guard: AsyncGuard, request: web.Request) -> None:
        self._guard = guard
        self._request: Any = request
        self._begun = False
        self.judgement: Judgement | None = None
        self.refusal: Refusal | None = None
        self.checked: CheckedReader | None = None

    async def demand(self, request: Any, scopes: Sequence[str] = (), *, optional: bool = False) -> Refusal | None:
        """The answer to a request that the guard refuses, or that lacks one of `scopes`; None if it may pass.

        Args:
            request: that of the handler which asks; a middleware may have cloned the judge's.
            scopes: all of them are demanded.
            optional: a request without credentials may pass as well.

        Raises:
            ConfigurationError: the answer has begun, or as `check_method`.
        """
        check_method(self._request.method, request.method)
        if self.judgement is None:
            if self._begun:
                raise ConfigurationError("the answer has begun: ask who made the request before that")
            self.judgement = await self._judge(request, optional)
        refusal = self.judgement.refusal
        if self.judgement.admission is not None:
            rejected = self.judgement.admission.missing_scopes(scopes, optional=optional)
            refusal = None if rejected is None else await self._guard.refuse(rejected)
        self.refusal = refusal or self.refusal
        return refusal

    async def failed(self, status: int) -> Refusal | None:
        """The refusal of a body that turns out not to be the one that the credentials cover; called before an answer goes out."""
        if self.checked is None or self.judgement is None or self._begun:
            return None
        failed = await self.checked.judge(self._guard.plan.limits.body, error=status >= 400)
        if failed is not None:
            self.refusal = await self._guard.refuse(self.judgement.additions.attributed(failed))
        return None if failed is None else self.refusal

    async def take_back(self) -> None:
        """The handler has failed."""
        if self.judgement is not None and self.judgement.admission is not None:
            # In a task of its own: whatever has cancelled the handler may do so again.
            await shield(ensure_future(self._guard.take_back(self.judgement.admission)))

    async def prepare(self, response: web.StreamResponse) -> None:
        """Adds what the answer gets, just before it begins.

        Raises:
            Rejected: the body of the request is not the one that the credentials cover.
            ConfigurationError: the answer can't be sealed.
        """
        if await self.failed(response.status) is not None and response.status < 400:
            assert self.checked is not None
            assert self.checked.failed is not None
            if not isinstance(self._request.writer, HeldWriter):
                # The one that the response has set up for itself, of which nothing has been sent.
                self._request._payload_writer = StreamWriter(self._request.protocol, get_running_loop())  # noqa: SLF001
            raise self.checked.failed
        if self._begun:
            return
        self._begun = True
        if self.refusal is not None and response.status >= 400:
            _put(response, self.refusal.fields())
        if self.judgement is None:
            return
        if response.status >= 500:
            await self.take_back()
        additions = self.judgement.additions
        if additions.holds_back:
            if isinstance(response, web.FileResponse):
                raise ConfigurationError("a file that aiohttp sends by itself can't be sealed: web.Response(body=…)")
        elif additions.present:
            lines = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.headers.items()]
            _put(response, additions.answer_headers(self._guard.plan, Response(response.status, lines), None))

    async def _judge(self, asking: Any, optional: bool) -> Judgement:
        incoming, request = Incoming(asking, self._request), request_of(asking)
        plan = self._guard.plan
        try:
            check_declared(request, math.inf)
            admission = await self._guard.admit(request, incoming.chunk, optional=optional)
        except (Rejected, StoreUnavailable) as error:
            if isinstance(error, Rejected) and error.refusal is None:
                error.refusal = await self._guard.refuse(error, request)
            judgement = refused(plan, request, error)
        else:
            judgement = Judgement(admission, admission)
            if admission.stream is not None:
                self.checked = incoming.check(admission.stream, admission.body)
                await self.checked.begin()
                if self.checked.failed is not None:
                    refusal = await self._guard.refuse(admission.attributed(self.checked.failed))
                    judgement = Judgement(admission, refusal=refusal)
            elif admission.body is not None:
                incoming.replay(admission.body)
        if judgement.additions.holds_back:
            incoming.hold(HeldWriter(asking.writer, judgement.additions, plan))
        return judgement


def _put(response: web.StreamResponse, lines: Any) -> None:
    for name, value in lines:
        response.headers.add(name.decode(), value.decode("latin-1"))

"""The judgement on one ASGI request, asked for by the application that it was given to, and made once for all who ask."""

from __future__ import annotations

from asyncio import Future, Lock
from collections.abc import Coroutine
from typing import Any

import msgspec

from watchword.core.admission import Admission
from watchword.core.guard import AsyncGuard
from watchword.core.message import Request
from watchword.core.rejection import Rejected, StoreUnavailable
from watchword.servers.asgi.exchange import Channels
from watchword.servers.asgi.incoming import Incoming
from watchword.servers.asgi.request import Receive, Scope, Send
from watchword.servers.asgi.taking_back import Success
from watchword.servers.checked_body import check_unread
from watchword.servers.judgement import ADMISSION, IDENTITY, admitted, Judgement, refused

__all__ = ["Judge"]


class Judge(msgspec.Struct, eq=False):
    """Judges one request, once, and says through which channels it goes on.

    `request` is as the server saw it, whatever is made of the scope inside. `receive` is None before; `send` is the server's until
    the answer gets more. `taken` says that octets of the body were handed out before anybody asked.
    """

    guard: AsyncGuard
    request: Request
    _scope: Scope
    _from_server: Receive
    _to_server: Send
    send: Send
    judgement: Judgement | None = None
    channels: Channels | None = None
    success: Success | None = None
    receive: Receive | None = None
    taken: bool = False
    _turn: Lock | None = None
    _incoming: Incoming | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.request!r})"  # the scope holds the credentials

    @property
    def incoming(self) -> Incoming:
        """The body, for whoever wants it first: most requests have none that anybody reads."""
        incoming = self._incoming
        if incoming is None:
            incoming = self._incoming = Incoming(self._from_server, self._scope["type"], self.request.headers)
        return incoming

    def judge(self, *, optional: bool) -> Judgement | Coroutine[Any, Any, Judgement]:
        """What the guard says of the request, the same for all who ask: at once where nothing has to be waited for.

        If the first who asks says `optional`, it may be of nobody; who demands an identity afterwards finds none.

        Raises:
            ConfigurationError: the guard needs the body, which was read before.
            ClientGone: nobody is there to be answered.
        """
        if self.judgement is not None:
            return self.judgement
        if self._turn is not None:
            return self._after(self._turn, optional)
        outer = admitted(self._scope, self.guard.plan, self.request.method)
        if outer is not None:  # `protect` is round the application, and does the rest
            self.receive = self.incoming.message
            return self._admit(outer)
        admission = self.guard.begin(self.request, self._chunk, optional, self._gone)
        if not isinstance(admission, Admission) or admission.present or admission.provisional:
            return self._judge(admission)
        return self._admit(admission)

    async def _after(self, turn: Lock, optional: bool) -> Judgement:
        """The judgement that another task of the application's asked for first; it may not have got one."""
        async with turn:
            pass
        judgement = self.judge(optional=optional)
        return judgement if isinstance(judgement, Judgement) else await judgement

    async def _judge(self, asked: Admission | Coroutine[Any, Any, Admission]) -> Judgement:
        self._turn = Lock()
        async with self._turn:
            try:
                return await self._settled(asked)
            finally:
                self._turn = None

    async def _settled(self, asked: Admission | Coroutine[Any, Any, Admission]) -> Judgement:
        guard, scope = self.guard, self._scope
        try:
            admission = asked if isinstance(asked, Admission) else await asked
        except (Rejected, StoreUnavailable) as error:
            return await self._refused(scope, refused(guard.plan, self.request, error))
        if admission.provisional:
            self.send = self.success = Success(guard, admission, self._to_server)
        if admission.stream is not None:
            check_unread(self.taken)
        if admission.present:
            channels = Channels(guard, admission, scope, self.incoming, self.send)
            await channels.begin()
            if channels.failed is not None:
                rejected = admission.attributed(channels.failed)
                rejected.refusal = await guard.refuse(rejected)
                return await self._refused(scope, refused(guard.plan, self.request, rejected))
            self.channels, self.receive, self.send = channels, channels.receive, channels.send
        elif admission.body is not None:
            self.receive = self.incoming.replay(admission.body)
        return self._admit(admission)

    def _admit(self, admission: Admission) -> Judgement:
        scope = self._scope
        scope[IDENTITY], scope[ADMISSION] = admission.identity, (self.guard, admission, self.request.method)
        self.judgement = judgement = Judgement(admission, admission)
        return judgement

    async def _refused(self, scope: Scope, judgement: Judgement) -> Judgement:
        """Reads on before the answer goes out, as `Incoming.drained` says."""
        self.receive = self.incoming.message
        if judgement.additions.seal is not None:
            channels = Channels(self.guard, judgement.additions, scope, self.incoming, self.send)
            self.channels, self.receive, self.send = channels, channels.receive, channels.send
        await self.incoming.drained(scope["headers"])
        self.judgement = judgement
        return judgement

    def _gone(self) -> Future[object]:
        return self.incoming.gone()

    async def _chunk(self) -> bytes:
        check_unread(self.taken)
        return await self.incoming.chunk()

"""The judgement on one ASGI request, asked for by the application that it was given to, and made once for all who ask."""

from __future__ import annotations

from asyncio import Event, Future
from collections.abc import Sequence

from watchword.core.answer import Refusal
from watchword.core.guard import AsyncGuard
from watchword.core.rejection import Rejected, StoreUnavailable
from watchword.servers.asgi.admitted import ADMISSION, IDENTITY
from watchword.servers.asgi.exchange import Channels
from watchword.servers.asgi.incoming import Incoming
from watchword.servers.asgi.request import Receive, Scope, Send, request_of
from watchword.servers.asgi.taking_back import Success
from watchword.servers.checked_body import check_unread
from watchword.servers.judgement import Judgement, refused

__all__ = ["Judge"]


class Judge:
    """Judges one request, once, and says through which channels it goes on.

    `receive` is None before; `send` is the server's until the answer gets more. `taken` says that octets of the body were handed
    out before anybody asked.

    Args:
        guard: who may pass.
        scope: the request's.
        receive: the server's.
        send: the server's.
    """

    # Most requests need none of these, and setting them would cost each a microsecond.
    judgement: Judgement | None = None
    channels: Channels | None = None
    success: Success | None = None
    receive: Receive | None = None
    taken: bool = False
    _judging: bool = False
    _judged: Event | None = None
    _incoming: Incoming | None = None

    def __init__(self, guard: AsyncGuard, scope: Scope, receive: Receive, send: Send) -> None:
        self.guard = guard
        self.request = request_of(scope)  # as the server saw it, whatever is made of the scope inside
        self._receive = receive
        self.send = self._server = send
        self._kind = scope["type"]
        self._scope = scope

    @property
    def incoming(self) -> Incoming:
        """The body, for whoever wants it first: most requests have none that anybody reads."""
        incoming = self._incoming
        if incoming is None:
            incoming = self._incoming = Incoming(self._receive, self._kind, self.request.headers)
        return incoming

    async def refusal(self, scopes: Sequence[str], *, optional: bool) -> Refusal | None:
        """The answer to a request that may not do what demands `scopes`; None if it may.

        Its fields have to go out with whatever the application answers then, and its seal does.

        Args:
            scopes: all of them are demanded.
            optional: anonymous requests may pass. Where the first who asks says so, they are admitted without an identity;
                who demands one afterwards finds none.

        Raises:
            ConfigurationError: the guard needs the body, which was read before.
            ClientGone: nobody is there to be answered.
        """
        while self.judgement is None and self._judging:  # by another task of the application's
            self._judged = self._judged or Event()
            await self._judged.wait()
        judgement = self.judgement
        if judgement is None:
            self._judging = True
            try:
                judgement = self.judgement = await self._judge(optional=optional)
            finally:
                self._judging = False
                waiting, self._judged = self._judged, None
                if waiting is not None:
                    waiting.set()
        if judgement.refusal is not None:
            return judgement.refusal
        rejected = judgement.missing(scopes, optional=optional)
        return None if rejected is None else (await self.guard.refuse(rejected))._replace(sealing=None)

    def end(self) -> None:
        """Called once the request is over; what is known of it can still be asked.

        Lets the scope go, which leads here: what leads in a circle is freed late, and slows every request down.
        """
        if self._incoming is not None:
            self._incoming.close()
        self._scope = {}

    async def _judge(self, *, optional: bool) -> Judgement:
        guard, scope = self.guard, self._scope
        outer = scope.get(ADMISSION)
        if outer is not None and outer[0].plan is guard.plan:  # `protect` is round the application, and does the rest
            self.receive = self.incoming.message
            return Judgement(outer[1])
        try:
            admission = await guard.admit(self.request, self._chunk, optional=optional, gone=self._gone)
        except (Rejected, StoreUnavailable) as error:
            return await self._refused(scope, refused(guard.plan, self.request, error))
        if admission.provisional:
            self.send = self.success = Success(guard, admission, self._server)
        if admission.stream is not None:
            check_unread(self.taken)
        if not admission.present:
            if admission.body is not None:
                self.receive = self.incoming.replay(admission.body)
            else:
                self.receive = self._receive if self._incoming is None else self._incoming.receive
        else:
            channels = Channels(guard, admission, scope, self.incoming, self.send)
            await channels.begin()
            if channels.failed is not None:
                rejected = admission.attributed(channels.failed)
                rejected.refusal = await guard.refuse(rejected)
                return await self._refused(scope, refused(guard.plan, self.request, rejected))
            self._open(channels)
        scope[IDENTITY], scope[ADMISSION] = admission.identity, (guard, admission)
        return Judgement(admission)

    async def _refused(self, scope: Scope, judgement: Judgement) -> Judgement:
        """Reads on before the answer goes out, as `Incoming.drained` says."""
        self.receive = self.incoming.message
        if judgement.additions.seal is not None:
            self._open(Channels(self.guard, judgement.additions, scope, self.incoming, self.send))
        await self.incoming.drained(scope["headers"])
        return judgement

    def _open(self, channels: Channels) -> None:
        self.channels, self.receive, self.send = channels, channels.receive, channels.send

    def _gone(self) -> Future[object]:
        return self.incoming.gone()

    async def _chunk(self) -> bytes:
        check_unread(self.taken)
        return await self.incoming.chunk()

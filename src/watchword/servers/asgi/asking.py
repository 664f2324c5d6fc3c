"""The exchange of one request with an application that asks a guard about it, or does not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from watchword.core.answer import Refusal
from watchword.core.identity import Identity
from watchword.core.rejection import ConfigurationError
from watchword.servers.asgi.answer import answer
from watchword.servers.asgi.judge import Judge
from watchword.servers.asgi.request import App, Message, Scope
from watchword.servers.judgement import Judgement
from watchword.servers.problem import problem_body
from watchword.structures.line import ClientGone

__all__ = ["Exchange", "Raises"]

Raises = Callable[[Refusal, Scope], Exception]
"""Makes the exception by which a framework answers with a refusal."""


class Exchange(Judge, kw_only=True, eq=False):
    """One request and its answer, with a guard that can be asked meanwhile; `raises` makes the exception of a refusal."""

    raises: Raises
    _refusal: Refusal | None = None
    _begun: bool = False

    async def demand(self, scopes: Sequence[str] = (), *, optional: bool = False) -> Identity[Any] | None:
        """The maker of the request, who has all of `scopes`; None if anonymous requests may pass and this is one.

        Raises:
            Exception: the framework's, for a refusal.
            ConfigurationError: the answer has begun, or the guard needs a body that was read before.
        """
        if self._begun and self.judgement is None:
            raise ConfigurationError("the answer has begun: ask who made the request before that")
        asked = self.judge(optional=optional)
        judgement = asked if isinstance(asked, Judgement) else await asked
        if judgement.admission is not None:
            rejected = judgement.admission.missing_scopes(scopes, optional=optional)
            if rejected is None:
                return judgement.admission.identity
            # It goes out like any other answer of the application, and is sealed where those are.
            self._refusal = (await self.guard.refuse(rejected))._replace(sealing=None)
        else:
            self._refusal = judgement.refusal or Refusal(503)
        raise self.raises(self._refusal, self._scope)

    @property
    def open(self) -> bool:
        """Whether nobody has asked yet, and may still do so."""
        return self.judgement is None and not self._begun

    @property
    def admitted(self) -> bool:
        """Whether somebody has asked, and the guard admitted the request."""
        return self.judgement is not None and self.judgement.admission is not None

    def identity(self) -> Identity[Any] | None:
        """The maker of an admitted request; None if it is anonymous.

        Raises:
            ConfigurationError: nobody has asked the guard, or it refused.
        """
        judgement = self.judgement
        if judgement is None or judgement.admission is None:
            raise ConfigurationError("nobody has asked the guard who made this request")
        return judgement.admission.identity

    async def run(self, app: App) -> None:
        """Runs the application; its request is refused after all where its body fails on the way."""
        failed = None
        try:
            try:
                await app(self._scope, self._receive, self._send)
            except ClientGone:  # said to nobody; middleware outside wants an answer
                return await answer(Refusal(400), self._scope, self._connect, self._to_server)
            except Exception:
                if self.channels is None or self.channels.failed is None:
                    await self._fail()
                    raise
            failed = None if self.channels is None else self.channels.end()
            if failed is not None and self.judgement is not None:
                await self._answer(await self.guard.refuse(self.judgement.additions.attributed(failed)))
        finally:
            # What is known of the request can still be asked, but not what needs the scope. That leads here, so it is let go: what
            # leads in a circle is freed late, and slows every request down.
            self._begun, self._scope = True, {"type": self._scope["type"]}
            if self._incoming is not None:
                self._incoming.close()
            if self.success is not None and failed is None:
                await self.success.settle()

    # Both hand on what is awaited, instead of awaiting it: every message of every request goes through them.

    def _receive(self) -> Awaitable[Message]:
        self.taken = True
        if self.receive is not None:
            return self.receive()
        if self.judgement is None:
            return self.incoming.message()
        return self._from_server() if self._incoming is None else self._incoming.receive()

    def _send(self, message: Message) -> Awaitable[None]:
        refusal, begun, self._begun = self._refusal, self._begun, True
        if refusal is None:
            return self.send(message)
        if message["type"] == "http.response.start" and message["status"] == refusal.status:
            message = {**message, "headers": [*(message.get("headers") or ()), *refusal.fields()]}
        if message["type"] == "websocket.close" and not begun:
            return answer(refusal, self._scope, self._connect, self.send, problem_body)
        return self.send(message)

    async def _connect(self) -> Message:
        if not self.taken:
            await self._receive()
        return {"type": "websocket.connect"}

    async def _fail(self) -> None:
        """Where the answer of a judged request is sealed, so is that to an exception."""
        if self.judgement is not None and self.guard.plan.seal is not None and not self._begun:
            await self._answer(self.guard.failure(self.request))

    async def _answer(self, refusal: Refusal) -> None:
        self._begun = True
        await answer(refusal, self._scope, self._connect, self._to_server, problem_body)

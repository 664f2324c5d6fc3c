"""The exchange of one request with an application that asks a guard about it, or does not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from watchword.core.answer import Refusal
from watchword.core.identity import Identity
from watchword.core.message import Request
from watchword.core.rejection import ConfigurationError
from watchword.servers.asgi.answer import answer
from watchword.servers.asgi.judge import Judge
from watchword.servers.asgi.request import App, Message, Scope, Send
from watchword.servers.judgement import Judgement
from watchword.servers.problem import problem_body
from watchword.structures.line import ClientGone

__all__ = ["Exchange", "Raises"]

Raises = Callable[[Refusal, Scope], Exception]
"""Makes the exception by which a framework answers with a refusal."""


class Exchange(msgspec.Struct, eq=False):
    """One request and its answer, with a guard that can be asked meanwhile. `request` is what that judges."""

    request: Request
    _judge: Judge
    _raises: Raises
    _scope: Scope
    _server: Send
    _refusal: Refusal | None = None
    _begun: bool = False
    _connected: bool = False

    async def demand(self, scopes: Sequence[str] = (), *, optional: bool = False) -> Identity[Any] | None:
        """The maker of the request, who has all of `scopes`; None if anonymous requests may pass and this is one.

        Raises:
            Exception: the framework's, for a refusal.
            ConfigurationError: the answer has begun, or the guard needs a body that was read before.
        """
        judge = self._judge
        if self._begun and judge.judgement is None:
            raise ConfigurationError("the answer has begun: ask who made the request before that")
        asked = judge.judge(optional=optional)
        judgement = asked if isinstance(asked, Judgement) else await asked
        if judgement.admission is not None:
            rejected = judgement.admission.missing_scopes(scopes, optional=optional)
            if rejected is None:
                return judgement.admission.identity
            # It goes out like any other answer of the application, and is sealed where those are.
            self._refusal = (await judge.guard.refuse(rejected))._replace(sealing=None)
        else:
            self._refusal = judgement.refusal or Refusal(503)
        raise self._raises(self._refusal, self._scope)

    @property
    def open(self) -> bool:
        """Whether nobody has asked yet, and may still do so."""
        return self._judge.judgement is None and not self._begun

    @property
    def admitted(self) -> bool:
        """Whether somebody has asked, and the guard admitted the request."""
        return self._judge.judgement is not None and self._judge.judgement.admission is not None

    def identity(self) -> Identity[Any] | None:
        """The maker of an admitted request; None if it is anonymous.

        Raises:
            ConfigurationError: nobody has asked the guard, or it refused.
        """
        judgement = self._judge.judgement
        if judgement is None or judgement.admission is None:
            raise ConfigurationError("nobody has asked the guard who made this request")
        return judgement.admission.identity

    async def run(self, app: App) -> None:
        """Runs the application; its request is refused after all where its body fails on the way."""
        judge, failed = self._judge, None
        try:
            try:
                await app(self._scope, self._receive, self._send)
            except ClientGone:  # said to nobody; middleware outside wants an answer
                return await answer(Refusal(400), self._scope, self._connect, self._server)
            except Exception:
                if judge.channels is None or judge.channels.failed is None:
                    await self._fail()
                    raise
            failed = None if judge.channels is None else judge.channels.end()
            if failed is not None and judge.judgement is not None:
                await self._answer(await judge.guard.refuse(judge.judgement.additions.attributed(failed)))
        finally:
            # Too late to ask what needs the scope, which is let go as in `Judge.end`.
            self._begun, self._scope = True, {"type": self._scope["type"]}
            judge.end(self._scope)
            if judge.success is not None and failed is None:
                await judge.success.settle()

    # Both hand on what is awaited, instead of awaiting it: every message of every request goes through them.

    def _receive(self) -> Awaitable[Message]:
        judge = self._judge
        judge.taken = self._connected = True
        return judge.incoming.message() if judge.receive is None else judge.receive()

    def _send(self, message: Message) -> Awaitable[None]:
        refusal, begun = self._refusal, self._begun
        self._begun = True
        if refusal is not None and message["type"] == "http.response.start" and message["status"] == refusal.status:
            message = {**message, "headers": [*(message.get("headers") or ()), *refusal.fields()]}
        if refusal is not None and message["type"] == "websocket.close" and not begun:
            return answer(refusal, self._scope, self._connect, self._judge.send, problem_body)
        return self._judge.send(message)

    async def _connect(self) -> Message:
        if not self._connected:
            await self._receive()
        return {"type": "websocket.connect"}

    async def _fail(self) -> None:
        """Where the answer of a judged request is sealed, so is that to an exception."""
        judge = self._judge
        if judge.judgement is not None and judge.guard.plan.seal is not None and not self._begun:
            await self._answer(judge.guard.failure(judge.request))

    async def _answer(self, refusal: Refusal) -> None:
        self._begun = True
        await answer(refusal, self._scope, self._connect, self._server, problem_body)

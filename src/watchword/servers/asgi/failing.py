"""What an ASGI server would say by itself where the application fails, said by the guard: sealed."""

from __future__ import annotations

from watchword.core.seal import Failing
from watchword.servers.asgi.answer import answer
from watchword.servers.asgi.request import App, Message, Receive, Scope, Send, request_of
from watchword.servers.problem import RefusalBody, no_body

__all__ = ["failing"]


def failing(app: App, guard: Failing, body: RefusalBody = no_body) -> App:
    """`app`, guarded, where an exception, or no answer at all, is a sealed 500; the exception goes on to the server."""

    async def sealed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await app(scope, receive, send)
            return
        watch = _Watch(receive, send)
        try:
            await app(scope, watch.receive, watch.send)
        except Exception:
            if watch.waiting:
                await answer(guard.failure(request_of(scope)), scope, watch.connected, send, body)
            raise
        if watch.waiting:
            await answer(guard.failure(request_of(scope)), scope, watch.connected, send, body)

    return sealed


class _Watch:
    """The two channels of a request, and whether the client still waits for the beginning of an answer."""

    __slots__ = ("_receive", "_seen", "_send", "waiting")

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._seen: Message | None = None
        self.waiting = True

    async def send(self, message: Message) -> None:
        self.waiting = False
        await self._send(message)

    async def receive(self) -> Message:
        self._seen = message = await self._receive()
        if message["type"] in ("http.disconnect", "websocket.disconnect"):
            self.waiting = False
        return message

    async def connected(self) -> Message:
        """The first message of a handshake, if the application has not taken it."""
        return self._seen or await self._receive()

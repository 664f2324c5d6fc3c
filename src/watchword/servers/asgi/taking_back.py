"""An ASGI application that fails: what its request used up is taken back before the answer goes out."""

from __future__ import annotations

from asyncio import ensure_future, shield
from collections.abc import Awaitable, Callable

from watchword.core.admission import Admission
from watchword.core.guard import AsyncGuard
from watchword.core.rejection import Rejected
from watchword.servers.asgi.request import Message, Send

__all__ = ["taking_back"]

PARTS = ("http.response.body", "http.response.zerocopysend")
WHOLE = ("http.response.pathsend", "websocket.accept", "websocket.close")


async def taking_back(
    run: Callable[[Send], Awaitable[Rejected | None]], guard: AsyncGuard, admission: Admission, send: Send
) -> Rejected | None:
    """Runs the application, which has succeeded once it has completed an answer below 500, and failed however else it ends.

    Args:
        run: runs it with that `send`; gives why the request is refused after all, if it is.
        guard: which admitted the request.
        admission: its admission.
        send: the server's.
    """
    answer = _Answer(guard, admission, send)
    refused = None
    try:
        refused = await run(answer)
    finally:  # an exception, one that cancels it, or an answer without an end
        if not answer.complete and refused is None:
            # In a task of its own: whatever has cancelled the application may do so again.
            await shield(ensure_future(guard.take_back(admission)))
    return refused


class _Answer:
    """`send` that looks for the status, and for the end."""

    __slots__ = ("_admission", "_guard", "_send", "complete")

    def __init__(self, guard: AsyncGuard, admission: Admission, send: Send) -> None:
        self._guard = guard
        self._admission = admission
        self._send = send
        self.complete = False

    async def __call__(self, message: Message) -> None:
        kind = message["type"]
        if kind.endswith("http.response.start") and message["status"] >= 500:
            await self._guard.take_back(self._admission)
        await self._send(message)
        if kind in WHOLE or (kind.endswith(PARTS) and not message.get("more_body", False)):
            self.complete = True

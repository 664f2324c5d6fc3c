"""An ASGI application that fails: what its request used up is taken back before the answer goes out."""

from __future__ import annotations

from asyncio import ensure_future, shield
from collections.abc import Awaitable, Callable

from watchword.core.admission import Admission
from watchword.core.guard import AsyncGuard
from watchword.core.rejection import Rejected
from watchword.servers.asgi.request import Message, Send

__all__ = ["Success", "taking_back"]

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
    success = Success(guard, admission, send)
    refused = None
    try:
        refused = await run(success)
    finally:
        if refused is None:
            await success.settle()
    return refused


class Success:
    """`send` that looks for the status, and for the end of the answer."""

    __slots__ = ("_admission", "_complete", "_guard", "_send")

    def __init__(self, guard: AsyncGuard, admission: Admission, send: Send) -> None:
        self._guard = guard
        self._admission = admission
        self._send = send
        self._complete = False

    async def __call__(self, message: Message) -> None:
        kind = message["type"]
        if kind.endswith("http.response.start") and message["status"] >= 500:
            await self._guard.take_back(self._admission)
        await self._send(message)
        if kind in WHOLE or (kind.endswith(PARTS) and not message.get("more_body", False)):
            self._complete = True

    async def settle(self) -> None:
        """Called when the application has ended, however it did: by an exception, one that cancels it, or without an answer."""
        if not self._complete:
            # In a task of its own: whatever has cancelled the application may do so again.
            await shield(ensure_future(self._guard.take_back(self._admission)))

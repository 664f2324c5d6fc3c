"""Reading an ASGI request's messages before they are wanted, to notice that its client leaves."""

from __future__ import annotations

from asyncio import Future, Task, create_task, get_running_loop, wait
from collections import deque
from typing import Final

from watchword.servers.asgi.request import Message, Receive

__all__ = ["ReadAhead"]

AHEAD: Final = 64 * 1024
"""About so many octets are kept; a client that sends more and leaves is noticed later."""


class ReadAhead:
    """`receive` for a request that waits: a message that comes before it is wanted is kept for the next call.

    At most one call of the server's `receive` is outstanding, and none is cancelled while its message may still be wanted.
    """

    __slots__ = ("_kept", "_octets", "_outstanding", "_receive", "_wanted", "gone")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._kept: deque[Task[Message]] = deque()
        self._octets = 0
        self._outstanding: Task[Message] | None = None
        self._wanted = False
        self.gone: Future[object] = get_running_loop().create_future()
        self._ask()

    async def __call__(self) -> Message:
        self._wanted = True
        while not self._kept:
            if self._outstanding is None:
                return await self._receive()
            await wait([self._outstanding])  # which leaves it alone where this call is cancelled
        return self._kept.popleft().result()

    def close(self) -> None:
        """Called once the request is over: nobody wants its messages any more."""
        if self._outstanding is not None:
            self._outstanding.cancel()

    def _ask(self) -> None:
        self._outstanding = task = create_task(self._next())
        task.add_done_callback(self._arrived)

    async def _next(self) -> Message:
        return await self._receive()

    def _arrived(self, task: Task[Message]) -> None:
        self._outstanding = None
        if task.cancelled():
            return
        self._kept.append(task)
        if task.exception() is not None:  # the next call raises it
            return
        message = task.result()
        self._octets += len(message.get("body", b""))
        if message["type"] == "http.disconnect":
            self.gone.set_result(None)
        elif not self._wanted and self._octets < AHEAD:
            self._ask()

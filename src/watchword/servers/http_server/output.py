"""What a handler of http.server writes to, where its answer can't go out as it is written."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from watchword.core.rejection import Rejected
from watchword.servers.checked_body import CheckedBody
from watchword.servers.http_server.body import Body, linger

__all__ = ["Head", "Output", "settle"]


class Head:
    """The head of an answer as far as the handler has written it; `status` is 0 before it has begun, `gone_out` says that it is sent."""

    __slots__ = ("fields", "gone_out", "status")

    def __init__(self) -> None:
        self.status = 0
        self.fields: list[tuple[str, str]] = []
        self.gone_out = False

    def precede(self, handler: Any, invite: Callable[[], object]) -> None:
        """Has the client asked for its body by `invite` (100), which may be after the handler has begun to answer.

        http.server writes an interim answer where it writes all others, so what is there already is put aside. Once the head of
        the answer has gone out it is too late (RFC 9110 §15.2).
        """
        if self.gone_out:
            return
        written, status, fields = getattr(handler, "_headers_buffer", []), self.status, [*self.fields]
        handler._headers_buffer = []  # noqa: SLF001 -- http.server has no other way
        invite()
        handler._headers_buffer = written  # noqa: SLF001
        self.status, self.fields[:] = status, fields


class Output(io.RawIOBase):
    """The handler's wfile where a body may fail (its answer is dropped then) or the answer is sealed (it is held).

    Before the body is judged, the head of the answer waits for what follows it: a handler may write it first and read then.
    """

    def __init__(self, head: Head, checked: CheckedBody | None, file: Any, hold: bool, limit: int) -> None:
        super().__init__()
        self._head = head
        self._checked = checked
        self._hold = hold
        self._limit = limit
        self.file = file
        self.held = bytearray()
        self.overflow = False
        self.started = False

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any, /) -> int:
        """Takes the octets, wherever they go.

        Raises:
            Rejected: the body has failed.
        """
        size = len(memoryview(data).cast("B"))
        if self.overflow:
            return size
        if self._checked is not None and self._checked.failed is not None:
            raise self._checked.failed
        status = self._head.status
        if 0 < status < 200:
            self.file.write(data)
        elif self._hold:
            self.held += data
            # What was written by hand, without `send_response`, is no answer that could be sealed.
            self.overflow = len(self.held) > self._limit or not status
        elif self.started or self.held or self._checked is None or self._checked.ended:
            self.release()
            self.file.write(data)
        else:
            self.held += data
        return size

    def judge(self) -> Rejected | None:
        """What is wrong with the body, as far as that can be told; before an answer has begun, it is read to its end."""
        if self._checked is None or self.started:
            return None if self._checked is None else self._checked.failed
        return self._checked.judge(self._limit, error=self._head.status >= 400)

    def release(self) -> None:
        """Lets the answer begin.

        Raises:
            Rejected: the body has failed.
        """
        if failed := self.judge():
            raise failed
        self.started = self._head.gone_out = True
        if self.held:
            self.file.write(self.held)
            self.held.clear()


def settle(handler: Any, body: Body) -> None:
    """Called after an answer: reads the rest of the request's body, or closes the connection."""
    if body.is_far_from_its_end:
        handler.close_connection = True
        linger(handler.connection)
    elif not body.drain():
        handler.close_connection = True

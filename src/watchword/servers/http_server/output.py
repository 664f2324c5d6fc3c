"""What a handler of http.server writes to, where its answer can't go out as it is written."""

from __future__ import annotations

import io
from typing import Any

from watchword.servers.checked_body import CheckedBody

__all__ = ["Head", "Output"]


class Head:
    """The head of an answer as far as the handler has written it; `status` is 0 before it has begun."""

    __slots__ = ("fields", "status")

    def __init__(self) -> None:
        self.status = 0
        self.fields: list[tuple[str, str]] = []


class Output(io.RawIOBase):
    """The handler's wfile where a body may fail (its answer is dropped then) or the answer is sealed (it is held)."""

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
        """Takes the octets, wherever they go."""
        size = len(memoryview(data).cast("B"))
        if self.overflow or (self._checked is not None and self._checked.failed is not None):
            return size
        status = self._head.status
        if self._hold and not 0 < status < 200:
            self.held += data
            # What was written by hand, without `send_response`, is no answer that could be sealed.
            self.overflow = len(self.held) > self._limit or not status
        else:
            self.started = self.started or not 0 < status < 200
            self.file.write(data)
        return size

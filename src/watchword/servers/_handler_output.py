"""What a handler of http.server writes to, where its answer can't go out as it is written."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchword.servers._handler_exchange import Exchange

__all__ = ["Output"]


class Output(io.RawIOBase):
    """The handler's wfile where a body may fail (its answer is dropped then) or the answer is sealed (it is held)."""

    def __init__(self, exchange: Exchange, file: Any, hold: bool, limit: int) -> None:
        super().__init__()
        self._exchange = exchange
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
        if self._exchange.failed is not None or self.overflow:
            return size
        status = self._exchange.status
        if self._hold and not 0 < status < 200:
            self.held += data
            # What was written by hand, without `send_response`, is no answer that could be sealed.
            self.overflow = len(self.held) > self._limit or not status
        else:
            self.started = self.started or not 0 < status < 200
            self.file.write(data)
        return size

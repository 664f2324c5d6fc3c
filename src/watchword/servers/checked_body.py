"""A body that is checked as it passes, as a file: for servers that hand bodies out as files."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from watchword.core.rejection import Rejected
from watchword.core.scheme import BodyStream

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["CheckedBody"]


class CheckedBody(io.RawIOBase):
    """A body as a file whose every octet has passed `stream` (STREAM), for servers that hand bodies out as files.

    `failed` is the `Rejected` that ended it; every later read raises it again, so that nothing unproven comes after.
    """

    def __init__(self, receive: Callable[[], bytes], stream: BodyStream) -> None:
        super().__init__()
        self._receive = receive
        self._stream = stream
        self._ready = memoryview(b"")  # cutting off its beginning copies nothing
        self._ended = False
        self.failed: Rejected | None = None

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fills `buffer` with proven octets.

        Raises:
            Rejected: the body is not what the credentials cover.
        """
        if self.failed is not None:
            raise self.failed
        try:
            while not self._ready and not self._ended:
                self._advance()
        except Rejected as rejected:
            self.failed = rejected
            raise
        view = memoryview(buffer).cast("B")
        chunk = self._ready[: len(view)]
        view[: len(chunk)] = chunk
        self._ready = self._ready[len(chunk) :]
        return len(chunk)

    def _advance(self) -> None:
        chunk = self._receive()
        if chunk:
            self._ready = memoryview(self._stream.feed(chunk))
        else:
            self._ended = True
            self._ready = memoryview(self._stream.end())

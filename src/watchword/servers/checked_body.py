"""A body that is checked as it passes, as a file: for servers that hand bodies out as files."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.core.scheme import BodyStream

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["CheckedBody", "check_unread", "too_long"]


def too_long(limit: int) -> Rejected:
    """The refusal of a body that nobody reads, and that is too long to be read for the proof alone."""
    return Rejected(Reason.BODY_TOO_LARGE, f"more than {limit} octets that the application left unread", where="body")


def check_unread(taken: bool) -> None:
    """Called where the credentials cover the body.

    Raises:
        ConfigurationError: `taken`: the application has read from it already, and would see what nobody proves.
    """
    if taken:
        raise ConfigurationError(
            "the body was read before the guard was asked, and the credentials cover it: ask before anything reads it"
        )


class CheckedBody(io.RawIOBase):
    """A body as a file whose every octet has passed `stream` (STREAM), for servers that hand bodies out as files.

    `failed` is the `Rejected` that ended it; every later read raises it again, so that nothing unproven comes after.
    `ended` says that all of it has come and is proven.

    Args:
        receive: gives the next chunk, b"" at the end.
        stream: the check.
        expects: the client waits to be asked for the body (RFC 9110 §10.1.1), which the first `receive` does.
    """

    def __init__(self, receive: Callable[[], bytes], stream: BodyStream, *, expects: bool = False) -> None:
        super().__init__()
        self._receive = receive
        self._stream = stream
        self._expects = expects
        self._taken = 0
        self._ready = memoryview(b"")  # cutting off its beginning copies nothing
        self.ended = False
        self.failed: Rejected | None = None

    @property
    def ready(self) -> int:
        """How many octets can be read at once."""
        return len(self._ready)

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
        while not self._ready and not self.ended:
            self._ready = memoryview(self._advance())
        view = memoryview(buffer).cast("B")
        chunk = self._ready[: len(view)]
        view[: len(chunk)] = chunk
        self._ready = self._ready[len(chunk) :]
        return len(chunk)

    def judge(self, limit: int, *, error: bool = False) -> Rejected | None:
        """`failed`, once all of the body has come; called where the application begins to answer, or must know that nothing comes.

        What is read here is kept for the application's later reads.

        Args:
            limit: octets that are read and kept; a longer rest has failed.
            error: the answer claims nothing (its status is 400 or above). It waits neither for octets that the client was
                not asked for, nor for more than `limit`.
        """
        asked = bool(self._taken) or not self._expects
        if self.failed is None and not self.ended and (asked or not error):
            with suppress(Rejected, OSError):  # which are in `failed`
                if not self._read_on(limit) and not error:
                    self.failed = too_long(limit)
        return self.failed

    def _read_on(self, limit: int) -> bool:
        parts, until = [bytes(self._ready)], self._taken + limit
        try:
            while not self.ended and self._taken <= until:
                parts.append(self._advance())
        finally:
            self._ready = memoryview(b"".join(parts))
        return self.ended

    def _advance(self) -> bytes:
        try:
            chunk = self._receive()
            self._taken += len(chunk)
            if chunk:
                return self._stream.feed(chunk)
            rest = self._stream.end()
        except Rejected as rejected:
            self.failed = rejected
            raise
        except OSError as error:
            self.failed = Rejected(Reason.MALFORMED_REQUEST, "the connection broke before its end", where="body")
            self.failed.__cause__ = error
            raise
        self.ended = True
        return rest

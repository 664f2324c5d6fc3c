"""Checks of octets as they pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

__all__ = ["BodyStream", "piped"]


class BodyStream(Protocol):
    """Checks a body as it passes (STREAM). Both methods raise `Rejected`, which aborts the application's read.

    One that takes frames off, so that other octets come out than go in, says `unframes = True`: it comes last of several.
    """

    def feed(self, chunk: bytes, /) -> bytes:
        """The octets of `chunk`, and of those held back before, that are proven and may be read."""
        ...

    def end(self) -> bytes:
        """The rest, once the body has ended."""
        ...


def piped(streams: Sequence[BodyStream]) -> BodyStream | None:
    """One stream through all of them; one that takes frames off the body comes last, for the others check what was sent."""
    if len(streams) < 2:
        return streams[0] if streams else None
    return _Piped(sorted(streams, key=lambda stream: getattr(stream, "unframes", False)))


class _Piped:
    """What one stream passes on, the next one checks."""

    __slots__ = ("_streams",)

    def __init__(self, streams: Sequence[BodyStream]) -> None:
        self._streams = streams

    def feed(self, chunk: bytes, /) -> bytes:
        for stream in self._streams:
            chunk = stream.feed(chunk)
        return chunk

    def end(self) -> bytes:
        rest = b""
        for stream in self._streams:
            rest = stream.feed(rest) + stream.end()
        return rest

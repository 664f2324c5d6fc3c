"""An answer whose first chunk is made already."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import chain, islice

__all__ = ["Started"]


class Started:
    """The chunks of an answer, the first of them made already: some servers look at the status before they iterate."""

    def __init__(self, chunks: Generator[bytes, None, None]) -> None:
        self._chunks = chunks
        self._first = list(islice(chunks, 1))

    def __iter__(self) -> Iterator[bytes]:
        return chain(self._first, self._chunks)

    def close(self) -> None:
        """Closes the application's iterable too."""
        self._chunks.close()

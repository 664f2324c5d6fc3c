"""What is derived from the classes of httpx or httpx2: headers that no redirect copies, bodies that go out only once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from types import CodeType
from typing import Any, NamedTuple

from watchword.clients._exchange import Replacements
from watchword.clients._httpx_headers import bound_headers
from watchword.clients._route import code_of
from watchword.core.rejection import CredentialsUnavailable

__all__ = ["Kit", "kit_of"]


class Kit(NamedTuple):
    """A library and what is derived from its classes.

    Args:
        module: the module, httpx or httpx2.
        asking: what a client runs where it asks its Auth.
        headers: makes headers of (the library's plain ones, lines instead of those, which no redirected request gets).
        body: makes a stream of the octets of a flow's own request.
        answer: makes of an answer's stream one that fails by the given error after so many octets.
    """

    module: Any
    asking: tuple[CodeType | None, ...]
    headers: Callable[[Any, Replacements], Any]
    body: Callable[[bytes], Any]
    answer: Callable[[Any, int, Callable[[], Exception]], Any]


def kit_of(library: Any) -> Kit:
    """The kit of httpx or httpx2."""
    asking = [getattr(client, "_send_handling_auth", None) for client in (library.Client, library.AsyncClient)]
    return Kit(library, tuple(map(code_of, asking)), bound_headers(library), _own_body(library), _short_answer(library))


def _own_body(library: Any) -> Any:
    class OwnBody(library.SyncByteStream, library.AsyncByteStream):  # type: ignore[misc]
        """Goes out once: a redirect that keeps the method would carry the client's secret to wherever it points."""

        def __init__(self, body: bytes) -> None:
            self._body: bytes | None = body

        def _once(self) -> bytes:
            body, self._body = self._body, None
            if body is None:
                raise CredentialsUnavailable("the endpoint for credentials redirects, which is not followed")
            return body

        def __iter__(self) -> Iterator[bytes]:
            yield self._once()

        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield self._once()

    return OwnBody


def _short_answer(library: Any) -> Any:
    class ShortAnswer(library.SyncByteStream, library.AsyncByteStream):  # type: ignore[misc]
        """An answer's stream, read up to so many octets."""

        def __init__(self, stream: Any, limit: int, error: Callable[[], Exception]) -> None:
            self._stream = stream
            self._left = limit
            self._error = error

        def _passed(self, chunk: bytes) -> bytes:
            self._left -= len(chunk)
            if self._left < 0:
                raise self._error()
            return chunk

        def __iter__(self) -> Iterator[bytes]:
            for chunk in self._stream:
                yield self._passed(chunk)

        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for chunk in self._stream:
                yield self._passed(chunk)

        def close(self) -> None:
            self._stream.close()

        async def aclose(self) -> None:
            await self._stream.aclose()

    return ShortAnswer

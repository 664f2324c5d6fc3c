"""What is derived from the classes of httpx or httpx2: headers that no redirect copies, bodies that go out only once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, ItemsView, Iterator, KeysView, ValuesView
from typing import Any, NamedTuple

from watchword.core.message import Headers
from watchword.core.rejection import CredentialsUnavailable

__all__ = ["Kit", "kit_of"]


class Kit(NamedTuple):
    """A library and what is derived from its classes.

    Args:
        module: the module, httpx or httpx2.
        headers: makes headers of (plain lines, lines that are not copied into a redirected request).
        body: makes a stream of the octets of a flow's own request.
        answer: makes of an answer's stream one that fails by the given error after so many octets.
    """

    module: Any
    headers: Callable[[Headers, Headers], Any]
    body: Callable[[bytes], Any]
    answer: Callable[[Any, int, Callable[[], Exception]], Any]


def kit_of(library: Any) -> Kit:
    """The kit of httpx or httpx2."""
    return Kit(library, _bound_headers(library), _own_body(library), _short_answer(library))


def _bound_headers(library: Any) -> Any:  # noqa: C901 -- one class of many short methods
    class BoundHeaders(library.Headers):  # type: ignore[misc]
        """Read like any headers; but a copy, which is what a redirected request gets, is without the bound lines.

        The library drops Authorization on the way to another origin, copies all else, and asks nobody before it does.
        """

        def __init__(self, plain: Headers, bound: Headers) -> None:
            super().__init__(list(plain))
            self._bound = library.Headers(list(bound))

        def _all(self) -> Any:
            return library.Headers(self.raw)

        @property
        def raw(self) -> list[tuple[bytes, bytes]]:
            bound = {name.lower() for name, _ in self._bound.raw}
            return [*(line for line in super().raw if line[0].lower() not in bound), *self._bound.raw]

        def keys(self) -> KeysView[str]:
            return self._all().keys()  # type: ignore[no-any-return]

        def values(self) -> ValuesView[str]:
            return self._all().values()  # type: ignore[no-any-return]

        def items(self) -> ItemsView[str, str]:
            return self._all().items()  # type: ignore[no-any-return]

        def multi_items(self) -> list[tuple[str, str]]:
            return self._all().multi_items()  # type: ignore[no-any-return]

        def get_list(self, key: str, split_commas: bool = False) -> list[str]:
            return self._all().get_list(key, split_commas)  # type: ignore[no-any-return]

        def __getitem__(self, key: str) -> str:
            return self._all()[key]  # type: ignore[no-any-return]

        def __setitem__(self, key: str, value: str) -> None:
            self._bound.pop(key, None)
            super().__setitem__(key, value)

        def __delitem__(self, key: str) -> None:
            if self._bound.pop(key, None) is None or super().__contains__(key):
                super().__delitem__(key)

        def __contains__(self, key: object) -> bool:
            return key in self._all()

        def __len__(self) -> int:
            return len(self.raw)

        def __eq__(self, other: Any) -> bool:  # noqa: PYI032 -- a class of the library, which isn't known here
            return bool(self._all() == (library.Headers(other.raw) if isinstance(other, library.Headers) else other))

        __hash__ = None  # type: ignore[assignment]

        def __repr__(self) -> str:
            names = ", ".join(name for name, _ in self.multi_items())
            return f"{type(self).__name__}(fields: {names})"

    return BoundHeaders


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

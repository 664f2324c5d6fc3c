"""A WSGI application that fails: what its request used up is taken back before the answer goes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from watchword.core.admission import Admission
from watchword.core.guard import Guard
from watchword.servers.wsgi.request import App, Environ

__all__ = ["Chunks", "TakingBack", "taking_back"]


def taking_back(app: App, guard: Guard, admission: Admission) -> App:
    """`app` for this request, which fails by an exception, a status of 500 or above, or without an answer."""

    def application(environ: Environ, start_response: Any) -> Iterable[bytes]:
        answer = TakingBack(guard, admission, start_response)
        try:
            return Chunks(app(environ, answer.start), answer)
        except BaseException:
            answer.fail()
            raise

    return application


class TakingBack:
    """The status, which may change until the first octet goes out (PEP 3333, `exc_info`)."""

    def __init__(self, guard: Guard, admission: Admission, start_response: Any) -> None:
        self._guard = guard
        self._admission = admission
        self._start_response = start_response
        self._status = "500"

    def start(self, status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Callable[[bytes], object]:
        """start_response, and the `write` that it gives."""
        write: Callable[[bytes], object] = self._start_response(status, headers, *exc_info)
        self._status = status

        def written(data: bytes) -> object:
            self.go()
            return write(data)

        return written

    def go(self) -> None:
        """Called before anything goes out."""
        if self._status >= "500":
            self.fail()

    def fail(self) -> None:
        """The application has failed."""
        self._guard.take_back(self._admission)


class Chunks:
    """The chunks of an answer that is made as it goes out."""

    def __init__(self, chunks: Iterable[bytes], answer: TakingBack) -> None:
        self._made = chunks
        self._chunks = iter(chunks)
        self._answer = answer
        self._begun = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            chunk = next(self._chunks)
        except StopIteration:
            self._begun = True
            self._answer.go()
            raise
        except BaseException:
            self._answer.fail()
            raise
        self._begun = True
        self._answer.go()
        return chunk

    def close(self) -> None:
        """Closes the application's iterable; the server calls it in any case.

        Where it comes before the first octet, the sender gets no answer. Some servers close before the end, having sent as
        much as Content-Length says: that is no failure.
        """
        if not self._begun:
            self._answer.fail()
        close = getattr(self._made, "close", None)
        if close is not None:
            close()

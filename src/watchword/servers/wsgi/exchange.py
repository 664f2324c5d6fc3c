"""One admitted WSGI request: adding to the answer, checking the body as it passes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from typing import Any

from watchword.core.answer import Refusal
from watchword.core.guard import Guard
from watchword.core.message import Response
from watchword.core.admission import Additions
from watchword.core.rejection import Rejected
from watchword.servers.problem import RefusalBody, no_body
from watchword.servers.wsgi.answer import answer_with, status_line, text_of
from watchword.servers.wsgi.body import Body, checked_input
from watchword.servers.wsgi.request import App, Environ
from watchword.servers.wsgi.started import Started

__all__ = ["Answer", "exchange"]


def exchange(
    app: App,
    guard: Guard,
    additions: Additions,
    environ: Environ,
    start_response: Any,
    body: Body,
    refusal_body: RefusalBody = no_body,
) -> Iterable[bytes]:
    """Runs the application where its answer gets more fields, or where its body is checked as it passes."""
    answer = Answer(guard, start_response, additions, environ, body, partial(answer_with, refusal_body, environ))
    return Started(answer.run(partial(app, environ, answer.start) if answer.failed is None else tuple))


class Answer:
    """Holds the application's start_response back until its first octet: until then the body may still fail.

    A seal over the body holds all of it back, under the guard's limit. It is made before the application reads the body.

    Args:
        guard: which admitted or refused the request.
        start_response: the server's.
        additions: what the exchange needs.
        environ: the request's; where the body is checked as it passes, that takes the place of the server's.
        body: the server's.
        say: sends the refusal of a body that fails.
    """

    def __init__(
        self,
        guard: Guard,
        start_response: Any,
        additions: Additions,
        environ: Environ,
        body: Body,
        say: Callable[[Refusal, Any], list[bytes]],
    ) -> None:
        self._guard = guard
        self._additions = additions
        self._start_response = start_response
        self._say = say
        self._checked = checked_input(additions, environ, body, guard.plan.limits.body)
        self._drain = partial(body.drain, environ)
        self._status = ""
        self._headers: list[tuple[str, str]] = []
        self._written: list[bytes] = []
        self._sent = False

    @property
    def failed(self) -> Rejected | None:
        """What is wrong with the body, noticed so far."""
        return None if self._checked is None else self._checked.failed

    def run(self, app: Callable[[], Iterable[bytes]]) -> Generator[bytes, None, None]:
        """The answer's chunks; closes the application's iterable."""
        chunks: Iterable[bytes] = ()
        try:
            try:
                chunks = app()
                for body in self._parts(chunks):
                    if self._judge():
                        break
                    if not self._sent:
                        self._begin(body)
                    yield body
            except Exception:
                if self.failed is None or self._sent:  # else it comes of the body, whatever was made of that
                    raise
            if failed := self.failed:
                if self._sent:
                    raise failed  # the server cuts the connection: half an answer must not look whole
                refusal = self._guard.refuse(self._additions.attributed(failed))
                self._drain()
                yield from self._say(refusal, self._start_response)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()

    def _judge(self) -> Rejected | None:
        """What is wrong with the body, as far as that can be told; before an answer has begun, it is read to its end."""
        if self._checked is None or self._sent:
            return self.failed
        return self._checked.judge(self._guard.plan.limits.body, error=self._status[:1] in ("4", "5"))

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        """start_response for the application."""
        if exc_info and self._sent:
            raise exc_info[1]
        self._status, self._headers = status, headers
        return self._written.append

    def _parts(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """What was written, then the chunks; one part where it is sealed, and at least an empty one."""
        if self._additions.holds_back:
            yield self._whole(chunks)
            return
        started = False
        for chunk in chunks:
            yield b"".join((*self._written, chunk))
            self._written.clear()
            started = True
        if self._written or not started:
            yield b"".join(self._written)

    def _whole(self, chunks: Iterable[bytes]) -> bytes:
        body = bytearray()
        for chunk in chunks:
            body += chunk
            if len(body) > self._guard.plan.limits.body:
                break
        body = bytearray(b"".join(self._written)) + body
        if len(body) <= self._guard.plan.limits.body or self._judge():
            return bytes(body)
        failed = self._additions.oversized(self._guard.plan)
        self._sent = True
        self._start_response(status_line(failed.status), text_of(failed.headers))
        return b""

    def _begin(self, body: bytes) -> None:
        self._sent = True
        octets = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self._headers]
        response = Response(int(self._status.partition(" ")[0]), octets)
        more = self._additions.answer_headers(self._guard.plan, response, body if self._additions.holds_back else None)
        self._start_response(self._status, [*self._headers, *text_of(more)])

"""One admitted WSGI request: adding to the answer, checking the body as it passes."""

from __future__ import annotations

import io
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain, islice
from typing import Any

from watchword.servers.checked_body import CheckedBody
from watchword.core.guard import Guard
from watchword.core.io import once
from watchword.core.message import Response
from watchword.core.admission import Admission
from watchword.core.rejection import Rejected
from watchword.servers.wsgi.answer import answer, status_line, text_of
from watchword.servers.wsgi.body import Body
from watchword.servers.wsgi.request import App, Environ

__all__ = ["exchange"]


def exchange(
    app: App, guard: Guard, admission: Admission, environ: Environ, start_response: Any, body: Body
) -> Iterable[bytes]:
    """Runs the application where its answer gets more fields, or where its body is checked as it passes."""
    checked = None
    if admission.stream is not None:
        chunk = body.chunk if admission.body is None else once(admission.body)
        checked = CheckedBody(chunk, admission.stream, expects="HTTP_EXPECT" in environ)
        if not body.announced:  # applications that read by Content-Length would never be told of the end
            checked.judge(guard.plan.limits.body)
            environ["CONTENT_LENGTH"] = str(checked.ready)
        environ["wsgi.input"] = io.BufferedReader(checked)
        environ["wsgi.input_terminated"] = True
    return _Started(_Answer(guard, admission, start_response, checked, body).run(app, environ))


class _Started:
    """An answer whose first chunk is made already: some servers look at the status before they iterate."""

    def __init__(self, chunks: Generator[bytes, None, None]) -> None:
        self._chunks = chunks
        self._first = list(islice(chunks, 1))

    def __iter__(self) -> Iterator[bytes]:
        return chain(self._first, self._chunks)

    def close(self) -> None:
        """Closes the application's iterable too."""
        self._chunks.close()


class _Answer:
    """Holds the application's start_response back until its first octet: until then the body may still fail.

    A seal over the body holds all of it back, under the guard's limit.
    """

    def __init__(
        self, guard: Guard, admission: Admission, start_response: Any, checked: CheckedBody | None, body: Body
    ) -> None:
        self._guard = guard
        self._body = body
        self._admission = admission
        self._start_response = start_response
        self._checked = checked
        self._status = ""
        self._headers: list[tuple[str, str]] = []
        self._written: list[bytes] = []
        self._sent = False

    def run(self, app: App, environ: Environ) -> Generator[bytes, None, None]:
        """The answer's chunks; closes the application's iterable."""
        chunks: Iterable[bytes] = ()
        try:
            try:
                if self._failed() is None:
                    chunks = app(environ, self._start)
                for body in self._parts(chunks):
                    if self._judge():
                        break
                    if not self._sent:
                        self._begin(body)
                    yield body
            except Exception:
                if self._failed() is None or self._sent:  # else it comes of the body, whatever was made of that
                    raise
            if failed := self._failed():
                if self._sent:
                    raise failed  # the server cuts the connection: half an answer must not look whole
                refusal = self._guard.refuse(self._admission.attributed(failed))
                self._body.drain(environ)
                answer(refusal, self._start_response)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()

    def _failed(self) -> Rejected | None:
        return None if self._checked is None else self._checked.failed

    def _judge(self) -> Rejected | None:
        """What is wrong with the body, as far as that can be told; before an answer has begun, it is read to its end."""
        if self._checked is None or self._sent:
            return self._failed()
        return self._checked.judge(self._guard.plan.limits.body, error=self._status[:1] in ("4", "5"))

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        if exc_info and self._sent:
            raise exc_info[1]
        self._status, self._headers = status, headers
        return self._written.append

    def _parts(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """What was written, then the chunks; one part where it is sealed, and at least an empty one."""
        if self._admission.holds_back:
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
        failed = self._admission.oversized(self._guard.plan)
        self._sent = True
        self._start_response(status_line(failed.status), text_of(failed.headers))
        return b""

    def _begin(self, body: bytes) -> None:
        self._sent = True
        octets = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self._headers]
        response = Response(int(self._status.partition(" ")[0]), octets)
        more = self._admission.answer_headers(self._guard.plan, response, body if self._admission.holds_back else None)
        self._start_response(self._status, [*self._headers, *text_of(more)])

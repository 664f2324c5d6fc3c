"""One request of http.server: reading its body when it is wanted, refusing it, adding fields to its answer."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from watchword.servers.checked_body import CheckedBody
from watchword.core.guard import Guard
from watchword.core.message import Response
from watchword.core.admission import Admission
from watchword.core.rejection import Rejected
from watchword.servers.http_server.body import DRAIN, Body, linger
from watchword.servers.http_server.output import Head, Output

__all__ = ["Exchange"]


class Exchange:
    """What is settled between the header section and the end of the answer.

    `invite` tells the client to send its body; None where it does not wait for that.
    """

    def __init__(self, handler: Any, guard: Guard, invite: Callable[[], object] | None) -> None:
        self._handler = handler
        self.guard = guard
        self._invite = invite
        self._body = Body(handler)
        self._checked: CheckedBody | None = None
        self._out: Output | None = None
        self.admission: Admission | None = None
        self.head = Head()

    @property
    def failed(self) -> Rejected | None:
        """What was wrong with the body, noticed while the handler read it."""
        return None if self._checked is None else self._checked.failed

    @property
    def _sealed(self) -> bool:
        return self.admission is not None and self.admission.holds_back

    def chunk(self) -> bytes:
        """The next chunk of the body; the client is told to send it at the first."""
        if self._body.left:
            self._invited()
        return self._body.chunk()

    def _invited(self) -> None:
        if self._invite is not None:  # RFC 9110 §10.1.1
            self._invite()
            self._invite = None

    def admit(self, admission: Admission) -> None:
        """Puts in front of the handler what the admission asks for."""
        handler = self._handler
        self.admission = admission
        if admission.body is not None:
            handler.rfile = io.BytesIO(admission.body)
        if admission.stream is not None:
            replayed = None if admission.body is None else handler.rfile.read
            self._checked = CheckedBody(replayed or self.chunk, admission.stream)
            handler.rfile = io.BufferedReader(self._checked)
        elif admission.body is None:
            self._invited()
        if admission.stream is not None or self._sealed:
            handler.wfile = self._out = Output(
                self.head, self._checked, handler.wfile, self._sealed, self.guard.plan.limits.body
            )

    def begin(self, status: int) -> None:
        """Called where an answer begins; one that is held back gives way to it."""
        if self._out is not None and self._sealed:
            self._handler._headers_buffer = []  # noqa: SLF001 -- http.server has no other way
            self._out.held.clear()
        self.head.status = status
        self.head.fields.clear()

    def ending(self) -> bool:
        """Called where the answer's header section would end; False holds it back until the body is known."""
        if self.admission is None or self.head.status < 200:
            self.head.fields.clear()
            return True
        if self._sealed:
            return False
        self._add(None)
        return True

    def _add(self, body: bytes | None) -> None:
        assert self.admission is not None
        octets = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self.head.fields]
        response = Response(self.head.status, octets)
        for name, value in self.admission.answer_headers(self.guard.plan, response, body):
            self._handler.send_header(name.decode("latin-1"), value.decode("latin-1"))

    def finish(self) -> None:
        """Sends what was held back, or the refusal of a body that failed."""
        out, failed = self._out, self.failed
        if out is None or self.admission is None:
            return
        if self._checked is not None and self._body.left:
            self._handler.close_connection = True  # what nobody has read is no request
        if failed is not None or out.overflow:
            self._handler.flush_headers()  # into nothing
            self._handler.wfile = out.file
            if out.started:
                self._handler.close_connection = True
            elif failed is None:
                if self._checked is None and self._body.left:
                    self._body.left = None  # nobody knows how much of it the handler has read
                self.answer(self.admission.oversized(self.guard.plan))
            else:
                self.answer(self.guard.refuse(self.admission.blamed(failed)).response())
        elif self._sealed and self.head.status:
            self._handler.wfile = out.file
            body = bytes(out.held)
            self._add(body)
            self.admission = None
            self._handler.end_headers()
            out.file.write(body)

    def answer(self, response: Response) -> None:
        """Sends a refusal and leaves the connection where the next request begins, or closes it."""
        handler, left = self._handler, self._body.left
        self.admission = None  # the refusal's fields are complete
        if self._out is not None:
            handler.wfile = self._out.file
        handler.send_response(response.status)
        for name, value in response.headers:
            handler.send_header(name.decode("latin-1"), value.decode("latin-1"))
        close = left is None or left > DRAIN or (left > 0 and self._invite is not None)
        if close:
            handler.send_header("Connection", "close")
        handler.end_headers()
        if close:
            linger(handler.connection)
        elif not self._body.drain():
            handler.close_connection = True

"""One request of http.server: reading its body when it is wanted, refusing it, adding fields to its answer."""

from __future__ import annotations

import io
from typing import Any

from watchword.servers.checked_body import CheckedBody
from watchword.core.answer import Refusal
from watchword.core.guard import Guard
from watchword.core.message import Response
from watchword.core.admission import Admission
from watchword.core.rejection import Rejected
from watchword.servers.http_server.body import Body, UncheckedBody
from watchword.servers.http_server.output import Head, Output, settle
from watchword.servers.problem import RefusalBody, content_of

__all__ = ["Exchange"]


class Exchange:
    """What is settled between the header section and the end of the answer."""

    def __init__(self, handler: Any, guard: Guard, body: Body, refusal_body: RefusalBody) -> None:
        self._handler = handler
        self._refusal_body = refusal_body
        self.guard = guard
        self.body = body
        self._checked: CheckedBody | None = None
        self._out: Output | None = None
        self.admission: Admission | None = None
        self._provisional: Admission | None = None
        self.head = Head()

    @property
    def failed(self) -> Rejected | None:
        """What was wrong with the body, noticed while the handler read it."""
        return None if self._checked is None else self._checked.failed

    @property
    def _sealed(self) -> bool:
        return self.admission is not None and self.admission.holds_back

    def admit(self, admission: Admission) -> None:
        """Puts in front of the handler what the admission asks for.

        Raises:
            Rejected: nothing of the body is to come any more, and it is not the one that the credentials cover.
        """
        handler = self._handler
        self.admission = admission
        self._provisional = admission if admission.provisional else None
        if admission.body is not None:
            handler.rfile = io.BytesIO(admission.body)
        if admission.stream is not None:
            replayed = None if admission.body is None else handler.rfile.read
            self._checked = CheckedBody(replayed or self.body.chunk, admission.stream, expects=self.body.waits)
            handler.rfile = io.BufferedReader(self._checked)
            if not self.body.left and (failed := self._checked.judge(self.guard.plan.limits.body)):
                raise admission.attributed(failed)
        elif self.body.left:
            handler.rfile = io.BufferedReader(UncheckedBody(self.body))
        if admission.stream is not None or self._sealed:
            handler.wfile = self._out = Output(
                self.head, self._checked, handler.wfile, self._sealed, self.guard.plan.limits.body
            )

    def take_back(self) -> None:
        """Called where the handler failed, before the answer goes out."""
        if self._provisional is not None:
            self.guard.take_back(self._provisional)

    def begin(self, status: int) -> None:
        """Called where an answer begins; one that is held back gives way to it, unless it is interim (1xx)."""
        if self._out is not None and self._sealed and status >= 200:
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
        if self._out is None:
            if self.head.status < 300 and self.body.left:
                self.body.ask()  # the handler may read it yet
            self.head.gone_out = True
        return True

    def _add(self, body: bytes | None) -> None:
        assert self.admission is not None
        octets = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self.head.fields]
        response = Response(self.head.status, octets)
        for name, value in self.admission.answer_headers(self.guard.plan, response, body):
            self._handler.send_header(name.decode("latin-1"), value.decode("latin-1"))

    def finish(self) -> None:
        """Sends what was held back, or the refusal of a body that failed; what nobody has read is no request."""
        if self.admission is None:
            return
        out = self._out
        failed = self.failed if out is None or not (self.head.status or out.held) else out.judge()
        if out is not None and (failed is not None or out.overflow):
            self._handler._headers_buffer = []  # noqa: SLF001 -- as in `begin`
            self._handler.wfile = out.file
            if out.started:
                self._handler.close_connection = True
            elif failed is not None:
                self.refuse(self.guard.refuse(self.admission.attributed(failed)))
            else:
                self.answer(self.admission.oversized(self.guard.plan))
            return
        if out is not None and self._sealed and self.head.status:
            self._handler.wfile = out.file
            self._add(body := bytes(out.held))
            self.admission = None
            self._handler.end_headers()
            out.file.write(body)
        elif out is not None and out.held:
            out.release()
        if self._checked is not None and self.body.left:
            self.body.left = None  # the handler left it unproven: nothing more is read on this connection
        if not self._handler.close_connection:
            settle(self._handler, self.body)

    def refuse(self, refusal: Refusal) -> None:
        """Sends a refusal with the content that is asked for."""
        media_type, content = content_of(refusal, self._refusal_body)
        self.answer(refusal.response(content, media_type), content)

    def answer(self, response: Response, content: bytes = b"") -> None:
        """Sends an answer of the guard's, and leaves the connection where the next request begins, or closes it."""
        handler, self.admission = self._handler, None  # the refusal's fields are complete
        if self._out is not None:
            handler.wfile = self._out.file
        handler.send_response(response.status)
        for name, value in response.headers:
            handler.send_header(name.decode("latin-1"), value.decode("latin-1"))
        if self.body.is_far_from_its_end:
            handler.send_header("Connection", "close")
        handler.end_headers()
        if handler.command != "HEAD":  # RFC 9110 §9.3.2
            handler.wfile.write(content)
        settle(handler, self.body)

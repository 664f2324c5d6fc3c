"""An origin whose guard seals every answer, and somebody in between who may change it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.clients.origin import Answer, Seen
from watchword import Guard, Rejected, Request, Response, StoreUnavailable
from watchword.core.io import once

Tamper = Callable[[Seen, Answer], Answer]


def honest(seen: Seen, answer: Answer) -> Answer:
    return answer


def sealing(
    guard: Guard, content: Callable[[Seen], Answer], tamper: Tamper = honest, **settings: Any
) -> Callable[[Seen], Answer]:
    """Answers what `content` says to those whom the guard admits, sealed as the servers' adapters do it."""

    def answer(seen: Seen) -> Answer:
        headers = [(name, value) for name, values in seen.fields.items() for value in values]
        request = Request(seen.method, "http", seen.field("host") or "", seen.target, headers)
        try:
            admission = guard.admit(request, once(seen.body), **settings)
        except (Rejected, StoreUnavailable) as error:
            assert error.refusal is not None
            response, body = error.refusal.response(), b""
        else:
            status, fields, body = content(seen)
            response = Response(status, [(name.encode(), value.encode()) for name, value in fields])
            response = response.with_more(admission.answer_headers(guard.plan, response, body))
        lines = [(n.decode(), v.decode("latin-1")) for n, v in response.headers if n != b"content-length"]
        return tamper(seen, (response.status, lines, body))

    return answer

"""Sending a refusal to a WSGI server."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from watchword.core.answer import Refusal
from watchword.core.message import Headers
from watchword.servers.problem import RefusalBody, content_of, problem_body
from watchword.servers.wsgi.request import Environ

__all__ = ["answer", "answer_problem", "answer_with", "status_line", "text_of"]


def answer(refusal: Refusal, start_response: Any, content: bytes = b"", media_type: bytes = b"") -> list[bytes]:
    """Starts `refusal`, and gives its content."""
    response = refusal.response(content, media_type if content else b"")
    start_response(status_line(response.status), text_of(response.headers))
    return [content] if content else []


def answer_with(body: RefusalBody, environ: Environ, refusal: Refusal, start_response: Any) -> list[bytes]:
    """Starts `refusal` with what `body` says of its status, and gives it; HEAD gets none of it (RFC 9110 §9.3.2)."""
    media_type, content = content_of(refusal, body)
    return answer(refusal, start_response, b"" if environ["REQUEST_METHOD"] == "HEAD" else content, media_type)


def answer_problem(environ: Environ, refusal: Refusal, start_response: Any) -> list[bytes]:
    """Starts `refusal` with problem details (RFC 9457), and gives them."""
    return answer_with(problem_body, environ, refusal, start_response)


def text_of(headers: Headers) -> list[tuple[str, str]]:
    """Field lines as WSGI has them: octets in a string (PEP 3333)."""
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def status_line(status: int) -> str:
    """The status as WSGI has it, with its phrase."""
    return f"{status} {HTTPStatus(status).phrase}"

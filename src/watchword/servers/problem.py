"""The body of a refusal in a framework: problem details (RFC 9457) that say nothing but the status."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from json import dumps
from typing import Final

from watchword.core.answer import ACCOUNT_TYPE, Refusal

__all__ = ["PROBLEM_JSON", "RefusalBody", "content_of", "no_body", "problem", "problem_body", "title_of"]

PROBLEM_JSON: Final = "application/problem+json"
"""The media type (RFC 9457 §3)."""


RefusalBody = Callable[[int], tuple[str, bytes]]
"""The media type and the content of a refusal, by its status: nothing else is known to it, so it can't tell why."""


def no_body(status: int) -> tuple[str, bytes]:
    """A refusal without content."""
    return "", b""


def problem_body(status: int) -> tuple[str, bytes]:
    """A refusal with problem details."""
    return PROBLEM_JSON, problem(status)


def content_of(refusal: Refusal, body: RefusalBody) -> tuple[bytes, bytes]:
    """The media type and the content of a refusal: its account, which only developers get, or what `body` says of its status."""
    if refusal.account:
        return ACCOUNT_TYPE, refusal.account
    media_type, content = body(refusal.status)
    return media_type.encode("latin-1"), content


def problem(status: int) -> bytes:
    """The problem details of a refusal.

    All refusals of one status have the same octets: why a request was refused is for the operator, never for the client.

    Args:
        status: the status of the answer. The type "about:blank" says that the problem means no more than that
            (RFC 9457 §4.2.1).

    >>> problem(401)
    b'{"type":"about:blank","title":"Unauthorized","status":401}'
    """
    return dumps({"type": "about:blank", "title": title_of(status), "status": status}, separators=(",", ":")).encode()


def title_of(status: int) -> str:
    """The phrase of a status (RFC 9110 §15), which is the title under "about:blank".

    >>> title_of(403), title_of(499)
    ('Forbidden', 'Refused')
    """
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Refused"

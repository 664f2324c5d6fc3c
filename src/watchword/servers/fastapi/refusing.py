"""Refusals as FastAPI's exceptions, which the app's own handlers may word; by default they are problem details."""

from __future__ import annotations

from fastapi import HTTPException

from watchword.core.answer import Refusal
from watchword.servers.asgi.request import Scope
from watchword.servers.problem import content_of, problem_body, title_of
from watchword.servers.starlette import refusing

__all__ = ["Refused", "raised"]


class Refused(HTTPException):
    """A refusal of the guard, as an exception of the framework: `status_code`, and as `detail` no more than its phrase.

    Its challenges are no part of it. They go out with the answer that the app makes of it, as long as that has its status.
    `content` is the media type and the octets of the answer where the app words none: problem details (RFC 9457), or for whoever
    develops on this machine, what the guard saw (`Policy(explain="development")`).

    >>> Refused(403)
    Refused(status_code=403, detail='Forbidden')
    """

    def __init__(self, status: int) -> None:
        super().__init__(status, title_of(status))
        self.content = content_of(Refusal(status), problem_body)


def raised(refusal: Refusal, scope: Scope) -> Exception:
    """The exception for a refusal, as in Starlette."""
    if scope["type"] == "websocket":
        return refusing.raised(refusal, scope)
    refused = Refused(refusal.status)
    refused.content = content_of(refusal, problem_body)
    return refused

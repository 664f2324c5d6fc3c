"""Refusals as FastAPI's exceptions, which the app's own handlers may word; by default they are problem details."""

from __future__ import annotations

from fastapi import HTTPException

from watchword.core.answer import Refusal
from watchword.servers.asgi.request import Scope
from watchword.servers.problem import title_of
from watchword.servers.starlette import refusing

__all__ = ["Refused", "raised"]


class Refused(HTTPException):
    """A refusal of the guard, as an exception of the framework: `status_code`, and as `detail` no more than its phrase.

    Its challenges are no part of it. They go out with the answer that the app makes of it, as long as that has its status.

    >>> Refused(403)
    Refused(status_code=403, detail='Forbidden')
    """

    def __init__(self, status: int) -> None:
        super().__init__(status, title_of(status))


def raised(refusal: Refusal, scope: Scope) -> Exception:
    """The exception for a refusal, as in Starlette."""
    return Refused(refusal.status) if scope["type"] == "http" else refusing.raised(refusal, scope)

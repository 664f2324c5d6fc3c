"""Refusals as FastAPI's exceptions, which the app's own handlers may word; by default they are problem details."""

from __future__ import annotations

from functools import partial

from fastapi import HTTPException

from watchword.servers.starlette import refusing

__all__ = ["Refused", "raised"]


class Refused(refusing.Refused, HTTPException):
    """That of Starlette, which is FastAPI's `HTTPException` too: `status_code`, and as `detail` no more than its phrase.

    >>> Refused(403)
    Refused(status_code=403, detail='Forbidden')
    """


raised = partial(refusing.raised, kind=Refused)

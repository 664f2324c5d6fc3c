"""Refusals as exceptions of aiohttp, for the middlewares of the app."""

from __future__ import annotations

from functools import cache

from watchword.core.answer import Refusal
from watchword.core.rejection import not_installed
from watchword.servers.problem import content_of, problem_body, title_of

try:
    from aiohttp import web
except ImportError:
    raise not_installed("aiohttp") from None

__all__ = ["Problem", "problem_of"]

KNOWN = {
    401: web.HTTPUnauthorized,
    403: web.HTTPForbidden,
    407: web.HTTPProxyAuthenticationRequired,
    429: web.HTTPTooManyRequests,
}


class Problem(web.HTTPException):
    """A refusal: its status, and a body that says no more (RFC 9457); for 401, 403, 407 and 429 also aiohttp's exception of it.

    Whatever a middleware answers instead gets the challenges and the other fields of the refusal.
    """


def problem_of(refusal: Refusal) -> Problem:
    """The exception of a refusal."""
    media_type, content = content_of(refusal, problem_body)
    problem = _of_status(refusal.status)(reason=title_of(refusal.status))
    problem.body = content
    problem.headers["Content-Type"] = media_type.decode()
    return problem


@cache
def _of_status(status: int) -> type[Problem]:
    return type("Problem", (Problem, KNOWN.get(status, web.HTTPException)), {"status_code": status})

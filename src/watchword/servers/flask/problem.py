"""Refusals as exceptions of Flask, for the error handlers of the app."""

from __future__ import annotations

from functools import cache
from typing import Any

from watchword.core.answer import Refusal
from watchword.core.rejection import Rejected, not_installed
from watchword.servers.problem import content_of, problem_body, title_of

try:
    import flask
except ImportError:
    raise not_installed("flask") from None
from werkzeug.exceptions import HTTPException, default_exceptions

__all__ = ["Problem", "problem_of", "refused"]


class Problem(HTTPException):
    """A refusal: `code` is its status, and the body says no more (RFC 9457).

    It is also werkzeug's exception of that status, so error handlers for the one or the other are called. Whatever they
    answer gets the challenges and the other fields of the refusal.
    """

    content: tuple[bytes, bytes] = (b"", b"")

    @property
    def name(self) -> str:
        """The phrase of the status."""
        return title_of(self.code or 500)

    def get_body(self, environ: Any = None, scope: Any = None) -> str:
        """Problem details; for who develops on this machine, what the guard saw."""
        return self.content[1].decode()

    def get_headers(self, environ: Any = None, scope: Any = None) -> list[tuple[str, str]]:
        """The type of the body; all else is added to whatever goes out."""
        return [("Content-Type", self.content[0].decode())]


def problem_of(refusal: Refusal) -> Problem:
    """The exception of a refusal."""
    problem = _of_status(refusal.status)()
    problem.content = content_of(refusal, problem_body)
    return problem


@cache
def _of_status(status: int) -> type[Problem]:
    # Flask looks for error handlers by the class, and by the code that the class has.
    return type("Problem", (Problem, default_exceptions.get(status, HTTPException)), {"code": status})


def refused(rejected: Rejected) -> Any:
    """The answer where a body fails as it is read, which the guard words anew, or where the app raises it by itself."""
    refusal = rejected.refusal or Refusal(rejected.reason.status)
    return flask.current_app.handle_http_exception(problem_of(refusal))

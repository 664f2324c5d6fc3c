"""Inside a guarded WSGI application: who made the request, and what it may do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from watchword.core.admission import Admission
from watchword.core.answer import Refusal
from watchword.core.guard import Guard
from watchword.core.identity import Identity
from watchword.core.rejection import ConfigurationError, Rejected
from watchword.servers.applications import check_application
from watchword.servers.judgement import REFUSAL_BODY, admission_of
from watchword.servers.problem import RefusalBody, no_body
from watchword.servers.wsgi.answer import answer_with
from watchword.servers.wsgi.request import App, Environ

__all__ = ["demand", "demanding", "identity", "identity_or_none", "requires"]

PARAMETERS = ("environ", "start_response")


def identity(request: Any) -> Identity[Any]:
    """Who made the request: of an environ, or of an object that has one (`request.environ`).

    Raises:
        ConfigurationError: the application is not guarded, or lets anonymous requests through and this is one.
    """
    return _admitted(request)[1].known()


def identity_or_none(request: Any) -> Identity[Any] | None:
    """`identity`, or None for an anonymous request, which `protect(…, optional=True)` lets through.

    Raises:
        ConfigurationError: the application is not guarded.
    """
    return _admitted(request)[1].identity


def demand(request: Any, *scopes: str) -> Identity[Any]:
    """Who made the request, if it has all of `scopes`: for handlers and hooks of a framework.

    Args:
        request: as `identity`.
        scopes: all of them are demanded.

    Raises:
        Rejected: it is anonymous, or lacks a scope. Answer with its `refusal`: that has a status, and fields by `fields()`.
        ConfigurationError: the application is not guarded.
    """
    guard, admission = _admitted(request)
    rejected = admission.missing_scopes(scopes)
    if rejected is not None:
        # It goes out like any other answer of the application, and is sealed where those are.
        rejected.refusal = guard.refuse(rejected)._replace(sealing=None)
        raise rejected
    return admission.known()


def requires(*scopes: str, application: bool = False) -> Callable[[App], App]:
    """Wraps an application, or a part of it, that demands all of `scopes`; anonymous requests get a 401, others 403.

    It is no decorator for the handlers of a framework's routes: there it could be without effect, so it refuses them.

    Args:
        scopes: all of them are demanded.
        application: take a callable whose parameters are not called `environ`, `start_response`. It must be
            an application.

    Raises:
        ConfigurationError: a scope is not a string, or what is wrapped no application; at a request, it is not guarded.

    >>> @requires("orders:write")
    ... def app(environ, start_response): ...
    """
    if not all(isinstance(scope, str) for scope in scopes):
        raise ConfigurationError("requires() takes scopes: requires('write')(app)")

    def wrap(app: App) -> App:
        if not application:
            check_application(app, PARAMETERS)

        return demanding(app, scopes)

    return wrap


def demanding(app: App, scopes: Sequence[str]) -> App:
    """`app`, which only those requests reach that have all of `scopes`; a refusal has the content of the nearest `protect`."""

    def checked(environ: Environ, start_response: Any) -> Iterable[bytes]:
        try:
            demand(environ, *scopes)
        except Rejected as rejected:
            # Where the adapter of a framework judged, there is no `protect`.
            body: RefusalBody = environ.get(REFUSAL_BODY, no_body)
            return answer_with(body, environ, rejected.refusal or Refusal(403), start_response)
        return app(environ, start_response)

    return checked


def _admitted(request: Any) -> tuple[Guard, Admission]:
    return admission_of(getattr(request, "environ", request))

"""Inside a guarded WSGI application: who made the request, and what it may do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from watchword.core.admission import Admission
from watchword.core.guard import Guard
from watchword.core.identity import Identity
from watchword.core.rejection import ConfigurationError
from watchword.servers.wsgi.answer import answer
from watchword.servers.wsgi.request import App, Environ

__all__ = ["ADMISSION", "IDENTITY", "identity", "requires"]

IDENTITY = "watchword.identity"
ADMISSION = "watchword.admission"


def identity(request: Any) -> Identity[Any] | None:
    """Who made the request: of an environ, or of an object that has one (`request.environ`). None: anonymous.

    Raises:
        ConfigurationError: the application is not guarded.
    """
    return _admitted(request)[1].identity


def requires(*scopes: str) -> Callable[[App], App]:
    """Wraps an application, or a part of it, that demands all of `scopes`; anonymous requests get a 401, others 403.

    Raises:
        ConfigurationError: a scope is not a string, or at a request, the application is not guarded.

    >>> @requires("orders:write")
    ... def app(environ, start_response): ...
    """
    if not all(isinstance(scope, str) for scope in scopes):
        raise ConfigurationError("requires() takes scopes: requires('write')(app)")

    def wrap(app: App) -> App:
        def checked(environ: Environ, start_response: Any) -> Iterable[bytes]:
            guard, admission = _admitted(environ)
            rejected = admission.lacking(scopes)
            if rejected is None:
                return app(environ, start_response)
            # It goes out like any other answer of the application, and is sealed where those are.
            return answer(guard.refuse(rejected)._replace(sealing=None), start_response)

        return checked

    return wrap


def _admitted(request: Any) -> tuple[Guard, Admission]:
    environ = getattr(request, "environ", request)
    try:
        found: tuple[Guard, Admission] = environ[ADMISSION]
    except (KeyError, TypeError):
        raise ConfigurationError("no guard saw this request: wrap the application with protect(app, guard)") from None
    return found

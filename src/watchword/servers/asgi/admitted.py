"""Inside a guarded ASGI application: who made the request, and what it may do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from watchword.core.admission import Admission
from watchword.core.guard import AsyncGuard
from watchword.core.identity import Identity
from watchword.core.rejection import ConfigurationError
from watchword.servers.asgi.answer import answer
from watchword.servers.asgi.request import App, Receive, Scope, Send

__all__ = ["ADMISSION", "IDENTITY", "identity", "requires"]

IDENTITY = "watchword.identity"
ADMISSION = "watchword.admission"


def identity(request: Any) -> Identity[Any] | None:
    """Who made the request: of a scope, or of an object that has one (`request.scope`). None: anonymous.

    Raises:
        ConfigurationError: the application is not guarded.
    """
    return _admitted(request)[1].identity


def requires(*scopes: str) -> Callable[[App], App]:
    """Wraps an application, or a part of it, that demands all of `scopes`; anonymous requests get a 401, others 403.

    Raises:
        ConfigurationError: a scope is not a string, or at a request, the application is not guarded.

    >>> @requires("orders:write")
    ... async def app(scope, receive, send): ...
    """
    if not all(isinstance(scope, str) for scope in scopes):
        raise ConfigurationError("requires() takes scopes: requires('write')(app)")

    def wrap(app: App) -> App:
        async def checked(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                return await app(scope, receive, send)
            guard, admission = _admitted(scope)
            rejected = admission.lacking(scopes)
            if rejected is None:
                return await app(scope, receive, send)
            refusal = await guard.refuse(rejected)
            # It goes out like any other answer of the application, and is sealed where those are.
            return await answer(refusal._replace(sealing=None), scope, receive, send)

        return checked

    return wrap


def _admitted(request: Any) -> tuple[AsyncGuard, Admission]:
    scope = getattr(request, "scope", request)
    try:
        found: tuple[AsyncGuard, Admission] = scope[ADMISSION]
    except (KeyError, TypeError):
        raise ConfigurationError("no guard saw this request: wrap the application with protect(app, guard)") from None
    return found

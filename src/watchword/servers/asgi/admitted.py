"""Inside a guarded ASGI application: who made the request, and what it may do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from watchword.core.admission import Admission
from watchword.core.answer import Refusal
from watchword.core.guard import AsyncGuard
from watchword.core.identity import Identity
from watchword.core.rejection import ConfigurationError, Rejected
from watchword.servers.applications import check_application
from watchword.servers.asgi.answer import answer
from watchword.servers.asgi.request import App, Receive, Scope, Send
from watchword.servers.judgement import REFUSAL_BODY, admission_of
from watchword.servers.problem import RefusalBody, no_body

__all__ = ["demand", "demanding", "identity", "identity_or_none", "requires"]

PARAMETERS = ("scope", "receive", "send")


def identity(request: Any) -> Identity[Any]:
    """Who made the request: of a scope, or of an object that has one (`request.scope`).

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


async def demand(request: Any, *scopes: str) -> Identity[Any]:
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
        rejected.refusal = (await guard.refuse(rejected))._replace(sealing=None)
        raise rejected
    return admission.known()


def requires(*scopes: str, application: bool = False) -> Callable[[App], App]:
    """Wraps an application, or a part of it, that demands all of `scopes`; anonymous requests get a 401, others 403.

    It is no decorator for the handlers of a framework's routes: there it could be without effect, so it refuses them.

    Args:
        scopes: all of them are demanded.
        application: take a callable whose parameters are not called `scope`, `receive`, `send`. It must be
            an application.

    Raises:
        ConfigurationError: a scope is not a string, or what is wrapped no application; at a request, it is not guarded.

    >>> @requires("orders:write")
    ... async def app(scope, receive, send): ...
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

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await app(scope, receive, send)
        try:
            await demand(scope, *scopes)
        except Rejected as rejected:
            # Where the adapter of a framework judged, there is no `protect`.
            body: RefusalBody = scope.get(REFUSAL_BODY, no_body)
            return await answer(rejected.refusal or Refusal(403), scope, receive, send, body)
        return await app(scope, receive, send)

    return checked


def _admitted(request: Any) -> tuple[AsyncGuard, Admission]:
    return admission_of(getattr(request, "scope", request))

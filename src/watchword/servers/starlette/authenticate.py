"""`Authenticate`: a guard for some routes of a Starlette application."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import HTTPConnection

from watchword.core.guard import AsyncGuard, Guard
from watchword.core.identity import Identity
from watchword.core.rejection import ConfigurationError
from watchword.servers.asgi.guarding import checked_guard
from watchword.servers.asgi.on_demand import exchange_of, on_demand
from watchword.servers.asgi.request import App, Scope
from watchword.servers.asgi.starting import checked_at_start
from watchword.servers.decorated import check_handler, check_scopes
from watchword.servers.judgement import kept
from watchword.servers.starlette.asking import asked_by_routes, note
from watchword.servers.starlette.refusing import Refused, problem_handler, raised
from watchword.servers.starlette.users import credentials_of, user_of

__all__ = ["Authenticate"]

_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])
REMEDY = "auth.install(app), or Middleware(auth.middleware)"


class Authenticate:
    """Guards the endpoints that are decorated with it; the rest of the application stays public, and unjudged.

    Args:
        guard: who may pass.

    Raises:
        ConfigurationError: `guard` is not a guard.

    >>> from starlette.applications import Starlette
    >>> from starlette.responses import PlainTextResponse
    >>> from starlette.routing import Route
    >>> from watchword import APIKeyVerifier, Guard
    >>> from watchword.stores import MemoryStore
    >>> auth = Authenticate(Guard([APIKeyVerifier()], MemoryStore()))
    >>> @auth.required("orders:read")
    ... async def orders(request):
    ...     return PlainTextResponse(auth.identity(request).subject)
    >>> app = Starlette(routes=[Route("/orders", orders)])
    >>> auth.install(app)
    """

    def __init__(self, guard: Guard | AsyncGuard) -> None:
        self._guard = checked_guard(guard, "Authenticate(guard)")
        self._installed = False

    def install(self, app: Starlette) -> None:
        """Adds the middleware, and the handler by which refusals are problem details (RFC 9457).

        A handler of yours for HTTPException, or for a status, words them instead.

        Raises:
            ConfigurationError: it is a FastAPI app, whose routes are made of bare functions if `required` stands above them.
        """
        if hasattr(app, "openapi"):
            raise ConfigurationError("this is a FastAPI app: use watchword.servers.fastapi.Authenticate")
        app.add_middleware(self.middleware)
        app.add_exception_handler(Refused, problem_handler({ExceptionMiddleware.http_exception}))
        # Inside of all other middleware, whenever that is added.
        app.user_middleware.append(Middleware(checked_at_start, check=partial(_check, app)))
        self._installed = True

    def middleware(self, app: App) -> App:
        """The application in which the guard can be asked: `Middleware(auth.middleware)`."""
        self._installed = True
        return on_demand(app, self._guard, raised)

    def required(self, *scopes: str) -> Callable[[_Endpoint], _Endpoint]:
        """Decorates an endpoint, or a method of an `HTTPEndpoint`, that demands all of `scopes`.

        Raises:
            ConfigurationError: a scope is not a string: write `@auth.required()`.
        """
        return self._decorator(check_scopes(scopes, "@auth.required"), optional=False)

    def optional(self, endpoint: _Endpoint) -> _Endpoint:
        """Decorates an endpoint that anonymous requests may reach. Wrong credentials never pass."""
        return self._decorator((), optional=True)(endpoint)

    def identity(self, request: HTTPConnection) -> Identity[Any]:
        """Who made the request, of an endpoint that demands it.

        Raises:
            ConfigurationError: the endpoint is not decorated, or the request is anonymous.
        """
        identity = self.identity_or_none(request)
        if identity is None:
            raise ConfigurationError("an anonymous request: ask identity_or_none, or decorate with required()")
        return identity

    def identity_or_none(self, request: HTTPConnection) -> Identity[Any] | None:
        """`identity`, or None for an anonymous request.

        Raises:
            ConfigurationError: the endpoint is not decorated.
        """
        return exchange_of(request.scope, self._guard, REMEDY).identity()

    def _decorator(self, scopes: tuple[str, ...], *, optional: bool) -> Callable[[_Endpoint], _Endpoint]:
        async def demand(arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
            scope = _scope_among((*arguments, *named.values()))
            identity = await exchange_of(scope, self._guard, REMEDY).demand(scopes, optional=optional)
            scope["user"], scope["auth"] = user_of(identity), credentials_of(identity)

        def decorate(endpoint: _Endpoint) -> _Endpoint:
            check_handler(endpoint, ": decorate the methods of an HTTPEndpoint")

            @wraps(endpoint)
            async def demanding(*arguments: Any, **named: Any) -> Any:
                await demand(arguments, named)
                if iscoroutinefunction(endpoint):
                    return await endpoint(*arguments, **named)
                return await run_in_threadpool(endpoint, *arguments, **named)

            note(demanding, self)
            return demanding  # type: ignore[return-value] # awaited by Starlette in any case

        return decorate


def _scope_among(arguments: tuple[Any, ...]) -> Scope:
    for argument in arguments:
        if isinstance(argument, HTTPConnection):
            return argument.scope
    raise ConfigurationError("the endpoint gets no request: required() and optional decorate endpoints")


def _check(app: Starlette, scope: Scope) -> None:
    """Raises for a route that asks a guard which is not there; an app around this one may have it, as only a request tells."""
    for path, auth in asked_by_routes(app.routes):
        there = auth._installed if scope["type"] == "lifespan" else kept(scope, auth._guard.plan) is not None  # noqa: SLF001
        if not there:
            raise ConfigurationError(f"{path} asks a guard that this app does not know: write {REMEDY}")

"""`Authenticate`: a guard as Litestar's plugin, whose `required` and `optional` are Litestar's guards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from litestar import Litestar
from litestar.config.app import AppConfig
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.middleware import DefineMiddleware
from litestar.plugins import InitPlugin, ReceiveRoutePlugin
from litestar.routes import BaseRoute, HTTPRoute

from watchword.core.guard import AsyncGuard, Guard
from watchword.core.identity import Identity
from watchword.core.rejection import ConfigurationError
from watchword.servers.asgi.guarding import checked_guard
from watchword.servers.asgi.on_demand import exchange_of, on_demand
from watchword.servers.asgi.request import App
from watchword.servers.decorated import check_scopes
from watchword.servers.litestar.caching import for_each_identity
from watchword.servers.litestar.documenting import describe, with_schemes
from watchword.servers.litestar.refusing import Refused, problem_response, raised
from watchword.servers.openapi import Demanded, documentation

__all__ = ["Authenticate", "Demand"]

Connection = ASGIConnection[Any, Any, Any, Any]
REMEDY = "Litestar(…, plugins=[auth])"


class Demand:
    """A guard of Litestar's, for an app, a router, a controller or a handler: the identity, with scopes, or maybe nobody."""

    def __init__(self, auth: Authenticate, scopes: Sequence[str], *, optional: bool) -> None:
        self.auth = auth
        self.guard = auth.guard
        self.scopes = tuple(scopes)
        self.optional = optional

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # Litestar copies handlers, with their guards; the guard in here stays what it is.
        return self

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Called by Litestar before it reads the request's body."""
        scope: Any = connection.scope
        identity = await exchange_of(scope, self.guard, REMEDY).demand(self.scopes, optional=self.optional)
        scope["user"], scope["auth"] = identity, frozenset() if identity is None else identity.scopes


class Authenticate(InitPlugin, ReceiveRoutePlugin):
    """Guards routes: `guards=[auth.required("orders:read")]` at an app, a router, a controller or a handler.

    `request.user` is the `Identity`, or None where `auth.optional` lets an anonymous request through, and `request.auth` its
    scopes. All guards of a route count, and judge its request once. Routes without any are public.

    Args:
        guard: who may pass.
        name: what the names of its security schemes in OpenAPI begin with, for an app with several guards.
        login: what OpenAPI says of bearer tokens, where people can log in for them: a Security Scheme Object of type "oauth2" or
            "openIdConnect". It is documentation only; nothing is fetched.

    Raises:
        ConfigurationError: `guard` is not a guard, or `login` is something else.

    >>> from litestar import Litestar, Request, get
    >>> from watchword import APIKeyVerifier, Guard
    >>> from watchword.stores import MemoryStore
    >>> auth = Authenticate(Guard([APIKeyVerifier()], MemoryStore()))
    >>> @get("/orders", guards=[auth.required("orders:read")])
    ... async def orders(request: Request) -> str:
    ...     return auth.identity(request).subject
    >>> app = Litestar([orders], plugins=[auth])
    """

    def __init__(self, guard: Guard | AsyncGuard, *, name: str = "", login: Mapping[str, Any] | None = None) -> None:
        self.guard = checked_guard(guard, "Authenticate(guard)")
        self._told = documentation(self.guard.plan, name=name, login=login)
        self.optional = Demand(self, (), optional=True)
        self.installed = False

    def required(self, *scopes: str) -> Demand:
        """A guard of Litestar's that demands an identity which has all of `scopes`.

        Raises:
            ConfigurationError: a scope is not a string.
        """
        return Demand(self, check_scopes(scopes, "auth.required"), optional=False)

    def identity(self, connection: Connection) -> Identity[Any]:
        """Who made the request, of a route that demands it.

        Raises:
            ConfigurationError: no guard of the route demands it, or the request is anonymous.
        """
        scope: Any = connection.scope
        identity = exchange_of(scope, self.guard, REMEDY).identity()
        if identity is None:
            raise ConfigurationError("an anonymous request: look at request.user, or guard the route by required()")
        return identity

    def middleware(self, app: App) -> App:
        """The application in which the guard can be asked, as the plugin adds it."""
        return on_demand(app, self.guard, raised)

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Called by Litestar: adds the middleware, the handler of refusals and the words for OpenAPI."""
        self.installed = True
        if _check not in app_config.on_startup:
            app_config.on_startup.append(_check)
        middleware: Any = self.middleware
        app_config.middleware.insert(0, DefineMiddleware(middleware))
        app_config.exception_handlers.setdefault(Refused, problem_response)
        app_config.response_cache_config = for_each_identity(app_config.response_cache_config, self.guard.plan)
        if app_config.openapi_config is not None:
            app_config.openapi_config = with_schemes(app_config.openapi_config, self._told)
        return app_config

    def receive_route(self, route: BaseRoute) -> None:
        """Called by Litestar for each route: says in OpenAPI what the route demands."""
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                demands = self._demands(handler)
                if demands:
                    scopes = list(dict.fromkeys(scope for demand in demands for scope in demand.scopes))
                    optional = all(demand.optional for demand in demands)
                    describe(handler, Demanded(self._told, scopes, optional))

    def _demands(self, handler: BaseRouteHandler) -> list[Demand]:
        return [it for it in handler.resolve_guards() if isinstance(it, Demand) and it.guard.plan is self.guard.plan]


def _check(app: Litestar) -> None:
    """Raises at the start of an app for a route that asks a guard which is no plugin of any app."""
    for route in app.routes:
        handlers = getattr(route, "route_handlers", None) or [getattr(route, "route_handler", None)]
        guards = [guard for handler in handlers if handler is not None for guard in handler.resolve_guards()]
        if not all(guard.auth.installed for guard in guards if isinstance(guard, Demand)):
            raise ConfigurationError(f"{route.path} asks a guard that no app knows: write {REMEDY}")

"""`Authenticate`: a guard as FastAPI's security dependency."""

# No `from __future__ import annotations`: FastAPI looks annotations of a dependency up as they are.

from collections.abc import Mapping
from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.exception_handlers import http_exception_handler
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import HTTPConnection

from watchword.core.guard import AsyncGuard, Guard
from watchword.core.identity import Identity
from watchword.core.rejection import ConfigurationError
from watchword.servers.asgi.guarding import checked_guard
from watchword.servers.asgi.on_demand import before_the_body, exchange_of, on_demand
from watchword.servers.asgi.request import Scope
from watchword.servers.asgi.starting import checked_at_start
from watchword.servers.fastapi.asking import asks, calls_of_routes
from watchword.servers.fastapi.documenting import Documented, document
from watchword.servers.fastapi.refusing import Refused, raised
from watchword.servers.judgement import kept
from watchword.servers.openapi import documentation
from watchword.servers.starlette.refusing import problem_handler

__all__ = ["Authenticate", "Optional"]

REMEDY = "auth.install(app), with the FastAPI that has the route"
DEFAULTS = {http_exception_handler, ExceptionMiddleware.http_exception}


class Authenticate(SecurityBase):
    """A guard as a dependency: `Security(auth, scopes=["orders:read"])`, or `Depends(auth)`.

    It gives the `Identity`. A request of a route that depends on it is judged before its body is parsed, once, however many
    dependencies ask. Routes that don't ask are public.

    `auth.optional` is the dependency of routes that anonymous requests may reach: it gives None for them.

    Args:
        guard: who may pass.
        name: what the names of its security schemes in OpenAPI begin with, for an app with several guards.
        login: what OpenAPI says of bearer tokens, where people can log in for them: a Security Scheme Object of type "oauth2" or
            "openIdConnect". It is documentation only; nothing is fetched.

    Raises:
        ConfigurationError: `guard` is not a guard, or `login` is something else.

    >>> from typing import Annotated
    >>> from fastapi import FastAPI, Security
    >>> from watchword import APIKeyVerifier, Guard, Identity
    >>> from watchword.stores import MemoryStore
    >>> auth = Authenticate(Guard([APIKeyVerifier()], MemoryStore()))
    >>> app = FastAPI()
    >>> auth.install(app)
    >>> @app.get("/orders")
    ... def orders(who: Annotated[Identity, Security(auth, scopes=["orders:read"])]) -> str:
    ...     return who.subject
    """

    def __init__(self, guard: Guard | AsyncGuard, *, name: str = "", login: Mapping[str, Any] | None = None) -> None:
        if login is not None and login.get("type") not in ("oauth2", "openIdConnect"):
            raise ConfigurationError(
                'login is a Security Scheme Object: {"type": "openIdConnect", "openIdConnectUrl": …}'
            )
        self.guard = checked_guard(guard, "Authenticate(guard)")
        self.documented = Documented(documentation(self.guard.plan, name=name, login=login), optional=False)
        self.model, self.scheme_name = self.documented.stand_in
        self.optional = Optional(self)
        self.installed = False

    def install(self, app: FastAPI) -> None:
        """Adds the middleware, the handler by which refusals are problem details (RFC 9457), and the words for OpenAPI.

        A handler of yours for HTTPException, or for a status, words refusals instead. Middleware that is added later is outside.

        Raises:
            ConfigurationError: the app has another guard whose security schemes have the same names: give it a `name`.
        """
        document(app, self.documented, self.optional.documented)
        app.add_middleware(on_demand, guard=self.guard, raises=raised)
        # Inside of all other middleware, whenever that is added.
        asking = partial(asks, self, self.optional)
        app.user_middleware.append(Middleware(before_the_body, guard=self.guard, asks=asking))
        app.add_exception_handler(Refused, problem_handler(DEFAULTS))
        added: list[object] = [each.cls for each in app.user_middleware]
        if checked_at_start not in added:
            app.user_middleware.append(Middleware(checked_at_start, check=partial(_check, app)))
        self.installed = True

    async def __call__(self, connection: HTTPConnection, scopes: SecurityScopes) -> Identity[Any]:
        """The dependency, called by FastAPI."""
        identity = await exchange_of(connection.scope, self.guard, REMEDY).demand(scopes.scopes)
        assert identity is not None
        return identity


class Optional(SecurityBase):
    """`Authenticate.optional`: the `Identity`, or None for a request without credentials. Wrong ones never pass."""

    def __init__(self, auth: Authenticate) -> None:
        self.auth = auth
        self.documented = Documented(auth.documented.told, optional=True)
        self.model, self.scheme_name = self.documented.stand_in

    async def __call__(self, connection: HTTPConnection, scopes: SecurityScopes) -> Identity[Any] | None:
        """The dependency, called by FastAPI."""
        return await exchange_of(connection.scope, self.auth.guard, REMEDY).demand(scopes.scopes, optional=True)


def _check(app: FastAPI, scope: Scope) -> None:
    """Raises for a route that asks a guard which is not there.

    An app that this one is mounted in may have installed it; only a request tells.
    """
    for path, calls in calls_of_routes(app.routes):
        for call in calls:
            auth = call.auth if isinstance(call, Optional) else call
            if not isinstance(auth, Authenticate):
                continue
            there = auth.installed if scope["type"] == "lifespan" else kept(scope, auth.guard.plan) is not None
            if not there:
                raise ConfigurationError(
                    f"{path} asks a guard, and nothing judges requests before their bodies are read: write {REMEDY}"
                )

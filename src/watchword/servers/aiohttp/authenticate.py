"""`Authenticate`: guards handlers of aiohttp applications."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Any, TypeVar

from watchword.core.admission import Admission
from watchword.core.guard import AsyncGuard, Guard
from watchword.core.identity import Identity
from watchword.core.rejection import ConfigurationError, not_installed
from watchword.servers.aiohttp.judge import Judge
from watchword.servers.aiohttp.judging import judge_or_none, judged_inside
from watchword.servers.aiohttp.problem import problem_of
from watchword.servers.aiohttp.starting import check_start, note
from watchword.servers.decorated import Bare, check_handler, check_scopes

try:
    from aiohttp import web
except ImportError:
    raise not_installed("aiohttp") from None

__all__ = ["Authenticate"]

Handler = TypeVar("Handler", bound=Callable[..., Awaitable[web.StreamResponse]])


class Authenticate:
    """Guards handlers of aiohttp applications.

    Args:
        guard: who may pass.

    Raises:
        ConfigurationError: `guard` is not a guard.

    >>> from watchword import Guard, JWTVerifier, Key
    >>> auth = Authenticate(Guard([JWTVerifier(Key.generate("HS256"))]))
    >>> app = web.Application()
    >>> auth.install(app)
    >>> @auth.required("orders:read")
    ... async def orders(request):
    ...     return web.json_response({"of": auth.identity(request).subject})
    >>> _ = app.router.add_get("/orders", orders)
    """

    def __init__(self, guard: Guard | AsyncGuard) -> None:
        if not isinstance(guard, Guard | AsyncGuard):
            raise ConfigurationError(f"Authenticate(guard) needs a Guard or an AsyncGuard, not {type(guard).__name__}")
        self._guard = AsyncGuard.of(guard)
        self._bare = Bare()
        self.installed = False

    def install(self, app: web.Application) -> None:
        """Lets `app`, and what is mounted in it, ask this guard: a middleware before all others.

        An app does not start whose handlers ask another guard that is nowhere installed, or where a decorator hides one from this.
        """
        app.middlewares.insert(0, self._middleware)
        app.on_response_prepare.append(self._prepare)
        app.on_startup.append(partial(check_start, self._bare))
        self.installed = True

    def required(self, *scopes: str) -> Callable[[Handler], Handler]:
        """A decorator for handlers, and for methods of a `web.View`: for requests that the guard admits.

        Args:
            scopes: all of them are demanded; without one of them the client gets 403.

        Raises:
            ConfigurationError: the parentheses are missing, or it stands above a class.
        """
        return self._asking(check_scopes(scopes, "@auth.required"), optional=False)

    @property
    def optional(self) -> Callable[[Handler], Handler]:
        """A decorator for handlers that answer requests without credentials too. Wrong credentials never pass."""
        return self._asking((), optional=True)

    def identity(self, request: web.Request) -> Identity[Any]:
        """Who makes the request.

        Raises:
            ConfigurationError: no decorator has asked, or the request is anonymous.
        """
        return self._admission(request).known()

    def identity_or_none(self, request: web.Request) -> Identity[Any] | None:
        """`identity`, or None for a request without credentials, which `optional` lets through."""
        return self._admission(request).identity

    async def demand(self, request: web.Request, *scopes: str) -> None:
        """What `required` does, for code that finds out as it runs which scopes to demand.

        Raises:
            Problem: the request may not do that.
        """
        await self._demand(request, scopes, optional=False)

    def _asking(self, scopes: tuple[str, ...], *, optional: bool) -> Callable[[Handler], Handler]:
        def above(handler: Handler) -> Handler:
            check_handler(handler, ": write @auth.required() above the methods of a web.View")

            @wraps(handler)
            async def asking(*args: Any, **kwargs: Any) -> web.StreamResponse:
                first = args[0]
                await self._demand(
                    first if isinstance(first, web.Request) else first.request, scopes, optional=optional
                )
                return await handler(*args, **kwargs)

            self._bare.note(handler, scopes, optional, asking)
            note(asking, self)
            return asking  # type: ignore[return-value] # it takes what the handler takes

        return above

    async def _demand(self, request: web.Request, scopes: tuple[str, ...], *, optional: bool) -> None:
        refusal = await self._judge(request).demand(request, scopes, optional=optional)
        if refusal is not None:
            raise problem_of(refusal)

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Any) -> web.StreamResponse:
        async def asked() -> web.StreamResponse:
            for scopes, optional in self._bare.asked_above(request.match_info.handler):
                await self._demand(request, scopes, optional=optional)
            response: web.StreamResponse = await handler(request)
            return response

        return await judged_inside(self._guard, request, asked)

    async def _prepare(self, request: web.Request, response: web.StreamResponse) -> None:
        if (judge := judge_or_none(self._guard, request)) is not None:
            await judge.prepare(response)

    def _judge(self, request: web.Request) -> Judge:
        judge = judge_or_none(self._guard, request)
        if judge is None:
            raise ConfigurationError("no guard sees the requests of this app: write auth.install(app)")
        return judge

    def _admission(self, request: web.Request) -> Admission:
        judgement = self._judge(request).judgement
        if judgement is None or judgement.admission is None:
            raise ConfigurationError("nobody asked who makes this request: write @auth.required() above the handler")
        return judgement.admission

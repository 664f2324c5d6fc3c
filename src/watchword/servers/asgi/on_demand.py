"""A guard inside an application, which is asked by the routes that need it. Whatever nobody asks about passes unchanged."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from watchword.core.guard import AsyncGuard
from watchword.core.rejection import ConfigurationError
from watchword.servers.asgi.asking import Exchange, Raises
from watchword.servers.asgi.request import App, Message, Receive, Scope, Send, request_of
from watchword.servers.asgi.subprotocols import without_tokens
from watchword.servers.judgement import JUDGEMENTS, check_method

__all__ = ["Asks", "before_the_body", "exchange_of", "on_demand"]

Asks = Callable[[Scope], "bool | None"]
"""Whether the route that the request was given to will ask the guard: None if not, else whether anonymous requests may pass."""


def on_demand(app: App, guard: AsyncGuard, raises: Raises) -> App:
    """`app`, with an `Exchange` kept for each request, by which whatever is inside can ask the guard.

    Args:
        app: the application.
        guard: which is asked.
        raises: makes the exception of a refusal.
    """
    plan, subprotocols = guard.plan, guard.plan.subprotocols

    def asking(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] not in ("http", "websocket"):
            return app(scope, receive, send)
        judgements = scope.setdefault(JUDGEMENTS, {})
        if plan in judgements:  # an app that another one mounts
            return app(scope, receive, send)
        if subprotocols and scope["type"] == "websocket":
            scope = {**scope}  # an outer application's is its own
            send = without_tokens(scope, subprotocols, send)
        exchange = Exchange(guard, request_of(scope), scope, receive, send, send, raises=raises)
        judgements[plan] = exchange
        return exchange.run(app)

    return asking


def before_the_body(app: App, guard: AsyncGuard, asks: Asks) -> App:
    """`app`, whose requests are judged before the first octet of a body is handed out, if they will be judged at all.

    It is for frameworks that read bodies before they ask. Nothing stands between it and the framework, that would take the
    exception of a refusal for one of its own.

    Args:
        app: the framework's application.
        guard: which will be asked.
        asks: whether it will be, looked up once the route is known.
    """
    plan = guard.plan

    async def judged_first(exchange: Exchange, scope: Scope, receive: Receive) -> Message:
        if exchange.open:
            optional = asks(scope)
            if optional is not None:
                await exchange.demand(optional=optional)
        return await receive()

    def asking(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        exchange: Exchange | None = scope.get(JUDGEMENTS, {}).get(plan)
        if exchange is None or scope["type"] != "http":
            return app(scope, receive, send)

        return app(scope, partial(judged_first, exchange, scope, receive), send)

    return asking


def exchange_of(scope: Scope, guard: AsyncGuard, remedy: str) -> Exchange:
    """The exchange that `on_demand` kept.

    Raises:
        ConfigurationError: the guard is nowhere round this application, as `remedy` says what to write; or `check_method`.
    """
    exchange: Exchange | None = scope.get(JUDGEMENTS, {}).get(guard.plan)
    if exchange is None:
        raise ConfigurationError(f"nothing judges requests before their bodies are read: write {remedy}")
    if scope["type"] == "http" and scope["method"] != exchange.request.method:
        check_method(exchange.request.method, scope["method"])
    return exchange

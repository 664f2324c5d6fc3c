"""Guarding an ASGI application."""

from __future__ import annotations

from functools import partial

from watchword.core.guard import AsyncGuard, Guard
from watchword.structures.line import ClientGone
from watchword.core.rejection import ConfigurationError, Rejected, StoreUnavailable
from watchword.core.answer import Refusal
from watchword.servers.asgi.admitted import demanding
from watchword.servers.asgi.answer import answer
from watchword.servers.asgi.exchange import exchange
from watchword.servers.asgi.failing import failing
from watchword.servers.asgi.incoming import Incoming
from watchword.servers.asgi.request import App, Receive, Scope, Send, headers_of, request_of
from watchword.servers.asgi.subprotocols import without_tokens
from watchword.servers.asgi.taking_back import taking_back
from watchword.servers.judgement import ADMISSION, IDENTITY, REFUSAL_BODY, admitted
from watchword.servers.problem import RefusalBody, no_body

__all__ = ["checked_guard", "protect"]


def checked_guard(guard: Guard | AsyncGuard, call: str) -> AsyncGuard:
    """`guard`, for an event loop.

    Raises:
        ConfigurationError: it is none; `call` is how it is handed over.
    """
    if not isinstance(guard, Guard | AsyncGuard):
        raise ConfigurationError(f"{call} needs a Guard or an AsyncGuard, not {type(guard).__name__}")
    return AsyncGuard.of(guard)


def protect(app: App, guard: Guard | AsyncGuard, *, optional: bool = False, refusal_body: RefusalBody = no_body) -> App:
    """An application that answers only requests which `guard` admits.

    `scope["watchword.identity"]` is then their `Identity`. WebSockets are refused before they are accepted. `lifespan`
    goes through untouched, scope types that are not known are refused. Where the same guard is round `app` twice, as in what
    is mounted, it judges a request once.

    Args:
        app: any ASGI application.
        guard: who may pass.
        optional: let requests without credentials through, with the identity None. Wrong credentials never pass.
        refusal_body: the media type and the content of a refusal, also of one by `requires` within `app`, by its status; a guard's
            seal covers them. Where one `protect` is inside another, the nearest decides.

    Raises:
        ConfigurationError: `guard` is not a guard.

    >>> from watchword import Guard, JWTVerifier, Key
    >>> async def app(scope, receive, send): ...
    >>> guarded = protect(app, Guard([JWTVerifier(Key.generate("HS256"))]))
    """
    guard = checked_guard(guard, "protect(app, guard)")
    admit, plan = guard.admit, guard.plan
    again = app if optional else demanding(app, ())

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            return await app(scope, receive, send)
        if kind not in ("http", "websocket"):
            raise ConfigurationError(f"scope type {kind!r} can't be authenticated; mount its application outside")
        if admitted(scope, plan, scope.get("method", "")) is not None:
            return await again({**scope, REFUSAL_BODY: refusal_body}, receive, send)
        incoming = Incoming(receive, scope["type"], headers_of(scope))
        try:
            try:
                admission = await admit(request_of(scope), incoming.chunk, optional=optional, gone=incoming.gone)
            except (Rejected, StoreUnavailable) as error:
                refusal = error.refusal or Refusal(503)
            except ClientGone:
                return None
            else:
                judged = (guard, admission, scope.get("method", ""))
                inner = {**scope, IDENTITY: admission.identity, ADMISSION: judged, REFUSAL_BODY: refusal_body}
                if kind == "websocket" and plan.subprotocols:
                    send = without_tokens(inner, plan.subprotocols, send)
                if admission.provisional:
                    run = partial(exchange, app, guard, admission, inner, incoming)
                    failed = await taking_back(run, guard, admission, send)
                elif not admission.present:
                    receive = incoming.receive if admission.body is None else incoming.replay(admission.body)
                    return await app(inner, receive, send)
                else:
                    failed = await exchange(app, guard, admission, inner, incoming, send)
                if failed is None:
                    return None
                refusal = await guard.refuse(admission.attributed(failed))
            return await _refuse(refusal, incoming, scope, send, refusal_body)
        finally:
            incoming.close()

    if plan.seal is None:
        return guarded
    sealed = failing(guarded, guard, refusal_body)

    async def outermost(scope: Scope, receive: Receive, send: Send) -> None:
        await (sealed if admitted(scope, plan, scope.get("method", "")) is None else guarded)(scope, receive, send)

    return outermost


async def _refuse(refusal: Refusal, incoming: Incoming, scope: Scope, send: Send, body: RefusalBody) -> None:
    if await incoming.drained(scope["headers"]):
        await answer(refusal, scope, incoming.receive, send, body)

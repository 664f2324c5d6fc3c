"""ASGI: `protect(app, guard)` for http and websocket scopes (ASGI 3.0).

The request target is taken from `raw_path`, where the server gives it. An empty query can't be told from none there, nor
an absolute target (RFC 9112 §3.2.2) from a plain one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from watchword.core.guard import AsyncGuard, Guard
from watchword.core.identity import Identity
from watchword.core.admission import Admission
from watchword.core.rejection import ConfigurationError, Rejected, StoreUnavailable
from watchword.core.scheme import Refusal
from watchword.servers._asgi_exchange import answer, exchange
from watchword.servers._asgi_failure import failing
from watchword.servers._asgi_request import App, Incoming, PeerGone, Receive, Scope, Send, request_of

__all__ = ["identity", "protect", "requires"]

IDENTITY = "watchword.identity"
ADMISSION = "watchword.admission"


def protect(app: App, guard: Guard | AsyncGuard, *, optional: bool = False) -> App:
    """An application that answers only requests which `guard` admits.

    `scope["watchword.identity"]` is then their `Identity`. WebSockets are refused before they are accepted. `lifespan`
    goes through untouched, scope types that are not known are refused.

    Args:
        app: any ASGI application.
        guard: who may pass.
        optional: let requests without credentials through, with the identity None. Wrong credentials never pass.

    Raises:
        ConfigurationError: `guard` is not a guard.

    >>> from watchword import Guard, JWTVerifier, Key
    >>> async def app(scope, receive, send): ...
    >>> guarded = protect(app, Guard([JWTVerifier(Key.generate("HS256"))]))
    """
    if not isinstance(guard, Guard | AsyncGuard):
        raise ConfigurationError(f"protect(app, guard) needs a Guard or an AsyncGuard, not {type(guard).__name__}")
    guard = AsyncGuard.of(guard)
    admit = guard.admit

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            return await app(scope, receive, send)
        if kind not in ("http", "websocket"):
            raise ConfigurationError(f"scope type {kind!r} can't be authenticated; mount its application outside")
        incoming = Incoming(receive, kind)
        try:
            admission = await admit(request_of(scope), incoming.chunk, optional=optional)
        except (Rejected, StoreUnavailable) as error:
            refusal = error.refusal or Refusal(503)
        except PeerGone:
            return None
        else:
            inner = {**scope, IDENTITY: admission.identity, ADMISSION: (guard, admission)}
            if admission.body is not None:
                receive = incoming.replay(admission.body)
            if admission.seal is None and admission.stream is None and not admission.response_headers:
                return await app(inner, receive, send)
            return await exchange(app, guard, admission, inner, receive, send)
        return await _refuse(refusal, incoming, scope, receive, send)

    return guarded if guard.plan.seal is None else failing(guarded, guard)


async def _refuse(refusal: Refusal, incoming: Incoming, scope: Scope, receive: Receive, send: Send) -> None:
    if await incoming.drained(scope["headers"]):
        await answer(refusal, scope, receive, send)


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

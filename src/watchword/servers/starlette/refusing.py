"""Refusals as Starlette's exceptions, which the app's own handlers may word; by default they are problem details."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from inspect import isawaitable, iscoroutinefunction
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException, WebSocketException
from starlette.requests import Request
from starlette.responses import Response

from watchword.core.answer import Refusal
from watchword.servers.asgi.request import Scope
from watchword.servers.problem import content_of, problem_body, title_of

__all__ = ["Refused", "problem_handler", "raised"]


class Refused(HTTPException):
    """A refusal of the guard, as an exception of the framework: `status_code`, and as `detail` no more than its phrase.

    Its challenges are no part of it. They go out with the answer that the app makes of it, as long as that has its status.
    `content` is the media type and the octets of the answer where the app words none: problem details (RFC 9457), or for whoever
    develops on this machine, what the guard saw (`Policy(explain="development")`).

    >>> Refused(403)
    Refused(status_code=403, detail='Forbidden')
    """

    def __init__(self, status: int) -> None:
        super().__init__(status, title_of(status))
        self.content = content_of(Refusal(status), problem_body)


def raised(refusal: Refusal, scope: Scope, kind: type[Refused] = Refused) -> Exception:
    """The exception for a refusal. A refused handshake is answered where the server can, whatever its close code is."""
    if scope["type"] == "websocket":
        return WebSocketException(1008)  # RFC 6455 §7.4.1
    refused = kind(refusal.status)
    refused.content = content_of(refusal, problem_body)
    return refused


def problem_handler(defaults: Collection[object]) -> Callable[[Request, Exception], Any]:
    """The handler of a `Refused`, FastAPI's too: the app's own for HTTPException, if it has one, else the `content`.

    Args:
        defaults: the framework's own handlers of HTTPException.
    """

    async def handler(request: Request, refused: Any) -> Response:
        handlers: Mapping[Any, Any] = (request.scope.get("starlette.exception_handlers") or ({},))[0]
        own = next((handlers[kind] for kind in type(refused).__mro__[1:] if kind in handlers), None)
        if own is None or getattr(own, "__func__", own) in defaults:
            media_type, content = refused.content
            return Response(content, refused.status_code, media_type=media_type.decode("latin-1"))
        if not iscoroutinefunction(own):
            own = _in_a_thread(own)
        made: Response = await own(request, refused)
        return made

    return handler


def _in_a_thread(handler: Callable[..., Any]) -> Callable[..., Any]:
    async def call(request: Request, refused: Exception) -> Any:
        made = await run_in_threadpool(handler, request, refused)
        return await made if isawaitable(made) else made

    return call

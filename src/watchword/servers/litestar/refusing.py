"""Refusals as Litestar's exceptions, which the app's own handlers may word; by default they are problem details."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException, WebSocketException

from watchword.core.answer import Refusal
from watchword.servers.asgi.request import Scope
from watchword.servers.problem import content_of, problem_body, title_of

__all__ = ["Refused", "problem_response", "raised"]


class Refused(HTTPException):
    """A refusal of the guard, as an exception of the framework: `status_code`, and as `detail` no more than its phrase.

    Its challenges are no part of it. They go out with the answer that the app makes of it, as long as that has its status.
    `content` is the media type and the octets of the answer where the app words none: problem details (RFC 9457), or for whoever
    develops on this machine, what the guard saw (`Policy(explain="development")`).

    >>> Refused(status_code=403)
    403 - Refused - Forbidden
    """

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.content = content_of(Refusal(self.status_code), problem_body)


def raised(refusal: Refusal, scope: Scope) -> Exception:
    """The exception for a refusal. A refused handshake is answered where the server can, whatever its close code is."""
    if scope["type"] == "websocket":
        return WebSocketException(detail=title_of(refusal.status), code=1008)  # RFC 6455 §7.4.1
    refused = Refused(detail=title_of(refusal.status), status_code=refusal.status)
    refused.content = content_of(refusal, problem_body)
    return refused


def problem_response(request: Request[Any, Any, Any], refused: Refused) -> Response[Any]:
    """The app's own answer to an HTTPException, if it has a handler for it, else its `content`."""
    handler: Any = request.scope.get("route_handler")
    own: Mapping[Any, Any] = {} if handler is None else handler.resolve_exception_handlers()
    if HTTPException in own:
        made: Response[Any] = own[HTTPException](request, refused)
        return made
    media_type, content = refused.content
    named = media_type.decode("latin-1").partition(";")[0]  # Litestar writes the charset of a text by itself
    return Response(content, status_code=refused.status_code, media_type=named)

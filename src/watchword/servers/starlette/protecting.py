"""`protect`: a guard round all of a Starlette application, with `request.user` and `request.auth`."""

from __future__ import annotations

from watchword.core.guard import AsyncGuard, Guard
from watchword.servers import asgi
from watchword.servers.judgement import IDENTITY
from watchword.servers.asgi.request import App, Receive, Scope, Send
from watchword.servers.problem import problem_body
from watchword.servers.starlette.users import credentials_of, user_of

__all__ = ["protect"]


def protect(app: App, guard: Guard | AsyncGuard, *, optional: bool = False) -> App:
    """An application that answers only requests which `guard` admits: `app.add_middleware(protect, guard=guard)`.

    `request.user` is a `User`, and `request.auth` has the scopes. Refusals are problem details (RFC 9457): the app's own
    handlers are inside, and see admitted requests only.

    Args:
        app: the application.
        guard: who may pass.
        optional: let requests without credentials through. `request.auth` has no scopes then, not even "authenticated".

    Raises:
        ConfigurationError: `guard` is not a guard.
    """

    async def inside(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            identity = scope[IDENTITY]
            scope["user"], scope["auth"] = user_of(identity), credentials_of(identity)
        await app(scope, receive, send)

    return asgi.protect(inside, guard, optional=optional, refusal_body=problem_body)

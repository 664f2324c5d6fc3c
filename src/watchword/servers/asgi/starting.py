"""An app whose routes ask guards that nobody has installed: refused when it starts, not when the first of these is asked.

FastAPI and Starlette tell what stands at a route nothing of the app before a request comes. So this is found in apps that some
guard is installed in; an app without any guard has nothing of ours that could look.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from watchword.core.rejection import ConfigurationError
from watchword.servers.asgi.request import App, Receive, Scope, Send

__all__ = ["checked_at_start"]


def checked_at_start(app: App, check: Callable[[Scope], None]) -> App:
    """`app`, which is checked when the server starts it, and with the first request, whatever its route is.

    A server that has no lifespan is found out by the latter. So is a guard that stands around some other app.

    Args:
        app: the framework's application, inside of all that keeps something in the scope.
        check: raises `ConfigurationError`.
    """
    passed = False

    def starting(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        nonlocal passed
        if not passed:
            try:
                check(scope)
            except ConfigurationError as error:
                if scope["type"] != "lifespan":
                    raise
                return _failed(error, receive, send)
            passed = scope["type"] != "lifespan"
        return app(scope, receive, send)

    return starting


async def _failed(error: ConfigurationError, receive: Receive, send: Send) -> None:
    """Says it as the protocol has it: servers take a mere exception for an app that knows no lifespan, and go on."""
    await receive()
    await send({"type": "lifespan.startup.failed", "message": str(error)})
    raise error

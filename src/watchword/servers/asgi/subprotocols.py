"""WebSocket subprotocols that hold credentials: hidden from the application, and never sent back."""

from __future__ import annotations

from collections.abc import Sequence

from watchword.core.rejection import ConfigurationError
from watchword.servers.asgi.request import Message, Scope, Send

__all__ = ["without_tokens"]


def without_tokens(scope: Scope, prefixes: Sequence[str], send: Send) -> Send:
    """Takes what begins with one of `prefixes` out of `scope["subprotocols"]`; gives the `send` of an application that sees the rest.

    Where the application accepts and names none, the first of the rest is accepted: browsers close a connection that accepts none of
    what they offered (WHATWG WebSockets §3.1).
    """
    begins = tuple(prefixes)
    offered: list[str] = list(scope.get("subprotocols") or ())
    rest = [each for each in offered if not each.startswith(begins)]
    if len(rest) == len(offered):
        return send
    scope["subprotocols"] = rest

    async def sending(message: Message) -> None:
        if message["type"] == "websocket.accept":
            chosen = message.get("subprotocol")
            if chosen is None and rest:
                message = {**message, "subprotocol": rest[0]}
            elif chosen is not None and chosen.startswith(begins):
                raise ConfigurationError(
                    "this subprotocol holds a token, and would show it: accept one of scope['subprotocols']"
                )
        await send(message)

    return sending

"""The two channels of one admitted ASGI request: its body is checked as it passes, its answer gets what is added."""

from __future__ import annotations

from watchword.core.guard import AsyncGuard
from watchword.core.admission import Additions
from watchword.core.rejection import Rejected
from watchword.servers.asgi.answer import DENIAL
from watchword.servers.asgi.checked import CheckedMessages
from watchword.servers.asgi.incoming import Incoming
from watchword.servers.asgi.outgoing import Outgoing
from watchword.servers.asgi.request import App, Receive, Scope, Send

__all__ = ["Channels", "exchange"]

HARMLESS = frozenset({"tls", DENIAL})


async def exchange(
    app: App, guard: AsyncGuard, additions: Additions, scope: Scope, incoming: Incoming, send: Send
) -> Rejected | None:
    """Runs the application where its answer gets more fields, or where its body is checked as it passes.

    What is wrong with the body comes back, if nothing was answered yet.
    """
    channels = Channels(guard, additions, scope, incoming, send)
    await channels.begin()
    try:
        if channels.failed is None:
            await app(scope, channels.receive, channels.send)
    except Exception:
        if channels.failed is None:  # else it comes of the body, whatever the application has made of that
            raise
    return channels.end()


class Channels:
    """`receive` and `send` of an admitted request, for the application.

    Args:
        guard: which admitted it.
        additions: what its exchange needs.
        scope: the application's; what it offers is reduced to what can be sealed.
        incoming: its body.
        send: the server's.
    """

    __slots__ = ("_checked", "_misframed", "_outgoing", "_websocket", "receive", "send")

    def __init__(self, guard: AsyncGuard, additions: Additions, scope: Scope, incoming: Incoming, send: Send) -> None:
        self.receive: Receive = incoming.message if additions.body is None else incoming.replay(additions.body)
        self._checked: CheckedMessages | None = None
        self._misframed = None
        self._websocket = scope["type"] == "websocket"
        if additions.stream is not None:
            self._misframed = incoming.misframed()
            self.receive = self._checked = CheckedMessages(self.receive, additions.stream, incoming.waits)
        self.send = self._outgoing = Outgoing(guard, additions, scope, send, self._checked)
        if additions.holds_back:  # a file that the server sends by itself can't be sealed
            scope["extensions"] = {key: it for key, it in (scope.get("extensions") or {}).items() if key in HARMLESS}

    async def begin(self) -> None:
        """Called before the application runs: finds out what is wrong with the body, as far as that can be told."""
        if self._checked is not None and self._misframed is None:
            await self._checked.begin(bodiless=self._websocket)

    @property
    def failed(self) -> Rejected | None:
        """What was wrong with the body, noticed so far."""
        return self._misframed or self._outgoing.failed

    def end(self) -> Rejected | None:
        """Called after the application has run: why the request is refused after all, if it is and nothing was answered yet."""
        failed = self.failed
        if self._checked is not None and self._checked.left:
            return None  # nobody is there to be answered
        if failed is not None and self._outgoing.started:
            raise failed  # the server cuts the connection: half an answer must not look whole
        return failed

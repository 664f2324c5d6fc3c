"""Redirects that httpx or httpx2 follows by itself: its Auth only sees the last answer, its event hooks each request.

So a client that follows redirects gets one event hook more, once. It finds its exchange among the extensions of a request,
which a redirected request takes over; a request without one is none of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from watchword.clients._httpx_leg import Leg
from watchword.clients._httpx_route import Call

__all__ = ["mark", "unmark", "watch"]

_LED: Final = "watchword.led"
"""The extension that holds what makes the leg of a redirected request."""


def mark(request: Any, led: Callable[[Any], Leg | None]) -> None:
    """Has `led` asked about each request to which `request` is redirected, as long as it is marked."""
    request.extensions = {**request.extensions, _LED: led}


def unmark(request: Any) -> None:
    """Undoes `mark`."""
    request.extensions = {name: value for name, value in request.extensions.items() if name != _LED}


def watch(call: Call) -> None:
    """Sees to it that the client asks about each request that it sends."""
    hooks = getattr(call.client, "event_hooks", None)
    if hooks is None or not call.follows:
        return
    hook = _lead_async if isinstance(call.client, call.library.AsyncClient) else _lead
    if hook not in hooks["request"]:
        hooks["request"].append(hook)


def _led(request: Any) -> Leg | None:
    led = request.extensions.get(_LED)
    return None if led is None else led(request)


def _lead(request: Any) -> None:
    leg = _led(request)
    if leg is not None:
        leg.begin(leg.drive.advance())


async def _lead_async(request: Any) -> None:
    leg = _led(request)
    if leg is not None:
        leg.begin(await leg.drive.advance())

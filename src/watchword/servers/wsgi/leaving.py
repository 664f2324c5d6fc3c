"""Whether the client of a WSGI request has left: each server has a way of its own to say so, or none."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from watchword.servers.connections import has_left
from watchword.servers.wsgi.request import Environ

__all__ = ["watch_of"]

ASKED = "waitress.client_disconnected"
SOCKETS = ("gunicorn.socket", "werkzeug.socket")


def watch_of(environ: Environ) -> Callable[[], bool] | None:
    """Tells whether the client has left; None where the server gives no way to know."""
    if asked := environ.get(ASKED):
        told: Callable[[], bool] = asked
        return told
    for name in SOCKETS:
        if connection := environ.get(name):
            return partial(has_left, connection)
    return None

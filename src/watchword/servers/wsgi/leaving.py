"""Whether the client of a WSGI request has left: each server has a way of its own to say so, or none."""

from __future__ import annotations

from watchword.servers.connections import has_left
from watchword.servers.wsgi.request import Environ

__all__ = ["client_has_left"]

ASKED = "waitress.client_disconnected"
SOCKETS = ("gunicorn.socket", "werkzeug.socket")


def client_has_left(environ: Environ) -> bool:
    """Whether the client has left; False where the server gives no way to know."""
    if asked := environ.get(ASKED):
        return bool(asked())
    return any(has_left(environ[name]) for name in SOCKETS if environ.get(name))

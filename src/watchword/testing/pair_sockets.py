"""A WSGI application over a socket of this machine, for clients that have no other way to one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from wsgiref.simple_server import WSGIRequestHandler, make_server

from watchword.servers.wsgi.request import App

__all__ = ["serving"]


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name that it has
        """Says nothing."""


@contextmanager
def serving(app: App) -> Iterator[str]:
    """Serves `app` on 127.0.0.1, at a free port; gives the address.

    >>> with serving(lambda environ, start_response: []) as url:
    ...     url[:17]
    'http://127.0.0.1:'
    """
    with make_server("127.0.0.1", 0, app, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), name="watchword-pair", daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()

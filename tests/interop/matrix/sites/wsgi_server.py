"""wsgiref, with a thread for each connection."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

__all__ = ["made", "serving"]


class Quiet(WSGIRequestHandler):
    """Logs nothing."""

    def log_message(self, *_: object) -> None:
        """As in http.server."""


class Threading(ThreadingMixIn, WSGIServer):
    """A thread for each connection."""

    daemon_threads = True
    request_queue_size = 64


def made(application: Any, port: int) -> WSGIServer:
    """The server, which listens already; 0 is any port."""
    return make_server("127.0.0.1", port, application, Threading, Quiet)


@contextmanager
def serving(application: Any) -> Iterator[int]:
    """The port on which the application is served by a thread."""
    with made(application, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()

"""A real server on loopback for the examples: a thread, a port that was free, an end."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer

from watchword import Guard
from watchword.servers.http_server import identity, protect, requires

__all__ = ["WhoAmI", "requires", "running", "serving"]


class WhoAmI(BaseHTTPRequestHandler):
    """Answers GET and POST with who asked."""

    def do_GET(self) -> None:
        who = identity(self)
        assert who is not None
        body = json.dumps({"subject": who.subject, "scheme": who.scheme}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: the example does the talking."""


@contextmanager
def running(server: HTTPServer) -> Iterator[str]:
    """Runs `server` in a thread; gives its "host:port"."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serving(guard: Guard) -> Iterator[str]:
    """A server on a free port that `guard` protects."""
    with running(ThreadingHTTPServer(("127.0.0.1", 0), protect(WhoAmI, guard))) as address:
        yield address

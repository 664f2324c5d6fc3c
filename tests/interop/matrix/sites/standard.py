"""The standard library's http.server."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.interop.matrix.sites.answers import HOPS, Arrived, guard
from watchword.servers.http_server import identity_or_none, protect, requires


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/maybe":
            self._answer(path)
        else:
            self._answer_somebody(path)

    do_POST = do_PUT = do_GET

    @requires()
    def _answer_somebody(self, path: str) -> None:
        self._answer(path)

    def _answer(self, path: str) -> None:
        arrived, left = Arrived(), int(self.headers.get("Content-Length") or 0)
        while left and (chunk := self.rfile.read(min(left, 65536))):
            arrived.add(chunk)
            left -= len(chunk)
        content = arrived.told(identity_or_none(self))
        self.send_response(307 if path in HOPS else 200)
        if path in HOPS:
            self.send_header("Location", HOPS[path])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 64


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), protect(Handler, guard(), optional=True)).serve_forever()

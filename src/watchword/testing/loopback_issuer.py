"""The issuer over a socket of this machine, for programs that fetch by themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from watchword.core.message import Peer, Request
from watchword.testing.clock import Clock
from watchword.testing.issuer import FakeIssuer

__all__ = ["LoopbackIssuer"]

_LARGEST: Final = 64 * 1024
"""Octets of a request's body that are read."""


class LoopbackIssuer(FakeIssuer):
    """`FakeIssuer` over a socket on 127.0.0.1, at a free port, by plain http: `with LoopbackIssuer() as issuer: …issuer.url…`.

    Args:
        audience: the API that its tokens are for.
        algorithm: of its keys.
        clock: its time; None: a clock of its own.
        random: its random octets.

    >>> import urllib.request
    >>> with LoopbackIssuer() as issuer, urllib.request.urlopen(issuer.jwks_url) as answer:
    ...     answer.status
    200
    """

    def __init__(
        self,
        *,
        audience: str = "orders",
        algorithm: str = "ES256",
        clock: Clock | None = None,
        random: Callable[[int], bytes] | None = None,
    ) -> None:
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        url = f"http://127.0.0.1:{self._server.server_address[1]}"
        super().__init__(url, audience=audience, algorithm=algorithm, clock=clock, random=random)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), name="watchword-issuer", daemon=True
        )
        self._thread.start()

    def _fetching(self, options: dict[str, Any]) -> dict[str, Any]:
        place = {} if "url" in options else {"issuer": self.url}
        return {"allow_cleartext": True, "allow_private": True, **place, **options}

    def close(self) -> None:
        """As that of `FakeIssuer`; and closes the socket."""
        super().close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> LoopbackIssuer:
        return self


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # a client that keeps its connection open keeps no test from ending
    block_on_close = False


def _handler(issuer: FakeIssuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = self.headers.get("Content-Length", "0")
            body = self.rfile.read(min(int(length), _LARGEST)) if length.isdecimal() else b""
            authority = self.headers.get("Host", "")
            peer = Peer(self.client_address[0])
            request = Request(self.command, "http", authority, self.path, list(self.headers.items()), peer)
            reply = issuer.reply(request, body)
            self.close_connection = True
            self.send_response(reply.status)
            for name, value in reply.headers:
                if name != b"content-length":
                    self.send_header(name.decode("latin-1").title(), value.decode("latin-1"))
            self.send_header("Content-Length", str(len(reply.body)))
            self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body[: len(reply.body) // 2] if reply.cut else reply.body)

        do_HEAD = do_POST = do_GET  # noqa: N815 -- the names that they have

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:  # the client has left
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name that it has
            """Says nothing."""

    return Handler

"""Where a browser of this host brings back what an issuer says (RFC 8252 §7.3): a port of its own, for one answer."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlsplit

from watchword.crypto.digests import compare

__all__ = ["Loopback"]

_PATH: Final = "/callback"
_PAGE: Final = "You can close this window and go back to the terminal.\n"


class Loopback:
    """Listens on 127.0.0.1 at a free port while it is entered. `redirect_uri` is where the browser is to be sent.

    Anything on this host, and any page in its browser, can come to that port. So only an answer with the state of the log-in counts,
    under the name that was given to the issuer. All else is refused, and does not end the waiting.
    """

    def __init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.redirect_uri = f"http://{self._server.authority}{_PATH}"

    def expect(self, state: str) -> None:
        """Takes the answer to the log-in with this state from now on; said before the browser is sent on its way."""
        self._server.state = state

    def wait(self, seconds: float) -> str | None:
        """The URL to which the browser was sent; None if it isn't in time."""
        self._server.came.wait(seconds)
        return self._server.callback

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    state: str | None = None
    callback: str | None = None

    def __init__(self, *arguments: tuple[str, int] | type[BaseHTTPRequestHandler]) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type] # its address and its handler, handed on as they come
        self.came = threading.Event()
        self.authority = f"127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    timeout = 10.0

    def do_GET(self) -> None:
        server: Any = self.server  # a _Server
        parts = urlsplit(self.path)
        given = parse_qs(parts.query).get("state", [""])[0]
        expected: str | None = server.state
        if self.headers.get("Host") != server.authority or parts.path != _PATH:
            self._say(404, "There is nothing here.\n")
        elif expected is None or not compare(given.encode("utf-8", "replace"), expected.encode()):
            self._say(400, "This belongs to no log-in that has begun here.\n")
        else:
            server.callback = f"http://{server.authority}{self.path}"
            self._say(200, _PAGE)
            server.came.set()

    def _say(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in (
            ("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body))), ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"), ("X-Content-Type-Options", "nosniff"), ("Connection", "close"),
        ):  # fmt: skip
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        """Says nothing of the program."""
        return "watchword"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name that it has
        """Says nothing: the path holds the code."""

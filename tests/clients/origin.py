"""A real HTTP/1.1 origin on loopback for client tests: it records what arrives and answers what a function says."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from watchword import Guard, Rejected, Request


class Seen(NamedTuple):
    method: str
    target: str
    fields: dict[str, list[str]]
    body: bytes

    def field(self, name: str) -> str | None:
        lines = self.fields.get(name.lower())
        return None if lines is None else ", ".join(lines)

    def lines(self) -> list[tuple[str, bytes]]:
        """The field lines with the octets that arrived."""
        return [(name, value.encode("latin-1")) for name, values in self.fields.items() for value in values]


Answer = tuple[int, list[tuple[str, str]], bytes]


class Origin:
    def __init__(self, answer: Callable[[Seen], Answer | None], tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[Seen] = []
        self.answer = answer
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                length = self.headers.get("content-length")
                body = self.rfile.read(int(length)) if length else b""
                if "chunked" in (self.headers.get("transfer-encoding") or ""):
                    body = self._chunks()
                fields: dict[str, list[str]] = {}
                for name, value in self.headers.items():
                    fields.setdefault(name.lower(), []).append(value)
                seen = Seen(self.command, self.path, fields, body)
                outer.seen.append(seen)
                answer = outer.answer(seen)
                if answer is None:  # whatever was done, nobody hears of it
                    self.close_connection = True
                    return
                status, headers, content = answer
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            def _chunks(self) -> bytes:
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any

            def handle(self) -> None:
                try:
                    super().handle()
                except ConnectionError:
                    self.close_connection = True

            def log_message(self, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 256
            # A client that keeps its connection must not keep the test.
            daemon_threads = True
            block_on_close = False

        self._server = Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def origin(answer: Callable[[Seen], Answer | None], tls: ssl.SSLContext | None = None) -> Iterator[Origin]:
    server = Origin(answer, tls)
    try:
        yield server
    finally:
        server.close()


def ok(seen: Seen) -> Answer:
    return 200, [], b"fine"


def guarded(guard: Guard, before: Callable[[Seen], Answer | None] = lambda seen: None) -> Callable[[Seen], Answer]:
    """Answers with who asked, or with the guard's refusal; what `before` answers goes first."""

    def answer(seen: Seen) -> Answer:
        if (first := before(seen)) is not None:
            return first
        request = Request(seen.method, "http", seen.field("host") or "", seen.target, seen.lines())
        try:
            identity = guard.verify(request, seen.body)
        except Rejected as rejected:
            response = rejected.refusal.response()
            lines = [(n.decode(), v.decode("latin-1")) for n, v in response.headers if n != b"content-length"]
            return response.status, lines, b"refused"
        return 200, [], f"{identity.subject} by {identity.scheme}".encode()

    return answer

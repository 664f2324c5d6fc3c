"""A proxy as a process of its own, which asks alice for her password: `python -m tests.clients.proxy basic` or `digest`.

It says its port, and then in a line each what it was asked: method, target, and whether credentials came along. "closing" as a second argument:
it closes the connection with each 407.
"""

from __future__ import annotations

import select
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from watchword import BasicVerifier, DigestVerifier, Guard, Rejected, Request
from watchword.stores import MemoryStore


class Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    guard: Guard
    closing = False

    def handle_any(self) -> None:
        lines = [(name, value.encode("latin-1")) for name, value in self.headers.items()]
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        asked = "with" if "proxy-authorization" in self.headers else "without"
        sys.stdout.write(f"{self.command} {self.path} {asked}\n")
        sys.stdout.flush()
        authority = self.path if self.command == "CONNECT" else urlsplit(self.path).netloc
        try:
            self.guard.verify(Request(self.command, "http", authority, self.path, lines), body)
        except Rejected as rejected:
            self._refuse(rejected)
        else:
            self._tunnel() if self.command == "CONNECT" else self._forward(body)

    do_GET = do_POST = do_PUT = do_CONNECT = handle_any

    def _refuse(self, rejected: Rejected) -> None:
        response = rejected.refusal.response()
        self.send_response(response.status)
        for name, value in response.headers:
            if name != b"content-length":
                self.send_header(name.decode(), value.decode("latin-1"))
        if self.closing:
            self.send_header("Connection", "close")
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"who?")

    def _forward(self, body: bytes) -> None:
        url = urlsplit(self.path)
        with socket.create_connection((url.hostname, url.port)) as there:
            kept = [(n, v) for n, v in self.headers.items() if n.lower() not in ("connection", "proxy-authorization")]
            lines = "".join(f"{name}: {value}\r\n" for name, value in kept)
            target = (url.path or "/") + (f"?{url.query}" if url.query else "")
            head = f"{self.command} {target} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n"
            there.sendall(head.encode("latin-1") + body)
            answer = b"".join(iter(lambda: there.recv(65536), b""))
        status, _, rest = answer.partition(b"\r\n")
        self.wfile.write(status + b"\r\nConnection: close\r\n" + rest)
        self.close_connection = True

    def _tunnel(self) -> None:
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port))) as there:
            self.send_response(200)
            self.end_headers()
            ends = [self.connection, there]
            while True:
                for ready in select.select(ends, [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        self.close_connection = True
                        return
                    ends[ends.index(ready) - 1].sendall(data)

    def log_message(self, *args: object) -> None:
        pass


if __name__ == "__main__":
    store = MemoryStore()
    store.add_user("alice", "s3cret", realm="proxy")
    verifier = BasicVerifier(realm="proxy") if sys.argv[1] == "basic" else DigestVerifier(realm="proxy")
    Proxy.guard = Guard([verifier], store, proxy=True)
    Proxy.closing = "closing" in sys.argv
    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()

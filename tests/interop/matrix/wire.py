"""The way between a client and a server, seen from inside: requests are recorded, and changed on the way."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPResponse
from typing import BinaryIO, NamedTuple

from tests.patience import PATIENCE

__all__ = ["Request", "Wire", "again", "wire"]


class Request(NamedTuple):
    """A request in its octets: `head` up to the empty line, `body` as it was framed."""

    head: bytes
    body: bytes

    @property
    def octets(self) -> bytes:
        """As it is sent."""
        return self.head + self.body


def read(stream: BinaryIO) -> Request | None:
    """The next request on a connection; None once it is closed."""
    head = b""
    while line := stream.readline():
        head += line
        if line == b"\r\n":
            break
    if not line:
        return None
    fields = dict(each.lower().split(b":", 1) for each in head.split(b"\r\n")[1:-2])
    if fields.get(b"transfer-encoding", b"").strip() != b"chunked":
        return Request(head, stream.read(int(fields.get(b"content-length", b"0"))))
    body, size = b"", 1
    while size:
        line = stream.readline()
        size = int(line, 16)
        body += line + stream.read(size + 2)
    return Request(head, body)


class Wire:
    """The recorded requests, and what is done to each."""

    def __init__(self, url: str, change: Callable[[Request], Request]) -> None:
        self.url = url
        self.change = change
        self.seen: list[Request] = []


@contextmanager
def wire(server: int, change: Callable[[Request], Request] = lambda request: request) -> Iterator[Wire]:
    """A port that leads to the port `server`; its own number is the one that clients and server know."""

    class Connection(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(("127.0.0.1", server), PATIENCE) as onward:
                back = threading.Thread(target=pour, args=(onward, self.connection))
                back.start()
                with suppress(ConnectionError):
                    while (request := read(self.rfile)) is not None:
                        between.seen.append(request)
                        onward.sendall(between.change(request).octets)
                with suppress(OSError):
                    onward.shutdown(socket.SHUT_WR)
                back.join()

    class Listener(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False  # a client that keeps its connection doesn't keep the test
        request_queue_size = 64

    with Listener(("127.0.0.1", 0), Connection) as listener:
        between = Wire(f"http://127.0.0.1:{listener.server_address[1]}", change)
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield between
        finally:
            listener.shutdown()
            thread.join()


def pour(source: socket.socket, target: socket.socket) -> None:
    """All that comes from one, to the other."""
    with suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


def again(request: Request, server: int) -> int:
    """The status of the answer to the same octets, sent once more."""
    with socket.create_connection(("127.0.0.1", server), PATIENCE) as connection:
        connection.sendall(request.octets)
        answer = HTTPResponse(connection, method=request.head.split(b" ", 1)[0].decode())
        try:
            answer.begin()
            answer.read()
            return answer.status
        finally:
            answer.close()

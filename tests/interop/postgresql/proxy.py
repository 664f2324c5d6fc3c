"""A proxy on loopback that counts round trips, and can lose what the server answers after it has acted."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Proxy:
    """Between the stores and a server.

    `trips` counts how often the client spoke after the server had. Once `losing` is set, an answer to anything that has these octets in it
    is swallowed, and the client's connection is cut; `lost` counts those. While `silent`, nothing comes back and nothing is cut.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.trips = 0
        self.opened = 0
        self.losing: bytes | None = None
        self.lost = 0
        self.silent = False
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._to))
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._ends += (client, server)
            self.opened += 1
            threading.Thread(target=self._pass, args=(client, server), daemon=True).start()

    def _pass(self, client: socket.socket, server: socket.socket) -> None:
        answered, to_lose = True, False
        with selectors.DefaultSelector() as waiting, client, server:
            for end in (client, server):
                waiting.register(end, selectors.EVENT_READ)
            while True:
                for key, _ in waiting.select():
                    try:
                        data = key.fileobj.recv(1 << 16)  # type: ignore[union-attr]
                        if not data:
                            return
                        if key.fileobj is client:
                            self.trips += answered
                            answered = False
                            to_lose = to_lose or (self.losing is not None and self.losing in data)
                            server.sendall(data)
                        elif to_lose:
                            self.lost += 1
                            return
                        else:
                            answered = True
                            if not self.silent:
                                client.sendall(data)
                    except OSError:
                        return

    def close(self) -> None:
        self._listener.close()
        for end in self._ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


@contextmanager
def proxy(port: int) -> Iterator[Proxy]:
    """A proxy before this port, for the length of the block."""
    made = Proxy(port)
    try:
        yield made
    finally:
        made.close()

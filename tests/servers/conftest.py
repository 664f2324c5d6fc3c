"""Servers on loopback sockets: in a thread where they can be stopped, else in a process that is ended by its id."""

from __future__ import annotations

import importlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
APPS = importlib.import_module("tests.servers.apps")


class Wire:
    """Raw requests to one server."""

    def __init__(self, port: int) -> None:
        self.port = port

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def send(self, *requests: bytes) -> bytes:
        """Everything that comes back on one connection until the server closes it, or a quiet second has passed."""
        with self.connect() as connection:
            for request in requests:
                connection.sendall(request)
            return read_all(connection)

    def ask(
        self, path: str, authorization: str | None = None, body: bytes = b"", *lines: str, method: str = ""
    ) -> bytes:
        """One request that closes its connection."""
        head = [
            f"{method or ('POST' if body else 'GET')} {path} HTTP/1.1",
            "Host: api.example",
            "Connection: close",
            *lines,
        ]
        if authorization is not None:
            head.append(f"Authorization: {authorization}")
        if body:
            head.append(f"Content-Length: {len(body)}")
        return self.send("\r\n".join([*head, "", ""]).encode() + body)


def read_all(connection: socket.socket) -> bytes:
    received = b""
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except (TimeoutError, ConnectionResetError):
        return received + b"<not closed>"
    return received


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def in_process(command: list[str], port: int) -> Iterator[Wire]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await(port, process)
        yield Wire(port)
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(PATIENCE)


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the server ended with {process.returncode}")


def in_thread(server) -> Iterator[Wire]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Wire(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class QuietWSGI(WSGIRequestHandler):
    def log_message(self, *_):
        pass


class ThreadingWSGI(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def run(kind: str, app: str) -> Iterator[Wire]:
    """A server of this kind for `tests.servers.apps.<app>`."""
    port = free_port()
    if kind == "uvicorn":
        command = ["uvicorn", "--port", str(port), "--log-level", "critical", f"tests.servers.apps:asgi_{app}"]
        yield from in_process(command, port)
    elif kind in ("granian", "granian-wsgi"):
        interface = "wsgi" if kind == "granian-wsgi" else "asgi"
        command = [
            "granian",
            "--interface",
            interface,
            "--port",
            str(port),
            "--no-log",
            f"tests.servers.apps:{interface}_{app}",
        ]
        yield from in_process(command, port)
    elif kind == "wsgiref":
        guarded = getattr(APPS, f"wsgi_{app}")
        yield from in_thread(make_server("127.0.0.1", 0, guarded, ThreadingWSGI, QuietWSGI))
    else:
        yield from in_thread(ThreadingHTTPServer(("127.0.0.1", 0), getattr(APPS, f"handler_{app}")))


@pytest.fixture(scope="session")
def granian() -> Iterator[Wire]:
    yield from run("granian", "guarded")


@pytest.fixture(scope="session")
def uvicorn() -> Iterator[Wire]:
    yield from run("uvicorn", "guarded")


@pytest.fixture(scope="session")
def granian_wsgi() -> Iterator[Wire]:
    yield from run("granian-wsgi", "guarded")


@pytest.fixture(scope="session")
def wsgiref() -> Iterator[Wire]:
    yield from run("wsgiref", "guarded")


@pytest.fixture(scope="session")
def http_server() -> Iterator[Wire]:
    yield from run("http_server", "guarded")


@pytest.fixture(scope="session", params=["granian", "uvicorn", "granian-wsgi", "wsgiref", "http_server"])
def optional(request: pytest.FixtureRequest) -> Iterator[Wire]:
    yield from run(request.param, "optional")


@pytest.fixture(params=["granian", "uvicorn", "granian_wsgi", "wsgiref", "http_server"])
def server(request: pytest.FixtureRequest) -> Wire:
    """Each server in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["granian", "uvicorn"])
def asgi_server(request: pytest.FixtureRequest) -> Wire:
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["granian_wsgi", "wsgiref"])
def wsgi_server(request: pytest.FixtureRequest) -> Wire:
    return request.getfixturevalue(request.param)

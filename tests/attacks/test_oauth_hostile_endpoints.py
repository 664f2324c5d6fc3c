"""Token endpoints that are huge, slow, redirecting, or set cookies: by each client, over sockets, and by `perform`."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.clients.kinds import KINDS
from watchword import CredentialsUnavailable, OAuth2Auth
from watchword.clients.direct import perform

TOKEN = b'{"access_token":"t0ken","token_type":"Bearer","expires_in":300}'
JSON = [("Content-Type", "application/json")]


class Endpoint(ThreadingHTTPServer):
    """Answers what a test says, and writes down what it was asked; an API that says 401 to strangers is at `/api`."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.fields, self.body = 200, JSON, TOKEN
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.held = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.rfile.read(int(headers.get("content-length", "0")))
        self.server.asked.append((self.command, self.path, headers))
        if self.path == "/slow":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n ")
            self.server.held.wait()
            return
        if self.path == "/api":
            self._answer(200, [], b"fine")
        else:
            self._answer(self.server.status, self.server.fields, self.server.body)

    do_POST = do_GET

    def _answer(self, status: int, fields: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except ConnectionError:  # who asked has read enough
            self.close_connection = True

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            pass

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.held.set()
    server.shutdown()
    thread.join()
    server.server_close()


def auth_of(endpoint: Endpoint, path: str = "/token") -> OAuth2Auth:
    return OAuth2Auth(endpoint.url + path, "robot", "the-secret-of-the-robot")


def by(kind: Any, endpoint: Endpoint) -> Any:
    return kind.send("GET", f"{endpoint.url}/api", kind.adapt(auth_of(endpoint)))


class _Perform:
    """The same by `perform`."""

    @staticmethod
    def adapt(auth: OAuth2Auth) -> OAuth2Auth:
        return auth

    @staticmethod
    def send(method: str, url: str, auth: OAuth2Auth) -> Any:
        return perform(auth.log_in())


WAYS: dict[str, Any] = {**KINDS, "perform": _Perform()}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("size", [600 * 1024, 3 * 1024 * 1024])
def test_a_huge_answer_is_no_token(way: Any, endpoint: Endpoint, size: int) -> None:
    endpoint.body = b" " * size + TOKEN
    with pytest.raises(CredentialsUnavailable, match="more than|too_large"):
        by(way, endpoint)
    assert [path for _, path, _ in endpoint.asked] == ["/token"]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(way: Any, endpoint: Endpoint, status: int) -> None:
    endpoint.status, endpoint.fields = status, [("Location", "/elsewhere")]
    with pytest.raises(CredentialsUnavailable, match="redirect"):
        by(way, endpoint)
    assert [path for _, path, _ in endpoint.asked] == ["/token"]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_its_cookies_come_back_neither_to_it_nor_to_the_api(way: Any, endpoint: Endpoint) -> None:
    endpoint.fields = [*JSON, ("Set-Cookie", "session=fixed; Path=/")]
    by(way, endpoint)
    by(way, endpoint)
    assert len(endpoint.asked) >= 2
    assert all("cookie" not in headers for _, _, headers in endpoint.asked)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_packed_answer_that_nobody_asked_for_is_not_unpacked_without_end(way: Any, endpoint: Endpoint) -> None:
    endpoint.fields = [*JSON, ("Content-Encoding", "gzip")]
    endpoint.body = gzip.compress(b" " * (64 * 1024 * 1024) + TOKEN)
    with pytest.raises(CredentialsUnavailable):
        by(way, endpoint)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("kind", ["text/html", "text/html; charset=utf-8"])
def test_a_page_is_no_token(way: Any, endpoint: Endpoint, kind: str) -> None:
    endpoint.fields = [("Content-Type", kind)]
    with pytest.raises(CredentialsUnavailable, match="with a page"):
        by(way, endpoint)


def test_perform_ends_in_time_however_slowly_the_answer_drips(endpoint: Endpoint) -> None:
    with pytest.raises(CredentialsUnavailable, match="timeout"):
        perform(auth_of(endpoint, "/slow").log_in(), timeout=0.2)


def test_perform_names_a_server_that_is_not_there() -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unheard.getsockname()[1]}/token"
        with pytest.raises(CredentialsUnavailable, match="unreachable"):
            perform(OAuth2Auth(url, "robot", "s").log_in())

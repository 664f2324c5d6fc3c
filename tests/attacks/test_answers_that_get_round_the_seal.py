"""However an application answers, and whatever fails, nothing goes out of a guard with a seal that is not sealed."""

from __future__ import annotations

import asyncio
import io
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.servers.apps import LIMIT, SEALING, guard
from tests.servers.conftest import Wire, in_thread
from tests.servers.test_sealed_answers import ASKING, proven
from tests.servers.test_every_server import content, status
from watchword import ConfigurationError, Request, Response, SignatureSeal
from watchword.core.rejection import StoreUnavailable
from watchword.schemes.signatures.responses import ResponsePolicy, ResponseVerifier
from watchword.servers import asgi, http_server
from watchword.servers.endpoint import asgi_endpoint, wsgi_endpoint

SEAL = SignatureSeal(SEALING)
VERIFIER = ResponseVerifier(SEALING, ResponsePolicy(nonce=False))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        getattr(self, self.path.strip("/"))()

    do_POST = do_GET

    def twice(self) -> None:
        """Found out too late that it can't."""
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(b"balance: ")
        self.send_error(503, "out of order")

    def unended(self) -> None:
        self.send_response(200)
        self.send_header("X-Balance", "7")
        self.send_error(404)

    def by_hand(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

    def by_hand_after_the_body(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.by_hand()

    def ignores_the_body(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def large_after_the_body(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(bytes(LIMIT + 1))


@pytest.fixture(scope="module")
def wire() -> Any:
    yield from in_thread(ThreadingHTTPServer(("127.0.0.1", 0), http_server.protect(Handler, guard(SEAL))))


def test_an_answer_of_http_server_that_is_begun_again_is_the_last_one_and_sealed(wire: Wire) -> None:
    for path, expected in (("/twice", 503), ("/unended", 404)):
        answer = wire.ask(path, "plain alice", b"", ASKING)
        assert proven(answer, path) == expected
        assert answer.count(b"HTTP/1.1 ") == 1
        assert b"alance" not in answer


def test_an_answer_that_is_written_by_hand_is_a_sealed_500(wire: Wire) -> None:
    answer = wire.ask("/by_hand", "plain alice", b"", ASKING)
    assert (proven(answer, "/by_hand"), content(answer)) == (500, b"")
    path = "/by_hand_after_the_body"
    answer = wire.ask(path, "plain alice", b"x", ASKING, "Expect: 100-continue")
    assert status(answer) == 100
    final = answer.partition(b"\r\n\r\n")[2]
    assert (proven(final, path, "POST"), content(final)) == (500, b"")


def test_the_500_of_an_answer_that_is_too_long_eats_nothing_of_the_next_request(wire: Wire) -> None:
    """The handler had read the body by itself, so what comes next on the connection is no part of it."""
    head = b" HTTP/1.1\r\nHost: api.example\r\nAuthorization: plain alice\r\n" + ASKING.encode() + b"\r\n"
    first = b"POST /large_after_the_body" + head + b"Content-Length: 4\r\n\r\nbody"
    answers = wire.send(first + b"GET /twice" + head + b"Connection: close\r\n\r\n")
    answer, begins, second = answers[1:].partition(b"HTTP/1.1 ")
    assert proven(b"H" + answer, "/large_after_the_body", "POST") == 500
    assert proven(begins + second, "/twice") == 503


@pytest.mark.parametrize("seal", [None, SEAL])
@pytest.mark.parametrize("genuine", [True, False])
def test_a_streamed_body_that_nobody_reads_is_judged_and_is_no_request(seal: Any, genuine: bool) -> None:
    """The check takes upper case only; a request in upper case is one all the same."""
    smuggled = b"GET /TWICE HTTP/1.1\r\nHOST: API.EXAMPLE\r\nAUTHORIZATION: PLAIN MALLORY\r\n\r\n"
    smuggled = smuggled if genuine else smuggled.lower()
    head = b" /ignores_the_body HTTP/1.1\r\nHost: api.example\r\n"
    first = b"POST" + head + b"Authorization: stream alice\r\nContent-Length: %d\r\n\r\n" % len(smuggled)
    second = b"GET" + head + b"Authorization: plain alice\r\nConnection: close\r\n\r\n"
    guarded = http_server.protect(Handler, guard(seal))
    for wire in in_thread(ThreadingHTTPServer(("127.0.0.1", 0), guarded)):
        answers = wire.send(first + smuggled + second)
        statuses = [int(part[:3]) for part in answers.split(b"HTTP/1.1 ")[1:]]
        assert statuses == [200 if genuine else 401, 200]


START = {"type": "http.response.start", "status": 200, "headers": []}


@pytest.mark.parametrize("kind", ["pathsend", "zerocopysend", "early_hint", "trailers"])
@pytest.mark.parametrize("begun", [False, True])
def test_an_asgi_application_gets_nothing_round_the_seal_by_what_was_not_offered(kind: str, begun: bool) -> None:
    """A file that the server sends by itself would go out beside the answer that is held back."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if begun:
            await send({**START, "trailers": True})
        await send({"type": f"http.response.{kind}", "path": "/etc/passwd", "file": 0, "links": [], "headers": []})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "scheme": "https",
        "headers": [(b"host", b"api.example"), (b"authorization", b"plain alice")],
    }  # fmt: skip
    with pytest.raises(ConfigurationError, match="not offered"):
        asyncio.run(asgi.protect(app, guard(SEAL))(scope, receive, send))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    request = Request("GET", "https", "api.example", "/")
    VERIFIER.verify(request, Response(sent[0]["status"], sent[0]["headers"]), sent[1]["body"], now=time.time())
    assert sent[0]["status"] == 500


def test_trailers_after_a_sealed_answer_do_not_reach_the_server() -> None:
    """Nothing proves them, and some servers send them whatever the answer's beginning said of them."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert "http.response.trailers" not in scope["extensions"]
        await send({**START, "trailers": True})
        await send({"type": "http.response.body", "body": b"hello"})
        await send({"type": "http.response.trailers", "headers": [(b"set-cookie", b"a=b")]})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "scheme": "https",
        "headers": [(b"host", b"api.example"), (b"authorization", b"plain alice")], "extensions": {"http.response.trailers": {}},
    }  # fmt: skip
    asyncio.run(asgi.protect(app, guard(SEAL))(scope, receive, send))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[0]["trailers"] is False


class Down:
    """An endpoint whose store does not answer, or that fails otherwise."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def respond(self, request: Request, io: Any, receive: Any, gone: Any = None) -> Any:
        raise self.error


@pytest.mark.parametrize("error", [StoreUnavailable("down"), ZeroDivisionError()])
def test_an_endpoint_that_fails_gives_a_sealed_500(error: Exception) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http", "method": "POST", "path": "/token", "raw_path": b"/token", "query_string": b"",
        "scheme": "https", "headers": [(b"host", b"id.example")],
    }  # fmt: skip
    request = Request("POST", "https", "id.example", "/token")
    with pytest.raises(type(error)):
        asyncio.run(asgi_endpoint(Down(error), seal=SEAL)(scope, receive, send))
    VERIFIER.verify(request, Response(sent[0]["status"], sent[0]["headers"]), sent[1]["body"], now=time.time())
    assert sent[0]["status"] == 500

    started: list[Any] = []
    environ = {
        "REQUEST_METHOD": "POST", "RAW_URI": "/token", "PATH_INFO": "/token", "HTTP_HOST": "id.example",
        "wsgi.url_scheme": "https", "wsgi.input": io.BytesIO(), "CONTENT_LENGTH": "0", "wsgi.errors": io.StringIO(),
    }  # fmt: skip
    body = b"".join(
        wsgi_endpoint(Down(error), seal=SEAL)(environ, lambda status, headers: started.extend([status, headers]))
    )
    VERIFIER.verify(request, Response(500, started[1]), body, now=time.time())
    assert started[0] == "500 Internal Server Error"
    assert type(error).__name__ in environ["wsgi.errors"].getvalue()  # type: ignore[attr-defined]

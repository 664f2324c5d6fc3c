"""A guarded application on four servers at once, whose guard each test chooses; and clients that send targets as they are."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import ThreadingMixIn
from typing import Any, NamedTuple
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import uvicorn
from granian.constants import Interfaces
from granian.server.embed import Server as Granian

from tests.interop.conftest import PATIENCE, free_port
from watchword import DigestVerifier, Guard, HMACVerifier, Key, Policy, PublicURL, Request, Verdict, explain
from watchword.schemes.explaining.program import Explanation
from watchword.transport.flow import ClientContext, Drive
from watchword.core.message import Response
from watchword.core.scheme import Verifier
from watchword.effects import Auth, Received
from watchword.servers import asgi, http_server, wsgi
from watchword.stores import MemoryStore

ALICE = ("alice", "open sesame")
SERVERS = ("granian", "uvicorn", "wsgiref", "http_server")


class Answer(NamedTuple):
    """What a client got."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)


class Origin:
    """The application behind the proxies. `judge` chooses its guard; then it keeps what reached it.

    seen: the last request, as the server got it.
    public: the same as the guard's policy understood it.
    verdicts: what the guard said, one after the other.
    """

    def __init__(self) -> None:
        self.ports: dict[str, int] = {}
        self.key = Key.generate("HS256", key_id="robot-1")
        self.store = MemoryStore()
        self.store.add_key("robot", self.key)
        self.store.add_user(*ALICE, realm="orders", digest_algorithms=("SHA-256",))
        self.judge(None)

    def judge(self, url: PublicURL | None, *verifiers: Verifier) -> None:
        """A guard with this policy, of Digest and HMAC if no verifiers are given."""
        verifiers = verifiers or (DigestVerifier(realm="orders", qop=("auth", "auth-int")), HMACVerifier())
        self.seen: Request | None = None
        self.public: Request | None = None
        self.body = b""
        self.verdicts: list[Verdict] = []

        def recorded(request: Request) -> Request:
            self.seen = request
            self.public = request if url is None else url(request)
            return self.public

        self.guard = Guard(verifiers, self.store, policy=Policy(public_url=recorded), observe=self.verdicts.append)
        self.unrecorded = Guard(verifiers, self.store, policy=Policy(public_url=url))

    @property
    def verdict(self) -> Verdict:
        return self.verdicts[-1]

    def explain(self, body: bytes = b"") -> Explanation:
        assert self.seen is not None, "nothing reached the server"
        return explain(self.seen, self.unrecorded, body)


def report(identity: Any, body: bytes) -> bytes:
    """Long enough that proxies compress it."""
    return json.dumps(
        {"subject": identity.subject, "scheme": identity.scheme, "size": len(body), "pad": "x" * 400}
    ).encode()


# ---- the application, four times ---------------------------------------------------------------------------------------


def asgi_app(origin: Origin) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        content = report(asgi.identity(scope), body)
        lines = [(b"content-length", str(len(content)).encode()), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": lines})
        await send({"type": "http.response.body", "body": content})

    async def dispatch(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await asgi.protect(app, origin.guard)(scope, receive, send)

    return dispatch


def wsgi_app(origin: Origin) -> Any:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        content = report(wsgi.identity(environ), environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        start_response("200 OK", [("Content-Length", str(len(content))), ("Content-Type", "application/json")])
        return [content]

    def dispatch(environ: Any, start_response: Any) -> Any:
        return wsgi.protect(app, origin.guard)(environ, start_response)

    return dispatch


def handler(origin: Origin) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            content = report(http_server.identity(self), body)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PUT = do_DELETE = do_GET

        def log_message(self, *_: object) -> None:
            pass

    class Dispatch(BaseHTTPRequestHandler):
        def __new__(cls, *arguments: Any) -> Any:
            return http_server.protect(Handler, origin.guard)(*arguments)

    return Dispatch


class ThreadingWSGI(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class QuietWSGI(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def threaded(server: Any) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def looped(serve: Callable[[], Any], stop: Callable[[], None]) -> Iterator[None]:
    """An event loop of its own in a thread, with `serve` on it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop)
        thread.join()
        loop.close()


def reachable(port: int) -> bool:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return True
    return False


# ---- clients ----------------------------------------------------------------------------------------------------------


def ask(
    auth: Auth,
    base: str,
    target: str,
    *,
    method: str = "GET",
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    trust: str | None = None,
    host: str | None = None,
    tamper: Callable[[Request], Request] | None = None,
    sent: bytes | None = None,
    chunked: bool = False,
    flip: bool = False,
) -> Answer:
    """`target` exactly as it is, which no library of clients sends, signed by `auth`.

    Args:
        auth: the client half that signs it.
        base: "http://localhost:8000".
        trust: the certificate of an https server.
        host: another Host than the base's.
        tamper: changes the signed request before it goes out.
        sent: another body than the signed one.
        flip: the last 7 of the body becomes an 8 before it goes out.
        chunked: the body goes out in chunks of a thousand octets, without a length.
    """
    scheme, _, netloc = base.partition("://")
    request = Request(method, scheme, host or netloc, target, headers or {})
    drive = Drive(auth, request, ClientContext(lambda: body))
    send, answer = drive.advance(), None
    while send is not None:
        signed = send.request if tamper is None else tamper(send.request)
        content = body if send.content is None else send.content
        if flip:
            at = content.rindex(b"7")
            content = content[:at] + b"8" + content[at + 1 :]
        answer = exchange(base, signed, content if sent is None else sent, trust, chunked)
        send = drive.advance(Received(Response(answer.status, answer.headers.items()), answer.body))
    assert answer is not None
    return answer


def exchange(base: str, request: Request, body: bytes, trust: str | None = None, chunked: bool = False) -> Answer:
    scheme, _, netloc = base.partition("://")
    connection: http.client.HTTPConnection
    if scheme == "https":
        connection = http.client.HTTPSConnection(netloc, timeout=300, context=ssl.create_default_context(cafile=trust))
    else:
        connection = http.client.HTTPConnection(netloc, timeout=300)
    # http.client refuses some of the targets that matter here.
    connection._validate_path = lambda _: None  # type: ignore[attr-defined]
    connection._encode_request = lambda text: text.encode("latin-1")  # type: ignore[attr-defined]
    try:
        connection.putrequest(
            request.method, request.target.decode("latin-1"), skip_host=True, skip_accept_encoding=True
        )
        connection.putheader("Host", request.authority)
        for name, value in request.headers:
            connection.putheader(name.decode(), value)
        if chunked:
            connection.putheader("Transfer-Encoding", "chunked")
            connection.endheaders((body[at : at + 1000] for at in range(0, len(body), 1000)), encode_chunked=True)
        else:
            if body and not request.values(b"content-length"):
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    if response.headers.get("Content-Encoding") == "gzip":
        content = gzip.decompress(content)
    return Answer(response.status, response.headers, content)


@contextmanager
def application() -> Iterator[Origin]:
    """The four servers on ports of their own."""
    origin = Origin()
    web = uvicorn.Server(
        uvicorn.Config(asgi_app(origin), port=0, log_level="critical", lifespan="off", proxy_headers=False)
    )
    sockets = [web.config.bind_socket()]
    origin.ports["uvicorn"] = sockets[0].getsockname()[1]

    def stop_uvicorn() -> None:
        web.should_exit = True

    origin.ports["granian"] = free_port()
    rust = Granian(asgi_app(origin), port=origin.ports["granian"], interface=Interfaces.ASGINL, log_enabled=False)
    with (
        threaded(make_server("127.0.0.1", 0, wsgi_app(origin), ThreadingWSGI, QuietWSGI)) as origin.ports["wsgiref"],
        threaded(ThreadingHTTPServer(("127.0.0.1", 0), handler(origin))) as origin.ports["http_server"],
        looped(lambda: web.serve(sockets), stop_uvicorn),
        looped(rust.serve, rust.stop),
    ):
        for name in ("uvicorn", "granian"):
            assert reachable(origin.ports[name]), name
        yield origin

"""What a row of the table makes, and how it is asked: by ASGI, by WSGI, or over a socket."""

from __future__ import annotations

import asyncio
import io
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from http.client import HTTPResponse
from threading import Thread
from types import SimpleNamespace
from typing import Any, NamedTuple

import httpx2
from aiohttp import web
from aiohttp.test_utils import TestServer
from wsgiref.util import setup_testing_defaults

from watchword.clients.httpx2 import adapt

VERSION = {"version": "3.0", "spec_version": "2.4"}
"""Below 2.4 Starlette listens for the client's leaving by `receive`, and takes messages from a handler that streams the body."""


class Broken(Exception):
    """What a handler raises."""


class Unread(Exception):
    """The body was asked for."""


class Got(NamedTuple):
    """An answer; `raised` if the handler's exception has reached the server."""

    status: int
    headers: Sequence[tuple[str, str]]
    content: bytes
    raised: bool = False

    def values(self, name: str) -> list[str]:
        return [value for each, value in self.headers if each == name]


LEFT = b"the client leaves instead"


class Asked(NamedTuple):
    """A request; a body of None is announced and never sent."""

    method: str
    path: str
    fields: Mapping[str, str]
    body: bytes | None
    scheme: str
    client: tuple[str, int]


class Made(NamedTuple):
    """The app, the names of the handlers that ran, how it is asked, and what the site's own pages send along."""

    app: Any
    ran: list[str]
    speak: Callable[[Made, Asked], Got] = lambda made, asked: asyncio.run(by_asgi(made, asked))
    fields: Mapping[str, str] = {}

    def ask(
        self, path: str, body: bytes | None = b"", headers: Mapping[str, str] | None = None, method: str = "", **parts: Any
    ) -> Got:  # fmt: skip
        return self.speak(self, request(path, body, {**self.fields, **(headers or {})}, method, **parts))

    def through(self, auth: Any, *requests: tuple[str, str, Mapping[str, Any]]) -> list[httpx2.Response]:
        """The answers that a client with `auth` gets; a request is a method, a path, and the client's arguments."""

        def handle(asked: httpx2.Request) -> httpx2.Response:
            sent = request(asked.url.path, asked.read(), dict(asked.headers), asked.method, "https", kind="")
            got = self.speak(self, sent)
            return httpx2.Response(got.status, headers=list(got.headers), content=got.content)

        transport = httpx2.MockTransport(handle)
        with httpx2.Client(transport=transport, base_url="https://api.example", auth=adapt(auth)) as client:
            client.headers.update(self.fields)
            return [client.request(method, path, **parts) for method, path, parts in requests]


def request(
    path: str, body: bytes | None = b"", headers: Mapping[str, str] | None = None, method: str = "", scheme: str = "http",
    client: tuple[str, int] = ("192.0.2.1", 1), kind: str = "application/json",
) -> Asked:  # fmt: skip
    fields = {"host": "api.example", **{name.lower(): value for name, value in (headers or {}).items()}}
    fields.pop("transfer-encoding", None)
    if kind and body != b"":
        fields = {"content-type": kind} | fields
    if body != b"" or method == "POST":
        fields["content-length"] = str(50_000_000 if body is None else len(body))
    return Asked(method or ("POST" if body != b"" else "GET"), path, fields, body, scheme, client)


# ---- what handlers have in common ---------------------------------------------------------------------------------------


def everybody(ran: list[str], fields: Mapping[str, str]) -> str:
    """What a public handler does, which fails as `fail` if it is told to."""
    ran.append("public")
    if "x-break" in fields:
        raise Broken
    return "everybody"


def fail(ran: list[str], fields: Mapping[str, str]) -> Any:
    ran.append("fail")
    raise asyncio.CancelledError if "x-cancel" in fields else Broken


def ticking(ran: list[str], wait: bool = False) -> Iterator[bytes]:
    """An answer that is made as it goes out; whoever asks notes that its first part has arrived."""
    yield b"tick"
    while wait and "arrived" not in ran:
        time.sleep(0.001)
    ran.append("tock")
    yield b"tock"


async def ticking_later(ran: list[str]) -> AsyncIterator[bytes]:
    yield b"tick"
    while "arrived" not in ran:  # noqa: ASYNC110 -- nothing to wait by is shared with all who ask
        await asyncio.sleep(0)
    ran.append("tock")
    yield b"tock"


def chunks(source: Any) -> Iterator[bytes]:
    return iter(partial(source.read, 5), b"")


def arrives(made: Made, asked: Asked, chunk: bytes) -> None:
    if chunk == b"tick" and "arrived" not in made.ran:
        made.ran.append("arrived")


# ---- ASGI, WSGI -----------------------------------------------------------------------------------------------------------


async def by_asgi(made: Made, asked: Asked) -> Got:
    body, sent = asked.body, []
    half = len(body or b"") // 2
    halves = [] if body is None else [body[:half], body[half:]]
    answered = asyncio.Event()
    scope = {
        "type": "http", "asgi": VERSION, "http_version": "1.1", "method": asked.method, "scheme": asked.scheme, "path": asked.path,
        "raw_path": asked.path.encode(), "query_string": b"", "root_path": "", "client": asked.client, "server": ("api.example", 80),
        "headers": [(name.encode(), value.encode()) for name, value in asked.fields.items()], "extensions": {},
    }  # fmt: skip

    async def receive() -> Any:
        if body == LEFT:
            return {"type": "http.disconnect"}
        if halves:
            return {"type": "http.request", "body": halves.pop(0), "more_body": bool(halves)}
        if body is None:
            raise Unread
        await answered.wait()  # the client stays
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        arrives(made, asked, message.get("body", b""))
        if message["type"] == "http.response.body" and not message.get("more_body"):
            answered.set()

    raised = False
    try:
        await made.app(scope, receive, send)
    except Broken:
        raised = True  # the frameworks answer before they raise it again
    if not sent:
        return Got(0 if body == LEFT else 500, [], b"", raised)
    assert not sent[-1].get("more_body")
    headers = [(name.decode().lower(), value.decode()) for name, value in sent[0]["headers"]]
    return Got(sent[0]["status"], headers, b"".join(it.get("body", b"") for it in sent), raised)


class Endless:
    """A body that never comes: whoever reads it fails."""

    def read(self, *_: Any) -> bytes:
        raise Unread

    readline = readlines = readinto = __iter__ = read


def by_wsgi(made: Made, asked: Asked) -> Got:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": asked.method, "PATH_INFO": asked.path, "RAW_URI": asked.path, "REMOTE_ADDR": asked.client[0], "QUERY_STRING": "",
        "wsgi.input": Endless() if asked.body is None else io.BytesIO(asked.body), "wsgi.url_scheme": asked.scheme,
    }  # fmt: skip
    setup_testing_defaults(environ)
    fields = {f"HTTP_{name}".upper().replace("-", "_"): value for name, value in asked.fields.items()}
    environ |= {name[5:]: fields.pop(name) for name in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH") if name in fields}
    environ |= fields
    started: list[Any] = []
    content, raised = b"", False
    answer: Iterable[bytes] = ()
    try:
        answer = made.app(environ, lambda *given: started.append(given))
        for chunk in answer:
            arrives(made, asked, chunk)
            content += chunk
    except Broken:
        raised = True
    finally:
        getattr(answer, "close", int)()
    status, headers = started[-1][:2] if started else ("500", [])
    return Got(int(status[:3]), [(name.lower(), value) for name, value in headers], content, raised)


# ---- sockets --------------------------------------------------------------------------------------------------------------


def octets(asked: Asked) -> bytes:
    lines = [
        f"{asked.method} {asked.path} HTTP/1.1",
        "Connection: close",
        *["X-Scheme: https"] * (asked.scheme == "https"),
    ]
    lines += [f"{name}: {value}" for name, value in asked.fields.items()]
    return "\r\n".join([*lines, "", ""]).encode() + (asked.body or b"")


def parsed(asked: Asked, answer: bytes) -> Got:
    if not answer:
        return Got(500, [], b"", True)
    said = HTTPResponse(SimpleNamespace(makefile=lambda *_: io.BytesIO(answer)), method=asked.method)  # type: ignore[arg-type]
    said.begin()
    return Got(said.status, [(name.lower(), value) for name, value in said.getheaders()], said.read())


def by_aiohttp(made: Made, asked: Asked) -> Got:
    """`app` makes the application, on the loop that serves it."""

    async def served() -> bytes:
        async with TestServer(made.app()) as server:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            writer.write(octets(asked))
            answer = b""
            while chunk := await reader.read(65536):
                answer += chunk
                arrives(made, asked, answer[answer.find(b"tick") :][:4])
                if asked.body is None and b"\r\n\r\n" in answer:
                    break  # a refusal is there; the server would wait for the rest of the body
            writer.close()
            return answer

    return parsed(asked, asyncio.run(served()))


@web.middleware
async def behind_tls(request: web.Request, handler: Any) -> web.StreamResponse:
    """As middlewares for proxies do it: the handler gets another request."""
    answer: web.StreamResponse = await handler(request.clone(scheme=request.headers.get("X-Scheme", "http")))
    return answer


class Secure(socket.socket):
    """As http.server sees TLS."""

    context = SimpleNamespace(verify_mode=0)
    getpeercert = None


def by_http_server(made: Made, asked: Asked) -> Got:
    """`app` is the class of handlers."""
    ours, theirs = socket.socketpair()
    raised = []

    def serve() -> None:
        kind = Secure if asked.scheme == "https" else socket.socket
        with kind(fileno=theirs.detach()) as connection:
            try:
                made.app(connection, asked.client, None)
            except Broken:
                raised.append(True)

    thread = Thread(target=serve)
    thread.start()
    answer = b""
    with ours:
        ours.sendall(octets(asked))
        while chunk := ours.recv(65536):
            answer += chunk
            arrives(made, asked, answer[answer.find(b"tick") :][:4])
    thread.join()
    return parsed(asked, answer)._replace(raised=bool(raised))

"""Applications that treat a body in every way that applications do, for each kind of server, and one request to them."""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from itertools import repeat
from typing import Any
from wsgiref.util import FileWrapper

from tests.servers.streamed_worlds import Case, Outcome, Seen
from watchword import Guard
from watchword.servers import asgi, http_server, wsgi

DONE = b"done"
READING = ("all", "length", "lines", "late", "meanwhile", "swallows", "part, then all")
"""Those that act once they believe that they have all of the body."""
OTHERS = ("ignores", "part", "clings", "no content", "file")
"""Those that answer 200 (or 204) without having read it, or whatever comes of reading it."""
BEHAVIOURS = READING + OTHERS
"""There are two more: one "denies" (404, unread), one is "endless" unless somebody stops it."""


# ---- ASGI ------------------------------------------------------------------------------------------------------------


def by_asgi(case: Case, guard: Guard, behaviour: str, cut: int = 7) -> tuple[Seen, Outcome]:
    seen, sent = Seen(), []
    headers = [(b"host", b"api.example"), *case.request.headers]
    scope = {
        "type": "http", "method": "POST", "scheme": "https", "path": "/upload", "raw_path": b"/upload",
        "query_string": b"", "headers": headers, "client": ("192.0.2.1", 1),
    }  # fmt: skip
    octets = case.octets if case.chunked else case.octets[: case.length or 0]
    messages = [
        {"type": "http.request", "body": octets[at : at + cut], "more_body": True} for at in range(0, len(octets), cut)
    ]
    if case.chunked or (case.length or 0) == len(octets):
        messages.append({"type": "http.request"})

    async def receive() -> Any:
        await asyncio.sleep(0)
        seen.asked = True
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.ran = True
        await ASGI.get(behaviour, asgi_reads)(behaviour, seen, scope, receive, send)

    try:
        asyncio.run(asgi.protect(app, guard)(scope, receive, send))
    except ConnectionError:  # the client has gone, and the application was told so
        assert case.name == "cut off"
    statuses = [message["status"] for message in sent if message["type"] == "http.response.start"]
    content = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    return seen, Outcome(statuses, content, sent[0]["headers"] if sent else ())


async def asgi_all(receive: Any, most: int | None = None) -> bytes:
    got, more = b"", True
    while more and (most is None or len(got) < most):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        got, more = got + message.get("body", b""), message.get("more_body", False)
    return got


async def answer(send: Any, status: int = 200, body: bytes = DONE) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def asgi_reads(behaviour: str, seen: Seen, scope: Any, receive: Any, send: Any) -> None:
    length = None
    if behaviour == "length":
        length = next((int(value) for name, value in scope["headers"] if name == b"content-length"), None)
    seen.acted.append(await asgi_all(receive, length))
    await answer(send)


async def asgi_late(behaviour: str, seen: Seen, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if behaviour == "meanwhile":
        await send({"type": "http.response.body", "body": DONE[:2], "more_body": True})
    seen.acted.append(await asgi_all(receive))
    await send({"type": "http.response.body", "body": DONE[2:] if behaviour == "meanwhile" else DONE})


async def asgi_swallows(behaviour: str, seen: Seen, scope: Any, receive: Any, send: Any) -> None:
    try:
        seen.acted.append(await asgi_all(receive))
    except Exception:
        pass
    await answer(send)


async def asgi_part(behaviour: str, seen: Seen, scope: Any, receive: Any, send: Any) -> None:
    first = await receive()
    if behaviour == "part, then all":
        rest = await asgi_all(receive) if first.get("more_body", False) else b""
        seen.acted.append(first.get("body", b"") + rest)
    await answer(send)


async def asgi_ignores(behaviour: str, seen: Seen, scope: Any, receive: Any, send: Any) -> None:
    status = {"no content": 204, "denies": 404}.get(behaviour, 200)
    await answer(send, status, DONE if status == 200 else b"")


async def asgi_endless(behaviour: str, seen: Seen, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": DONE, "more_body": True})


async def asgi_clings(behaviour: str, seen: Seen, scope: Any, receive: Any, send: Any) -> None:
    """Watches for the client to leave while it answers, as frameworks do, and sends whatever `send` says."""

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    for _ in range(2):
        try:
            await answer(send)
            break
        except Exception:
            continue
    await asyncio.gather(watching, return_exceptions=True)


ASGI: dict[str, Callable[..., Any]] = {
    "late": asgi_late, "meanwhile": asgi_late, "swallows": asgi_swallows, "part": asgi_part, "part, then all": asgi_part,
    "ignores": asgi_ignores, "no content": asgi_ignores, "file": asgi_ignores, "denies": asgi_ignores,
    "endless": asgi_endless, "clings": asgi_clings,
}  # fmt: skip


# ---- WSGI ------------------------------------------------------------------------------------------------------------


class Input(io.BytesIO):
    """A server's input that may know no end, as PEP 3333 allows: who reads too far reads the next request."""

    seen: Seen

    def read(self, size: int | None = -1, /) -> bytes:
        self.seen.asked = True
        return super().read(size)


def by_wsgi(case: Case, guard: Guard, behaviour: str, terminated: bool = True) -> tuple[Seen, Outcome]:
    seen, statuses, heads = Seen(), [], []
    environ = {
        f"HTTP_{name.decode().upper().replace('-', '_')}": value.decode() for name, value in case.request.headers
    }
    if length := environ.pop("HTTP_CONTENT_LENGTH", None):
        environ["CONTENT_LENGTH"] = length
    more: dict[str, Any] = {
        "REQUEST_METHOD": "POST", "RAW_URI": "/upload", "wsgi.url_scheme": "https", "HTTP_HOST": "api.example",
        "wsgi.file_wrapper": FileWrapper,
    }  # fmt: skip
    if case.chunked and terminated:
        source = Input(case.octets)
        more["wsgi.input_terminated"] = True
    else:
        whole = case.octets if case.length != len(case.sent) or case.intact else case.octets[: case.length]
        following = b"" if case.name == "cut off" else b"GET / HTTP/1.1\r\n\r\n"
        source = Input(whole + following)
    source.seen = seen
    environ |= {**more, "wsgi.input": source}

    def app(environ: Any, start_response: Any) -> Any:
        seen.ran = True
        return wsgi_app(behaviour, seen, environ, start_response)

    def start_response(status: str, headers: Any, exc: Any = None) -> Any:
        statuses.append(int(status[:3]))
        heads.append(headers)

    chunks = wsgi.protect(app, guard)(environ, start_response)
    content = b"".join(chunks)
    return seen, Outcome(statuses, content, heads[-1])


def wsgi_app(behaviour: str, seen: Seen, environ: Any, start_response: Any) -> Any:
    source = environ["wsgi.input"]
    if behaviour in ("late", "meanwhile"):
        return wsgi_late(behaviour, seen, source, start_response)
    if behaviour in READING:
        try:
            seen.acted.append(wsgi_read(behaviour, environ))
        except Exception:
            if behaviour != "swallows":
                raise
    elif behaviour == "part":
        source.read(3)
    elif behaviour == "clings":
        start_response("200 OK", [])(DONE)
        return []
    start_response({"no content": "204 No Content", "denies": "404 Not Found"}.get(behaviour, "200 OK"), [])
    if behaviour in ("no content", "denies"):
        return []
    if behaviour == "endless":
        return repeat(DONE)
    return environ["wsgi.file_wrapper"](io.BytesIO(DONE)) if behaviour == "file" else [DONE[:1], DONE[1:]]


def wsgi_read(behaviour: str, environ: Any) -> bytes:
    source = environ["wsgi.input"]
    if behaviour == "length":
        return source.read(int(environ.get("CONTENT_LENGTH") or 0))
    if behaviour == "lines":
        return b"".join(source)
    if behaviour == "part, then all":
        return source.read(3) + source.read()
    return source.read()


def wsgi_late(behaviour: str, seen: Seen, source: Any, start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [])
    if behaviour == "meanwhile":
        yield DONE[:2]
    seen.acted.append(source.read())
    yield DONE[2:] if behaviour == "meanwhile" else DONE


# ---- http.server -------------------------------------------------------------------------------------------------------


def by_http_server(case: Case, guard: Guard, behaviour: str) -> tuple[Seen, Outcome]:
    seen = Seen()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_POST(self) -> None:
            seen.ran = True
            http_app(behaviour, seen, self)

    lines = b"".join(name + b": " + value + b"\r\n" for name, value in case.request.headers)
    octets = b"%x\r\n%b\r\n0\r\n\r\n" % (len(case.octets), case.octets) if case.chunked else case.octets
    head = b"POST /upload HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n" + lines + b"\r\n"
    answers = over_a_socket(http_server.protect(Handler, guard), head + octets)
    *interim, head, content = answers.split(b"\r\n\r\n") if answers else (b"", b"")
    statuses = [int(part.split(b" ", 2)[1]) for part in [*interim, head] if part]
    seen.asked = 100 in statuses
    return seen, Outcome(statuses, content)


def over_a_socket(handler: Any, request: bytes) -> bytes:
    """What a handler sends for a request, in this thread; both have to fit into the socket."""
    client, server = socket.socketpair()
    with client, server:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        try:
            handler(server, ("192.0.2.1", 1), None)
        finally:
            server.close()
        answers = b""
        while chunk := client.recv(65536):
            answers += chunk
        return answers


def http_app(behaviour: str, seen: Seen, handler: Any) -> None:
    if behaviour in ("late", "meanwhile"):
        http_begin(handler)
        if behaviour == "meanwhile":
            handler.wfile.write(DONE[:2])
        seen.acted.append(handler.rfile.read(int(handler.headers.get("Content-Length") or 0)))
        handler.wfile.write(DONE[2:] if behaviour == "meanwhile" else DONE)
        return
    if behaviour in READING:
        try:
            seen.acted.append(http_read(behaviour, handler))
        except Exception:
            if behaviour != "swallows":
                raise
    elif behaviour == "part":
        handler.rfile.read(3)
    elif behaviour == "clings":  # to an answer of its own making
        for _ in range(2):
            try:
                handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + DONE)
                return
            except Exception:
                continue
        return
    elif behaviour == "denies":
        handler.send_error(404)
        return
    http_begin(handler, 204 if behaviour == "no content" else 200)
    if behaviour != "no content":
        handler.wfile.write(DONE)
    while behaviour == "endless":
        handler.wfile.write(DONE)


def http_begin(handler: Any, status: int = 200) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", "0" if status == 204 else str(len(DONE)))
    handler.end_headers()


def http_read(behaviour: str, handler: Any) -> bytes:
    length = int(handler.headers.get("Content-Length") or 0)
    if behaviour == "length":
        return handler.rfile.read(length)
    if behaviour == "lines":
        return b"".join(iter(handler.rfile.readline, b"")) if length else b""
    if behaviour == "part, then all":
        return handler.rfile.read(min(3, length)) + handler.rfile.read(max(0, length - 3))
    return handler.rfile.read() if length else b""

"""The guarded applications that the servers' tests run, in a process of their own or in this one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.core.fakes import FakeStore, FakeVerifier, Note
from watchword.core.guard import Guard
from watchword.core.identity import Identity
from watchword.core.limits import Limits
from watchword.core.plan import Policy
from watchword.core.records import Ref
from watchword.core.rejection import Reason, Rejected
from watchword.core.scheme import STREAM, WHOLE, Decision, Seal
from watchword.crypto.keys import Key
from watchword.schemes.hmac_header import HMACVerifier
from watchword.schemes.signatures.seal import SignatureSeal
from watchword.servers import asgi, http_server, wsgi
from watchword.stores import MemoryStore

LIMIT = 1000
SEEN: list[Any] = []


class Target(FakeVerifier):
    """Genuine only if the token is the target as the server saw it: what was sent must be what was seen."""

    def read(self, request):
        claim = super().read(request)
        (value,) = request.values(self.field)
        sent = value.partition(b" ")[2]
        if sent != request.target + (b"" if request.exact else b" rebuilt"):
            raise Rejected(Reason.WRONG_TARGET, f"{request.target!r}", where="@target")
        return claim


class UpperCase:
    """A body check: octets in upper case only."""

    def feed(self, chunk):
        if chunk != chunk.upper():
            raise Rejected(Reason.WRONG_BODY, "not upper case", where="body")
        return chunk

    def end(self):
        return b""


def _sealed(needs_body):
    def headers(response, body, now, random):
        return [(b"x-seal", f"{response.status} {len(body) if body is not None else None}".encode())]

    return Seal(needs_body, headers)


def _decides(**parts: Any):
    return lambda *_: Decision(Identity("alice", "fake", scopes=frozenset({"read"})), **parts)


def guard(seal: Any = None) -> Guard:
    """Schemes by what their decision asks of a server; "down" has a store that does not answer."""
    verifiers: Sequence[FakeVerifier] = [
        FakeVerifier("plain", scopes=frozenset({"read"})),
        FakeVerifier("writer", scopes=frozenset({"read", "write"})),
        FakeVerifier("whole", body=WHOLE),
        FakeVerifier("stream", body=STREAM, decision=_decides(stream=UpperCase())),
        FakeVerifier("replayed", body=WHOLE, decision=_decides(stream=UpperCase())),
        FakeVerifier("info", decision=_decides(response_headers=[(b"authentication-info", b"x")])),
        FakeVerifier("seal", decision=_decides(seal=_sealed(False))),
        FakeVerifier("sealbody", decision=_decides(seal=_sealed(True))),
        FakeVerifier("down", kinds=(Note,), needs=[Ref(Note, ("x",))]),
        Target("target"),
    ]
    return Guard(verifiers, FakeStore(down="fetch"), policy=Policy(limits=Limits(body=LIMIT)), seal=seal)


def _report(identity: Identity | None, body: bytes, path: str) -> bytes:
    who = None if identity is None else identity.subject
    return json.dumps({"subject": who, "size": len(body), "path": path}).encode()


# ---- ASGI ------------------------------------------------------------------------------------------------------------


async def _read(receive):
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _respond(send, status, body, headers=()):
    lines = [(b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body[:3], "more_body": True})
    await send({"type": "http.response.body", "body": body[3:]})


async def asgi_app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                scope["state"]["begun"] = True
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    if scope["type"] == "websocket":
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept", "headers": []})
        who = asgi.identity_or_none(scope)
        await send({"type": "websocket.send", "text": who.subject if who else "anonymous"})
        await send({"type": "websocket.close"})
        return
    if scope["path"] == "/state":
        await _respond(send, 200, json.dumps(bool(scope["state"].get("begun"))).encode())
    elif scope["path"] == "/write":
        await _write(scope, receive, send)
    elif scope["path"] == "/swallow":
        try:
            await _read(receive)
        except Exception:
            await _respond(send, 200, b"swallowed")
        else:
            await _respond(send, 200, b"fine")
    elif scope["path"] == "/ignore":
        await _respond(send, 200, b"ignored")
    elif scope["path"] == "/large":
        await _respond(send, 200, b"x" * (LIMIT + 1))
    else:
        await _respond(send, 200, _report(asgi.identity_or_none(scope), await _read(receive), scope["path"]))


@asgi.requires("write")
async def _write(scope, receive, send):
    await _respond(send, 200, b"written")


asgi_guarded = asgi.protect(asgi_app, guard())
asgi_optional = asgi.protect(asgi_app, guard(), optional=True)


# ---- WSGI ------------------------------------------------------------------------------------------------------------


class Closing:
    """An iterable whose close is noticed."""

    def __init__(self, *chunks):
        self.chunks = chunks

    def __iter__(self):
        return iter(self.chunks)

    def close(self):
        SEEN.append("closed")


def wsgi_app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/write":
        return _wsgi_write(environ, start_response)
    if path == "/ignore":
        start_response("200 OK", [("Content-Length", "7")])
        return [b"ignored"]
    if path == "/large":
        start_response("200 OK", [("Content-Length", str(LIMIT + 1))])
        return [b"x" * (LIMIT + 1)]
    length = int(environ.get("CONTENT_LENGTH") or 0)
    try:
        body = (
            environ["wsgi.input"].read() if environ.get("wsgi.input_terminated") else environ["wsgi.input"].read(length)
        )
    except Exception:
        if path != "/swallow":
            raise
        start_response("200 OK", [("Content-Length", "9")])
        return [b"swallowed"]
    answer = _report(environ["watchword.identity"], body, path)
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return Closing() if environ["REQUEST_METHOD"] == "HEAD" else Closing(answer[:3], answer[3:])


@wsgi.requires("write")
def _wsgi_write(environ, start_response):
    start_response("200 OK", [("Content-Length", "7")])
    return [b"written"]


wsgi_guarded = wsgi.protect(wsgi_app, guard())
wsgi_optional = wsgi.protect(wsgi_app, guard(), optional=True)


# ---- http.server -----------------------------------------------------------------------------------------------------


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/write":
            self._write()
            return
        if self.path == "/ignore":
            self._respond(b"ignored")
            return
        if self.path == "/large":
            self._respond(b"x" * (LIMIT + 1))
            return
        length = int(self.headers.get("Content-Length") or 0)
        try:
            body = self.rfile.read(length)
        except Rejected:
            if self.path != "/swallow":
                raise
            self._respond(b"swallowed")
            return
        self._respond(_report(self.identity, body, self.path))

    do_POST = do_HEAD = do_GET

    @http_server.requires("write")
    def _write(self):
        self._respond(b"written")

    def _respond(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:3])
            self.wfile.write(body[3:])

    def log_message(self, *_):
        pass


handler_guarded = http_server.protect(Handler, guard())
handler_optional = http_server.protect(Handler, guard(), optional=True)


# ---- bodies that are signed, and checked as they pass ---------------------------------------------------------------

SIGNING = Key.from_secret(b"a secret that signs the bodies..", algorithm="HS256", key_id="robot-1")


def signed() -> Guard:
    store = MemoryStore()
    store.add_key("robot", SIGNING)
    return Guard([HMACVerifier(stream=True)], store, policy=Policy(limits=Limits(body=LIMIT)))


asgi_signed = asgi.protect(asgi_app, signed())
wsgi_signed = wsgi.protect(wsgi_app, signed())
handler_signed = http_server.protect(Handler, signed())


# ---- every answer sealed ---------------------------------------------------------------------------------------------

SEALING = Key.from_secret(b"a secret that seals the answers.", algorithm="HS256", key_id="seal-1")


class Failed(Exception):
    """What an application must not raise."""


def odd(path: str) -> int:
    """The status of the paths that answer without a body; raises for those where the application fails."""
    if path == "/boom":
        raise Failed
    return {"/204": 204, "/304": 304, "/redirect": 302}.get(path, 0)


async def asgi_odd(scope, receive, send):
    if scope["type"] == "http" and scope["path"] == "/silent":
        return
    if scope["type"] == "http" and scope["path"] == "/half":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise Failed
    if scope["type"] == "websocket" and scope["path"] == "/close":
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.close", "code": 1000})
    elif scope["type"] == "http" and (status := odd(scope["path"])):
        await send({"type": "http.response.start", "status": status, "headers": [(b"location", b"/elsewhere")]})
        await send({"type": "http.response.body", "body": b""})
    else:
        await asgi_app(scope, receive, send)


def wsgi_odd(environ, start_response):
    if environ["PATH_INFO"] == "/half":
        return halves(start_response)
    if status := odd(environ["PATH_INFO"]):
        start_response(f"{status} Odd", [("Location", "/elsewhere")])
        return []
    return wsgi_app(environ, start_response)


def halves(start_response):
    start_response("200 OK", [])
    yield b"half"
    raise Failed


class OddHandler(Handler):
    def do_GET(self):
        if status := odd(self.path):
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            if status == 302:
                self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path == "/error":
            self.send_error(418)
        else:
            super().do_GET()

    do_POST = do_HEAD = do_GET


asgi_sealed = asgi.protect(asgi_odd, guard(SignatureSeal(SEALING)), optional=True)
wsgi_sealed = wsgi.protect(wsgi_odd, guard(SignatureSeal(SEALING)), optional=True)
handler_sealed = http_server.protect(OddHandler, guard(SignatureSeal(SEALING)), optional=True)
asgi_streamed = asgi.protect(asgi_odd, guard(SignatureSeal(SEALING, digest=None)), optional=True)
wsgi_streamed = wsgi.protect(wsgi_odd, guard(SignatureSeal(SEALING, digest=None)), optional=True)
handler_streamed = http_server.protect(OddHandler, guard(SignatureSeal(SEALING, digest=None)), optional=True)

"""A guard with a seal where the application fails, never answers, or speaks WebSocket: each adapter by itself."""

from __future__ import annotations

import asyncio
import io
import sys
import time

import pytest

from tests.servers.apps import SEALING, Failed, guard, odd
from watchword import Guard, JWTVerifier, Key, Request, Response, SignatureSeal
from watchword.crypto import jose
from watchword.schemes.signatures.responses import ResponsePolicy, ResponseVerifier
from watchword.servers import asgi, wsgi

VERIFIER = ResponseVerifier(SEALING, ResponsePolicy(nonce=False))
GUARD = guard(SignatureSeal(SEALING))
DENIAL = "websocket.http.response"


def proven(status, headers, body=b"", path="/"):
    VERIFIER.verify(Request("GET", "http", "api.example", path), Response(status, headers), body, now=time.time())
    return status


# ---- ASGI ------------------------------------------------------------------------------------------------------------


def scope_of(kind="http", path="/", credentials=b"plain alice", **more):
    headers = [(b"host", b"api.example")] + ([(b"authorization", credentials)] if credentials else [])
    return {
        "type": kind, "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers,
        "scheme": "http", **more,
    }  # fmt: skip


def run_asgi(app, scope, *incoming, optional=False, guarded=GUARD):
    """What is sent, and what is raised."""
    sent, messages = [], [*incoming, {"type": "http.disconnect"}]

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    raised = None
    try:
        asyncio.run(asgi.protect(app, guarded, optional=optional)(scope, receive, send))
    except Failed as failed:
        raised = failed
    return sent, raised


REQUEST = {"type": "http.request", "body": b"", "more_body": False}
START = {"type": "http.response.start", "status": 200, "headers": [(b"x-plain", b"1")]}


async def raises(scope, receive, send):
    raise Failed


async def raises_halfway(scope, receive, send):
    await send(START)
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise Failed


async def stops_halfway(scope, receive, send):
    await send(START)
    await send({"type": "http.response.body", "body": b"half", "more_body": True})


async def says_nothing(scope, receive, send):
    pass


@pytest.mark.parametrize("app", [raises, raises_halfway])
def test_what_an_application_raises_is_a_sealed_500_and_goes_on_to_the_server(app):
    sent, raised = run_asgi(app, scope_of(), REQUEST)
    assert raised is not None
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert proven(sent[0]["status"], sent[0]["headers"]) == 500
    assert b"x-plain" not in dict(sent[0]["headers"])


@pytest.mark.parametrize("app", [says_nothing, stops_halfway])
def test_no_answer_is_a_sealed_500(app):
    sent, raised = run_asgi(app, scope_of(), REQUEST)
    assert raised is None
    assert proven(sent[0]["status"], sent[0]["headers"]) == 500


def test_once_the_answer_has_begun_a_failure_is_the_servers_to_show():
    streams = guard(SignatureSeal(SEALING, digest=None))
    sent, raised = run_asgi(raises_halfway, scope_of(), REQUEST, guarded=streams)
    assert raised is not None
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[1]["body"] == b"half"


def test_whoever_has_left_gets_no_answer():
    async def notices(scope, receive, send):
        while (await receive())["type"] != "http.disconnect":
            pass

    assert run_asgi(notices, scope_of(), REQUEST) == ([], None)
    assert run_asgi(notices, scope_of(credentials=b"whole alice")) == ([], None)


def test_a_guard_without_a_seal_leaves_failures_to_the_server():
    sent, raised = run_asgi(raises, scope_of(), REQUEST, guarded=guard())
    assert (sent, raised is not None) == ([], True)


def test_the_application_is_offered_nothing_that_goes_round_the_seal():
    seen = {}

    async def looks(scope, receive, send):
        seen.update(scope["extensions"])
        await send(START)
        await send({"type": "http.response.body", "body": b""})

    offered = {"http.response.pathsend": {}, "http.response.trailers": {}, "http.response.push": {}, "tls": {"x": 1}}
    run_asgi(looks, scope_of(extensions=offered), REQUEST)
    assert seen == {"tls": {"x": 1}}


def test_lifespan_goes_through_untouched():
    async def lives(scope, receive, send):
        await send({"type": "lifespan.startup.complete"})

    assert run_asgi(lives, {"type": "lifespan"})[0] == [{"type": "lifespan.startup.complete"}]


def websocket(credentials=b"plain alice", denial=True):
    extensions = {DENIAL: {}} if denial else {}
    return scope_of("websocket", credentials=credentials, extensions=extensions)


CONNECT = {"type": "websocket.connect"}


async def accepts(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept", "headers": [(b"x-plain", b"1")]})
    await send({"type": "websocket.close", "code": 1000})


async def closes(scope, receive, send):
    await receive()
    await send({"type": "websocket.close", "code": 1008})


async def denies(scope, receive, send):
    await receive()
    await send({"type": f"{DENIAL}.start", "status": 402, "headers": []})
    await send({"type": f"{DENIAL}.body", "body": b"pay ", "more_body": True})
    await send({"type": f"{DENIAL}.body", "body": b"first"})


async def raises_when_asked(scope, receive, send):
    await receive()
    raise Failed


def test_an_accepted_handshake_is_sealed():
    sent, _ = run_asgi(accepts, websocket(), CONNECT)
    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.close"]
    assert proven(101, sent[0]["headers"]) == 101


@pytest.mark.parametrize(
    ("app", "credentials", "status", "body"),
    [
        (closes, b"plain alice", 403, b""),
        (denies, b"plain alice", 402, b"pay first"),
        (raises_when_asked, b"plain alice", 500, b""),
        (raises, b"plain alice", 500, b""),
        (accepts, b"plain wrong", 401, b""),
        (accepts, None, 401, b""),
    ],
)
def test_a_refused_handshake_is_sealed_where_the_server_can_send_the_refusal(app, credentials, status, body):
    sent, _ = run_asgi(app, websocket(credentials), CONNECT)
    assert [message["type"] for message in sent] == [f"{DENIAL}.start", f"{DENIAL}.body"]
    assert proven(sent[0]["status"], sent[0]["headers"], sent[1]["body"]) == status
    assert sent[1]["body"] == body


@pytest.mark.parametrize(
    ("app", "credentials"), [(closes, b"plain alice"), (accepts, b"plain wrong"), (raises, b"plain alice")]
)
def test_where_the_server_cannot_it_is_closed(app, credentials):
    sent, _ = run_asgi(app, websocket(credentials, denial=False), CONNECT)
    assert [message["type"] for message in sent] == ["websocket.close"]


# ---- WSGI ------------------------------------------------------------------------------------------------------------


def run_wsgi(app, path="/", credentials="plain alice", guarded=GUARD):
    """Status, header, body, and what `wsgi.errors` got."""
    started, errors = [], io.StringIO()

    def start_response(status, headers, exc_info=None):
        if exc_info and started:
            raise exc_info[1]
        started[:] = [int(status.split(" ")[0]), headers]

    environ = {
        "REQUEST_METHOD": "GET", "RAW_URI": path, "PATH_INFO": path, "HTTP_HOST": "api.example", "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(), "wsgi.errors": errors, "HTTP_AUTHORIZATION": credentials,
    }  # fmt: skip
    chunks = wsgi.protect(app, guarded)(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    return *started, body, errors.getvalue()


def wsgi_raises(environ, start_response):
    raise Failed


def wsgi_raises_halfway(environ, start_response):
    start_response("200 OK", [])
    yield b"half"
    raise Failed


def wsgi_never_starts(environ, start_response):
    return [b"what?"]


@pytest.mark.parametrize("app", [wsgi_raises, wsgi_raises_halfway, wsgi_never_starts])
def test_a_wsgi_application_that_fails_gives_a_sealed_500_and_a_traceback(app):
    status, headers, body, errors = run_wsgi(app)
    assert proven(status, headers, body) == 500
    assert "Traceback" in errors


def test_once_a_wsgi_answer_has_begun_a_failure_is_the_servers_to_show():
    with pytest.raises(Failed):
        run_wsgi(wsgi_raises_halfway, guarded=guard(SignatureSeal(SEALING, digest=None)))


def test_what_is_written_before_the_chunks_is_sealed_with_them():
    def writes(environ, start_response):
        start_response("200 OK", [("X-N\u00e4me", "caf\u00e9")])(b"written, ")
        return [b"then ", b"returned"]

    def careful(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/caf\u00e9")])(b"written, ")
        return [b"then ", b"returned"]

    status, headers, body, _ = run_wsgi(careful)
    lines = [(name, value.encode("latin-1")) for name, value in headers]
    assert proven(status, lines, body) == 200
    assert body == b"written, then returned"
    assert run_wsgi(writes)[0] == 200


def test_an_application_that_starts_again_after_an_error_is_sealed_as_it_ends():
    def mends(environ, start_response):
        start_response("200 OK", [("X-First", "1")])
        try:
            odd("/boom")
        except Failed:
            start_response("503 Busy", [("X-Second", "2")], sys.exc_info())
        return [b"busy"]

    status, headers, body, _ = run_wsgi(mends)
    assert proven(status, headers, body) == 503
    assert "X-First" not in dict(headers)


def test_the_short_cut_of_tokens_is_not_taken_past_the_seal():
    def plain(environ, start_response):
        start_response("200 OK", [])
        return [b"x"]

    tokens = Key.from_secret(bytes(32), algorithm="HS256")
    bearer = "Bearer " + jose.sign(b'{"sub": "a"}', tokens)
    sealing = Guard([JWTVerifier(tokens)], seal=SignatureSeal(SEALING))
    status, headers, body, _ = run_wsgi(plain, credentials=bearer, guarded=sealing)
    assert proven(status, headers, body) == 200

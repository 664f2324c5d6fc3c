"""The target exactly as sent, on every server that tells it; keep-alive and chunked bodies; lifespan."""

from __future__ import annotations

import json

import pytest

from tests.servers.conftest import Wire, read_all
from tests.servers.test_every_server import content, head, status

EXACT = ["//a/../b?x=%2F", "/%2e%2E/%2f//", "/a?b?c=%00", "/a;b=c?%41", "/%61", "/caf%C3%A9", "/*!'()~?&&=&"]


@pytest.fixture(params=["granian", "uvicorn", "http_server"])
def exact(request: pytest.FixtureRequest) -> Wire:
    """Servers that tell the target as it was sent."""
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("target", EXACT)
def test_the_target_is_seen_exactly_as_sent(exact, target):
    assert status(exact.ask(target, f"target {target}")) == 200


def test_an_empty_query_is_seen_by_http_server(http_server):
    assert status(http_server.ask("/a?", "target /a?")) == 200
    assert status(http_server.ask("/a?", "target /a")) == 400


def test_an_empty_query_is_not_told_by_asgi(asgi_server):
    assert status(asgi_server.ask("/a?", "target /a?")) == 400
    assert status(asgi_server.ask("/a?", "target /a")) == 200


@pytest.mark.parametrize("target", ["//a?x=%2F", "/%61"])
def test_a_target_that_wsgi_rebuilt_says_that_it_is_not_exact(wsgi_server, target):
    assert status(wsgi_server.ask(target, f"target {target}")) == 400


def test_a_plain_target_that_wsgi_rebuilt_is_right_but_not_exact(wsgi_server):
    assert status(wsgi_server.ask("/a/b?x=%2F", "target /a/b?x=%2F rebuilt")) == 200
    assert status(wsgi_server.ask("/a/b", "target /a/b")) == 400


# ---- connections -----------------------------------------------------------------------------------------------------


def on_one_connection(server: Wire, *requests: bytes) -> list[bytes]:
    """Sends each request after the answer to the one before."""
    answers = []
    with server.connect() as connection:
        for request in requests:
            connection.sendall(request)
            answers.append(read_answer(connection))
    return answers


def read_answer(connection) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = connection.recv(65536)
        if not chunk:
            return received
        received += chunk
    length = int(head(received).partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
    while len(received.partition(b"\r\n\r\n")[2]) < length:
        received += connection.recv(65536)
    return received


def request_(authorization: str, body: bytes = b"", *, path: str = "/") -> bytes:
    lines = f"POST {path} HTTP/1.1\r\nHost: h\r\nAuthorization: {authorization}\r\nContent-Length: {len(body)}\r\n\r\n"
    return lines.encode() + body


@pytest.fixture(params=["granian", "uvicorn", "granian_wsgi", "http_server"])
def lasting(request: pytest.FixtureRequest) -> Wire:
    """Servers that keep connections."""
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("bad", ["plain wrong", "whole wrong", "down x"])
def test_after_a_refusal_the_connection_serves_the_next_request(lasting, bad):
    first, second, third = on_one_connection(
        lasting, request_(bad, b"smuggled"), request_("whole alice", b"12345"), request_("plain wrong")
    )
    assert status(first) in (401, 503)
    assert (status(second), json.loads(content(second))["size"]) == (200, 5)
    assert status(third) == 401


def test_an_identity_never_stays_on_the_connection(lasting):
    answers = on_one_connection(
        lasting, request_("plain alice"), request_("plain bob"), b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    )
    assert [json.loads(content(answer))["subject"] for answer in answers[:2]] == ["alice", "bob"]
    assert status(answers[2]) == 401


def test_an_unread_body_is_never_taken_for_a_request(http_server):
    inner = b"GET /write HTTP/1.1\r\nHost: h\r\nAuthorization: writer alice\r\n\r\n"
    for body in (inner, inner + b"x" * 100_000):
        with http_server.connect() as connection:
            connection.sendall(request_("plain wrong", body) + b"GET / HTTP/1.0\r\n\r\n")
            answers = read_all(connection)
        assert b"written" not in answers
        assert answers.count(b"401 Unauthorized") == (2 if len(body) < 64 * 1024 else 1)


@pytest.mark.parametrize("scheme", ["whole", "stream"])
def test_a_chunked_body_is_read_whole_and_again(asgi_server, granian_wsgi, scheme):
    chunked = (
        f"POST / HTTP/1.1\r\nHost: h\r\nAuthorization: {scheme} alice\r\nConnection: close\r\n"
        "Transfer-Encoding: chunked\r\n\r\n3\r\nABC\r\n2\r\nDE\r\n0\r\n\r\n"
    ).encode()
    for server in (asgi_server, granian_wsgi):
        assert json.loads(content(server.send(chunked)))["size"] == 5


def test_a_chunked_body_over_the_limit_is_refused(asgi_server, granian_wsgi):
    chunked = (
        "POST / HTTP/1.1\r\nHost: h\r\nAuthorization: whole alice\r\nConnection: close\r\n"
        f"Transfer-Encoding: chunked\r\n\r\n3E9\r\n{'x' * 1001}\r\n0\r\n\r\n"
    ).encode()
    for server in (asgi_server, granian_wsgi):
        assert status(server.send(chunked)) == 413


def test_a_chunked_body_that_the_server_cannot_read_is_refused(http_server, wsgiref):
    chunked = (
        b"POST / HTTP/1.1\r\nHost: h\r\nAuthorization: whole alice\r\nConnection: close\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nABC\r\n0\r\n\r\n"
    )
    for server in (http_server, wsgiref):
        assert status(server.send(chunked)) == (411 if server is http_server else 400)


def test_lifespan_goes_through(asgi_server):
    assert content(asgi_server.ask("/state", "plain alice")) == b"true"

"""A refused request's body is read before the answer goes out: a server that closes with octets unread resets the connection."""

from __future__ import annotations

import asyncio
import io

import pytest

from tests.core.fakes import FakeStore, FakeVerifier
from watchword import Guard
from watchword.servers import asgi, wsgi

KIB = 1024
CASES = [
    # the fields, the body, whether it is read
    ({}, b"", True),
    ({"content-length": "5"}, b"hello", True),
    ({"content-length": str(900 * KIB)}, b"x" * 900 * KIB, True),
    ({"content-length": str(1025 * KIB)}, b"x" * 1025 * KIB, False),
    ({"content-length": "9" * 19}, b"x", False),
    ({"content-length": "+5"}, b"hello", False),
    ({"content-length": "5", "expect": "100-continue"}, b"hello", False),
]


@pytest.mark.parametrize(("fields", "body", "read"), CASES)
def test_asgi_reads_what_is_near(fields, body, read):
    app = asgi.protect(None, Guard([FakeVerifier("plain")], FakeStore()))
    messages = [
        {"type": "http.request", "body": body[at : at + 64 * KIB], "more_body": True}
        for at in range(0, len(body), 64 * KIB)
    ]
    messages.append({"type": "http.request"})
    sent = []
    answered_at = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        answered_at.append(len(messages))
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/", "raw_path": b"/", "query_string": b"", "client": ("192.0.2.1", 1),
        "headers": [(name.encode(), value.encode()) for name, value in fields.items()],
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    assert sent[0]["status"] == 401
    assert (answered_at[0] == 0) is read


def test_asgi_answers_nobody_once_the_client_has_left():
    app = asgi.protect(None, Guard([FakeVerifier("plain")], FakeStore()))
    messages = [{"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"}]
    sent = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/", "raw_path": b"/", "query_string": b"", "headers": [], "client": None,
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    assert sent == []


def test_asgi_does_not_read_without_end():
    """Chunked, and the client never stops."""
    app = asgi.protect(None, Guard([FakeVerifier("plain")], FakeStore()))
    received = []
    sent = []

    async def receive():
        received.append(64 * KIB)
        return {"type": "http.request", "body": b"x" * 64 * KIB, "more_body": True}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/", "raw_path": b"/", "query_string": b"", "headers": [], "client": None,
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    assert sent[0]["status"] == 401
    assert sum(received) == 1024 * KIB


class Broken(io.BytesIO):
    """A connection that the client has closed."""

    def read(self, size=-1):
        raise ConnectionResetError


@pytest.mark.parametrize(("fields", "body", "read"), CASES)
def test_wsgi_reads_what_is_near(fields, body, read):
    app = wsgi.protect(None, Guard([FakeVerifier("plain")], FakeStore()))
    source = io.BytesIO(body)
    statuses = []
    app(environ(fields, source), lambda status, headers: statuses.append((status, source.tell())))
    expected = "400 Bad Request" if fields.get("content-length") == "+5" else "401 Unauthorized"
    assert statuses == [(expected, len(body) if read else 0)]


def test_wsgi_answers_although_the_body_breaks_off():
    app = wsgi.protect(None, Guard([FakeVerifier("plain")], FakeStore()))
    for source in (Broken(), io.BytesIO(b"hel")):
        statuses = []
        app(environ({"content-length": "5"}, source), lambda status, headers: statuses.append(status))  # noqa: B023
        assert statuses == ["401 Unauthorized"]


def environ(fields, source):
    spellings = {"content-length": "CONTENT_LENGTH", "expect": "HTTP_EXPECT"}
    return {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/", "wsgi.input": source,
        **{spellings[name]: value for name, value in fields.items()},
    }  # fmt: skip

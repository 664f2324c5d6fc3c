"""A request that two recipients read in two ways, so that what one takes for a value or a body is a request to the other.

A proxy in front of the server decides by its reading who may ask for what. RFC 9112 §2.2, §5, §6 and §11.2.
"""

from __future__ import annotations

import io
import os
import re
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPMessage, parse_headers
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.core.fakes import FakeVerifier
from tests.patience import PATIENCE
from tests.servers.conftest import read_all
from watchword import Guard, Rejected
from watchword.core.scheme import WHOLE
from watchword.dropin.http_server import HTTPServer, WhoAmIHandler
from watchword.servers import http_server, wsgi
from watchword.servers.http_server.lines import fields_of

GENUINE = b"Authorization: fake alice"
HEADS = {
    "a bare CR begins a field": b"X-A: a\rAuthorization: fake alice\r\n",
    "a bare CR ends the credentials": GENUINE + b"\rX-A: a\r\n",
    "a bare CR before the end of a line": b"X-A: a\r\r\n" + GENUINE + b"\r\n",
    "a bare CR ends the header section": b"X-A: a\r\r" + GENUINE + b"\r\n",
    "a bare CR begins a length": GENUINE + b"\r\nX-A: a\rContent-Length: 7\r\n",
    "a NUL in a value": GENUINE + b"\r\nX-A: a\0b\r\n",
    "a NUL in the credentials": b"Authorization: fake ali\0ce\r\n",
    "a NUL in a name": GENUINE + b"\r\nX\0A: a\r\n",
    "a control in a name": GENUINE + b"\r\nX\x1fA: a\r\n",
    "a folded value": GENUINE + b"\r\nX-A: a\r\n b\r\n",
    "folded credentials": b"Authorization: fake\r\n\talice\r\n",
    "a folded first line": b" X-A: a\r\n" + GENUINE + b"\r\n",
    "a space before the colon": b"Authorization : fake alice\r\n",
    "a tab before the colon of a length": GENUINE + b"\r\nContent-Length\t: 7\r\n",
    "a line without a colon": b"X-A\r\n" + GENUINE + b"\r\n",
    "a line without a name": b": a\r\n" + GENUINE + b"\r\n",
    "an envelope": b"From me\r\n" + GENUINE + b"\r\n",
    "two lengths": GENUINE + b"\r\nContent-Length: 0\r\nContent-Length: 7\r\n",
    "two equal lengths": GENUINE + b"\r\nContent-Length: 7\r\nContent-Length: 7\r\n",
    "a list of lengths": GENUINE + b"\r\nContent-Length: 7, 7\r\n",
    "a length with a sign": GENUINE + b"\r\nContent-Length: +7\r\n",
    "a negative length": GENUINE + b"\r\nContent-Length: -7\r\n",
    "a length with an underscore": GENUINE + b"\r\nContent-Length: 0_7\r\n",
    "a length with a space": GENUINE + b"\r\nContent-Length: 0 7\r\n",
    "a hexadecimal length": GENUINE + b"\r\nContent-Length: 0x7\r\n",
    "a length in other digits": GENUINE + b"\r\nContent-Length: \xb2\r\n",
    "an endless length": GENUINE + b"\r\nContent-Length: " + b"0" * 30 + b"7\r\n",
    "an empty length": GENUINE + b"\r\nContent-Length:\r\n",
}
CODINGS = {
    "chunked": b"Transfer-Encoding: chunked\r\n",
    "chunked and a length": b"Content-Length: 7\r\nTransfer-Encoding: chunked\r\n",
    "a length and chunked": b"Transfer-Encoding: chunked\r\nContent-Length: 7\r\n",
    "an unknown coding": b"Transfer-Encoding: xchunked\r\n",
    "an empty coding": b"Transfer-Encoding:\r\n",
    "identity": b"Transfer-Encoding: identity\r\n",
}
START_LINES = {
    "a tab": b"GET\t/ HTTP/1.1\r\n",
    "two spaces": b"GET  / HTTP/1.1\r\n",
    "a leading space": b" GET / HTTP/1.1\r\n",
    "a trailing space": b"GET / HTTP/1.1 \r\n",
    "a vertical tab": b"GET /\x0b HTTP/1.1\r\n",
    "a NUL in the target": b"GET /\0 HTTP/1.1\r\n",
    "a bare CR": b"GET /\r HTTP/1.1\r\n",
    "two CR": b"GET / HTTP/1.1\r\r\n",
    "no version": b"GET /\r\n",
    "a long version": b"GET / HTTP/1.01\r\n",
    "a colon in the method": b"G:ET / HTTP/1.1\r\n",
}
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: h\r\nAuthorization: fake alice\r\n\r\n"


class Handler(BaseHTTPRequestHandler):
    """Answers everything, reads no body, and keeps its connections."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"in")

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


def guard(*verifiers: Any) -> Guard:
    return Guard(verifiers or [FakeVerifier()])


def serve(server: Any) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def protected() -> Iterator[int]:
    yield from serve(ThreadingHTTPServer(("127.0.0.1", 0), http_server.protect(Handler, guard())))


@pytest.fixture(scope="module")
def open_to_all() -> Iterator[int]:
    yield from serve(ThreadingHTTPServer(("127.0.0.1", 0), http_server.protect(Handler, guard(), optional=True)))


@pytest.fixture(scope="module")
def dropped_in() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), type("Quiet", (WhoAmIHandler,), {"log_message": lambda *_: None}))
    server.set_digest_auth("alice", "open sesame")
    yield from serve(server)


@pytest.fixture(params=["protected", "open_to_all", "dropped_in"])
def port(request: pytest.FixtureRequest) -> int:
    """A protected handler, one that lets anonymous requests through as well, and the drop-in server."""
    return int(request.getfixturevalue(request.param))


def statuses(port: int, octets: bytes, *, ends: bool = False) -> list[int]:
    """The status of every answer on one connection; the server must close it."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(octets)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        answers = read_all(connection)
    assert b"<not closed>" not in answers
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answers)]


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
def test_a_head_that_can_be_read_in_two_ways_is_a_bad_request_and_the_last_one(port, head):
    assert statuses(port, b"GET / HTTP/1.1\r\nHost: h\r\n" + head + b"\r\n" + SMUGGLED) == [400]


@pytest.mark.parametrize("line", START_LINES.values(), ids=START_LINES.keys())
def test_a_request_line_that_can_be_read_in_two_ways_is_no_request(port, line):
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(line + b"Host: h\r\n" + GENUINE + b"\r\n\r\n" + SMUGGLED)
        answers = read_all(connection)
    assert b"<not closed>" not in answers
    assert not re.search(rb"HTTP/1\.[01] 200|\r\n\r\nin", answers)


@pytest.mark.parametrize("coding", CODINGS.values(), ids=CODINGS.keys())
@pytest.mark.parametrize("credentials", [GENUINE + b"\r\n", b""], ids=["genuine", "anonymous"])
def test_a_transfer_coding_is_refused_and_its_body_is_no_request(port, coding, credentials):
    request = b"POST / HTTP/1.1\r\nHost: h\r\n" + credentials + coding + b"\r\n" + SMUGGLED
    assert statuses(port, request) == [411]


@pytest.mark.parametrize("cut", [b"", b"GET / HTTP/1.1", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\n" + GENUINE])
def test_a_head_that_is_cut_off_is_no_request(port, cut):
    assert 200 not in statuses(port, cut, ends=True)


def test_lines_may_end_in_lf_alone(protected):
    """RFC 9112 §2.2; every recipient that takes it at all takes it for the end of a line."""
    request = b"GET / HTTP/1.1\nHost: h\nConnection: close\n" + GENUINE + b"\n\n"
    assert statuses(protected, request) == [200]


# ---- what the handler leaves unread ----------------------------------------------------------------------------------


def request_with(body: bytes, *lines: bytes, path: bytes = b"/") -> bytes:
    fields = b"".join(line + b"\r\n" for line in (b"Host: h", b"Content-Length: %d" % len(body), *lines))
    return b"POST " + path + b" HTTP/1.1\r\n" + fields + b"\r\n" + body


LAST = b"GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + GENUINE + b"\r\n\r\n"


def test_a_body_that_the_handler_leaves_unread_is_not_the_next_request(protected):
    assert statuses(protected, request_with(SMUGGLED, GENUINE) + LAST) == [200, 200]


def test_a_long_body_that_the_handler_leaves_unread_ends_the_connection(protected):
    body = b"x" * 200_000 + SMUGGLED
    assert statuses(protected, request_with(body, GENUINE) + LAST) == [200]


def test_a_body_that_nobody_asked_for_is_not_the_next_request(protected):
    """The client need not have waited for 100 Continue. It is asked before the answer, so what comes next is the body."""
    assert statuses(protected, request_with(SMUGGLED, GENUINE, b"Expect: 100-continue") + LAST) == [100, 200, 200]


def test_a_handler_reads_its_body_and_no_more():
    read = []

    class Reading(Handler):
        def do_POST(self) -> None:
            read.append((self.rfile.readline(), self.rfile.read()))
            self.do_GET()

    server = ThreadingHTTPServer(("127.0.0.1", 0), http_server.protect(Reading, guard()))
    for port in serve(server):
        assert statuses(port, request_with(b"first\nsecond", GENUINE) + LAST) == [200, 200]
        assert statuses(port, request_with(b"x" * 300_000, GENUINE) + LAST) == [200, 200]
        short = request_with(b"twelve octets", GENUINE)[:-3]
        assert statuses(port, short, ends=True) == [200]
    assert read == [(b"first\n", b"second"), (b"x" * 300_000, b""), (b"twelve oct", b"")]


@pytest.mark.parametrize("buffering", [-1, 0])
def test_a_body_that_another_program_reads_ends_the_connection(buffering):
    """As http.server's CGI handler does it."""

    class Handing(Handler):
        rbufsize = buffering

        def do_POST(self) -> None:
            os.fstat(self.rfile.fileno())
            self.do_GET()

    server = ThreadingHTTPServer(("127.0.0.1", 0), http_server.protect(Handing, guard()))
    for port in serve(server):
        assert statuses(port, request_with(SMUGGLED, GENUINE) + LAST) == [200]


def test_a_handler_without_a_buffer_reads_its_body_and_no_more():
    read = []

    class Reading(Handler):
        rbufsize = 0

        def do_POST(self) -> None:
            read.append(self.rfile.read())
            self.do_GET()

    server = ThreadingHTTPServer(("127.0.0.1", 0), http_server.protect(Reading, guard()))
    for port in serve(server):
        assert statuses(port, request_with(b"x" * 300_000, GENUINE) + LAST) == [200, 200]
    assert read == [b"x" * 300_000]


def test_a_refusal_of_a_request_with_a_bad_length_reads_no_body_as_a_request():
    server = ThreadingHTTPServer(("127.0.0.1", 0), http_server.protect(Handler, guard(FakeVerifier(body=WHOLE))))
    for port in serve(server):
        request = b"POST / HTTP/1.1\r\nHost: h\r\n" + GENUINE + b"\r\nContent-Length: 1_0\r\n\r\n" + SMUGGLED
        assert statuses(port, request) == [400]


# ---- the strict reading is http.server's own, where it is not refused ------------------------------------------------


LINE_PARTS = st.sampled_from(
    [b"A", b"-", b"a", b":", b" ", b"\t", b"\r", b"\n", b"\r\n", b"\0", b"\x0b", b"\x0c", b"\x1c", b"\x85", b"From ", b"\xff"]
)  # fmt: skip


@given(st.lists(LINE_PARTS, max_size=30).map(b"".join))
@example(b"From : a\r\n")
@example(b"A:\x0bB: c\r\n")
@example(b"A:\x85B: c\r\n")
def test_what_the_guard_reads_is_what_the_handler_reads(section):
    lines = io.BytesIO(section + b"\r\n\r\n").readlines()
    ends = next(number for number, line in enumerate(lines) if line in (b"\r\n", b"\n"))
    try:
        fields = fields_of(lines[: ends + 1])
    except Rejected:
        return
    message = parse_headers(io.BytesIO(section + b"\r\n\r\n"), _class=HTTPMessage)
    read = [
        (name.lower().encode("latin-1"), value.strip(" \t").encode("latin-1")) for name, value in message.raw_items()
    ]
    assert read == list(fields)


# ---- WSGI ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "length", ["+7", "-7", "0_7", "0 7", "7, 7", "0x7", "\xb2", "\u0667".encode().decode("latin-1")]
)
def test_wsgi_refuses_a_length_that_int_reads_otherwise_than_http(length):
    seen: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/", "wsgi.input": io.BytesIO(SMUGGLED), "CONTENT_LENGTH": length,
        "HTTP_AUTHORIZATION": "fake alice",
    }  # fmt: skip

    def app(environ: Any, start_response: Any) -> list[bytes]:
        raise AssertionError("the application was asked")

    wsgi.protect(app, guard())(environ, lambda status, headers: seen.append(status))
    assert seen == ["400 Bad Request"]

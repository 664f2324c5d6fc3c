"""Bodies that are checked as they pass, from real servers: what was taken away on the way is missed, read or not."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from tests.servers.apps import LIMIT, SIGNING
from tests.servers.conftest import Wire, read_all, run
from tests.servers.test_every_server import content, status
from watchword import HMACAuth, Request
from watchword.transport.flow import ClientContext, Drive
from watchword.effects import Send

BODY = b"an order of seven"


@pytest.fixture(scope="module", params=["granian", "uvicorn", "granian-wsgi", "wsgiref", "http_server"])
def signed(request: pytest.FixtureRequest) -> Iterator[tuple[str, Wire]]:
    for wire in run(request.param, "signed"):
        yield request.param, wire


def head(path: str, body: bytes, *lines: str) -> bytes:
    """The head of a request, signed for this body."""
    request = Request("POST", "http", "api.example", path)
    send = Drive(HMACAuth(SIGNING), request, ClientContext(lambda: body, now=time.time)).advance()
    assert isinstance(send, Send)
    authorization = send.request.values(b"authorization")[0].decode()
    first = [f"POST {path} HTTP/1.1", "Host: api.example", "Connection: close", f"Authorization: {authorization}"]
    return "\r\n".join([*first, *lines, "", ""]).encode()


def chunks(octets: bytes) -> bytes:
    return b"".join(b"1\r\n%c\r\n" % octet for octet in octets) + b"0\r\n\r\n"


FRAMED = {
    "intact": (["Content-Length: 17"], BODY),
    "zero": (["Content-Length: 0"], b""),
    "none": ([], b""),
    "truncated": (["Content-Length: 16"], BODY[:-1]),
    "extended": (["Content-Length: 18"], BODY + b"x"),
    "changed": (["Content-Length: 17"], BODY[:-1] + b"x"),
    "chunked": (["Transfer-Encoding: chunked"], chunks(BODY)),
    "chunked, none": (["Transfer-Encoding: chunked"], chunks(b"")),
    "chunked, changed": (["Transfer-Encoding: chunked"], chunks(BODY[:-1] + b"x")),
    "both": (["Content-Length: 17", "Transfer-Encoding: chunked"], chunks(BODY)),
    "both, zero": (["Content-Length: 0", "Transfer-Encoding: chunked"], chunks(BODY)),
    "both, zero and none": (["Content-Length: 0", "Transfer-Encoding: chunked"], chunks(b"")),
}


@pytest.mark.parametrize("framing", FRAMED)
@pytest.mark.parametrize("path", ["/", "/ignore", "/swallow"])
def test_no_answer_but_a_refusal_goes_out_without_the_whole_body_that_was_signed(signed, path, framing):
    kind, wire = signed
    lines, octets = FRAMED[framing]
    answer = wire.send(head(path, BODY, *lines) + octets)
    refused = {400, 401, 411}
    expected = {
        "intact": {200},
        "chunked": refused if kind in ("wsgiref", "http_server") else {200},
        # Two lengths: a server may refuse them, or go by Transfer-Encoding and hide the other (RFC 9112 §6.1).
        "both": {*refused, 200},
        "both, zero": {*refused, 200},
    }
    assert status(answer) in expected.get(framing, refused)
    if status(answer) == 200 and path == "/":
        assert json.loads(content(answer))["size"] == len(BODY)


@pytest.mark.parametrize("path", ["/", "/ignore", "/swallow"])
def test_an_empty_body_is_proven_like_any_other(signed, path):
    for lines in (["Content-Length: 0"], []):
        assert status(signed[1].send(head(path, b"", *lines))) == 200


def test_an_upload_of_any_length_is_read_and_one_that_nobody_reads_is_not_believed(signed):
    large = b"x" * 400_000
    lines = [f"Content-Length: {len(large)}"]
    answer = signed[1].send(head("/", large, *lines) + large)
    assert json.loads(content(answer))["size"] == len(large) > LIMIT
    answer = signed[1].send(head("/ignore", large, *lines) + large)
    assert status(answer) == 413


@pytest.mark.parametrize("path", ["/", "/ignore"])
def test_a_client_that_waits_is_asked_for_its_body(signed, path):
    kind, wire = signed
    with wire.connect() as connection:
        connection.sendall(head(path, BODY, "Content-Length: 17", "Expect: 100-continue"))
        if kind != "wsgiref":  # which asks for nothing; clients send their body after a while all the same
            assert status(connection.recv(65536)) == 100
        connection.sendall(BODY)
        assert status(read_all(connection)) == 200

"""A body that turns out wrong while it is read: what the application gets after that, and what the client hears of it."""

from __future__ import annotations

import asyncio
import io
import tracemalloc
from typing import Any

import pytest

from tests.schemes.sigv4_world import NOW, ask, auth, guard
from tests.schemes.test_hmac_streams import guard_at, signed
from watchword import Reason, Rejected
from watchword.servers.checked_body import CheckedBody
from watchword.core.io import once
from watchword.core.scheme import BodyStream
from watchword.schemes.hmac_header import PassingBody, base64url
from watchword.crypto.digests import digest
from watchword.schemes.signatures.content import DigestStream, Expected
from watchword.schemes.sigv4 import Payload
from watchword.servers import asgi, wsgi

GENUINE, WRONG = b"genuine and long", b"genuine and gone"
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}


# ---- the streams themselves -----------------------------------------------------------------------------------------


def chunked() -> tuple[BodyStream, bytes]:
    request, body = auth(payload=Payload("chunked", "", 8)).chunked(ask("/key", "PUT"), GENUINE, now=NOW)
    stream = guard().admit(request, once(b"")).stream
    assert stream is not None
    return stream, body


@pytest.mark.parametrize("spoilt", [lambda body: body + b"more", lambda body: body.replace(b"long", b"gone")])
def test_chunks_that_failed_give_nothing_any_more(spoilt: Any) -> None:
    """Neither what was held back for a proof, nor the end."""
    stream, body = chunked()
    with pytest.raises(Rejected):
        stream.feed(spoilt(body))
    for again in (lambda: stream.feed(b"0\r\n\r\n"), stream.end, lambda: stream.feed(body), stream.end):
        with pytest.raises(Rejected):
            again()


@pytest.mark.parametrize(
    "stream",
    [
        lambda: PassingBody(base64url(digest("sha-256", GENUINE)).encode()),
        lambda: DigestStream((Expected("content-digest", "sha-256", digest("sha-256", GENUINE)),)),
    ],
)
def test_a_body_with_another_digest_never_ends(stream: Any) -> None:
    stream = stream()
    assert stream.feed(WRONG) == b""
    for again in (stream.end, lambda: stream.feed(b"x") and None, stream.end):
        try:
            again()
        except Rejected as rejected:
            assert rejected.reason is Reason.WRONG_BODY
    with pytest.raises(Rejected):
        stream.end()


def test_a_file_that_failed_fails_however_it_is_read() -> None:
    stream, body = chunked()
    pieces = [body.replace(b"long", b"gone"), b""]
    file = io.BufferedReader(CheckedBody(lambda: pieces.pop(0), stream), 4)
    got = b""
    for read in (
        lambda: file.read(1),
        file.read,
        file.readline,
        file.peek,
        lambda: file.read1(100),
        lambda: next(file),
    ) * 2:
        try:
            got += read()
        except Rejected:
            continue
    assert GENUINE.startswith(got)
    assert len(got) < len(GENUINE)


def test_one_large_chunk_is_read_in_small_pieces_without_a_copy_of_the_rest() -> None:
    """Else the time would grow with the square of its size."""

    class Whole:
        def feed(self, chunk: bytes, /) -> bytes:
            return chunk

        def end(self) -> bytes:
            return b""

    size, count = 8 << 20, 0
    pieces, buffer = [bytes(size), b""], bytearray(1024)
    file = CheckedBody(lambda: pieces.pop(0), Whole())
    tracemalloc.start()
    try:
        while got := file.readinto(buffer):
            count += got
        assert count == size
        assert tracemalloc.get_traced_memory()[1] < size // 8, "one copy of the rest would take nearly all of it"
    finally:
        tracemalloc.stop()


# ---- in servers -------------------------------------------------------------------------------------------------------


def by_asgi(app: Any, body: bytes, chunks: int = 4) -> tuple[list[Any], BaseException | None]:
    headers = [(b"host", b"api.example"), *signed(GENUINE).headers]
    scope = {
        "type": "http", "method": "POST", "scheme": "https", "path": "/upload", "raw_path": b"/upload",
        "query_string": b"", "headers": headers, "client": ("192.0.2.1", 1),
    }  # fmt: skip
    size = len(body) // chunks
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages += [{"type": "http.request", "body": b"", "more_body": False}]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    try:
        asyncio.run(asgi.protect(app, guard_at())(scope, receive, send))
    except Exception as error:
        return sent, error
    return sent, None


async def all_of(receive: Any) -> bytes:
    got, more = b"", True
    while more:
        message = await receive()
        got, more = got + message["body"], message["more_body"]
    return got


async def wraps(scope: Any, receive: Any, send: Any) -> None:
    """As task groups do, and frameworks that make one error of many."""
    try:
        await all_of(receive)
    except Rejected as rejected:
        raise ExceptionGroup("unhandled errors in a TaskGroup", [rejected]) from None


async def hides(scope: Any, receive: Any, send: Any) -> None:
    try:
        await all_of(receive)
    except Rejected:
        raise ValueError("could not parse the body") from None


@pytest.mark.parametrize("app", [wraps, hides])
def test_an_asgi_application_that_wraps_the_error_gives_the_refusal(app: Any) -> None:
    sent, raised = by_asgi(app, WRONG)
    assert raised is None
    assert sent[0]["status"] == 401


async def says_done(scope: Any, receive: Any, send: Any) -> None:
    """Begins its answer before the body is there, and takes any error for the end."""
    await send(START)
    try:
        await all_of(receive)
    except Rejected:
        pass
    await send({"type": "http.response.body", "body": b"stored"})


def test_an_answer_that_was_begun_waits_for_the_body_and_gives_way_to_its_refusal() -> None:
    sent, raised = by_asgi(says_done, GENUINE)
    assert (sent[-1]["body"], raised) == (b"stored", None)
    sent, raised = by_asgi(says_done, WRONG)
    assert (sent[0]["status"], raised) == (401, None)


def test_a_wsgi_application_that_wraps_the_error_gives_the_refusal() -> None:
    def app(environ: Any, start_response: Any) -> Any:
        try:
            environ["wsgi.input"].read()
        except Rejected:
            raise ValueError("could not parse the body") from None
        start_response("200 OK", [])
        return [b"stored"]

    headers = {
        f"HTTP_{name.decode().upper().replace('-', '_')}": value.decode() for name, value in signed(GENUINE).headers
    }
    environ = {
        "REQUEST_METHOD": "POST", "RAW_URI": "/upload", "wsgi.url_scheme": "https", "HTTP_HOST": "api.example",
        "wsgi.input": io.BytesIO(WRONG), "CONTENT_LENGTH": str(len(WRONG)), **headers,
    }  # fmt: skip
    started: list[str] = []
    answer = wsgi.protect(app, guard_at())(environ, lambda status, headers, exc=None: started.append(status))
    assert (b"".join(answer), started) == (b"", ["401 Unauthorized"])

"""HMACVerifier(stream=True): decided on the header, the body checked as it passes; and bodies of files on the client's side."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx2
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from tests.patience import PATIENCE
from watchword import (
    AsyncGuard,
    ConfigurationError,
    Guard,
    HMACAuth,
    HMACVerifier,
    Key,
    Limits,
    Policy,
    Reason,
    Rejected,
)
from watchword import Request, Response, explain
from watchword.clients import httpx2 as for_httpx2
from watchword.clients import requests as for_requests
from watchword.transport.flow import ClientContext, run
from watchword.core.scheme import STREAM
from watchword.effects import Received, Send
from watchword.schemes.hmac_header import PassingBody, base64url
from watchword.crypto.digests import digest
from watchword.servers.asgi import protect as protect_asgi
from watchword.servers.wsgi import protect
from watchword.stores import MemoryStore

NOW = 1_700_000_000.0
KEY = Key.from_secret(b"s" * 48, algorithm="HS384", key_id="robot-1")


def signed(body: bytes) -> Request:
    sent: list[Request] = []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    request = Request("POST", "https", "api.example", "/upload")
    run(HMACAuth(KEY), request, send, ClientContext(lambda: body, now=lambda: NOW))
    return sent[0]


def guard_at(now: float | None = NOW, **limits: int) -> Guard:
    store = MemoryStore(clock=lambda: now) if now else MemoryStore()
    store.add_key("robot", KEY)
    policy = Policy(limits=Limits(**limits), **({"clock": lambda: now} if now else {}))
    return Guard([HMACVerifier(stream=True)], store, policy=policy)


def reason_of(call: Callable[[], object]) -> Reason:
    with pytest.raises(Rejected) as caught:
        call()
    return caught.value.reason


def test_the_verdict_is_made_before_the_body_is_read() -> None:
    def receive() -> bytes:
        raise AssertionError("nobody has asked for the body yet")

    admitted = guard_at().admit(signed(b"x" * 100), receive)
    assert admitted.identity is not None and admitted.stream is not None
    assert admitted.body is None


def test_a_body_of_any_length_passes_the_guards_limit() -> None:
    body = b"x" * 100_000
    assert guard_at(body=10).verify(signed(body), body).subject == "robot"


@pytest.mark.parametrize("body", [b"pay 99", b"pay 1", b"pay 100", b"", b"pay 10\n"])
def test_another_body_is_refused_at_its_end_by_both_guards(body: bytes) -> None:
    assert reason_of(lambda: guard_at().verify(signed(b"pay 10"), body)) is Reason.WRONG_BODY
    guard = AsyncGuard.of(guard_at())
    assert reason_of(lambda: asyncio.run(guard.verify(signed(b"pay 10"), body))) is Reason.WRONG_BODY


def test_without_a_genuine_header_nothing_of_the_body_is_read() -> None:
    request = signed(b"x")
    forged = Request("POST", "https", "api.example", "/other", request.headers)

    def receive() -> bytes:
        raise AssertionError("the header is forged")

    assert reason_of(lambda: guard_at().admit(forged, receive)) is Reason.WRONG_SIGNATURE


def test_it_is_replayed_once_read_or_not() -> None:
    guard = guard_at()
    request = signed(b"x")
    guard.admit(request, bytes)
    assert reason_of(lambda: guard.verify(request, b"x")) is Reason.REPLAYED


@given(st.lists(st.binary(max_size=9), max_size=9), st.binary(max_size=9))
def test_in_any_cut_the_body_comes_whole_and_a_wrong_one_never_does(chunks: list[bytes], more: bytes) -> None:
    whole = b"".join(chunks)
    expected = base64url(digest("sha-256", whole)).encode()
    stream = PassingBody(expected)
    passed = b"".join(map(stream.feed, chunks))
    assert passed == whole[: len(passed)]
    assert passed + stream.end() == whole
    if more:
        stream = PassingBody(expected)
        passed = b"".join(map(stream.feed, [*chunks, more]))
        assert len(passed) < len(whole + more)
        assert reason_of(stream.end) is Reason.WRONG_BODY


def test_explain_judges_the_body_as_well() -> None:
    request = signed(b'{"a": 1}')
    assert explain(request, guard_at(), b'{"a": 1}').accepted
    explanation = explain(request, guard_at(), b'{"a":1}')
    assert (explanation.accepted, explanation.reason) == (False, Reason.WRONG_BODY)
    assert explanation.causes[0].component == "body"


def test_by_default_the_body_is_proven_before_the_application_sees_it() -> None:
    assert HMACVerifier().read(signed(b"x")).body is not STREAM
    assert HMACVerifier(stream=True).read(signed(b"x")).body is STREAM


# ---- in servers ------------------------------------------------------------------------------------------------------


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(app: Any) -> Iterator[str]:
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps({"size": len(body), "sum": sum(body)}).encode()]

    with serving(protect(app, guard_at(None, body=1000))) as address:
        yield address


BODY = bytes(range(256)) * 2000


def test_a_wsgi_application_reads_a_body_that_is_longer_than_the_limit(url: str) -> None:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(url + "/upload", data=BODY, auth=for_requests.adapt(HMACAuth(KEY)), timeout=PATIENCE)
    assert (answer.status_code, answer.json()) == (200, {"size": len(BODY), "sum": sum(BODY)})


def test_a_wsgi_application_gets_an_error_in_place_of_a_wrong_end(url: str) -> None:
    class Wrong:
        def __init__(self) -> None:
            self.auth = HMACAuth(KEY)

        def flow(self, request: Request, context: ClientContext) -> Any:
            return self.auth.flow(
                request, ClientContext(lambda: b"another body", now=context.now, random=context.random)
            )

    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(url + "/upload", data=BODY, auth=for_requests.adapt(Wrong()), timeout=PATIENCE)
    assert answer.status_code == 401


def test_an_asgi_application_gets_an_error_in_place_of_a_wrong_end() -> None:
    read: list[bytes] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more:
            message = await receive()
            read.append(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    async def deliver(body: bytes, chunks: list[bytes]) -> int:
        headers = [(b"host", b"api.example"), *signed(body).headers]
        scope = {
            "type": "http", "method": "POST", "scheme": "https", "path": "/upload", "raw_path": b"/upload", "query_string": b"",
            "headers": headers, "client": ("192.0.2.1", 1),
        }  # fmt: skip
        sent: list[dict[str, Any]] = []
        left = list(chunks)

        async def receive() -> dict[str, Any]:
            chunk = left.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(left)}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await protect_asgi(app, guard_at())(scope, receive, send)
        return int(sent[0]["status"])

    assert asyncio.run(deliver(b"abcdef", [b"ab", b"cd", b"ef"])) == 200
    assert b"".join(read) == b"abcdef"
    read.clear()
    assert asyncio.run(deliver(b"abcdef", [b"ab", b"cd", b"eX"])) == 401
    assert b"".join(read) in (b"ab", b"abcd")


# ---- bodies of files and iterators on the client's side --------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Iterator[io.BufferedReader]:
    path = tmp_path / "upload"
    path.write_bytes(b"skipped" + BODY)
    with path.open("rb") as opened:
        opened.seek(7)  # what was read before is not part of the body
        yield opened


def test_a_file_is_signed_from_where_it_is_and_sent_by_requests(url: str, file: io.BufferedReader) -> None:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(url + "/upload", data=file, auth=for_requests.adapt(HMACAuth(KEY)), timeout=PATIENCE)
    assert (answer.status_code, answer.json()["size"]) == (200, len(BODY))


def test_a_file_is_signed_from_where_it_is_and_sent_by_httpx2(url: str, file: io.BufferedReader) -> None:
    with httpx2.Client(auth=for_httpx2.adapt(HMACAuth(KEY)), trust_env=False, timeout=PATIENCE) as client:
        answer = client.post(url + "/upload", content=BODY)
        assert (answer.status_code, answer.json()["size"]) == (200, len(BODY))
        streamed = client.post(url + "/upload", content=file, headers={"Content-Length": str(len(BODY))})
    assert (streamed.status_code, streamed.json()["size"]) == (200, len(BODY))


def parts() -> Iterator[bytes]:
    yield BODY[:7]
    yield BODY[7:]


def test_httpx2_reads_an_iterator_for_the_signature_and_sends_what_it_read(url: str) -> None:
    with httpx2.Client(auth=for_httpx2.adapt(HMACAuth(KEY)), trust_env=False, timeout=PATIENCE) as client:
        length = {"Content-Length": str(len(BODY))}
        answer = client.post(url + "/upload", content=parts(), headers=length)
    assert (answer.status_code, answer.json()["sum"]) == (200, sum(BODY))


def test_requests_can_not_and_says_so_before_anything_is_sent() -> None:
    with requests.Session() as session, pytest.raises(ConfigurationError, match="body"):
        session.post("http://127.0.0.1:9/", data=parts(), auth=for_requests.adapt(HMACAuth(KEY)), timeout=PATIENCE)


def test_an_asynchronous_iterator_can_not_be_signed_and_says_so() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield BODY

    async def main() -> None:
        async with httpx2.AsyncClient(auth=for_httpx2.adapt(HMACAuth(KEY)), trust_env=False) as client:
            await client.post("http://127.0.0.1:9/", content=chunks())

    with pytest.raises(ConfigurationError, match="body"):
        asyncio.run(main())

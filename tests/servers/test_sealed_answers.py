"""A guard with a seal, on every server, over real sockets: no answer goes out without one."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.servers.apps import LIMIT, SEALING
from tests.servers.conftest import Wire, run
from tests.servers.test_every_server import content, status
from watchword import Reason, Rejected, Request, Response
from watchword.schemes.signatures.responses import ResponsePolicy, ResponseVerifier

KINDS = ["granian", "uvicorn", "granian-wsgi", "wsgiref", "http_server"]
NONCE = "n" * 24
ASKING = f'Accept-Signature: seal=("@status" "content-digest");created;nonce="{NONCE}"'
VERIFIER = ResponseVerifier(SEALING, ResponsePolicy())
HEADERS_ONLY = ResponseVerifier(SEALING, ResponsePolicy(content=False))


@pytest.fixture(scope="module", params=KINDS)
def sealed(request: pytest.FixtureRequest) -> Iterator[Wire]:
    yield from run(request.param, "sealed")


@pytest.fixture(scope="module", params=["granian-wsgi", "uvicorn", "http_server"])
def streamed(request: pytest.FixtureRequest) -> Iterator[Wire]:
    yield from run(request.param, "streamed")


def response_of(answer: bytes) -> Response:
    lines = answer.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    return Response(status(answer), [tuple(map(bytes.strip, line.split(b":", 1))) for line in lines])


def proven(answer: bytes, path: str, method: str = "GET", verifier: ResponseVerifier = VERIFIER) -> int:
    """The status of an answer that is sealed for this very request."""
    response = response_of(answer)
    request = Request(method, "http", "api.example", path)
    verifier.verify(request, response, content(answer), now=time.time(), nonce=NONCE)
    assert len(response.values(b"signature")) == len(response.values(b"signature-input")) == 1
    return response.status


@pytest.mark.parametrize(
    ("path", "credentials", "body", "expected"),
    [
        ("/?a=b", "plain alice", b"", 200),
        ("/", None, b"", 200),
        ("/write", "writer alice", b"", 200),
        ("/write", "plain alice", b"", 403),
        ("/write", None, b"", 401),
        ("/", "plain wrong", b"", 401),
        ("/", "plain malformed", b"", 401),
        ("/", "unknown x", b"", 401),
        ("/", "down alice", b"", 503),
        ("/", "whole alice", b"x" * (LIMIT + 1), 413),
        ("/", "stream alice", b"lower case", 401),
        ("/swallow", "stream alice", b"lower case", 401),
        ("/", "stream alice", b"UPPER", 200),
        ("/", "info alice", b"", 200),
        ("/", "seal alice", b"", 200),
        ("/", "sealbody alice", b"", 200),
        ("/204", "plain alice", b"", 204),
        ("/304", "plain alice", b"", 304),
        ("/redirect", "plain alice", b"", 302),
    ],
)
def test_every_answer_is_sealed(sealed, path, credentials, body, expected):
    answer = sealed.ask(path, credentials, body, ASKING)
    assert proven(answer, path, "POST" if body else "GET") == expected


@pytest.mark.parametrize("credentials", ["plain alice", "sealbody alice"])
def test_above_the_limit_the_answer_is_500_and_sealed(sealed, credentials):
    answer = sealed.ask("/large", credentials, b"", ASKING)
    assert (proven(answer, "/large"), content(answer)) == (500, b"")


def test_answers_to_head_are_sealed_without_a_digest_of_what_is_not_sent(sealed):
    for path, credentials, expected in (("/", "plain alice", 200), ("/", "plain wrong", 401), ("/large", None, 200)):
        answer = sealed.ask(path, credentials, b"", ASKING, method="HEAD")
        assert proven(answer, path, "HEAD") == expected
        assert b"content-digest:" not in answer.lower()


def test_a_seal_goes_over_what_the_scheme_adds_and_over_its_own_seal(sealed):
    answer = sealed.ask("/", "sealbody alice", b"", ASKING)
    length = len(content(answer))
    assert response_of(answer).values(b"x-seal") == [f"200 {length}".encode()]
    assert response_of(sealed.ask("/", "seal alice", b"", ASKING)).values(b"x-seal") == [b"200 None"]
    assert response_of(sealed.ask("/", "info alice", b"", ASKING)).values(b"authentication-info") == [b"x"]


def test_an_answer_is_bound_to_its_own_request(sealed):
    answer = sealed.ask("/?account=1", "plain alice", b"", ASKING)
    with pytest.raises(Rejected) as refused:
        proven(answer, "/?account=2")
    assert refused.value.reason is Reason.WRONG_SIGNATURE


def test_a_failure_of_the_application_is_a_sealed_500_or_no_answer():
    for kind in KINDS:
        for wire in run(kind, "sealed"):
            for path in ("/boom", "/half", "/silent"):
                answer = wire.ask(path, "plain alice", b"", ASKING)
                if kind == "http_server":
                    assert answer == b"" or path != "/boom"
                elif path != "/silent" or kind in ("granian", "uvicorn"):
                    assert (proven(answer, path), content(answer)) == (500, b"")


def test_two_requests_of_one_connection_are_sealed_each(sealed):
    first = f"GET /one HTTP/1.1\r\nHost: api.example\r\nAuthorization: plain alice\r\n{ASKING}\r\n\r\n"
    second = f"GET /two HTTP/1.1\r\nHost: api.example\r\n{ASKING}\r\nConnection: close\r\n\r\n"
    both = sealed.send(first.encode() + second.encode()).lower()
    assert both.count(b"\r\nsignature-input: seal=(") == both.count(b"http/1.")  # wsgiref answers one


def test_what_http_server_says_of_broken_fields_and_unknown_methods_is_sealed():
    for wire in run("http_server", "sealed"):
        answer = wire.send(b"GET /x HTTP/1.1\r\nHost: api.example\r\nFolded: a\r\n b\r\nConnection: close\r\n\r\n")
        assert status(answer) == 400
        assert b"\r\nSignature-Input: seal=(" in answer or b"\r\nsignature-input: seal=(" in answer
        assert proven(wire.ask("/error", "plain alice", b"", ASKING), "/error") == 418
        assert proven(wire.ask("/x", "plain alice", b"", ASKING, method="BREW"), "/x", "BREW") == 501


def test_without_a_digest_the_content_streams_and_the_head_is_sealed(streamed):
    for path, credentials, expected in (
        ("/large", "plain alice", 200),
        ("/write", "plain alice", 403),
        ("/", "plain wrong", 401),
    ):
        answer = streamed.ask(path, credentials, b"", ASKING)
        assert proven(answer, path, verifier=HEADERS_ONLY) == expected
        assert b"content-digest:" not in answer.lower()
    assert len(content(streamed.ask("/large", "plain alice", b"", ASKING))) == LIMIT + 1

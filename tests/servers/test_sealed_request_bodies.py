"""A seal covers the Content-Digest of a request only if the body was compared with it, on every server and in every framing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.servers.apps import LIMIT
from tests.servers.conftest import Wire, run
from tests.servers.test_every_server import content, status
from tests.servers.test_sealed_answers import ASKING, KINDS, proven, response_of
from watchword.crypto.digests import digest
from watchword.fields.content_digest import digest_field

SHORT, LONG = b"PAY BOB", b"X" * (LIMIT + 1)
COVERED = b'"content-digest";req'


@pytest.fixture(scope="module", params=[kind for kind in KINDS if kind != "wsgiref"])
def sealed(request: pytest.FixtureRequest) -> Iterator[Wire]:
    yield from run(request.param, "sealed")


def field_of(body: bytes) -> str:
    return digest_field({"sha-256": digest("sha-256", body)}).decode()


def ask(
    wire: Wire,
    body: bytes,
    digest_value: str,
    *,
    chunked: bool = False,
    path: str = "/",
    who: str | None = "plain alice",
) -> bytes:
    lines = [f"Content-Digest: {digest_value}", ASKING]
    if not chunked:
        return wire.ask(path, who, body, *lines, method="POST")
    lines.append("Transfer-Encoding: chunked")
    if who is not None:
        lines.append(f"Authorization: {who}")
    head = "\r\n".join([f"POST {path} HTTP/1.1", "Host: api.example", "Connection: close", *lines, "", ""]).encode()
    return wire.send(head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))


def covers(answer: bytes) -> bool:
    (value,) = response_of(answer).values(b"signature-input")
    return COVERED in value


@pytest.mark.parametrize("who", ["plain alice", "stream alice", "whole alice", "replayed alice", None])
@pytest.mark.parametrize("body", [SHORT, LONG], ids=["short", "long"])
def test_a_body_that_fits_its_digest_is_let_through_and_covered(sealed, who, body):
    if len(body) > LIMIT and who in ("whole alice", "replayed alice"):
        assert status(ask(sealed, body, field_of(body), who=who)) == 413
        return
    answer = ask(sealed, body, field_of(body), who=who)
    assert status(answer) == 200
    assert json.loads(content(answer))["size"] == len(body)
    assert covers(answer)


@pytest.mark.parametrize("who", ["plain alice", "stream alice", "whole alice", None])
@pytest.mark.parametrize("body", [SHORT, LONG], ids=["short", "long"])
def test_a_body_that_does_not_fit_its_digest_is_refused_under_seal(sealed, who, body):
    answer = ask(sealed, body, field_of(b"PAY EVE"), who=who)
    assert status(answer) == (413 if len(body) > LIMIT and who == "whole alice" else 401)
    assert b"size" not in content(answer)


@pytest.mark.parametrize(
    "value", ["", "x", "sha-256=:AAAA:", "sha-256=1", "md5=:1B2M2Y8AsgTpgAmY7PhCfg==:", "unixsum=:AAAA:"]
)
def test_a_digest_with_which_nothing_can_be_compared_is_refused(sealed, value):
    answer = ask(sealed, SHORT, value)
    if value:  # some servers leave out a field without a value
        assert status(answer) == 401
    assert not covers(answer) or status(answer) == 401


@pytest.mark.parametrize("path", ["/", "/write", "/204", "/large", "/boom"])
@pytest.mark.parametrize("chunked", [False, True])
def test_no_answer_but_a_refusal_speaks_of_a_body_that_nobody_compared(sealed, path, chunked):
    """Whether the application reads the body or not, and however it comes."""
    answer = ask(sealed, SHORT, field_of(b"PAY EVE"), chunked=chunked, path=path)
    if answer and status(answer) < 400:
        assert not covers(answer)


def test_the_application_never_sees_a_short_body_that_does_not_fit(sealed):
    """It is compared before; even an application that takes no refusal for an answer has nothing to act on."""
    answer = ask(sealed, SHORT, field_of(b"PAY EVE"), path="/swallow")
    assert (status(answer), content(answer)) == (401, b"")


def test_the_refusal_is_one_for_this_request():
    for wire in run("http_server", "sealed"):
        value = field_of(b"PAY EVE")
        answer = ask(wire, SHORT, value)
        assert re.search(rb'"content-digest";req', answer)
        with pytest.raises(Exception, match="missing_component"):
            proven(answer, "/", "POST")  # of a request without the digest it is none

"""What holds on every server, over real sockets."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.servers.apps import LIMIT


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def head(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[0].lower()


def content(answer: bytes) -> bytes:
    """The body, out of its chunks where it came in any."""
    body = answer.partition(b"\r\n\r\n")[2]
    if b"transfer-encoding: chunked" not in head(answer):
        return body
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        whole, body = whole + body[: int(size, 16)], body[int(size, 16) + 2 :]
    return whole


def test_genuine_credentials_reach_the_application_with_their_identity(server):
    answer = server.ask("/", "plain alice")
    assert status(answer) == 200
    assert json.loads(content(answer)) == {"subject": "alice", "size": 0, "path": "/"}


def test_no_credentials_get_a_challenge_per_scheme_each_in_a_line_of_its_own(server):
    answer = server.ask("/")
    assert status(answer) == 401
    assert head(answer).count(b"\r\nwww-authenticate: ") == 10
    assert b'www-authenticate: plain realm="protected"' in head(answer)
    assert b"cache-control: no-store" in head(answer)
    assert b"content-length: 0" in head(answer)
    assert content(answer) == b""


def test_a_refusal_of_head_has_no_body_and_a_granted_one_neither(server):
    assert (status(server.ask("/", method="HEAD")), content(server.ask("/", method="HEAD"))) == (401, b"")
    granted = server.ask("/", "plain alice", method="HEAD")
    assert (status(granted), content(granted)) == (200, b"")


@pytest.mark.parametrize("credentials", ["plain wrong", "plain malformed", "plain unclaimed", "other x"])
def test_bad_credentials_are_refused(server, credentials):
    assert status(server.ask("/", credentials)) == 401


def test_while_the_store_is_down_the_answer_is_503(server):
    answer = server.ask("/", "down alice")
    assert (status(answer), content(answer)) == (503, b"")


def test_a_body_that_the_guard_read_is_read_again_by_the_application(server):
    answer = server.ask("/", "whole alice", b"x" * 999)
    assert json.loads(content(answer))["size"] == 999


def test_a_body_that_the_guard_needs_not_may_be_of_any_size(server):
    assert json.loads(content(server.ask("/", "plain alice", b"x" * 300_000)))["size"] == 300_000


@pytest.mark.parametrize(("size", "expected"), [(LIMIT, 200), (LIMIT + 1, 413)])
def test_a_body_over_the_limit_is_refused_and_one_at_it_is_not(server, size, expected):
    assert status(server.ask("/", "whole alice", b"x" * size)) == expected


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(server):
    assert status(server.ask("/", "whole alice", b"", "Content-Length: 5000000", method="POST")) == 413


def test_a_body_checked_as_it_passes_reaches_the_application(server):
    assert json.loads(content(server.ask("/", "stream alice", b"LOUD" * 50_000)))["size"] == 200_000
    assert json.loads(content(server.ask("/", "replayed alice", b"LOUD")))["size"] == 4


@pytest.mark.parametrize("scheme", ["stream", "replayed"])
@pytest.mark.parametrize("path", ["/", "/swallow"])
def test_a_body_that_fails_its_check_is_refused_even_if_the_application_swallows_the_error(server, scheme, path):
    answer = server.ask(path, f"{scheme} alice", b"quiet")
    assert status(answer) == 401
    assert b'error="wrong_body"' in head(answer)
    assert b"swallowed" not in answer


def test_the_decisions_fields_are_added_to_the_answer(server):
    answer = server.ask("/", "info alice")
    assert status(answer) == 200
    assert b"authentication-info: x" in head(answer)


def test_a_seal_covers_status_and_where_it_needs_it_the_body(server):
    assert b"x-seal: 200 none" in head(server.ask("/", "seal alice"))
    sealed = server.ask("/", "sealbody alice")
    assert f"x-seal: 200 {len(content(sealed))}".encode() in head(sealed)
    assert json.loads(content(sealed))["subject"] == "alice"


def test_an_answer_too_large_to_be_sealed_is_500(server):
    answer = server.ask("/large", "sealbody alice")
    assert (status(answer), content(answer)) == (500, b"")
    assert status(server.ask("/large", "seal alice")) == 200


def test_requires_lets_scopes_through_and_refuses_who_lacks_them(server):
    assert content(server.ask("/write", "writer alice")) == b"written"
    refused = server.ask("/write", "plain alice")
    assert status(refused) == 403
    assert head(refused).count(b"www-authenticate: ") == 1
    assert b'plain realm="protected", error="insufficient_scope"' in head(refused)


def test_an_optional_guard_admits_anonymous_requests_and_no_bad_ones(optional):
    assert json.loads(content(optional.ask("/")))["subject"] is None
    assert json.loads(content(optional.ask("/", "plain alice")))["subject"] == "alice"
    assert [status(optional.ask("/", bad)) for bad in ("plain wrong", "other x", "")] == [401, 401, 401]


def test_what_requires_scopes_demands_credentials_of_anonymous_requests(optional):
    answer = optional.ask("/write")
    assert status(answer) == 401
    assert head(answer).count(b"www-authenticate: ") == 10


def test_concurrent_requests_keep_their_own_identities(server):
    def ask(number: int) -> str:
        return json.loads(content(server.ask("/", f"plain user{number}", b"b" * number)))["subject"]

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, range(64))) == [f"user{number}" for number in range(64)]

"""Requests, responses and challenges as they travel."""

from __future__ import annotations

import pytest

from watchword.core.answer import Challenge, Token
from watchword.core.message import Peer, Request, Response


def request(target="/a?b=c", headers=()):
    return Request("GET", "https", "api.example", target, headers)


def test_field_lines_keep_order_duplicates_and_raw_octets_under_lower_case_names():
    made = request(headers=[("B", "1"), (b"A", b"\xff"), ("b", "2")])
    assert made.headers == ((b"b", b"1"), (b"a", b"\xff"), (b"b", b"2"))
    assert made.values(b"b") == [b"1", b"2"]


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/a", b"/a", None), ("/a?", b"/a", b""), ("/a?b?c", b"/a", b"b?c"), ("//a/../b%2f?x=%2F", b"//a/../b%2f", b"x=%2F"),
        ("/é", "/é".encode(), None), (b"/\xff", b"/\xff", None),
    ],
)  # fmt: skip
def test_the_target_is_kept_exactly_and_split_at_the_first_question_mark(target, path, query):
    assert (request(target).path, request(target).query) == (path, query)


def test_with_headers_replaces_the_named_fields_and_keeps_the_rest():
    made = request(headers=[("A", "1"), ("B", "2"), ("A", "3")]).with_headers([(b"a", b"new")])
    assert made.headers == ((b"b", b"2"), (b"a", b"new"))
    assert made.target == b"/a?b=c"


def test_a_repr_shows_neither_the_query_nor_any_value():
    text = repr(request("/a?token=s3cret", [("Authorization", "s3cret")]))
    assert "s3cret" not in text
    assert "authorization" in text
    assert "s3cret" not in repr(Response(200, [("Set-Cookie", "s3cret")]))


def test_a_request_made_by_an_adapter_is_the_same_as_one_made_by_hand():
    raw = Request.raw("GET", "http", "h", b"/", [(b"a", b"b")], Peer("::1"), False)
    assert (raw.values(b"a"), raw.peer.address, raw.exact) == ([b"b"], "::1", False)


@pytest.mark.parametrize(
    ("challenge", "encoded"),
    [
        (Challenge("Basic", (("realm", "a"),)), b'Basic realm="a"'),
        (Challenge("Basic", (("realm", 'say "hi" \\ bye'),)), b'Basic realm="say \\"hi\\" \\\\ bye"'),
        (Challenge("Basic", (("realm", "å"),)), 'Basic realm="å"'.encode()),
        (Challenge("Digest", (("realm", "a"), ("stale", Token("true")))), b'Digest realm="a", stale=true'),
        (Challenge("Negotiate", token68="abc="), b"Negotiate abc="),
        (Challenge("Any"), b"Any"),
    ],
)
def test_a_challenge_is_encoded_as_rfc_9110_says(challenge, encoded):
    assert challenge.encode() == encoded

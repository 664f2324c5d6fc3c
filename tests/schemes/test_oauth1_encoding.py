"""Percent-encoding, parameters, base string: RFC 5849's own examples, and for any input what urllib makes of it."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qsl, quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import Reason, Rejected, Request
from watchword.schemes.oauth1.encoding import (
    MAX_PARAMETERS, base_string, base_uri, escape, form_pairs, header_pairs, header_value, is_form, normalized, octets_text,
    plain_header, unescape, unescaped_text,
)  # fmt: skip

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "oauth1" / "rfc5849.json").read_text())
PIECES = st.sampled_from(["abc", "&", "=", "%", "+", "%41", "%zz", "%2", ";", "/", "?", "a=b", "é", "\x00", " "])


@pytest.mark.parametrize("case", VECTORS["base_string_uris"], ids=lambda case: case["uri"])
def test_base_string_uris_of_the_rfc(case: dict[str, str]) -> None:
    assert base_uri(Request("GET", case["scheme"], case["authority"], case["target"])) == case["uri"]


def test_parameters_of_the_rfc() -> None:
    case = VECTORS["requests"][3]
    pairs = header_pairs(case["authorization"].encode()) + form_pairs(case["url"].partition("?")[2].encode(), "query")
    pairs = [pair for pair in pairs + form_pairs(case["body"].encode(), "body") if pair[0] != "oauth_signature"]
    assert normalized(pairs) == VECTORS["normalized"]
    assert base_string("post", "http://example.com/request", pairs).decode() == VECTORS["base_string"]


@given(st.text())
def test_escape_is_quote_with_tilde_left(text: str) -> None:
    try:
        octets = octets_text(text)
    except UnicodeEncodeError:
        return
    assert escape(octets) == quote(text, safe="~")
    assert unescape(escape(octets)) == octets
    assert unescaped_text(escape(octets)) == text


@given(st.lists(PIECES, max_size=12).map("".join))
def test_parameters_are_those_of_urllib(text: str) -> None:
    octets = text.encode()
    decoded = parse_qsl(octets.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
    expected = [tuple(quote(part.encode("latin-1"), safe="~") for part in pair) for pair in decoded]
    assert form_pairs(octets, "query") == expected


@given(st.binary(max_size=60))
def test_any_octets_have_parameters(octets: bytes) -> None:
    for name, value in form_pairs(octets, "body"):
        assert escape(unescape(name)) == name
        assert escape(unescape(value)) == value


@given(st.binary(max_size=60))
def test_any_field_is_read_or_refused(octets: bytes) -> None:
    try:
        pairs = header_pairs(b"OAuth " + octets)
    except Rejected as rejected:
        assert rejected.reason is Reason.MALFORMED_CREDENTIALS
        return
    if all(name.lower() != "realm" for name, _ in pairs):  # written in escapes it was none
        assert header_pairs(header_value(None, pairs)) == pairs


@given(st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=5))
def test_what_is_written_is_read(given_pairs: list[tuple[str, str]]) -> None:
    try:
        pairs = [(f"oauth_{escape(octets_text(name))}", escape(octets_text(value))) for name, value in given_pairs]
    except UnicodeEncodeError:
        return
    assert header_pairs(header_value('a "b\\', pairs)) == pairs


def test_no_two_lists_of_parameters_share_a_base_string_unless_the_rfc_says_so() -> None:
    lists = [
        [("a", "b")], [("a", "b=c")], [("a", "b"), ("c", "")], [("a=b", "c")], [("a", "b&c=")], [("a", "")], [("", "a")],
        [("ab", "")], [("a", "b"), ("a", "b")], [("a%26b", "")], [("a", "%62")],
    ]  # fmt: skip
    strings = {base_string("GET", "http://a/", [(escape(n), escape(v)) for n, v in pairs]) for pairs in lists}
    assert len(strings) == len(lists)


@pytest.mark.parametrize("count", [MAX_PARAMETERS, MAX_PARAMETERS + 1, 1_000_000])
def test_parameters_are_counted_before_they_are_split(count: int) -> None:
    octets = b"a&" * (count - 1) + b"a"
    if count <= MAX_PARAMETERS:
        assert len(form_pairs(octets, "body")) == count
    else:
        with pytest.raises(Rejected) as caught:
            form_pairs(octets, "body")
        assert caught.value.reason is Reason.MALFORMED_REQUEST


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("application/x-www-form-urlencoded", True),
        ("APPLICATION/x-www-form-URLENCODED ;charset=UTF-8", True),
        ("application/x-www-form-urlencoded-not", False),
        ("multipart/form-data; boundary=application/x-www-form-urlencoded", False),
        ("text/plain; application/x-www-form-urlencoded", False),
        ("", False),
    ],
)
def test_what_is_a_form(value: str, expected: bool) -> None:
    assert is_form(Request("POST", "https", "a", "/", {"Content-Type": value})) is expected
    assert not is_form(Request("POST", "https", "a", "/"))


@pytest.mark.parametrize("case", ["AbC", "GET", "get"])
def test_the_method_is_signed_in_capitals(case: str) -> None:
    pairs: list[tuple[str, str]] = []
    assert base_string(case, "http://a/", pairs) == f"{case.upper()}&http%3A%2F%2Fa%2F&".encode()


PARTS = st.sampled_from(
    [b'oauth_nonce="a"', b'oauth_nonce="%2f"', b'oauth_signature="a%3D"', b'a=x"b"', b'"b"', b'="b"', b'a="b"c', b'a="', b"a=b",
     b'realm="R"', b'realm="a, b"', b'realm="\\""', b'%61="b"', b"", b'a = "b"', b'oauth_version="1.0"']
)  # fmt: skip


@given(st.lists(PARTS, max_size=5), st.sampled_from([b", ", b",", b" , ", b' "']))
def test_the_quick_way_reads_what_the_whole_grammar_reads(parts: list[bytes], between: bytes) -> None:
    value = b"OAuth " + between.join(parts)
    quick = plain_header(value)
    if quick is not None and "" not in quick:  # whoever uses it knows the names
        whole = header_pairs(value)
        assert [name for name, _ in whole] == list(quick)
        assert [unescape(text) for _, text in whole] == [unescape(text) for text in quick.values()]
        assert all(text == quick[name] for name, text in whole if name != "oauth_signature")

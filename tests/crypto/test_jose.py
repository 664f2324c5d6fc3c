"""base64url and JSON read strictly; compact JWS with prepared keys."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import ConfigurationError, Key, KeySet, Reason, Rejected
from watchword.crypto import jose
from watchword.crypto.encoding import (
    MAX_DEPTH, b64url_decode, b64url_encode, parse_object, repeats_a_name, surely_distinct,
)  # fmt: skip

EXAMPLES = json.loads((Path(__file__).parents[1] / "vectors/jwt/rfc_signatures.json").read_text())
KEY = Key.from_secret(bytes(range(32)), algorithm="HS256", key_id="k1")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["source"])
def test_the_rfcs_signatures_are_accepted_and_made_again(example):
    key = Key.from_jwk(example["key"])
    found = jose.verify(example["token"], key)
    assert (found.payload.decode(), found.key) == (example["payload"], key)
    signing_input, _, signature = example["token"].encode().rpartition(b".")
    if example["deterministic"]:
        assert b64url_encode(key.sign(signing_input)) == signature
    else:
        key.verify(signing_input, key.sign(signing_input))


@given(st.binary(max_size=70))
def test_base64url_goes_there_and_back(data):
    text = b64url_encode(data)
    assert text == base64.urlsafe_b64encode(data).rstrip(b"=")
    assert b64url_decode(text) == data


@given(st.one_of(st.binary(max_size=9), st.text('AQgwBZab01-_+/="\\ \n.', max_size=9).map(str.encode)))
def test_base64url_has_one_spelling(text):
    try:
        data = b64url_decode(text)
    except ValueError:
        return
    assert b64url_encode(data) == text


@pytest.mark.parametrize(
    "text", [b"A", b"AB", b"AAB", b"AA==", b"AA=", b"AAA=", b"A A", b"AA\n", b'"A', b"\\u00", b"+/AA"]
)
def test_other_spellings_of_base64url_are_refused(text):
    with pytest.raises(ValueError, match="base64url"):
        b64url_decode(text)


NAMES = st.sampled_from(["a", "b", "iss", "aud", 'q"', "c:", "é", "\\", " "])
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False),
                   st.sampled_from(["", "x", 'a":b', '{"a":1}', " :", "https://id.example", "é", "a\n:"]))  # fmt: skip


def values():
    """JSON values as lists of pairs, so that a name can occur twice."""
    return st.recursive(
        LEAVES,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.lists(st.tuples(NAMES, inner), max_size=4).map(Members)
        ),
        max_leaves=8,
    )


class Members(list):
    """The members of an object, in order."""


@st.composite
def spelled(draw, value):
    """One of the spellings of `value`, with white space and escapes."""
    space = st.sampled_from(["", "", "", " ", "\n", "\t", "\r"])
    if isinstance(value, Members):
        members = []
        for name, inner in value:
            text = json.dumps(name, ensure_ascii=draw(st.booleans()))
            if name == "a" and draw(st.booleans()):
                text = '"\\u0061"'
            members.append(draw(space) + text + draw(space) + ":" + draw(space) + draw(spelled(inner)))
        return "{" + ",".join(members) + draw(space) + "}"
    if isinstance(value, list):
        return "[" + ",".join([draw(spelled(inner)) for inner in value]) + draw(space) + "]"
    return json.dumps(value, ensure_ascii=draw(st.booleans()))


objects = st.lists(st.tuples(NAMES, values()), max_size=5).map(Members).flatmap(spelled).map(str.encode)


def repeats(data):
    """Independently of the code under test: any object with two members of one name."""
    found = []
    json.loads(data, object_pairs_hook=lambda pairs: found.append(len(dict(pairs)) < len(pairs)))
    return any(found)


@given(objects)
def test_a_name_that_occurs_twice_is_found_however_it_is_spelled(data):
    assert repeats_a_name(data) == repeats(data)
    if repeats(data):
        with pytest.raises(ValueError, match="twice"):
            parse_object(data)
    else:
        assert parse_object(data) == json.loads(data)


@given(objects)
def test_the_fast_path_never_overlooks_a_repeated_name(data):
    try:
        decoded = json.loads(data)
    except RecursionError:
        return
    assert not (surely_distinct(data, decoded) and repeats(data))


def test_the_fast_paths_take_what_issuers_write():
    compact = b'{"iss":"https://id.example","roles":["a","b"],"ctx":{"a":1}}'
    escaped = b'{"iss":"https:\\/\\/id.example","exp":1}'  # PHP writes slashes so
    for data in (compact, escaped):
        assert surely_distinct(data, json.loads(data))


@pytest.mark.parametrize(
    "data",
    [
        b"", b" ", b"[]", b"1", b'"x"', b"null", b"{", b"{}x", b"{}{}", b"\xef\xbb\xbf{}", b'{"a":NaN}', b'{"a":Infinity}',
        b'{"a":1e999}', b'{"a":01}', b"{'a':1}", b'{"a":1,}', b'{"a":"\xff"}', b'{"\xff":1}', b'{"a":"\x00"}',
        b'{"a":"\\ud800"}', "{}".encode("utf-16"), "{}".encode("utf-32"), b'{"a":' + b"9" * 5000 + b"}", b'{"a"}',
    ],
)  # fmt: skip
def test_what_is_no_json_object_is_refused(data):
    with pytest.raises(ValueError, match="JSON"):
        parse_object(data)


@given(st.binary(max_size=60))
def test_any_octets_are_an_object_or_a_value_error(data):
    try:
        assert isinstance(parse_object(data), dict)
    except ValueError as error:
        assert data not in str(error).encode() or len(data) < 8


def test_depth_is_bounded_exactly():
    def nested(depth, opening, closing):
        return b'{"a":' + opening * (depth - 1) + b"1" + closing * (depth - 1) + b"}"

    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        parse_object(nested(MAX_DEPTH, opening, closing))
        for depth in (MAX_DEPTH + 1, 500, 3000):
            with pytest.raises(ValueError, match="deep"):
                parse_object(nested(depth, opening, closing))
    broad = b'{"a":[' + b",".join([b'{"b":[]}'] * 100) + b'],"c":"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["}'
    assert len(parse_object(broad)["a"]) == 100


def test_a_token_round_trips():
    token = jose.sign(b"payload", KEY, header={"typ": "JWT"})
    found = jose.verify(token, KEY)
    assert found == ({"alg": "HS256", "kid": "k1", "typ": "JWT"}, b"payload", KEY)
    assert jose.verify(token.encode(), KeySet([KEY])) == found


@pytest.mark.parametrize("header", [{"alg": "none"}, {"kid": "k2"}, {"crit": ["b64"]}, {"b64": False}])
def test_a_header_can_not_contradict_the_key(header):
    with pytest.raises(ConfigurationError):
        jose.sign(b"x", KEY, header=header)


def test_genuine_headers_are_remembered_and_forged_ones_are_not():
    compact = jose.Compact(KeySet([KEY]))
    token = jose.sign(b"payload", KEY)
    head, payload, signature = token.split(".")
    forged = f"{head}.{payload}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
    for _ in range(2):
        with pytest.raises(Rejected):
            compact.open(forged)
    assert not compact._known
    assert compact.open(token) == compact.open(token)
    assert list(compact._known) == [head.encode()]
    with pytest.raises(Rejected) as caught:  # a known header helps nobody
        compact.open(forged)
    assert caught.value.reason is Reason.WRONG_SIGNATURE


def test_the_memory_of_headers_is_bounded():
    compact = jose.Compact(KeySet([KEY]))
    for number in range(600):
        compact.open(jose.sign(b"x", KEY, header={"n": number}))
    compact.open(jose.sign(b"x", KEY, header={"n": "x" * 2000}))
    assert len(compact._known) <= 256
    assert all(len(head) <= 1024 for head in compact._known)


def test_several_keys_without_ids_are_tried_each_time():
    one, two = Key.generate("HS256"), Key.generate("HS256")
    compact = jose.Compact(KeySet([one, two]))
    for key in (one, two, one):
        assert compact.open(jose.sign(b"x", key))[2] is key
    with pytest.raises(Rejected) as caught:
        compact.open(jose.sign(b"x", Key.generate("HS256")))
    assert caught.value.reason is Reason.WRONG_SIGNATURE


@given(st.one_of(st.binary(max_size=80), st.text(max_size=80), st.text("eyJ0.-_", max_size=40)))
def test_any_token_is_refused_with_a_reason(token):
    with pytest.raises(Rejected):
        jose.verify(token, KEY)

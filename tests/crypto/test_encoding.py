"""base64url and JSON read strictly: each JSON text is read as Python's json does with the rules added, or refused by both."""

from __future__ import annotations

import base64
import json
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from watchword.crypto.encoding import MAX_DEPTH, b64url_decode, b64url_encode, parse_object

# ---- base64url -------------------------------------------------------------------------------------------------------


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


# ---- the strict reading, plainly -------------------------------------------------------------------------------------


class Twice(ValueError):
    """A member name occurs twice."""


def members_once(pairs):
    if len(dict(pairs)) < len(pairs):
        raise Twice
    return dict(pairs)


def no_number(text):
    raise ValueError(text)


def finite(text):
    number = float(text)
    return number if math.isfinite(number) else no_number(text)


def depth_of(value):
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


def strictly_read(data):
    """The object in `data`; ValueError if there is none, Twice if nothing else is wrong with it."""

    def read(hook):
        return json.loads(data.decode(), object_pairs_hook=hook, parse_constant=no_number, parse_float=finite)

    every = read(list)  # with every member, so that those whose name comes again are looked at too
    json.dumps(every, ensure_ascii=False).encode()  # half of a surrogate pair has no UTF-8
    if depth_of(read(lambda pairs: [value for _, value in pairs])) > MAX_DEPTH or not isinstance(read(dict), dict):
        raise ValueError("no object, or too deep")
    return read(members_once)


def check_reading(data):
    """`parse_object` gives the same values of the same types in the same order, or refuses with the same reason."""
    try:
        expected = strictly_read(data)
    except Twice:
        with pytest.raises(ValueError, match="^a member name occurs twice$"):
            parse_object(data)
    except ValueError:
        with pytest.raises(ValueError, match=r"^(not JSON|not a JSON object|nested too deep)$"):
            parse_object(data)
    else:
        assert repr(parse_object(data)) == repr(expected)


# ---- JSON in every spelling ------------------------------------------------------------------------------------------

SHORT = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
NAMES = ["a", "b", "", ":", '"', "\\", '":', "\\u003a", "u003a", "{", "}", "é", "😀", " ", "iss", "a\n:"]
TEXTS = st.one_of(st.sampled_from([*NAMES, "https://id.example", '{"a":1,"a":2}', '\\":', " :"]), st.text(max_size=4))
NUMBERS = ["0", "-0", "-0.0", "1.0", "1E+2", "0.1e-400", "1e999", "9223372036854775808", "-9223372036854775809",
           "18446744073709551616", "1" * 40, "-" + "1" * 40, "01", "1.", "NaN", "-Infinity"]  # fmt: skip
SPACES = ["", "", " ", "\n", "\t", "\r", "\n  "]


class Members(list):
    """The members of an object, in order."""


def values(leaves):
    """JSON values; objects as lists of pairs, so that a name can occur twice."""
    return st.recursive(
        leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.lists(pairs(inner), max_size=4).map(Members)),
        max_leaves=8,
    )


def pairs(inner):
    return st.tuples(st.sampled_from(NAMES), inner)


@st.composite
def spelled_text(draw, text, escaped):
    """One of the spellings of a text; `escaped` is how many characters of ten are escapes."""
    spelled = []
    for char in text:
        must = char in '"\\' or char < " "
        if must or draw(st.integers(1, 10)) <= escaped:
            code = "".join(f"\\u{unit:04x}" for unit in memoryview(char.encode("utf-16-le", "surrogatepass")).cast("H"))
            upper = code.upper().replace("\\U", "\\u")
            spelled.append(draw(st.sampled_from([SHORT.get(char, code), code, upper])))
        else:
            spelled.append(char)
    return f'"{"".join(spelled)}"'


@st.composite
def spelled(draw, value, spaces, escaped):
    """One of the spellings of a value, with white space from `spaces` around each token."""

    def space():
        return draw(st.sampled_from(spaces))

    def token(text):
        return space() + text + space()

    if isinstance(value, Members):
        members = [
            token(draw(spelled_text(name, escaped))) + ":" + draw(spelled(inner, spaces, escaped))
            for name, inner in value
        ]
        return token("{" + (",".join(members) or space()) + "}")
    if isinstance(value, list):
        return token("[" + (",".join([draw(spelled(inner, spaces, escaped)) for inner in value]) or space()) + "]")
    if isinstance(value, str):
        return token(draw(spelled_text(value, escaped)))
    return token(value.literal)


class Literal:
    """A number or a word as it is written."""

    def __init__(self, literal):
        self.literal = literal


GOOD_LITERALS = ["true", "false", "null", *NUMBERS[:6], *NUMBERS[7:12]]


def documents(literals, top=Members):
    leaves = st.one_of(st.sampled_from(literals).map(Literal), TEXTS)
    inner = values(leaves)
    outer = st.lists(pairs(inner), max_size=5).map(Members) if top is Members else inner
    return st.tuples(outer, st.sampled_from([[""], ["", "", "", " "], SPACES]), st.sampled_from([0, 2, 10])).flatmap(
        lambda drawn: spelled(*drawn)
    )


def octets(text):
    return text.encode("utf-8", "surrogatepass")


@given(documents(GOOD_LITERALS).map(octets))
@example(b'{"a":1,"\\u0061":":"}')
@example(b'{"a":"\\u003a","a":1}')
@example(b'{"a":1,"b":{"c":"\\u003A","c":[{"":1,"":2}]}}')
@example(b'{"a":"\\u003A"}')
@example(b'{"a":"\\\\u003a","b":1}')
@example(b'{"\\u003a":1,":":"\\u003a"}')
def test_an_object_is_read_as_strictly_as_plain_code_reads_it(data):
    check_reading(data)


@given(documents(["1", "null", *NUMBERS], top=None), st.data())
def test_a_damaged_text_is_refused_when_plain_code_refuses_it(text, data):
    damaged = bytearray(octets(text))
    for _ in range(data.draw(st.integers(0, 2))):
        at = data.draw(st.integers(0, len(damaged)))
        damaged[at : at + data.draw(st.integers(0, 2))] = data.draw(
            st.sampled_from([b"", b'"', b"\\", b":", b",", b"{", b"]", b"\\ud800", b"\\u", b"\x00", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"1"])
        )  # fmt: skip
    check_reading(bytes(damaged))


@given(
    st.lists(st.sampled_from(["[", '{"a":', '{"a":1,"b":', '{"a":1,"a":', "[0,"]), max_size=MAX_DEPTH + 3),
    st.booleans(),
)
def test_depth_is_counted_as_plain_code_counts_it(openings, again):
    """`again`: a shallow member of the same name comes after the deep one."""
    close = "".join("]" if opening[0] == "[" else "}" for opening in reversed(openings))
    check_reading(octets('{"a":' + "".join(openings) + "1" + close + (',"a":1}' if again else "}")))


def test_no_way_of_writing_claims_takes_a_second_parser(monkeypatch):
    """Each decodes once, whatever the issuer's habits are."""
    claims = {
        "iss": "https://id.example/",
        "name": "Jürgen",
        "realm_access": {"roles": ["a"]},
        "n": {"o": [{"p": [1]}]},
    }
    monkeypatch.setattr("watchword.crypto.encoding._parse_deep", None)
    for text in (
        json.dumps(claims, separators=(",", ":")), json.dumps(claims), json.dumps(claims, indent=2),
        json.dumps(claims, indent="\t", separators=(" ,", " : ")), json.dumps(claims, ensure_ascii=False),
        json.dumps(claims).replace("/", "\\/").replace(":", ":\r\n"),
    ):  # fmt: skip
        assert parse_object(text.replace("https:\r\n", "https:").encode()) == claims


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

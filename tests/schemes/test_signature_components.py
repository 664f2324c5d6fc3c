"""Component identifiers and values (RFC 9421 §2): what the examples of the text leave open."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import ConfigurationError, Reason, Rejected, Request, Response
from watchword.fields.structured import parse_item
from watchword.schemes.signatures.base import component_value, signature_base
from watchword.schemes.signatures.components import FIELD_TYPES, PARAMETERS, Component, SignatureInput, params_text
from watchword.schemes.signatures.message import Message
from watchword.schemes.signatures.wire import read_signatures, with_signature

REQUEST = Request("POST", "https", "API.example:443", "/a%2Fb?x=1&y=&x=2&z=%C3%BC+~*", [
    ("Content-Digest", "sha-256=:AAAA:,  sha-512=:BBBB:"), ("Accept-CH", "a;q=1,b"), ("X-Two", " a "), ("X-Two", "b"),
    ("X-Latin", "caf\u00e9".encode("latin-1")), ("Priority", "u=1"), ("X-Empty", ""),
])  # fmt: skip


def value(text: str, message: Message | None = None) -> str:
    return component_value(Component.parse(text), message or Message(REQUEST)).decode("latin-1")


def refused(text: str, message: Message | None = None) -> Reason:
    with pytest.raises(Rejected) as caught:
        value(text, message)
    return caught.value.reason


@pytest.mark.parametrize(
    ("component", "expected"),
    [
        ("@authority", "api.example"),
        ("@target-uri", "https://API.example:443/a%2Fb?x=1&y=&x=2&z=%C3%BC+~*"),
        ("@path", "/a%2Fb"),
        ('@query-param;name="y"', ""),
        ('@query-param;name="z"', "%C3%BC%20%7E*"),
        ("content-digest", "sha-256=:AAAA:,  sha-512=:BBBB:"),
        ("content-digest;sf", "sha-256=:AAAA:, sha-512=:BBBB:"),
        ('content-digest;key="sha-256"', ":AAAA:"),
        ("accept-ch;sf", "a;q=1, b"),
        ("x-two", "a, b"),
        ("x-two;bs", ":YQ==:, :Yg==:"),
        ("x-latin;bs", ":Y2Fm6Q==:"),
        ("x-empty", ""),
    ],
)
def test_the_value_of_a_component(component: str, expected: str) -> None:
    assert value(component) == expected


@pytest.mark.parametrize(
    ("component", "reason"),
    [
        ("date", Reason.MISSING_COMPONENT),
        ('@query-param;name="x"', Reason.MISSING_COMPONENT),  # twice
        ('@query-param;name="no"', Reason.MISSING_COMPONENT),
        ('content-digest;key="md5"', Reason.MISSING_COMPONENT),
        ("x-two;tr", Reason.MISSING_COMPONENT),
        ("x-two;sf", Reason.MALFORMED_CREDENTIALS),  # of no known type
        ('accept-ch;key="a"', Reason.MALFORMED_CREDENTIALS),  # a list
        ('x-two;key="z"', Reason.MISSING_COMPONENT),
        ("@status", Reason.MALFORMED_CREDENTIALS),
        ("@method;req", Reason.MALFORMED_CREDENTIALS),
        ("x-two;req", Reason.MALFORMED_CREDENTIALS),
    ],
)
def test_what_a_request_does_not_have(component: str, reason: Reason) -> None:
    assert refused(component) is reason


def test_octets_that_are_not_ascii_need_bs() -> None:
    covered = SignatureInput((Component("x-latin"),), {})
    with pytest.raises(Rejected, match="cover it with bs"):
        signature_base(covered, Message(REQUEST))


def test_a_response_has_the_parts_of_its_request_with_req_only() -> None:
    answer = Message(REQUEST, Response(204, {"X-Two": "c"}), request_trailers=((b"x-end", b"1"),))
    assert value("@status", answer) == "204"
    assert value("@method;req", answer) == "POST"
    assert value("x-two;req", answer) == "a, b"
    assert value("x-two", answer) == "c"
    assert value("x-end;req;tr", answer) == "1"
    assert refused("@method", answer) is Reason.MALFORMED_CREDENTIALS
    assert refused("x-end;tr", answer) is Reason.MISSING_COMPONENT
    assert refused("@method;req", Message(None, Response(204))) is Reason.MISSING_COMPONENT


@pytest.mark.parametrize("target", ["*", "api.example:443"])
def test_a_target_without_a_path_has_only_itself(target: str) -> None:
    message = Message(Request("OPTIONS" if target == "*" else "CONNECT", "https", "api.example:443", target))
    assert value("@request-target", message) == target
    assert value("@target-uri", message) == "https://api.example:443"
    for component in ("@path", "@query", '@query-param;name="a"'):
        assert refused(component, message) is Reason.MISSING_COMPONENT


def test_a_handshake_of_a_websocket_is_a_request_of_http() -> None:
    message = Message(Request("GET", "wss", "h", "/"))
    assert value("@scheme", message) == "https"
    assert value("@target-uri", message) == "https://h/"


def test_identifiers_that_differ_in_the_order_of_parameters_are_the_same() -> None:
    one, two = Component.parse('"x";req;tr'), Component.parse('"x";tr;req')
    assert one != two
    assert one.identity == two.identity
    assert str(one) == '"x";req;tr'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@signature-params",
        "@unknown",
        "x y",
        '"X-Up"',
        "x;unknown",
        'x;bs;key="a"',
        "@query-param",
        'x;key="A"',
        "é",
    ],
)
def test_what_cannot_be_covered_is_a_mistake(text: str) -> None:
    with pytest.raises(ConfigurationError):
        Component.parse(text)


def test_every_parameter_has_its_type_and_every_field_its_kind() -> None:
    assert set(PARAMETERS) == {"created", "expires", "nonce", "alg", "keyid", "tag"}
    assert set(FIELD_TYPES.values()) == {"item", "list", "dictionary"}
    with pytest.raises(ConfigurationError, match="can't be sent"):
        params_text({"keyid": "ü"})


@given(name=st.text(max_size=6), key=st.text(max_size=6))
def test_parsing_what_was_serialised_gives_the_same(name: str, key: str) -> None:
    try:
        component = Component.parse(f'{name};key="{key}"')
    except ConfigurationError:
        return
    assert Component.of(parse_item(str(component))) == component


def test_signatures_that_are_added_are_read_again_in_their_order() -> None:
    headers = with_signature((), "one", b'("@method");created=1', b"abc")
    headers = with_signature(headers, "two", b"()", b"")
    read = read_signatures(headers)
    assert [(one.label, str(one.covered), one.signature) for one in read] == [
        ("one", '("@method");created=1', b"abc"), ("two", "()", b""),
    ]  # fmt: skip

"""Bearer tokens (RFC 6750): what is sent, what is read, what is refused and in which words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import BearerAuth, ConfigurationError, Guard, JWTVerifier, Key, Reason, Rejected, Request, Response
from watchword.transport.flow import ClientContext, run
from watchword.core.rejection import Rejection
from watchword.core.scheme import Refusal
from watchword.effects import Received
from watchword.crypto import jose
from watchword.schemes.bearer import read_token

KEY = Key.from_secret(bytes(range(32)), algorithm="HS256")
TOKEN = jose.sign(b'{"sub":"alice","exp":4000000000}', KEY)


def sent(auth, scheme="https", host="api.example"):
    requests = []

    def send(effect):
        requests.append(effect.request)
        return Received(Response(200))

    run(auth, Request("GET", scheme, host, "/", {"Authorization": "Basic eDp5"}), send, ClientContext(bytes))
    return requests[0].values(b"authorization")


def request(*values, target="/", field="Authorization"):
    return Request("GET", "https", "api.example", target, [(field, value) for value in values])


def test_the_token_replaces_any_other_authorization():
    assert sent(BearerAuth("mF_9.B5f-4.1JqM")) == [b"Bearer mF_9.B5f-4.1JqM"]


def test_the_token_is_not_shown():
    assert "mF_9" not in repr(BearerAuth("mF_9.B5f-4.1JqM"))


@pytest.mark.parametrize("token", ["", " a", "a b", "Bearer a", "a\r\nX: y", "ü", "a=b", "=", 'a"', b"abc", None, 7])
def test_what_is_no_token_is_refused_at_construction(token):
    with pytest.raises(ConfigurationError, match="RFC 6750"):
        BearerAuth(token)


def test_no_token_travels_in_the_clear():
    with pytest.raises(ConfigurationError, match="in the clear"):
        sent(BearerAuth("abc"), scheme="http")
    assert sent(BearerAuth("abc"), scheme="http", host="127.0.0.1:8000") == [b"Bearer abc"]
    assert sent(BearerAuth("abc", allow_cleartext=True), scheme="http") == [b"Bearer abc"]


@pytest.mark.parametrize("value", ["Bearer abc", "bearer abc", "BEARER   abc"])
def test_the_scheme_is_read_in_any_case(value):
    assert read_token(request(value)) == b"abc"


@pytest.mark.parametrize("value", ["Basic abc", "Bearerabc", "Bearers abc", "X Bearer abc", "", "Bear"])
def test_another_scheme_is_not_ours(value):
    assert read_token(request(value)) is None
    assert read_token(request()) is None


@pytest.mark.parametrize(
    "value", ["Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "Bearer a=b", "Bearer =", 'Bearer "a"', "Bearer ü",
              "Bearer a\tb", "Bearer abc ", 'Bearer realm="x"', "bearer \x00"],
)  # fmt: skip
def test_off_the_grammar_is_a_bad_request(value):
    with pytest.raises(Rejected) as caught:
        read_token(request(value))
    assert caught.value.reason is Reason.MALFORMED_REQUEST


@pytest.mark.parametrize(
    "query", ["access_token=x", "a=b&access_token=x", "access%5Ftoken=x", "access_token", "%61ccess_token=&b"]
)
def test_a_token_in_two_places_is_a_bad_request(query):
    refusal = refused(request(f"Bearer {TOKEN}", target=f"/?{query}"))
    assert refusal.status == 400
    assert refusal.challenges[0].encode() == b'Bearer realm="protected", error="invalid_request"'


@pytest.mark.parametrize("query", ["", "access_tokens=x", "x=access_token", "q=access_token%3D1"])
def test_other_parameters_do_not_matter(query):
    assert Guard([JWTVerifier(KEY)]).verify(request(f"Bearer {TOKEN}", target=f"/?{query}")).subject == "alice"


def refused(incoming):
    with pytest.raises(Rejected) as caught:
        Guard([JWTVerifier(KEY)]).verify(incoming)
    return caught.value.refusal


def test_no_credentials_get_a_challenge_without_an_error():
    refusal = refused(request())
    assert (refusal.status, [challenge.encode() for challenge in refusal.challenges]) == (
        401,
        [b'Bearer realm="protected"'],
    )


def test_a_bad_token_gets_invalid_token_and_not_our_words():
    refusal = refused(request("Bearer abc"))
    assert refusal.status == 401
    assert [challenge.encode() for challenge in refusal.challenges] == [
        b'Bearer realm="protected", error="invalid_token"'
    ]


def test_bad_grammar_gets_invalid_request():
    refusal = refused(request("Bearer a b"))
    assert refusal.status == 400
    assert [challenge.encode() for challenge in refusal.challenges] == [
        b'Bearer realm="protected", error="invalid_request"'
    ]


def test_missing_scopes_are_named():
    rejection = Rejection(Reason.INSUFFICIENT_SCOPE, scopes=("read", "write"))
    refusal = JWTVerifier(KEY).refuse(rejection, None, 0, bytes)
    assert refusal.status == 403
    assert refusal.challenges[0].encode() == b'Bearer error="insufficient_scope", scope="read write"'


def test_other_refusals_carry_no_challenge():
    refusal = JWTVerifier(KEY).refuse(Rejection(Reason.HEADER_TOO_LARGE), None, 0, bytes)
    assert refusal == Refusal(431)


@given(st.binary(max_size=60))
def test_any_field_value_is_a_token_or_refused_or_not_ours(value):
    incoming = Request("GET", "https", "api.example", "/", [(b"authorization", value)])
    try:
        token = read_token(incoming)
    except Rejected as rejected:
        assert rejected.reason is Reason.MALFORMED_REQUEST
    else:
        assert token is None or value.lower().startswith(b"bearer ")

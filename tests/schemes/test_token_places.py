"""Where bearer tokens are: a field, a cookie, a WebSocket subprotocol; what is read there, and what is not looked at."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples_of import examples
from tests.schemes.lookup_worlds import Judge, challenge_of, judges
from watchword import (
    AllOf, APIKeyVerifier, BasicVerifier, ConfigurationError, Guard, Identity, InCookie, InField, InSubprotocol, JWTVerifier, Key,
    OAuth2Verifier, Policy, PublicURL, Reason, RegisteredToken, Rejected, Request, TokenVerifier, explain,
)  # fmt: skip
from watchword.core.scheme import Verifier
from watchword.crypto import jose
from watchword.stores import MemoryStore

TOKEN = "mF_9.B5f-4.1JqM"
OTHER = "another-token"
KNOWN = {TOKEN: RegisteredToken("alice"), OTHER: RegisteredToken("mallory")}
KEY = Key.from_secret(bytes(range(32)), algorithm="HS256")
JWT = jose.sign(b'{"iss":"https://id.example","aud":"orders","sub":"alice","exp":4000000000}', KEY)


@pytest.fixture(params=judges(), ids=lambda judge: judge.__name__)
def judge(request: pytest.FixtureRequest) -> Judge:
    chosen: Judge = request.param
    return chosen


def at(place: Any, **options: Any) -> TokenVerifier:
    return TokenVerifier(KNOWN.get, by="plain", place=place, **options)


def sent(
    *lines: tuple[str, str], method: str = "GET", scheme: str = "https", authority: str = "api.example"
) -> Request:
    return Request(method, scheme, authority, "/orders", lines)


def reason_of(verdict: object) -> Reason:
    assert isinstance(verdict, Rejected)
    return verdict.reason


def subject_of(verdict: object) -> str:
    assert isinstance(verdict, Identity), verdict
    return verdict.subject


# ---- a field -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Cf-Access-Jwt-Assertion", "X-Goog-IAP-JWT-Assertion"])
def test_a_token_in_a_field_of_its_own(judge: Judge, name: str) -> None:
    jwt = JWTVerifier(KEY, issuer="https://id.example", audience="orders", place=InField(name))
    assert subject_of(judge([jwt], sent((name, JWT)))) == "alice"
    assert reason_of(judge([jwt], sent(("Authorization", f"Bearer {JWT}")))) is Reason.UNSUPPORTED_SCHEME
    missing = judge([jwt], sent())
    assert isinstance(missing, Rejected)
    assert challenge_of(missing) == f'Bearer realm="protected", header="{name}"'


@pytest.mark.parametrize("value", ["", "Bearer " + TOKEN, f'"{TOKEN}"', TOKEN + " x", TOKEN + ",", "=", "ü"])
def test_a_field_holds_a_token_and_nothing_else(judge: Judge, value: str) -> None:
    assert reason_of(judge([at(InField("X-Ticket"))], sent(("X-Ticket", value)))) is Reason.MALFORMED_REQUEST


def test_two_lines_of_the_field_are_refused(judge: Judge) -> None:
    both = sent(("X-Ticket", TOKEN), ("X-Ticket", OTHER))
    assert reason_of(judge([at(InField("X-Ticket"))], both)) is Reason.MALFORMED_REQUEST


@pytest.mark.parametrize("name", ["Authorization", "Cookie", "Host", "X_Ticket", "", "a b", "Origin", None, 7])
def test_a_field_with_a_meaning_of_its_own_can_not_carry_tokens(name: Any) -> None:
    with pytest.raises(ConfigurationError):
        InField(name)


def test_what_a_gateway_writes_is_ambient_unless_it_is_said_to_be_the_clients() -> None:
    assert at(InField("X-Ticket")).ambient
    assert not at(InField("X-Ticket", ambient=False)).ambient
    assert at(InCookie()).ambient
    assert not at(InSubprotocol()).ambient
    assert not at(None).ambient
    assert OAuth2Verifier(KEY, issuer="https://id.example", audience="orders", place=InCookie()).ambient
    with pytest.raises(ConfigurationError, match="ambient="):
        InField("X-Ticket", ambient=1)  # type: ignore[arg-type]


# ---- a cookie: what is read ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lines",
    [
        [f"__Host-token={TOKEN}"],
        [f"a=b; __Host-token={TOKEN}; c=d"],
        [f"a=b;__Host-token={TOKEN};c=d"],
        [f"a=b;  __Host-token={TOKEN} ; c"],
        [f'__Host-token="{TOKEN}"'],
        ["a=b", f"__Host-token={TOKEN}", "c=d"],
        [f"__host-token={OTHER}; __Host-token={TOKEN}; __Host-token2={OTHER}; x__Host-token={OTHER}"],
        [f"\u2000__Host-token={OTHER}; __Host-token={TOKEN}"],
        [f"a=__Host-token={OTHER}; __Host-token={TOKEN}"],
    ],
)
def test_the_cookie_of_exactly_the_name_is_read_from_all_lines_as_one(judge: Judge, lines: list[str]) -> None:
    assert subject_of(judge([at(InCookie())], sent(*(("Cookie", line) for line in lines)))) == "alice"


@pytest.mark.parametrize(
    "lines",
    [
        [f"__Host-token={TOKEN}; __Host-token={TOKEN}"],
        [f"__Host-token={TOKEN}; __Host-token={OTHER}"],
        [f"__Host-token={TOKEN}", f"__Host-token={OTHER}"],
        [f"__Host-token={TOKEN}; __Host-token"],
        [f"__Host-token=; __Host-token={TOKEN}"],
        [f"__Host-token ={OTHER}; __Host-token={TOKEN}"],
    ],
)
def test_two_cookies_of_the_name_are_refused(judge: Judge, lines: list[str]) -> None:
    verdict = judge([at(InCookie())], sent(*(("Cookie", line) for line in lines)))
    assert reason_of(verdict) is Reason.AMBIGUOUS
    assert TOKEN not in str(verdict)


@pytest.mark.parametrize("value", ["", '"', '""', f'"{TOKEN}', "a b", "a,b", "ü", "Bearer x"])
def test_a_cookie_that_holds_no_token_is_refused(judge: Judge, value: str) -> None:
    assert reason_of(judge([at(InCookie())], sent(("Cookie", f"__Host-token={value}")))) is Reason.MALFORMED_REQUEST


@pytest.mark.parametrize(
    "lines", [[], ["a=b"], ["__Host-other=x"], [f"__host-token={TOKEN}"], [f"a={TOKEN}"], [";;=;"]]
)
def test_without_the_cookie_there_are_no_credentials(judge: Judge, lines: list[str]) -> None:
    verdict = judge([at(InCookie())], sent(*(("Cookie", line) for line in lines)))
    assert reason_of(verdict) is Reason.NO_CREDENTIALS
    assert isinstance(verdict, Rejected)
    assert challenge_of(verdict) == 'Bearer realm="protected", cookie="__Host-token"'


def test_two_verifiers_may_have_a_cookie_each(judge: Judge) -> None:
    both = [at(InCookie()), at(InCookie("other"))]
    assert subject_of(judge(both, sent(("Cookie", f"__Host-token={TOKEN}")))) == "alice"
    assert subject_of(judge(both, sent(("Cookie", f"other={OTHER}")))) == "mallory"
    assert reason_of(judge(both, sent(("Cookie", f"other={OTHER}; __Host-token={TOKEN}")))) is Reason.AMBIGUOUS
    with pytest.raises(ConfigurationError, match="two verifiers would claim"):
        Guard([at(InCookie()), at(InCookie())])


def test_tokens_of_two_issuers_may_share_a_cookie(judge: Judge) -> None:
    jwt = JWTVerifier(KEY, issuer="https://id.example", audience="orders", place=InCookie())
    for token, scheme in ((JWT, "jwt"), (TOKEN, "token")):
        who = judge([at(InCookie()), jwt], sent(("Cookie", f"__Host-token={token}")))
        assert isinstance(who, Identity)
        assert who.scheme == scheme


def test_it_may_be_one_part_of_all_of(judge: Judge) -> None:
    both: Verifier = AllOf(at(InCookie()), APIKeyVerifier(lambda _: None, by="plain"))
    assert not both.ambient
    assert reason_of(judge([both], sent(("Cookie", f"__Host-token={TOKEN}")))) is Reason.BINDING_MISSING
    AllOf(at(InCookie()), at(InCookie("other")))


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a;b", "ü", None])
def test_what_names_no_cookie_is_refused(name: Any) -> None:
    with pytest.raises(ConfigurationError, match="cookie's name"):
        InCookie(name)


@pytest.mark.parametrize(
    "origins",
    [
        "https://a.example",
        ["a.example"],
        ["https://a.example/"],
        ["null"],
        ["ftp://a"],
        [7],
        ["https://u@a.example"],
        ["*"],
    ],
)
def test_what_is_no_list_of_origins_is_refused(origins: Any) -> None:
    with pytest.raises(ConfigurationError, match="origin"):
        InCookie(origins=origins)


# ---- a cookie: beside other credentials ------------------------------------------------------------------------------------


COOKIE = ("Cookie", f"__Host-token={TOKEN}")


def test_where_authorization_is_there_the_cookie_is_not_looked_at(judge: Judge) -> None:
    both = [at(None), at(InCookie())]
    assert subject_of(judge(both, sent(COOKIE, ("Authorization", f"Bearer {OTHER}")))) == "mallory"
    twice = ("Cookie", f"__Host-token={TOKEN}; __Host-token={TOKEN}")
    assert subject_of(judge(both, sent(twice, ("Authorization", f"Bearer {OTHER}"), method="POST"))) == "mallory"


@pytest.mark.parametrize(
    "authorization",
    ["Bearer unknown", "Bearer", "Bearer a b", "Basic eDp5", "Basic", "Unknown x", "", "x", "Digest username=x"],
)
def test_the_cookie_never_rescues_other_credentials(judge: Judge, authorization: str) -> None:
    for verifiers in ([at(InCookie())], [at(None), at(InCookie())], [BasicVerifier(realm="orders"), at(InCookie())]):
        verdict = judge(verifiers, sent(COOKIE, ("Authorization", authorization)), store=MemoryStore())
        assert isinstance(verdict, Rejected)


def test_an_optional_guard_takes_no_cookie_with_an_authorization_that_failed() -> None:
    guard = Guard([at(None), at(InCookie())])
    for authorization in ("Bearer unknown", "Unknown x"):
        with pytest.raises(Rejected):
            guard.admit(sent(COOKIE, ("Authorization", authorization)), bytes, optional=True)
    assert guard.admit(sent(), bytes, optional=True).identity is None


# ---- a subprotocol ---------------------------------------------------------------------------------------------------------


def handshake(*lines: tuple[str, str], scheme: str = "wss") -> Request:
    return sent(("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), *lines, scheme=scheme)


@pytest.mark.parametrize(
    "offered",
    [
        ["v1, bearer." + TOKEN],
        ["bearer." + TOKEN + ",v1"],
        ["v1", "bearer." + TOKEN],
        ["a, b", " bearer." + TOKEN + " , c"],
    ],
)
@pytest.mark.parametrize("scheme", ["wss", "https"])
def test_a_token_in_a_subprotocol(judge: Judge, offered: list[str], scheme: str) -> None:
    request = handshake(*(("Sec-WebSocket-Protocol", line) for line in offered), scheme=scheme)
    assert subject_of(judge([at(InSubprotocol())], request)) == "alice"


@pytest.mark.parametrize(
    ("offered", "reason"),
    [
        ("v1", Reason.NO_CREDENTIALS),
        (f"v1, Bearer.{TOKEN}", Reason.NO_CREDENTIALS),
        (f"bearer.{TOKEN}", Reason.MALFORMED_REQUEST),
        (f"bearer.{TOKEN}, ,", Reason.MALFORMED_REQUEST),
        ("v1, bearer.", Reason.MALFORMED_REQUEST),
        ("v1, bearer.a b", Reason.MALFORMED_REQUEST),
        (f"v1, bearer.{TOKEN}, bearer.{OTHER}", Reason.AMBIGUOUS),
    ],
)
def test_a_handshake_offers_one_token_and_something_else(judge: Judge, offered: str, reason: Reason) -> None:
    verdict = judge([at(InSubprotocol())], handshake(("Sec-WebSocket-Protocol", offered)))
    assert reason_of(verdict) is reason
    assert TOKEN not in str(verdict)


def test_only_a_handshake_has_subprotocols(judge: Judge) -> None:
    request = sent(("Sec-WebSocket-Protocol", f"v1, bearer.{TOKEN}"))
    assert reason_of(judge([at(InSubprotocol())], request)) is Reason.NO_CREDENTIALS


@pytest.mark.parametrize("prefix", ["", "a b", "a,", "ü", "a" * 65])
def test_what_begins_no_subprotocol_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigurationError, match="prefix="):
        InSubprotocol(prefix)


# ---- any octets ------------------------------------------------------------------------------------------------------------


@examples(100)
@given(field=st.binary(max_size=120), method=st.sampled_from(["GET", "POST"]), scheme=st.sampled_from(["https", "wss"]))
def test_any_octets_give_an_identity_or_a_rejection(field: bytes, method: str, scheme: str) -> None:
    guard = Guard([at(InCookie("t")), at(InSubprotocol("t")), at(InField("X-Ticket"))])
    for name, value in (
        (b"cookie", b"t=" + field),
        (b"cookie", field),
        (b"sec-websocket-protocol", b"a,t" + field),
        (b"x-ticket", field),
    ):
        try:
            guard.verify(Request(method, scheme, "api.example", "/", [(name, value), (b"origin", field)]))
        except Rejected as rejected:
            assert rejected.refusal is not None
            assert rejected.refusal.status in (400, 401, 403)


# ---- why -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "request_", "name", "says"),
    [
        (InCookie(), sent(("Authorization", f"Bearer {TOKEN}")), "place", "cookie __Host-token"),
        (InCookie(), sent(("Cookie", f"token={TOKEN}")), "place", "cookie __Host-token"),
        (InCookie(), sent(("Cookie", f"__Host-token=Bearer {TOKEN}")), "scheme word", "send the value alone"),
        (InCookie(), sent(("Cookie", f"__Host-token={TOKEN}"), method="POST"), "origin_refused", "InCookie(origins=…)"),
        (InField("X-Ticket"), sent(("X-Ticket", f"Bearer {TOKEN}")), "scheme word", "send the value alone"),
        (InField("X-Ticket"), sent(("Authorization", f"Bearer {TOKEN}")), "place", "x-ticket"),
        (InSubprotocol(), handshake(("Authorization", f"Bearer {TOKEN}")), "place", "sec-websocket-protocol"),
        (
            InSubprotocol(),
            handshake(("Sec-WebSocket-Protocol", f"bearer.{TOKEN}")),
            "grammar",
            "besides the one with the token",
        ),
    ],
)
def test_an_explanation_names_the_place(place: Any, request_: Request, name: str, says: str) -> None:
    explained = explain(request_, Guard([at(place)]))
    assert TOKEN not in str(explained) + explained.to_json()
    first = explained.causes[0]
    assert first.name == name
    assert says in f"{first.component} {first.expected} {first.received} {first.mend}"


def test_a_public_url_says_what_the_public_origin_is(judge: Judge) -> None:
    request = Request(
        "POST", "http", "app:8000", "/", [("Cookie", f"__Host-token={TOKEN}"), ("Origin", "https://api.example")]
    )
    assert reason_of(judge([at(InCookie())], request)) is Reason.ORIGIN_REFUSED
    assert subject_of(judge([at(InCookie())], request, Policy(public_url=PublicURL("https://api.example")))) == "alice"

"""Both halves of Basic against each other, in memory, through either guard."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples_of import examples
from tests.hash_costs import cheap_password
from watchword import (
    AsyncGuard, BasicAuth, BasicVerifier, ConfigurationError, Guard, Identity, Password, Reason, Rejected, Request,
    Response, explain,
)  # fmt: skip
from watchword.transport.flow import ClientContext, run
from watchword.core.records import NOTHING_FOUND, Found, Put, Ref
from watchword.core.scheme import Body
from watchword.effects import Received, Send
from watchword.schemes import basic
from watchword.stores import MemoryStore

CASES = json.loads((Path(__file__).parents[1] / "vectors/basic/rfc7617.json").read_text(encoding="utf-8"))["cases"]
USERS = {"Aladdin": "open sesame", "мария": "пароль", "": "nameless", "colon": "a:b:c"}
HASHED = {name: cheap_password(password, scopes=["read"]) for name, password in USERS.items()}


@pytest.fixture(params=["Guard", "AsyncGuard"])
def judge(request: pytest.FixtureRequest) -> Any:
    """`judge(value)`: what a guard says to this Authorization."""
    store = MemoryStore()
    store.commit([Put(Ref(Password, (name,)), record) for name, record in HASHED.items()])
    kind: Any = Guard if request.param == "Guard" else AsyncGuard
    guard = kind([BasicVerifier(realm="orders")], store)

    def verdict(value: bytes | Request) -> Identity | Rejected:
        asked = value if isinstance(value, Request) else asking(value)
        try:
            answer = guard.verify(asked)
            return asyncio.run(answer) if asyncio.iscoroutine(answer) else answer  # type: ignore[no-any-return]
        except Rejected as rejected:
            return rejected

    return verdict


def asking(value: bytes, scheme: str = "https", authority: str = "api.example") -> Request:
    return Request("GET", scheme, authority, "/", [(b"authorization", value)])


def sent_by(auth: BasicAuth, asked: Request | None = None) -> Request:
    """The one request that the client half sends."""
    sent = []

    def server(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(401, {"WWW-Authenticate": 'Basic realm="orders"'}))

    run(auth, asked or Request("GET", "https", "api.example", "/"), server, ClientContext(bytes))
    (one,) = sent
    return one


def credentials(pair: bytes) -> bytes:
    return b"Basic " + b64encode(pair)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["section"])
def test_the_examples_of_the_rfc_in_both_directions(case: dict[str, str]) -> None:
    sent = sent_by(BasicAuth(case["username"], case["password"]))
    assert sent.values(b"authorization") == [case["authorization"].encode()]
    claim = BasicVerifier(realm="x").read(sent)
    assert claim.username == case["username"]
    record = Password.hash(case["password"])
    identity = claim.decide(Found({claim.needs[0]: (record, 1)}), Body(), 0, bytes).identity
    assert identity.subject == case["username"]


@pytest.mark.parametrize("username", USERS)
def test_the_client_gets_in_with_the_first_request(judge: Any, username: str) -> None:
    identity = judge(sent_by(BasicAuth(username, USERS[username])))
    assert isinstance(identity, Identity)
    assert (identity.subject, identity.scheme, identity.scopes) == (username, "basic", frozenset({"read"}))


def test_the_subject_is_the_record_s() -> None:
    claim = BasicVerifier(realm="x").read(asking(credentials(b"Aladdin:open sesame")))
    record = Password(HASHED["Aladdin"].encoded, subject="user-7")
    assert claim.decide(Found({claim.needs[0]: (record, 1)}), Body(), 0, bytes).identity.subject == "user-7"


@pytest.mark.parametrize("word", [b"basic", b"BASIC", b"bAsIc"])
def test_the_scheme_word_is_read_in_any_case(judge: Any, word: bytes) -> None:
    assert isinstance(judge(word + b" QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), Identity)


@pytest.mark.parametrize("password", [b"open sesamE", b"open sesame ", b"", b"open sesame\xcc\x81", b"x" * 512])
def test_a_wrong_password_is_refused_with_the_challenge(judge: Any, password: bytes) -> None:
    rejected = judge(credentials(b"Aladdin:" + password))
    assert isinstance(rejected, Rejected) and rejected.reason is Reason.WRONG_SECRET
    assert rejected.refusal is not None
    response = rejected.refusal.response()
    assert (response.status, response.values(b"www-authenticate")) == (401, [b'Basic realm="orders", charset="UTF-8"'])


def test_no_hash_is_tried_before_the_store_was_asked() -> None:
    claim = BasicVerifier(realm="x").read(asking(credentials(b"a:b")))
    assert claim.slow(NOTHING_FOUND) and claim.needs[0] == Ref(Password, ("a",))


@pytest.mark.parametrize(
    ("username", "password"), [("a:b", "x"), ("a\n", "x"), ("a", "x\x00"), ("a\x7f", "x"), ("\ud800", "x")]
)
def test_the_client_refuses_what_basic_cannot_carry(username: str, password: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        BasicAuth(username, password)
    assert "x\x00" not in str(caught.value)


@pytest.mark.parametrize(
    ("scheme", "authority"), [("http", "api.example"), ("ws", "10.0.0.1:80"), ("http", "localhost.evil.example")]
)
def test_the_client_sends_no_password_in_the_clear(scheme: str, authority: str) -> None:
    asked = Request("GET", scheme, authority, "/")
    with pytest.raises(ConfigurationError, match="https"):
        sent_by(BasicAuth("a", "b"), asked)
    assert sent_by(BasicAuth("a", "b", allow_cleartext=True), asked).values(b"authorization")


@pytest.mark.parametrize(
    ("scheme", "authority"),
    [("https", "api.example"), ("wss", "x"), ("http", "localhost:8000"), ("http", "127.0.0.1"), ("http", "[::1]:80")],
)
def test_tls_and_loopback_are_fine(scheme: str, authority: str) -> None:
    assert sent_by(BasicAuth("a", "b"), Request("GET", scheme, authority, "/")).values(b"authorization") == [
        b"Basic YTpi"
    ]


def test_nothing_shows_the_password() -> None:
    auth = BasicAuth("Aladdin", "open sesame")
    claim = BasicVerifier(realm="x").read(sent_by(auth))
    encoded = "QWxhZGRpbjpvcGVuIHNlc2FtZQ"
    for shown in (repr(auth), repr(claim), repr(BasicVerifier(realm="x")), repr(sent_by(auth))):
        assert "sesame" not in shown and encoded not in shown


@pytest.mark.parametrize("realm", ["a\nb", "\x00", "\ud800"])
def test_a_realm_that_cannot_be_sent_is_a_configuration_error(realm: str) -> None:
    with pytest.raises(ConfigurationError):
        BasicVerifier(realm=realm)


@examples(200)
@given(
    st.binary(max_size=60)
    | st.binary(max_size=40).map(b64encode)
    | st.text(max_size=20).map(lambda text: b64encode(text.encode()))
)
def test_any_credentials_are_read_or_rejected(value: bytes) -> None:
    try:
        claim = BasicVerifier(realm="x").read(asking(b"Basic " + value))
    except Rejected as rejected:
        assert rejected.reason is Reason.MALFORMED_CREDENTIALS
        assert rejected.__cause__ is None and rejected.__suppress_context__ == (rejected.__context__ is not None)
    else:
        needed = claim.needs[0]
        assert b64encode(f"{needed.key[0]}:{claim._password}".encode()) == value.strip()


@examples(6)
@given(st.text(max_size=9), st.text(max_size=9))
def test_any_credentials_are_judged(username: str, password: str) -> None:
    guard = Guard([BasicVerifier(realm="x")], MemoryStore())
    with pytest.raises(Rejected):
        guard.verify(asking(credentials(f"{username}:{password}".encode())))


# ---- explain ----


def explained(pair: bytes) -> Any:
    store = MemoryStore()
    store.commit([Put(Ref(Password, ("Aladdin",)), HASHED["Aladdin"])])
    return explain(asking(credentials(pair)), Guard([BasicVerifier(realm="x")], store))


def test_explain_passes_every_check_of_genuine_credentials() -> None:
    found = explained(b"Aladdin:open sesame")
    assert found.accepted and found.canonical == ""
    assert [(check.name, check.passed) for check in found.checks] == [
        ("format", True),
        ("user", True),
        ("password", True),
    ]


@pytest.mark.parametrize(("pair", "cause"), [(b"nobody:x", "user"), (b"Aladdin:guess", "password")])
def test_explain_names_what_is_wrong_and_shows_no_password(pair: bytes, cause: str) -> None:
    found = explained(pair)
    assert [check.name for check in found.causes] == [cause]
    assert [check.name for check in found.checks] == ["format", "user", "password"]
    assert found.causes[0].mend
    assert "guess" not in str(found) + found.to_json() and "sesame" not in found.to_json()


def test_the_size_limit_is_in_octets_of_the_pair() -> None:
    def read(pair: bytes) -> str:
        return BasicVerifier(realm="x").read(asking(credentials(pair)), longest=10_000).username

    assert read(b"a:" + b"x" * (basic.MAX_CREDENTIALS - 2)) == "a"
    with pytest.raises(Rejected, match=f"more than {basic.MAX_CREDENTIALS} octets"):
        read(b"a:" + b"x" * basic.MAX_CREDENTIALS)


@pytest.mark.parametrize(
    ("username", "password"),
    [("u" * 256, "p" * 512), ("é" * 256, "é" * 512), ("字" * 256, "🐎" * 512), ("e\u0301" * 128, "e\u0301" * 256)],
)
def test_the_longest_name_and_password_that_can_be_added_can_log_in(username: str, password: str) -> None:
    store = MemoryStore()
    store.add_user(username, password)
    store.set_password(username, password)
    guard = Guard([BasicVerifier(realm="orders")], store)
    assert guard.verify(sent_by(BasicAuth(username, password))).scheme == "basic"
    for longer in (BasicAuth(username + "e", password), BasicAuth(username, password + "e")):
        with pytest.raises(Rejected) as caught:
            guard.verify(sent_by(longer))
        assert caught.value.reason is Reason.MALFORMED_CREDENTIALS
    for name, secret in ((username + "e", password), (username, password + "e")):
        with pytest.raises(ConfigurationError, match="characters"):
            store.add_user(name, secret)
    with pytest.raises(ConfigurationError, match="512 characters"):
        store.set_password(username, password + "e")

"""OAuth 1.0a: the examples of RFC 5849, both halves against each other, and what must not pass."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from hashlib import sha1
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.schemes.oauth1_world import (
    EVERY, FORM, GET, HMACS, JSON, KEY, NOW, RSAS, SECRET, TOKEN, TOKEN_SECRET, auth, changed, guard, reason, rsa_pair,
    signed, store,
)  # fmt: skip
from watchword import AsyncGuard, ConfigurationError, Guard, Identity, OAuth1Auth, OAuth1Verifier, Policy, Reason
from watchword import Rejected, Request, explain
from watchword.transport.flow import ClientContext
from watchword.core.records import Ref
from watchword.schemes.oauth1 import OAuth1AccessToken, OAuth1Client, OAuth1Token
from watchword.schemes.oauth1.credentials import signing_key
from watchword.schemes.oauth1.encoding import escape
from watchword.stores import AsyncSQLStore, MemoryStore, SQLStore, combine, from_callables

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "oauth1" / "rfc5849.json").read_text())


def published(case: dict[str, Any]) -> tuple[Request, bytes, Guard]:
    scheme, _, rest = case["url"].partition("://")
    authority, _, target = rest.partition("/")
    headers = {"Authorization": case["authorization"], **(FORM if case["body"] else {})}
    records = MemoryStore()
    key, secret = case["client"]
    records.add_oauth1_client(key, secret=secret)
    if case["token"]:
        records.add_oauth1_token(*case["token"], client_key=key, subject="jane")
    judge = guard(records, now=case["time"], methods=HMACS)
    return Request(case["method"], scheme, authority, "/" + target, headers), case["body"].encode(), judge


@pytest.mark.parametrize("case", VECTORS["requests"], ids=lambda case: case["id"])
def test_the_examples_of_the_rfc_are_accepted_once(case: dict[str, Any]) -> None:
    request, body, judge = published(case)
    assert judge.verify(request, body).subject == ("jane" if case["token"] else case["client"][0])
    assert reason(judge, request, body) is Reason.REPLAYED


def test_the_client_shows_the_base_string_of_the_rfc() -> None:
    request, body, _ = published(VECTORS["requests"][3])
    assert OAuth1Auth("any", "secret").canonical(request, body) == VECTORS["base_string"]


# ---- both halves -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("placement", ["header", "query", "form"])
@pytest.mark.parametrize("method", EVERY)
def test_every_method_in_every_placement_through_both_guards(method: str, placement: str) -> None:
    judge = guard(store(rsa=True), methods=EVERY)
    who = auth(signature_method=method, placement=placement)
    bare = Request("POST", "https", "API.example:443", "/a%2Fb/%7E?x=1+2&y=%7e&y=&z", FORM)
    for verify in (judge.verify, lambda *a: asyncio.run(AsyncGuard.of(judge).verify(*a))):
        request, body = signed(who, bare, b"c2&a3=2+q&%C3%A9=%2b")
        identity = verify(request, body)
        assert (identity.subject, identity.scheme, identity.key_id) == ("alice", "oauth1", KEY)
        assert identity.scopes == {"read", "write"}
        assert identity.claims == {"oauth_token": TOKEN}


def test_without_a_token_the_client_is_the_subject() -> None:
    request, _ = signed(auth(token=None, token_secret=""))
    identity = guard().verify(request)
    assert (identity.subject, identity.scopes, identity.claims) == (KEY, {"list"}, {})


def test_an_empty_token_is_none() -> None:
    request, _ = signed(auth(token="", token_secret=""))
    assert b"oauth_token" not in request.values(b"authorization")[0]
    base = OAuth1Auth(KEY, SECRET).canonical(request)
    assert guard().verify(request).subject == KEY
    assert "oauth_token" not in base


@pytest.mark.parametrize("method", [method for method in EVERY if method != "HMAC-SHA1"])
def test_a_body_that_is_no_form_is_covered_by_its_hash(method: str) -> None:
    judge = guard(store(rsa=True), methods=EVERY)
    request, body = signed(auth(signature_method=method), changed(GET, method="POST", headers=JSON), b'{"a": 1}')
    assert b"oauth_body_hash" in request.values(b"authorization")[0]
    assert reason(judge, request, b'{"a": 2}') is Reason.WRONG_BODY
    assert reason(judge, request, b"") is Reason.WRONG_BODY
    assert judge.verify(request, body).subject == "alice"


def test_a_body_that_nothing_covers_is_refused_unless_allowed() -> None:
    request, body = signed(auth(body_hash=False), changed(GET, method="POST", headers=JSON), b"{}")
    assert reason(guard(), request, body) is Reason.NOT_COVERED
    assert guard(allow_unsigned_body=True).verify(request, body).subject == "alice"
    bare, _ = signed(auth(), changed(GET, method="POST"))
    assert reason(guard(), bare, b"smuggled") is Reason.NOT_COVERED


def test_a_sha1_body_hash_under_a_better_method_has_to_be_allowed() -> None:
    hashed = b64encode(sha1(b"{}").digest()).decode()
    who = auth(body_hash=False)
    post = Request("POST", "https", "api.example", "/orders")
    context = ClientContext(bytes, now=lambda: NOW, random=lambda n: b"b" * n)
    request = who.sign_post(
        post, context, OAuth1AccessToken(TOKEN, TOKEN_SECRET), [("oauth_body_hash", escape(hashed))]
    )
    assert reason(guard(), request, b"{}") is Reason.WRONG_BODY
    assert reason(guard(allow_sha1_body_hash=True), request, b"{} ") is Reason.WRONG_BODY
    assert guard(allow_sha1_body_hash=True).verify(request, b"{}").subject == "alice"


def test_plaintext_needs_tls_and_consent_on_both_sides() -> None:
    with pytest.raises(ConfigurationError, match="allow_plaintext=True"):
        auth(signature_method="PLAINTEXT")
    with pytest.raises(ConfigurationError, match="allow_plaintext=True"):
        OAuth1Verifier(methods=("PLAINTEXT",))
    with pytest.raises(ConfigurationError, match="placement"):
        auth(signature_method="PLAINTEXT", allow_plaintext=True, placement="query")
    who = auth(signature_method="PLAINTEXT", allow_plaintext=True)
    with pytest.raises(ConfigurationError, match="in the clear"):
        signed(who, changed(GET, scheme="http"))
    request, _ = signed(who)
    assert reason(guard(), request) is Reason.WRONG_ALGORITHM
    judge = guard(allow_plaintext=True)
    assert reason(judge, changed(request, scheme="http")) is Reason.WRONG_ALGORITHM
    wrong, _ = signed(auth(token_secret="other", signature_method="PLAINTEXT", allow_plaintext=True))
    assert reason(judge, wrong) is Reason.WRONG_SIGNATURE
    assert judge.verify(request).subject == "alice"
    assert reason(judge, request) is Reason.REPLAYED
    value = b'OAuth oauth_consumer_key="orders-app", oauth_signature_method="PLAINTEXT", oauth_signature="%s"'
    key = escape(signing_key(SECRET, "").decode()).encode()
    bare = changed(GET, headers=[("authorization", value % key)])
    assert [judge.verify(bare).subject for _ in range(2)] == [KEY, KEY], "without a nonce nothing can be remembered"
    assert not judge.plan.verifiers[0].single_use, "so early data is refused"


def test_what_is_accepted_is_said_by_the_verifier_and_narrowed_by_the_client_s_record() -> None:
    request, _ = signed(auth(signature_method="HMAC-SHA1"))
    assert reason(guard(), request) is Reason.WRONG_ALGORITHM
    assert guard(methods=("HMAC-SHA1",)).verify(request).subject == "alice"
    records = store()
    records.add_oauth1_client(KEY, secret=SECRET, methods=("HMAC-SHA512",))
    request, _ = signed(auth())
    assert reason(guard(records), request) is Reason.WRONG_ALGORITHM
    request, _ = signed(auth(signature_method="HMAC-SHA512"))
    assert guard(records).verify(request).subject == "alice"


# ---- what must not pass ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"method": "POST"}, Reason.WRONG_SIGNATURE),
        ({"scheme": "http"}, Reason.WRONG_SIGNATURE),
        ({"authority": "other.example"}, Reason.WRONG_SIGNATURE),
        ({"authority": "api.example:8443"}, Reason.WRONG_SIGNATURE),
        ({"target": b"/orders?id=8&name=a%20b&name=%C3%A9"}, Reason.WRONG_SIGNATURE),
        ({"target": b"/orders"}, Reason.WRONG_SIGNATURE),
        ({"target": b"/Orders?id=7&name=a%20b&name=%C3%A9"}, Reason.WRONG_SIGNATURE),
        ({"target": b"/orders%2F?id=7&name=a%20b&name=%C3%A9"}, Reason.WRONG_SIGNATURE),
        ({"target": b"/orders?id=7&name=a%2520b&name=%C3%A9"}, Reason.WRONG_SIGNATURE),
        ({"target": b"/orders?id=7&name=a%20b&name=%C3%A9&name="}, Reason.WRONG_SIGNATURE),
        ({"target": b"/orders?i=d7&name=a%20b&name=%C3%A9"}, Reason.WRONG_SIGNATURE),
        ({"target": b"/orders\n?id=7"}, Reason.TARGET_REFUSED),
        ({"target": b"*"}, Reason.TARGET_REFUSED),
        ({"authority": ""}, Reason.TARGET_REFUSED),
        ({"authority": "u@api.example"}, Reason.TARGET_REFUSED),
        ({"target": b"/orders?" + b"a&" * 1001}, Reason.TOO_MANY_PARAMETERS),
    ],
)
def test_a_changed_request_is_refused(parts: dict[str, Any], expected: Reason) -> None:
    request, _ = signed(auth())
    assert reason(guard(), changed(request, **parts)) is expected
    assert isinstance(guard().verify(request), Identity)


@pytest.mark.parametrize(
    "parts",
    [
        {"authority": "API.example:443"},
        {"target": b"/orders?name=%c3%a9&name=a+b&id=7"},
        {"target": b"https://api.example/orders?id=7&name=a%20b&name=%C3%A9"},
        {"target": b"/orders?&&%69d=7&name=a%20b&name=%C3%A9&"},
        {"method": "get"},
        {"scheme": "wss"},
    ],
)
def test_what_the_rfc_calls_the_same_request_is_accepted(parts: dict[str, Any]) -> None:
    request, _ = signed(auth())
    assert guard().verify(changed(request, **parts)).subject == "alice"


def value(**changes: str | None) -> bytes:
    given: dict[str, str | None] = {
        "oauth_consumer_key": KEY, "oauth_token": TOKEN, "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": str(int(NOW)), "oauth_nonce": "n0nce", "oauth_version": "1.0", "oauth_signature": "AAAA",
    }  # fmt: skip
    given |= changes
    return ("OAuth " + ", ".join(f'{name}="{text}"' for name, text in given.items() if text is not None)).encode()


@pytest.mark.parametrize(
    ("field", "expected", "where"),
    [
        (value(), Reason.WRONG_SIGNATURE, "oauth_signature"),
        (value(oauth_consumer_key=None), Reason.MALFORMED_CREDENTIALS, "oauth_consumer_key"),
        (value(oauth_consumer_key=""), Reason.MALFORMED_CREDENTIALS, "oauth_consumer_key"),
        (value(oauth_consumer_key="a" * 256), Reason.MALFORMED_CREDENTIALS, "oauth_consumer_key"),
        (value(oauth_consumer_key="%FF"), Reason.MALFORMED_CREDENTIALS, "oauth_consumer_key"),
        (value(oauth_consumer_key="%0A"), Reason.MALFORMED_CREDENTIALS, "oauth_consumer_key"),
        (value(oauth_consumer_key="nobody"), Reason.UNKNOWN_KEY, "oauth_consumer_key"),
        (value(oauth_token="nothing"), Reason.UNKNOWN_KEY, "oauth_token"),
        (value(oauth_token="a" * 1025), Reason.MALFORMED_CREDENTIALS, "oauth_token"),
        (value(oauth_signature_method=None), Reason.MALFORMED_CREDENTIALS, "oauth_signature_method"),
        (value(oauth_signature_method="none"), Reason.WRONG_ALGORITHM, "oauth_signature_method"),
        (value(oauth_signature_method="hmac-sha256"), Reason.WRONG_ALGORITHM, "oauth_signature_method"),
        (value(oauth_signature_method="RSA-SHA256"), Reason.WRONG_ALGORITHM, "oauth_signature_method"),
        (value(oauth_timestamp=None), Reason.MALFORMED_CREDENTIALS, "oauth_timestamp"),
        (value(oauth_timestamp="0"), Reason.MALFORMED_CREDENTIALS, "oauth_timestamp"),
        (value(oauth_timestamp="-1"), Reason.MALFORMED_CREDENTIALS, "oauth_timestamp"),
        (value(oauth_timestamp="1.5"), Reason.MALFORMED_CREDENTIALS, "oauth_timestamp"),
        (value(oauth_timestamp="NaN"), Reason.MALFORMED_CREDENTIALS, "oauth_timestamp"),
        (value(oauth_timestamp="%D9%A1"), Reason.MALFORMED_CREDENTIALS, "oauth_timestamp"),
        (value(oauth_timestamp="9" * 13), Reason.MALFORMED_CREDENTIALS, "oauth_timestamp"),
        (value(oauth_nonce=None), Reason.MALFORMED_CREDENTIALS, "oauth_nonce"),
        (value(oauth_nonce=""), Reason.MALFORMED_CREDENTIALS, "oauth_nonce"),
        (value(oauth_version="1.1"), Reason.MALFORMED_CREDENTIALS, "oauth_version"),
        (value(oauth_version="2.0"), Reason.MALFORMED_CREDENTIALS, "oauth_version"),
        (value(oauth_signature=None), Reason.MALFORMED_CREDENTIALS, "oauth_signature"),
        (value(oauth_signature="not base64"), Reason.MALFORMED_CREDENTIALS, "oauth_signature"),
        (value(oauth_signature="%FF"), Reason.MALFORMED_CREDENTIALS, "oauth_signature"),
        (value(oauth_body_hash="short"), Reason.MALFORMED_CREDENTIALS, "oauth_body_hash"),
        (b"OAuth", Reason.MALFORMED_CREDENTIALS, "oauth_signature_method"),
        (b"OAuth x", Reason.MALFORMED_CREDENTIALS, "authorization"),
        (b'OAuth a="1" b="2"', Reason.MALFORMED_CREDENTIALS, "authorization"),
        (b'OAuth a="1', Reason.MALFORMED_CREDENTIALS, "authorization"),
        (value() + b', realm="a", realm="b"', Reason.MALFORMED_CREDENTIALS, "authorization"),
        (b"OAuthX y", Reason.UNSUPPORTED_SCHEME, "authorization"),
    ],
)
def test_malformed_and_unknown_credentials(field: bytes, expected: Reason, where: str) -> None:
    with pytest.raises(Rejected) as caught:
        guard().verify(Request("GET", "https", "api.example", "/", [(b"authorization", field)]))
    assert (caught.value.reason, caught.value.rejection.where) == (expected, where)


def test_a_refusal_is_the_rfc_s_and_tells_no_more() -> None:
    for field, status in ((value(), 401), (value(oauth_consumer_key="nobody"), 401), (b"OAuth x", 400)):
        with pytest.raises(Rejected) as caught:
            guard().verify(Request("GET", "https", "api.example", "/", [(b"authorization", field)]))
        refusal = caught.value.refusal
        assert refusal is not None
        assert refusal.status == status
        assert refusal.response().values(b"www-authenticate") == [b'OAuth realm="protected"']


@pytest.mark.parametrize(
    ("age", "expected"),
    [(299.0, None), (300.0, Reason.EXPIRED), (-30.0, None), (-31.0, Reason.NOT_YET_VALID), (1e9, Reason.EXPIRED)],
)
def test_the_time_window_at_both_edges(age: float, expected: Reason | None) -> None:
    request, _ = signed(auth())
    judge = guard(now=NOW + age)
    if expected is None:
        assert judge.verify(request).subject == "alice"
    else:
        assert reason(judge, request) is expected


def test_a_token_s_end_is_the_end() -> None:
    records = store()
    records.add_oauth1_token(TOKEN, TOKEN_SECRET, client_key=KEY, subject="alice", expires=NOW + 10)
    request, _ = signed(auth())
    assert guard(records, now=NOW + 9.9).verify(request).subject == "alice"
    request, _ = signed(auth())
    assert reason(guard(records, now=NOW + 10), request) is Reason.EXPIRED
    records.remove_oauth1_token(TOKEN)
    assert reason(guard(records), request) is Reason.UNKNOWN_KEY


def test_a_rebuilt_target_with_encoded_octets_is_a_guess() -> None:
    request, _ = signed(auth(), Request("GET", "https", "api.example", "/a%20b"))
    rebuilt = Request.raw("GET", "https", "api.example", request.target, request.headers, request.peer, False)
    assert reason(guard(), rebuilt) is Reason.TARGET_NOT_EXACT


def test_the_records_survive_in_sql_sealed(tmp_path: Path) -> None:
    with SQLStore(f"sqlite:///{tmp_path / 'users.db'}", clock=lambda: NOW) as records:
        records.add_oauth1_client(KEY, secret=SECRET)
        records.add_oauth1_token(TOKEN, TOKEN_SECRET, client_key=KEY, subject="alice")
        request, _ = signed(auth())
        judge = guard(records)  # type: ignore[arg-type]
        assert judge.verify(request).subject == "alice"
        assert reason(judge, request) is Reason.REPLAYED
    for file in tmp_path.iterdir():
        assert SECRET.encode() not in file.read_bytes()
        assert TOKEN_SECRET.encode() not in file.read_bytes()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"methods": ()}, "nobody is accepted"),
        ({"methods": "HMAC-SHA1"}, "methods is a list"),
        ({"methods": ("HMAC-MD5",)}, "unknown signature method"),
        ({"placements": ()}, "placements is a list"),
        ({"placements": "header"}, "placements is a list"),
        ({"placements": ("cookie",)}, "placements is a list"),
        ({"max_age": 0}, "max_age"),
        ({"max_age": float("nan")}, "max_age"),
        ({"skew": -1}, "skew"),
    ],
)
def test_a_verifier_that_cannot_be_meant(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        OAuth1Verifier(**options)


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        (("",), {}, "client key is empty"),
        ((KEY,), {}, "needs the client's secret"),
        ((KEY, SECRET), {"signature_method": "MD5"}, "unknown signature method"),
        ((KEY, SECRET), {"rsa_key": "x"}, "drop rsa_key"),
        ((KEY,), {"signature_method": "RSA-SHA256"}, "needs a private key"),
        ((KEY,), {"signature_method": "RSA-SHA256", "rsa_key": "x"}, "PEM"),
        ((KEY,), {"signature_method": "RSA-SHA1", "rsa_key": "x"}, "PEM"),
        ((KEY, SECRET), {"placement": "cookie"}, "placement is one of"),
        ((KEY, SECRET), {"placement": "query", "realm": "x"}, "only the header"),
        ((KEY, SECRET), {"realm": "a\nb"}, "printable"),
    ],
)
def test_a_client_that_cannot_be_meant(arguments: tuple[str, ...], options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        OAuth1Auth(*arguments, **options)


@pytest.mark.parametrize("method", RSAS)
def test_a_public_key_does_not_sign(method: str) -> None:
    with pytest.raises(ConfigurationError, match="public key"):
        OAuth1Auth(KEY, signature_method=method, rsa_key=rsa_pair()[1])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "a secret, or an RSA public key"),
        ({"secret": "s", "methods": ("RSA-SHA256",)}, "no public key"),
        ({"secret": "s", "methods": "HMAC-SHA1"}, "methods is a list"),
        ({"public_key": "x"}, "PEM"),
        ({"secret": "s", "scopes": "read"}, "scopes is a list"),
    ],
)
def test_a_client_that_cannot_be_registered(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        MemoryStore().add_oauth1_client(KEY, **options)


def test_a_private_key_is_not_registered() -> None:
    with pytest.raises(ConfigurationError, match="private key"):
        MemoryStore().add_oauth1_client(KEY, public_key=rsa_pair()[0])


def test_parameters_of_the_protocol_in_the_caller_s_request_are_refused_before_sending() -> None:
    with pytest.raises(ConfigurationError, match="oauth_token"):
        signed(auth(), changed(GET, target=b"/?oauth_token=x"))
    with pytest.raises(ConfigurationError, match="oauth_nonce"):
        signed(auth(), changed(GET, method="POST", headers=FORM), b"oauth_nonce=1")
    with pytest.raises(ConfigurationError, match="form"):
        signed(auth(placement="form"))


def test_signing_again_replaces_the_credentials_of_an_earlier_signature() -> None:
    for placement in ("query", "form"):
        who = auth(placement=placement)
        once, body = signed(who, changed(GET, method="POST", headers=FORM), b"a=1")
        twice, body = signed(who, once, body)
        assert (twice.target + body).count(b"oauth_signature=") == 1
        assert guard().verify(twice, body).subject == "alice"


def test_canonical_says_what_is_missing() -> None:
    with pytest.raises(ConfigurationError, match="no oauth_signature"):
        auth().canonical(GET)
    with pytest.raises(ConfigurationError, match="can be read"):
        auth().canonical(changed(GET, headers=[(b"authorization", b"OAuth x")]))


def test_the_clients_canonical_string_is_the_servers() -> None:
    for placement in ("header", "query", "form"):
        who = auth(placement=placement)
        request, body = signed(who, changed(GET, method="POST", headers=FORM), b"a=1&b=+")
        assert who.canonical(request, body) == explain(request, guard(), body).canonical


def test_no_secret_in_any_repr() -> None:
    records = store()
    found = records.fetch([Ref(OAuth1Client, (KEY,)), Ref(OAuth1Token, (TOKEN,))])
    texts = [repr(auth()), repr(found.get(Ref(OAuth1Client, (KEY,)))), repr(found.get(Ref(OAuth1Token, (TOKEN,))))]
    texts += [repr(OAuth1AccessToken(TOKEN, TOKEN_SECRET)), repr(auth().token)]
    assert not any(SECRET in text or TOKEN_SECRET in text for text in texts)


# ---- any octets ------------------------------------------------------------------------------------------------------


@given(
    field=st.binary(max_size=80),
    query=st.binary(max_size=40),
    body=st.binary(max_size=40),
    form=st.booleans(),
    place=st.sampled_from(["header", "query", "form"]),
)
def test_any_octets_give_an_identity_or_a_rejection(
    field: bytes, query: bytes, body: bytes, form: bool, place: str
) -> None:
    request, made = signed(auth(), changed(GET, method="POST", headers=FORM if form else {}), b"a=1")
    own = request.values(b"authorization")[0]
    headers = [pair for pair in request.headers if pair[0] != b"authorization"]
    if place == "header":
        headers.append((b"authorization", own[: len(own) - len(field)] + field))
    if place == "query":
        query = b"oauth_signature=" + query
    if place == "form":
        body = made + b"&oauth_signature=" + body
    judge = guard()
    try:
        judge.verify(changed(request, headers=headers, target=b"/?" + query), body)
    except Rejected as rejected:
        assert isinstance(rejected.reason, Reason)


def test_clients_and_tokens_may_be_looked_up_in_tables_of_the_application_s() -> None:
    clients = {KEY: OAuth1Client("app", secret=SECRET)}
    tokens = {TOKEN: OAuth1Token(KEY, "alice", TOKEN_SECRET)}
    records = combine(from_callables(oauth1_client=clients.get, oauth1_token=tokens.get), MemoryStore())
    request, _ = signed(auth())
    judge = guard(records)  # type: ignore[arg-type]
    assert judge.verify(request).subject == "alice"
    assert reason(judge, request) is Reason.REPLAYED


def test_the_async_store_registers_and_removes_alike() -> None:
    async def main() -> list[object]:
        records = AsyncSQLStore("sqlite+aiosqlite://", clock=lambda: NOW)
        await records.add_oauth1_client(KEY, secret=SECRET)
        await records.add_oauth1_token(TOKEN, TOKEN_SECRET, client_key=KEY, subject="alice")
        judge = AsyncGuard([OAuth1Verifier()], records, policy=Policy(clock=lambda: NOW))
        said: list[object] = [(await judge.verify(signed(auth())[0])).subject]
        await records.remove_oauth1_token(TOKEN)
        with pytest.raises(Rejected) as caught:
            await judge.verify(signed(auth())[0])
        await records.close()
        return [*said, caught.value.reason]

    assert asyncio.run(main()) == ["alice", Reason.UNKNOWN_KEY]

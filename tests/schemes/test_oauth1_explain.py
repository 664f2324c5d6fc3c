"""`explain` for OAuth 1: the first cause is the true one, and no secret is in the output."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import Any
from urllib.parse import quote

import pytest

from tests.schemes.oauth1_world import (
    FORM, GET, JSON, KEY, NOW, SECRET, TOKEN, TOKEN_SECRET, auth, changed, guard, rsa_pair, signed, store,
)  # fmt: skip
from watchword import OAuth1Auth, Reason, Request, explain, explain_async
from watchword.schemes.explaining.program import Explanation
from watchword.schemes.oauth1.credentials import METHODS, signing_key
from watchword.schemes.oauth1.encoding import base_string, base_uri, escape, form_pairs, header_value, normalized
from watchword.stores import MemoryStore

OTHER_SECRET = "0ther-cl1ent-s3cret"
OTHER_TOKEN_SECRET = "0ther-t0ken-s3cret"


def records() -> MemoryStore:
    made = store(rsa=True)
    made.add_oauth1_client("other-app", secret=OTHER_SECRET)
    made.add_oauth1_token("other-token", OTHER_TOKEN_SECRET, client_key=KEY, subject="bob")
    made.add_oauth1_token("foreign-token", "x", client_key="other-app", subject="carol")
    return made


def asked(request: Request, body: bytes = b"", *, now: float = NOW, **options: Any) -> Explanation:
    explanation = explain(request, guard(records(), now=now, **options), body)
    shown = str(explanation) + explanation.to_json()
    for secret in (SECRET, TOKEN_SECRET, OTHER_SECRET, OTHER_TOKEN_SECRET, quote(SECRET, safe="~")):
        assert secret not in shown
    return explanation


def first(request: Request, body: bytes = b"", **options: Any) -> str:
    causes = asked(request, body, **options).causes
    assert causes[0].mend
    return causes[0].component


POST = changed(GET, method="POST", headers=FORM)
TEXT = b"note=a+b&other=%7e"


def test_a_genuine_request_has_no_cause_and_all_checks() -> None:
    request, body = signed(auth(), POST, TEXT)
    explanation = asked(request, body)
    assert explanation.accepted
    assert not explanation.causes
    names = [check.name for check in explanation.checks]
    assert names == ["client", "method", "token", "signature", "body", "time", "token time", "single use"]
    assert explanation.canonical.startswith("POST&https%3A%2F%2Fapi.example%2Forders&")


@pytest.mark.parametrize(
    ("parts", "component"),
    [
        ({"method": "PUT"}, "@method"),
        ({"scheme": "http"}, "@scheme"),
        ({"authority": "api.example:8080"}, "@authority"),
        ({"target": b"/orders/?id=7&name=a%20b&name=%C3%A9"}, "@path"),
        ({"target": b"/v1/orders?id=7&name=a%20b&name=%C3%A9"}, "@path"),
        ({"headers": None}, "header content-type"),
    ],
)
def test_what_changed_on_the_way_is_named(parts: dict[str, Any], component: str) -> None:
    request, body = signed(auth(), POST, TEXT)
    if "headers" in parts:
        parts = {"headers": [pair for pair in request.headers if pair[0] != b"content-type"]}
    assert first(changed(request, **parts), body) == component


def test_a_token_that_is_signed_and_not_sent_or_stands_in_another_place_is_named() -> None:
    request, _ = signed(auth())
    value = request.values(b"authorization")[0].decode()
    bare = ", ".join(each for each in value.split(", ") if "oauth_token=" not in each)
    told = asked(request.with_headers(((b"authorization", bare.encode()),))).causes[0]
    assert (told.component, told.mend.partition(":")[0]) == ("oauth_token", "oauth_token is missing")
    exchanged = value.replace(f'"{KEY}"', '"?"').replace(f'"{TOKEN}"', f'"{KEY}"').replace('"?"', f'"{TOKEN}"')
    assert exchanged != value
    told = asked(request.with_headers(((b"authorization", exchanged.encode()),))).causes[0]
    assert (told.component, "exchanged" in told.mend) == ("oauth_consumer_key", True)


@pytest.mark.parametrize("placement", ["query", "form"])
def test_in_the_other_placements_too(placement: str) -> None:
    request, body = signed(auth(placement=placement), POST, TEXT)
    assert first(changed(request, method="PUT"), body) == "@method"
    assert first(changed(request, scheme="http"), body) == "@scheme"
    assert first(request, body, now=NOW + 3600) == "oauth_timestamp"


def test_the_body_s_change_is_named_with_what_happened() -> None:
    request, body = signed(auth(), changed(POST, headers=JSON), b'{"b": 1, "a": [1, 2]}')
    explanation = asked(request, b'{"b":1,"a":[1,2]}')
    assert (explanation.reason, explanation.causes[0].component) == (Reason.WRONG_BODY, "body")
    assert "JSON" in explanation.causes[0].mend
    assert first(request, body + b"\n") == "body"
    assert first(request, b"something else") == "body"
    bare, body = signed(auth(body_hash=False), changed(POST, headers=JSON), b"{}")
    assert first(bare, body) == "oauth_body_hash"


def test_clocks_tokens_clients_and_methods_are_named() -> None:
    request, _ = signed(auth(), now=NOW - 3630)
    explanation = asked(request)
    assert (explanation.reason, explanation.causes[0].component) == (Reason.EXPIRED, "oauth_timestamp")
    assert "time zone" in explanation.causes[0].mend
    assert first(signed(OAuth1Auth("orders_app", SECRET))[0]) == "oauth_consumer_key"
    assert first(signed(OAuth1Auth("ghost", SECRET))[0]) == "oauth_consumer_key"
    assert first(signed(auth(token="alice-token"))[0]) == "oauth_token"
    assert first(signed(auth(token="foreign-token", token_secret="x"))[0]) == "oauth_token"
    rsa = OAuth1Auth("other-app", signature_method="RSA-SHA256", rsa_key=rsa_pair()[0])
    assert first(signed(rsa)[0]) == "oauth_signature_method"
    wrong = OAuth1Auth(KEY, signature_method="RSA-SHA256", rsa_key=rsa_pair()[0], token=TOKEN)
    request, _ = signed(wrong)
    assert first(changed(request, method="PUT")) == "@method"


def test_a_token_s_end_is_named() -> None:
    made = records()
    made.add_oauth1_token(TOKEN, TOKEN_SECRET, client_key=KEY, subject="alice", expires=NOW - 5)
    explanation = explain(signed(auth())[0], guard(made))
    assert (explanation.reason, explanation.causes[0].name) == (Reason.EXPIRED, "token time")


@pytest.mark.parametrize(
    ("secrets", "component"),
    [
        ((SECRET, OTHER_TOKEN_SECRET), "token secret"),
        ((OTHER_SECRET, TOKEN_SECRET), "client secret"),
        ((SECRET + "\n", TOKEN_SECRET), "client secret"),
        ((SECRET, b64encode(TOKEN_SECRET.encode()).decode()), "token secret"),
        ((SECRET, quote(TOKEN_SECRET, safe="-._~")), "token secret"),
        ((TOKEN_SECRET, SECRET), "key"),
        ((SECRET, ""), "token secret"),
        (("quite another", TOKEN_SECRET), "oauth_signature"),
    ],
)
def test_whose_secret_it_was_is_named(secrets: tuple[str, str], component: str) -> None:
    assert first(signed(auth(*secrets))[0]) == component


def parameters(method: str = "HMAC-SHA256") -> list[tuple[str, str]]:
    return [
        ("oauth_consumer_key", KEY), ("oauth_token", TOKEN), ("oauth_signature_method", method),
        ("oauth_timestamp", str(int(NOW))), ("oauth_nonce", "n0nce"), ("oauth_version", "1.0"),
    ]  # fmt: skip


def sent(base: bytes, *, key: bytes | None = None, method: str = "HMAC-SHA256", request: Request = POST) -> Request:
    """A request whose signature is over another base string."""
    key = signing_key(SECRET, TOKEN_SECRET) if key is None else key
    signature = b64encode(METHODS[method].mac(key, base)).decode()
    value = header_value("Photos!", [*parameters(), ("oauth_signature", escape(signature))])
    return request.with_headers(((b"authorization", value),))


QUERY = form_pairs(GET.query or b"", "query")
BODY = form_pairs(TEXT, "body")
ALL = [*parameters(), *QUERY, *BODY]
URI = base_uri(POST)


def joined(parameters: str, uri: str = URI) -> bytes:
    return f"POST&{escape(uri)}&{escape(parameters)}".encode()


@pytest.mark.parametrize(
    ("base", "component"),
    [
        (base_string("POST", URI, [*parameters(), *QUERY]), "body"),
        (base_string("POST", URI, [*parameters(), *BODY]), "@query"),
        (base_string("POST", URI, [*ALL, ("realm", escape("Photos!"))]), "realm"),
        (joined("&".join(f"{name}={value}" for name, value in ALL)), "parameters"),
        (joined(normalized(ALL).replace("%20", "+")), "parameters"),
        (base_string("POST", URI, [pair for pair in ALL if pair[0] != "oauth_version"]), "oauth_version"),
        (base_string("POST", URI, [*ALL, ("oauth_verifier", "")]), "oauth_verifier"),
        (base_string("POST", f"{URI}?{GET.query.decode()}", ALL), "base string URI"),  # type: ignore[union-attr]
        (base_string("POST", "https://api.example:443/orders", ALL), "@authority"),
        (f"POST&{URI}&{escape(normalized(ALL))}".encode(), "base string URI"),
        (base_string("post", URI, ALL).replace(b"POST", b"post", 1), "@method"),
        (base_string("POST", URI, [(n, "1699999990" if n == "oauth_timestamp" else v) for n, v in ALL]), "oauth_timestamp"),
    ],
)  # fmt: skip
def test_what_clients_sign_by_mistake_is_named(base: bytes, component: str) -> None:
    assert first(sent(base), TEXT) == component


@pytest.mark.parametrize(
    ("key", "component"),
    [
        (f"{SECRET}&{TOKEN_SECRET}".encode(), "key"),
        (quote(SECRET, safe="~").encode(), "key"),
        ((quote(SECRET, safe="~") + quote(TOKEN_SECRET, safe="~")).encode(), "key"),
    ],
)
def test_what_clients_take_for_the_key_is_named(key: bytes, component: str) -> None:
    assert first(sent(base_string("POST", URI, ALL), key=key), TEXT) == component


def test_another_hash_is_named() -> None:
    base = base_string("POST", URI, ALL)
    assert first(sent(base, method="HMAC-SHA1"), TEXT) == "oauth_signature_method"
    named = base_string("POST", URI, [*parameters("HMAC-SHA512"), *QUERY, *BODY])
    assert first(sent(named, method="HMAC-SHA512"), TEXT) == "oauth_signature_method"


def test_a_damaged_signature_says_how() -> None:
    request, _ = signed(auth())
    value = request.values(b"authorization")[0]
    index = value.index(b'oauth_signature="') + 20
    damaged = value[:index] + (b"x" if value[index : index + 1] != b"x" else b"y") + value[index + 1 :]
    explanation = asked(request.with_headers(((b"authorization", damaged),)))
    assert explanation.causes[0].component == "oauth_signature"
    assert "changed" in explanation.causes[0].mend


def test_plaintext_shows_nothing() -> None:
    who = auth(signature_method="PLAINTEXT", allow_plaintext=True)
    assert asked(signed(who)[0], allow_plaintext=True).accepted
    wrong = auth(token_secret="wr0ng-s3cret", signature_method="PLAINTEXT", allow_plaintext=True)
    explanation = asked(signed(wrong)[0], allow_plaintext=True)
    assert explanation.causes[0].component == "oauth_signature"
    assert "wr0ng" not in str(explanation)
    assert explanation.canonical == ""


def test_unreadable_credentials_are_explained_too() -> None:
    request, _ = signed(auth(), POST, TEXT)
    explanation = asked(request, TEXT + b"&oauth_nonce=x")
    assert explanation.reason is Reason.AMBIGUOUS
    assert explanation.causes[0].name == "parameters"
    request, body = signed(auth(placement="form"), POST, TEXT)
    explanation = asked(request, body + b"&oauth_nonce=x")
    assert (explanation.reason, explanation.causes[0].name) == (Reason.MALFORMED_CREDENTIALS, "parameters")


def test_a_replay_is_named_and_the_async_explanation_is_the_same() -> None:
    judge = guard(records())
    request, _ = signed(auth())
    judge.verify(request)
    explanation = explain(request, judge)
    assert (explanation.reason, explanation.causes[0].component) == (Reason.REPLAYED, "nonce")
    assert str(asyncio.run(explain_async(request, judge))) == str(explanation)

"""Where credentials are looked for: what any client sends by itself is not taken for a token, whatever its name has in it."""

from __future__ import annotations

import pytest

from watchword import APIKeyVerifier, BasicVerifier, Guard, InCookie, RegisteredToken, Request, TokenVerifier, explain
from watchword.stores import MemoryStore

KNOWN = {"a-long-random-token": RegisteredToken("alice")}
GUARDS = {
    "bearer": Guard([TokenVerifier(KNOWN.get, by="plain")]),
    "cookie": Guard([TokenVerifier(KNOWN.get, by="plain", place=InCookie())]),
    "key": Guard([APIKeyVerifier({}.get)]),
}
PASSWORDS = MemoryStore()
PASSWORDS.add_user("alice", "open sesame")
BASIC = Guard([BasicVerifier(realm="orders")], PASSWORDS)
WITH_A_COLON = {
    "Host": "127.0.0.1:8000", "Origin": "http://127.0.0.1:8000", "Referer": "https://shop.example/", "Forwarded": "for=192.0.2.1:80",
    "If-Modified-Since": "Mon, 30 Nov 2026 10:00:00 GMT", "Cookie": "theme=dark:blue", "X-Request-ID": "orders:7",
}  # fmt: skip
OF_CLIENTS = {
    "User-Agent": "curl/7.88.1", "Sec-Fetch-User": "?1", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Access-Control-Request-Headers": "authorization", "Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    "Signature-Agent": '"https://bot.example"', "X-API-Version": "2026", "X-CSRF-Token": "kq0aXh3nYk", "Cookie": "csrftoken=kq0aXh3nYk",
}  # fmt: skip


@pytest.mark.parametrize("guard", GUARDS.values(), ids=GUARDS)
@pytest.mark.parametrize("name", OF_CLIENTS)
def test_what_any_client_sends_is_no_token_in_the_wrong_place(guard: Guard, name: str) -> None:
    (cause,) = explain(Request("GET", "https", "api.example", "/", {name: OF_CLIENTS[name]}), guard).causes
    assert (cause.name, cause.component) == ("no_credentials", "credentials")


@pytest.mark.parametrize("name", ["X-Auth-Token", "X-Access-Token", "Cookie"])
def test_an_unknown_token_under_a_name_of_credentials_is_one_in_the_wrong_place(name: str) -> None:
    value = "token=nobodys-token" if name == "Cookie" else "nobodys-token"
    first = explain(Request("GET", "https", "api.example", "/", {name: value}), GUARDS["bearer"]).causes[0]
    assert (first.name, first.component) == ("place", "authorization")


def test_a_genuine_token_is_found_wherever_it_stands() -> None:
    first = explain(
        Request("GET", "https", "api.example", "/", {"User-Agent": "a-long-random-token"}), GUARDS["bearer"]
    ).causes[0]
    assert first.name == "place"
    assert first.received.endswith("(in the field user-agent)")


@pytest.mark.parametrize("name", WITH_A_COLON)
def test_what_has_a_colon_is_no_name_and_password(name: str) -> None:
    (cause,) = explain(Request("GET", "http", "127.0.0.1:8000", "/", {name: WITH_A_COLON[name]}), BASIC).causes
    assert (cause.name, cause.component) == ("no_credentials", "credentials")


@pytest.mark.parametrize("name", ["X-Anything", "X-Auth"])
def test_a_users_name_and_password_are_found_in_any_field(name: str) -> None:
    first = explain(Request("GET", "https", "api.example", "/", {name: "alice:open sesame"}), BASIC).causes[0]
    assert first.name == "place"
    assert "as plain text, not in base64" in first.received

"""The issuer that tests have takes codes, devices and refresh tokens as an issuer should, and is strict about it."""

from __future__ import annotations

import json
from base64 import b64encode
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from watchword import ConfigurationError, Key, Request
from watchword.crypto.digests import digest
from watchword.crypto.encoding import b64url_encode
from watchword.testing import FakeIssuer, Misbehaviour

CALLBACK = "https://shop.example/callback"
VERIFIER = "v" * 43
CHALLENGE = b64url_encode(digest("sha-256", VERIFIER.encode())).decode()
ASKED = {
    "response_type": "code", "client_id": "shop", "redirect_uri": CALLBACK, "state": "s", "scope": "openid",
    "code_challenge": CHALLENGE, "code_challenge_method": "S256",
}  # fmt: skip


def issuer_of() -> FakeIssuer:
    issuer = FakeIssuer()
    issuer.add_client("shop", "s3cret", redirect_uris=[CALLBACK])
    return issuer


def post(issuer: FakeIssuer, part: str, form: dict[str, str], secret: str = "s3cret") -> tuple[int, dict[str, object]]:
    pair = b64encode(f"shop:{secret}".encode()).decode()
    headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"}
    reply = issuer.reply(Request("POST", "https", "issuer.example", f"/{part}", headers), urlencode(form).encode())
    return reply.status, json.loads(reply.body or b"{}")


def visit(issuer: FakeIssuer, **changed: str) -> tuple[int, dict[str, list[str]]]:
    reply = issuer.reply(Request("GET", "https", "issuer.example", f"/authorize?{urlencode(ASKED | changed)}"))
    location = dict(reply.headers).get(b"location", b"").decode()
    return reply.status, parse_qs(urlsplit(location).query)


def redeem(issuer: FakeIssuer, **changed: str) -> tuple[int, dict[str, object]]:
    code = visit(issuer)[1]["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return post(issuer, "token", form | changed)


def refresh(issuer: FakeIssuer, token: object) -> tuple[int, dict[str, object]]:
    return post(issuer, "token", {"grant_type": "refresh_token", "refresh_token": str(token)})


def test_a_code_is_given_once_to_the_client_that_proves_it_asked() -> None:
    issuer = issuer_of()
    status, members = redeem(issuer)
    assert status == 200
    assert {"access_token", "refresh_token", "id_token"} <= set(members)
    for changed in ({"code_verifier": "w" * 43}, {"redirect_uri": CALLBACK + "/"}, {"code": "guessed"}):
        status, members = redeem(issuer, **changed)
        assert (status, members["error"]) == (400, "invalid_grant")


def test_the_browser_is_sent_nowhere_that_is_not_registered() -> None:
    for changed in ({"redirect_uri": "https://evil.example/"}, {"client_id": "unknown"}):
        assert visit(issuer_of(), **changed) == (400, {})


def test_a_program_on_the_same_host_may_come_from_any_port() -> None:
    issuer = issuer_of()
    issuer.add_client("shop", "s3cret", redirect_uris=["http://127.0.0.1/callback"])
    for uri, status in (
        ("http://127.0.0.1:49152/callback", 302), ("http://127.0.0.1/callback", 302), ("http://127.0.0.1:49152/other", 400),
        ("http://127.0.0.2:49152/callback", 400), ("http://127.0.0.1:49152@evil.example/callback", 400),
    ):  # fmt: skip
        assert visit(issuer, redirect_uri=uri)[0] == status


@pytest.mark.parametrize(
    "changed", [{"code_challenge_method": "plain"}, {"code_challenge": ""}, {"response_type": "token"}]
)
def test_without_pkce_there_is_no_code(changed: dict[str, str]) -> None:
    status, found = visit(issuer_of(), **changed)
    assert (status, found["error"], found["state"]) == (302, ["invalid_request"], ["s"])
    assert "code" not in found


def test_it_names_itself_another_or_nobody_as_it_is_told() -> None:
    issuer = issuer_of()
    assert visit(issuer)[1]["iss"] == [issuer.url]
    with issuer.misbehaving(Misbehaviour.WRONG_ISSUER, "authorize"):
        assert visit(issuer)[1]["iss"] == ["https://another-issuer.example"]
    with issuer.misbehaving(Misbehaviour.UNNAMED, "authorize"):
        assert "iss" not in visit(issuer)[1]


def test_an_old_refresh_token_ends_the_log_in_but_for_grace() -> None:
    issuer = issuer_of()
    first = redeem(issuer)[1]["refresh_token"]
    second = refresh(issuer, first)[1]["refresh_token"]
    assert second != first
    issuer.settings.grace = True
    third = refresh(issuer, first)[1]["refresh_token"]
    assert issuer.grants.ended == []
    issuer.settings.grace = False
    assert refresh(issuer, second)[0] == 400
    assert issuer.grants.ended == ["alice"]
    assert refresh(issuer, third)[0] == 400


def test_without_rotation_one_refresh_token_goes_on() -> None:
    issuer = issuer_of()
    issuer.settings.rotates = False
    token = redeem(issuer)[1]["refresh_token"]
    for _ in range(3):
        status, members = refresh(issuer, token)
        assert status == 200 and "refresh_token" not in members


def test_what_is_given_back_is_good_no_more() -> None:
    issuer = issuer_of()
    token = redeem(issuer)[1]["refresh_token"]
    assert post(issuer, "revoke", {"token": str(token)})[0] == 200
    assert refresh(issuer, token)[0] == 400


def test_a_device_waits_as_long_as_it_is_told() -> None:
    issuer = issuer_of()
    issuer.settings.device_answers = ["authorization_pending"]
    code = post(issuer, "device", {"scope": "read"})[1]["device_code"]
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": str(code)}
    assert post(issuer, "token", form)[1] == {"error": "authorization_pending"}
    assert post(issuer, "token", form)[0] == 200
    assert post(issuer, "token", form)[1] == {"error": "invalid_grant"}
    late = {**form, "device_code": str(post(issuer, "device", {})[1]["device_code"])}
    issuer.clock.advance(601)
    assert post(issuer, "token", late)[1] == {"error": "expired_token"}


@pytest.mark.parametrize("part", ["token", "device", "revoke"])
def test_whoever_does_not_prove_it_is_the_client_gets_nothing(part: str) -> None:
    status, members = post(issuer_of(), part, {"grant_type": "refresh_token"}, secret="guessed")
    assert (status, members["error"]) == (401, "invalid_client")


def test_other_grants_are_unknown_and_a_client_has_one_proof() -> None:
    assert post(issuer_of(), "token", {"grant_type": "password"})[1] == {"error": "unsupported_grant_type"}
    with pytest.raises(ConfigurationError, match="a secret or a key"):
        FakeIssuer().add_client("robot", "s3cret", key=Key.generate("ES256"))

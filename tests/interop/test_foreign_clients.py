"""Other people's clients against `examples.api`."""

from __future__ import annotations

import json

import httpx2
import pytest
import requests
from requests.auth import HTTPBasicAuth, HTTPDigestAuth

SUBJECTS = {"basic", "digest", "jwt", "oauth", "hmac", "signature", "sigv4", "oauth1", "webhook", "dpop"}


def url(api, scheme):
    return api["base_url"] + api[scheme]["path"]


def user(api, scheme):
    return api[scheme]["username"], api[scheme]["password"]


def colon(api, scheme):
    return ":".join(user(api, scheme))


def assert_admitted(api, scheme, status, text):
    assert status == 200, text
    answer = json.loads(text)
    assert answer["scheme"] == scheme
    assert answer["subject"]
    if scheme in ("basic", "digest"):
        assert answer["subject"] == api[scheme]["username"]


def test_the_api_says_what_an_outsider_needs(api):
    assert set(api) == {"base_url", *SUBJECTS}
    assert set(api["oauth"]) >= {"token_url", "client_id", "client_secret", "scope", "path"}


# ---- curl ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["basic", "digest"])
def test_curl_is_admitted_with_the_password(api, curl, scheme):
    status, text = curl(f"--{scheme}", "--user", colon(api, scheme), url(api, scheme))
    assert_admitted(api, scheme, status, text)


@pytest.mark.parametrize("scheme", ["basic", "digest"])
def test_curl_is_refused_with_another_password(api, curl, scheme):
    status, _ = curl(f"--{scheme}", "--user", f"{api[scheme]['username']}:another", url(api, scheme))
    assert status == 401


def test_curl_chooses_digest_where_the_api_offers_everything(api, curl):
    status, text = curl("--anyauth", "--user", colon(api, "digest"), api["base_url"] + "/whoami")
    assert_admitted(api, "digest", status, text)


def test_curl_digest_covers_a_target_with_a_query(api, curl):
    status, text = curl("--digest", "--user", colon(api, "digest"), url(api, "digest") + "?a=b%20c&d='e'")
    assert_admitted(api, "digest", status, text)


def test_curl_digest_makes_several_requests_on_one_nonce(api, curl):
    target = url(api, "digest")
    status, text = curl("--digest", "--user", colon(api, "digest"), target, target, target)
    assert status == 200
    assert text.count('"digest"') == 3


def test_curl_is_admitted_with_a_bearer_token_and_refused_with_a_changed_one(api, curl):
    token = api["jwt"]["token"]
    status, text = curl("--oauth2-bearer", token, url(api, "jwt"))
    assert_admitted(api, "jwt", status, text)
    head, _, signature = token.rpartition(".")
    changed = f"{head}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
    status, _ = curl("--oauth2-bearer", changed, url(api, "jwt"))
    assert status == 401


def test_curl_gets_a_token_by_client_credentials_and_uses_it(api, curl):
    oauth = api["oauth"]
    scope = oauth["scope"] if isinstance(oauth["scope"], str) else " ".join(oauth["scope"])
    form = ["--data", "grant_type=client_credentials", "--data-urlencode", f"scope={scope}"]
    status, text = curl("--user", f"{oauth['client_id']}:{oauth['client_secret']}", *form, oauth["token_url"])
    assert status == 200, text
    issued = json.loads(text)
    assert issued["token_type"].lower() == "bearer"
    status, text = curl("--oauth2-bearer", issued["access_token"], url(api, "oauth"))
    assert_admitted(api, "oauth", status, text)


def test_curl_gets_no_token_with_another_secret(api, curl):
    oauth = api["oauth"]
    status, text = curl(
        "--user", f"{oauth['client_id']}:another", "--data", "grant_type=client_credentials", oauth["token_url"]
    )
    assert (status, json.loads(text)["error"]) == (401, "invalid_client")


# ---- wget ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["basic", "digest"])
def test_wget_is_admitted_with_the_password(api, wget, scheme):
    """wget knows MD5 only for Digest; the API offers it besides SHA-256."""
    status, text = wget(f"--user={api[scheme]['username']}", f"--password={api[scheme]['password']}", url(api, scheme))
    assert status == 0
    assert_admitted(api, scheme, 200, text)


@pytest.mark.parametrize("scheme", ["basic", "digest"])
def test_wget_is_refused_with_another_password(api, wget, scheme):
    status, _ = wget(f"--user={api[scheme]['username']}", "--password=another", url(api, scheme))
    assert status == 6


# ---- requests and httpx2 ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("scheme", "auth"), [("basic", HTTPBasicAuth), ("digest", HTTPDigestAuth)])
def test_requests_is_admitted_by_its_own_classes(api, scheme, auth):
    with requests.Session() as session:
        session.auth = auth(*user(api, scheme))
        for _ in range(2):
            answer = session.get(url(api, scheme), timeout=300)
            assert_admitted(api, scheme, answer.status_code, answer.text)


def test_requests_digest_finds_its_challenge_among_all_of_them(api):
    answer = requests.get(api["base_url"] + "/whoami", auth=HTTPDigestAuth(*user(api, "digest")), timeout=300)
    assert_admitted(api, "digest", answer.status_code, answer.text)


def test_requests_digest_is_refused_with_another_password(api):
    auth = HTTPDigestAuth(api["digest"]["username"], "another")
    assert requests.get(url(api, "digest"), auth=auth, timeout=300).status_code == 401


@pytest.mark.parametrize(("scheme", "auth"), [("basic", httpx2.BasicAuth), ("digest", httpx2.DigestAuth)])
def test_httpx2_is_admitted_by_its_own_classes(api, scheme, auth):
    with httpx2.Client(auth=auth(*user(api, scheme)), trust_env=False) as client:
        for _ in range(2):
            answer = client.get(url(api, scheme))
            assert_admitted(api, scheme, answer.status_code, answer.text)


def test_httpx2_digest_finds_its_challenge_among_all_of_them(api):
    with httpx2.Client(auth=httpx2.DigestAuth(*user(api, "digest")), trust_env=False) as client:
        answer = client.get(api["base_url"] + "/whoami")
    assert_admitted(api, "digest", answer.status_code, answer.text)


def test_a_captured_digest_request_is_refused_on_every_path(api):
    """What requests sent is sent again, octet by octet."""
    with requests.Session() as session:
        session.auth = HTTPDigestAuth(*user(api, "digest"))
        captured = session.get(url(api, "digest"), timeout=300).request.headers["Authorization"]
    for path in (api["digest"]["path"], "/whoami", "/basic"):
        answer = requests.get(api["base_url"] + path, headers={"Authorization": captured}, timeout=300)
        assert answer.status_code in (400, 401), path

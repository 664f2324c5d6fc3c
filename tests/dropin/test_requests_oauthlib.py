from __future__ import annotations

import json
import time
from base64 import b64encode
from urllib.parse import parse_qs

import pytest

from tests.clients.origin import ok, origin
from watchword import ConfigurationError
from watchword.core.rejection import CredentialsUnavailable
from watchword.dropin.requests_oauthlib import OAuth2Session


def issuing(lifetime=3600, **more):
    issued = []

    def answer(seen):
        issued.append(seen)
        content = {"access_token": f"tok{len(issued)}", "token_type": "Bearer", "expires_in": lifetime, **more}
        return 200, [("Content-Type", "application/json")], json.dumps(content).encode()

    return answer


def session(**options):
    it = OAuth2Session("robot", **{"client_secret": "s3cret", **options})
    it.trust_env = False
    return it


@pytest.mark.parametrize("scope", ["read write", ["read", "write"], ("read", "write")])
def test_a_token_is_fetched_and_attached(scope):
    with origin(issuing()) as issuer, origin(ok) as api, session(scope=scope) as it:
        token = it.fetch_token(issuer.url + "/token")
        assert token["access_token"] == "tok1"
        assert token["token_type"] == "Bearer"
        assert token["scope"] == ["read", "write"]
        assert 3590 <= token["expires_in"] <= 3600
        assert token["expires_at"] == pytest.approx(time.time() + 3600, abs=20)
        assert it.authorized
        assert it.get(api.url + "/a").content == it.post(api.url + "/b", data=b"x").content == b"fine"
        (asked,) = issuer.seen
        assert parse_qs(asked.body.decode()) == {"grant_type": ["client_credentials"], "scope": ["read write"]}
        assert asked.field("authorization") == "Basic " + b64encode(b"robot:s3cret").decode()
        assert [seen.field("authorization") for seen in api.seen] == ["Bearer tok1"] * 2


def test_a_token_is_renewed_before_it_expires():
    with origin(issuing(lifetime=0)) as issuer, origin(ok) as api, session() as it:
        it.fetch_token(issuer.url)
        it.get(api.url)
        assert api.seen[0].field("authorization") == "Bearer tok2"
        assert it.token["access_token"] == "tok2"


def test_a_refused_token_is_fetched_anew_once():
    def answer(seen):
        return (200, [], b"in") if seen.field("authorization") == "Bearer tok2" else (401, [], b"")

    with origin(issuing()) as issuer, origin(answer) as api, session() as it:
        it.fetch_token(issuer.url)
        assert it.get(api.url).content == b"in"


def test_fetch_token_always_fetches():
    with origin(issuing()) as issuer, session() as it:
        assert it.fetch_token(issuer.url)["access_token"] == "tok1"
        assert it.fetch_token(issuer.url)["access_token"] == "tok2"


def test_a_token_without_an_end_says_nothing_of_it():
    answer = b'{"access_token": "t", "token_type": "bearer"}'
    with origin(lambda seen: (200, [], answer)) as issuer, session() as it:
        assert it.fetch_token(issuer.url) == {"access_token": "t", "token_type": "Bearer", "scope": []}


def test_the_secret_may_come_with_fetch_token_and_must_come():
    with origin(issuing()) as issuer, session(client_secret=None) as it:
        with pytest.raises(ConfigurationError, match="client_secret="):
            it.fetch_token(issuer.url)
        assert not issuer.seen
        assert it.fetch_token(issuer.url, client_secret="other")["access_token"] == "tok1"
        assert "s3cret" not in repr(vars(it))


def test_a_request_before_there_is_a_token_is_not_sent():
    with origin(ok) as api, session() as it:
        with pytest.raises(ConfigurationError, match="fetch_token"):
            it.get(api.url)
        assert not api.seen
        assert it.get(api.url, auth=("a", "b")).status_code == 200


def test_a_token_url_in_the_clear_is_refused():
    with session() as it, pytest.raises(ConfigurationError, match="https"):
        it.fetch_token("http://id.example/token")


def test_a_refusal_of_the_endpoint_leaves_the_session_without_token():
    with origin(lambda seen: (400, [], b'{"error": "invalid_client"}')) as issuer, session() as it:
        with pytest.raises(CredentialsUnavailable, match="invalid_client"):
            it.fetch_token(issuer.url)
        assert not it.authorized


def test_the_token_does_not_follow_a_redirect_to_another_origin():
    with origin(issuing()) as issuer, origin(ok) as elsewhere, session() as it:
        with origin(lambda seen: (302, [("Location", elsewhere.url)], b"")) as api:
            it.fetch_token(issuer.url)
            assert it.get(api.url).status_code == 200
        assert elsewhere.seen[0].field("authorization") is None

"""Session fixation and log-in forgery through `OAuth1Session` (OAuth Security Advisory 2009.1): what requests-oauthlib leaves to the program.

An attacker begins a log-in and has the victim finish it, or sends the victim to the callback with a token of the attacker's.
"""

from __future__ import annotations

import pytest

from tests.clients.origin import origin
from watchword.dropin.requests_oauthlib import OAuth1Session
from watchword.dropin.requests_oauthlib.oauth1_session import TokenMissing, TokenRequestDenied, VerifierMissing

READY = "https://printer.example/ready"


@pytest.mark.parametrize(
    "said", [b"", b"&oauth_callback_confirmed=", b"&oauth_callback_confirmed=TRUE", b"&oauth_callback_confirmed=1"]
)
@pytest.mark.parametrize("callback", [READY, "oob"])
def test_a_server_of_the_old_protocol_is_left_before_anybody_is_asked(said: bytes, callback: str) -> None:
    with origin(lambda seen: (200, [], b"oauth_token=a&oauth_token_secret=b" + said)) as server:
        session = OAuth1Session("printer", "s", callback_uri=callback)
        with pytest.raises(TokenRequestDenied, match=r"1\.0a"):
            session.fetch_request_token(server.url)
        assert session.token == {}


@pytest.mark.parametrize(
    "query",
    [
        "oauth_token=theirs&oauth_verifier=v", "oauth_token=&oauth_verifier=v", "oauth_token=MINE&oauth_verifier=v",
        "oauth_token=mine&oauth_token=theirs&oauth_verifier=v", "oauth_token=mine&oauth_verifier=v&oauth_verifier=theirs",
        "oauth_token=mine&oauth%5Ftoken=theirs&oauth_verifier=v", "oauth_token=mine&oauth_token_secret=theirs&oauth_verifier=v",
        "oauth_verifier=v", "denied=mine", "oauth_token=%FF&oauth_verifier=v", "",
    ],
)  # fmt: skip
def test_a_callback_that_is_about_another_log_in_changes_nothing(query: str) -> None:
    session = OAuth1Session("printer", "s", resource_owner_key="mine", resource_owner_secret="ts")
    with pytest.raises(TokenMissing):
        session.parse_authorization_response(f"{READY}?{query}")
    assert session.token == {"oauth_token": "mine", "oauth_token_secret": "ts"}


def test_without_the_verifier_nothing_is_asked_for() -> None:
    session = OAuth1Session("printer", "s", resource_owner_key="mine", resource_owner_secret="ts")
    session.parse_authorization_response(f"{READY}?oauth_token=mine")
    with pytest.raises(VerifierMissing):
        session.fetch_access_token("https://photos.example/token")

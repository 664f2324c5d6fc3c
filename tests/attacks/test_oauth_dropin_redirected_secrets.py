"""Token requests that are sent on to wherever the server points (CVE-2026-54605 of Ruby's oauth, CVE-2018-18074 of requests).

requests-oauthlib follows redirects of them: 307 and 308 repeat the form with the client's secret, and OAuth 1 is signed for the
other host, whose answer is then taken for the token.
"""

from __future__ import annotations

import pytest

from tests.clients.origin import origin
from watchword import CredentialsUnavailable
from watchword.dropin.requests_oauthlib import BackendApplicationClient, OAuth1Session, OAuth2Session
from watchword.dropin.requests_oauthlib.oauth1_session import TokenRequestDenied

STATUSES = (301, 302, 303, 307, 308)


def stealing(seen):
    return (
        200,
        [],
        b'{"access_token": "theirs", "token_type": "Bearer", "oauth_token": "theirs", "oauth_token_secret": "theirs"}',
    )


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize(
    "given",
    [{"client_secret": "s3cret"}, {"client_secret": "s3cret", "include_client_id": True}, {"auth": ("robot", "s3cret")}, {"client_secret": "s3cret", "method": "GET"}],
)  # fmt: skip
@pytest.mark.parametrize("near", [False, True])
def test_no_client_secret_follows_a_redirect(status, given, near) -> None:
    with origin(stealing) as thief:

        def answer(seen):
            return (
                stealing(seen)
                if seen.target == "/elsewhere"
                else (status, [("Location", "/elsewhere" if near else thief.url)], b"")
            )

        with origin(answer) as server, OAuth2Session(client=BackendApplicationClient("robot")) as session:
            with pytest.raises(CredentialsUnavailable, match=str(status)):
                session.fetch_token(server.url + "/t", **given)
            assert not session.authorized
            assert len(server.seen) == 1
        assert not thief.seen


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("place", ["AUTH_HEADER", "QUERY", "BODY"])
def test_no_temporary_credentials_come_from_another_host(status, place) -> None:
    with origin(stealing) as thief, origin(lambda seen: (status, [("Location", thief.url)], b"")) as server:
        with OAuth1Session("printer", "s3cret", signature_type=place, verifier="v") as session:
            for call in (session.fetch_request_token, session.fetch_access_token):
                with pytest.raises(TokenRequestDenied, match=str(status)):
                    call(server.url)
            assert not session.authorized
        assert not thief.seen


@pytest.mark.parametrize("status", STATUSES)
def test_no_token_follows_a_redirect_of_the_api_to_another_host(status) -> None:
    for placement in ("auth_header", "body"):
        client = BackendApplicationClient("robot", default_token_placement=placement)
        with origin(stealing) as thief, origin(lambda seen: (status, [("Location", thief.url)], b"")) as api:
            with OAuth2Session(client=client, token={"access_token": "t0ken", "token_type": "Bearer"}) as session:
                session.post(api.url, data={"a": "b"})
            assert b"t0ken" in api.seen[0].body + (api.seen[0].field("authorization") or "").encode()
            (seen,) = thief.seen
            assert "t0ken" not in repr(seen)

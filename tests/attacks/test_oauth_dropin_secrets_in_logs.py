"""Secrets in logs and errors: requests-oauthlib logs tokens, headers and answers at DEBUG (its issue 536), oauthlib before 0.7.0 passwords.

Nothing is logged by the drop-in, and neither the text of an error nor a repr or traceback holds a secret or what a server said of one.
"""

from __future__ import annotations

import logging
import traceback

import pytest
import requests

from tests.clients.origin import ok, origin
from watchword.dropin.requests_oauthlib import BackendApplicationClient, OAuth1, OAuth1Session, OAuth2, OAuth2Session

SECRETS = ("s3cret-of-client", "s3cret-of-token", "s3cret-verifier", "s3cret-t0ken", "s3cret-answer")


def spoken(error: BaseException | None) -> str:
    """All that a logger would write of an error and of those before it."""
    text = ""
    while error is not None:
        text += str(error) + repr(error) + "".join(traceback.format_exception_only(error)) + repr(error.args)
        error = error.__context__
    return text


def test_nothing_that_is_logged_holds_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answer = b'{"access_token": "s3cret-t0ken", "token_type": "Bearer", "id_token": "s3cret-answer"}'
    with (
        origin(lambda seen: (200, [], answer)) as issuer,
        origin(ok) as api,
        OAuth2Session(client=BackendApplicationClient("robot")) as session,
    ):
        session.fetch_token(issuer.url, client_secret=SECRETS[0], include_client_id=True)
        session.get(api.url)
    texts = b"oauth_token=s3cret-t0ken&oauth_token_secret=s3cret-of-token"
    with (
        origin(lambda seen: (200, [], texts)) as server,
        OAuth1Session("printer", SECRETS[0], verifier=SECRETS[2]) as session,
    ):
        session.fetch_access_token(server.url)
        session.post(server.url, data={"a": "b"})
    assert caplog.records  # urllib3's, of the requests
    assert not [record for record in caplog.records if any(secret in record.getMessage() for secret in SECRETS)]


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    "content",
    [
        b"s3cret-answer",
        b"s3cret-answer=1&s3cret-answer=2",
        b'{"s3cret-answer": 1}',
        b"\xff s3cret-answer",
        b'{"x": "s3cret-answer"',
        b'"s3cret-answer"',
    ],
)
def test_no_error_repeats_an_answer(status: int, content: bytes) -> None:
    with origin(lambda seen: (status, [], content)) as server:
        with OAuth2Session("robot", client_secret=SECRETS[0]) as session, pytest.raises(Exception) as caught:
            session.fetch_token(server.url)
        assert not any(secret in spoken(caught.value) for secret in SECRETS)
        with OAuth1Session("printer", SECRETS[0], "t", SECRETS[1], verifier=SECRETS[2]) as session:
            for call in (session.fetch_request_token, session.fetch_access_token):
                with pytest.raises(Exception) as caught:
                    call(server.url)
                assert not any(secret in spoken(caught.value) for secret in SECRETS)


def answer_of(content: bytes) -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer._content = 200, content
    return answer


def test_no_repr_holds_a_secret() -> None:
    token = {"access_token": SECRETS[3], "token_type": "Bearer"}
    one = OAuth1("printer", SECRETS[0], "t", SECRETS[1], verifier=SECRETS[2], rsa_key=SECRETS[4])
    session = OAuth2Session("robot", client_secret=SECRETS[0], token=token)
    session.send = lambda request, **_: answer_of(b'{"access_token": "s3cret-t0ken"}')
    session.fetch_token("https://id.example/t")
    for held in (
        session._sent.again,
        one,
        one.client,
        session,
        session._client,
        session._sent,
        OAuth2(token=token),
        BackendApplicationClient("a", token=token),
    ):
        assert not any(secret in repr(held) for secret in SECRETS)

"""What type checkers make of the drop-in for requests-oauthlib; as users.py, it is never run."""

from __future__ import annotations

from typing import assert_type

import requests

from watchword.dropin import install
from watchword.dropin.requests_oauthlib import (
    BackendApplicationClient, OAuth1, OAuth1Session, OAuth2, OAuth2Session, TokenUpdated, UnsupportedGrant,
)  # fmt: skip
from watchword.dropin.requests_oauthlib.compliance_fixes import mailchimp_compliance_fix
from watchword.dropin.requests_oauthlib.errors import InvalidClientError, OAuth2Error, TokenExpiredError
from watchword.dropin.requests_oauthlib.oauth1_session import TokenRequestDenied


def unchanged(response: requests.Response) -> requests.Response:
    return response


def robot(secret: str) -> str:
    client = BackendApplicationClient(client_id="robot", scope=["read"])
    with OAuth2Session(client=client, scope="read write") as session:
        mailchimp_compliance_fix(session)
        session.register_compliance_hook("access_token_response", unchanged)
        try:
            session.fetch_token("https://id.example/token", client_secret=secret, timeout=(3, 5), audience="orders")
        except InvalidClientError as error:
            return error.description
        except UnsupportedGrant as error:
            return error.argument
        except OAuth2Error as error:
            assert_type(error.status_code, int)
            return error.error
        assert_type(session.authorized, bool)
        answer = session.get("https://api.example/", params={"a": "b"}, timeout=5)
        assert_type(answer, requests.Response)
        return answer.text


def given(token: dict[str, str]) -> requests.Response | None:
    try:
        return requests.get("https://api.example/", auth=OAuth2(token=token), timeout=5)
    except (TokenExpiredError, TokenUpdated):
        return None


def printer() -> str:
    session = OAuth1Session("printer", client_secret="kd94hf93k423kf44", callback_uri="oob")
    try:
        assert_type(session.fetch_request_token("https://photos.example/initiate", realm=["Photos"]), dict[str, str])
    except TokenRequestDenied as error:
        return error.response.reason
    assert_type(session.authorization_url("https://photos.example/authorize"), str)
    session.fetch_access_token("https://photos.example/token", verifier=input())
    session.auth = OAuth1("printer", "kd94hf93k423kf44", signature_type="QUERY")
    return session.post("https://photos.example/", data={"a": "b"}).text


def everywhere() -> None:
    install("requests_oauthlib")

"""`watchword.dropin.requests_oauthlib.compliance_fixes`: what each makes of the answers that it is for, and of any other."""

from __future__ import annotations

import json

import pytest
import requests

from watchword.dropin.requests_oauthlib import InsecureOAuthWarning, OAuth2Session, compliance_fixes, errors
from watchword.dropin.requests_oauthlib.compliance_fixes.douban import douban_compliance_fix

ALL = [*(getattr(compliance_fixes, name) for name in compliance_fixes.__all__), douban_compliance_fix]
URL = "https://id.example/t"


def fixed(fix, content, kind="application/json"):
    """A session whose endpoint answers so; what it sends is in `sent`."""
    it = fix(OAuth2Session("robot", client_secret="s3cret"))
    it.sent = []

    def send(request, **_):
        it.sent.append(request)
        answer = requests.Response()
        answer.status_code, answer._content, answer.url, answer.request = 200, content, request.url, request
        answer.headers["Content-Type"] = kind
        return answer

    it.send = send
    return it


@pytest.mark.parametrize(
    ("fix", "answer", "token"),
    [
        (compliance_fixes.ebay_compliance_fix, {"access_token": "t", "token_type": "Application Access Token"}, {"access_token": "t", "token_type": "Bearer"}),
        (compliance_fixes.ebay_compliance_fix, {"access_token": "t", "token_type": "mac"}, {"access_token": "t", "token_type": "mac"}),
        (compliance_fixes.weibo_compliance_fix, {"access_token": "t"}, {"access_token": "t", "token_type": "Bearer"}),
        (douban_compliance_fix, {"access_token": "t"}, {"access_token": "t", "token_type": "Bearer"}),
        (douban_compliance_fix, {"access_token": "t", "token_type": "mac"}, {"access_token": "t", "token_type": "mac"}),
        (compliance_fixes.fitbit_compliance_fix, {"access_token": "t"}, {"access_token": "t"}),
        (compliance_fixes.plentymarkets_compliance_fix, {"accessToken": "t", "tokenType": "Bearer", "refreshToken": "r"}, {"access_token": "t", "token_type": "Bearer", "refresh_token": "r"}),
    ],
)  # fmt: skip
def test_a_token_is_made_what_it_should_be(fix, answer, token):
    assert fixed(fix, json.dumps(answer).encode()).fetch_token(URL) == token


def test_mailchimp_s_tokens_last_an_hour():
    token = fixed(
        compliance_fixes.mailchimp_compliance_fix, b'{"access_token": "t", "expires_in": 0, "scope": null}'
    ).fetch_token(URL)
    assert token.pop("expires_at") > 3600
    assert token == {"access_token": "t", "expires_in": 3600}
    token = fixed(
        compliance_fixes.mailchimp_compliance_fix, b'{"access_token": "t", "expires_in": 60, "scope": "a"}'
    ).fetch_token(URL)
    assert (token["expires_in"], token["scope"]) == (60, ["a"])


def test_facebook_s_forms_are_read():
    token = fixed(compliance_fixes.facebook_compliance_fix, b"access_token=t&expires=60", "text/plain").fetch_token(URL)
    assert (token["access_token"], token["expires_in"], token["token_type"]) == ("t", 60, "Bearer")
    assert fixed(compliance_fixes.facebook_compliance_fix, b'{"access_token": "t"}').fetch_token(URL) == {
        "access_token": "t"
    }


def test_fitbit_s_errors_are_named():
    with pytest.raises(errors.InvalidGrantError):
        fixed(compliance_fixes.fitbit_compliance_fix, b'{"errors": [{"errorType": "invalid_grant"}]}').fetch_token(URL)


@pytest.mark.parametrize("fix", ALL)
@pytest.mark.parametrize("content", [b"", b"[]", b"null", b'"x"', b'{"errors": 7}', b'{"errors": [7]}', b"\xff{"])
def test_an_answer_that_is_none_of_its_own_is_the_typed_error(fix, content):
    for kind in ("application/json", "text/plain"):
        with pytest.raises(errors.MissingTokenError):
            fixed(fix, content, kind).fetch_token(URL)


def test_slack_s_token_goes_into_the_form_and_else_into_the_query():
    it = fixed(compliance_fixes.slack_compliance_fix, b"{}")
    it.token = {"access_token": "t"}
    given = {"x": "1"}
    for data in (None, given, {"token": "mine"}, b"raw"):
        it.post("https://slack.example/a?b=c", data=data)
    it.get("https://slack.example/a?token=mine")
    assert [(request.url, request.body) for request in it.sent] == [
        ("https://slack.example/a?b=c", "token=t"),
        ("https://slack.example/a?b=c", "x=1&token=t"),
        ("https://slack.example/a?b=c", "token=mine"),
        ("https://slack.example/a?b=c&token=t", b"raw"),
        ("https://slack.example/a?token=mine", None),
    ]
    assert given == {"x": "1"}


def test_instagram_s_token_goes_into_the_query():
    it = fixed(compliance_fixes.instagram_compliance_fix, b"{}")
    it.token = {"access_token": "t"}
    it.get("https://api.instagram.example/v1")
    it.get("https://api.instagram.example/v1?access_token=mine")
    assert [request.url for request in it.sent] == [
        "https://api.instagram.example/v1?access_token=t", "https://api.instagram.example/v1?access_token=mine",
    ]  # fmt: skip


def test_weibo_s_token_in_the_query_is_warned_of():
    it = fixed(compliance_fixes.weibo_compliance_fix, b'{"access_token": "t"}')
    it.fetch_token(URL)
    with pytest.warns(InsecureOAuthWarning, match="in the URL"):
        it.get("https://api.weibo.example/v1")
    assert it.sent[-1].url == "https://api.weibo.example/v1?access_token=t"

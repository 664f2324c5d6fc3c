"""Twilio signs a URL and a form without anything between them; what isn't covered is refused."""

from __future__ import annotations

import hashlib

import pytest

from tests.counting import steps
from watchword import Reason, Rejected, WebhookAuth, WebhookVerifier

TOKEN = "12345"
URL = "https://hooks.example/sms"
FORM = "application/x-www-form-urlencoded"
BODY = b"From=%2B1415&To=%2B1800"
NOW = 1_700_000_000


def verdict(headers: dict[str, str], body: bytes, url: str = URL) -> Reason | None:
    try:
        WebhookVerifier(TOKEN, "twilio").verify_at(headers, body, NOW, url=url)
    except Rejected as rejected:
        return rejected.reason
    return None


def signed(body: bytes, url: str = URL, kind: str = FORM) -> dict[str, str]:
    fields = WebhookAuth(TOKEN, "twilio").sign(body, message_id="", now=NOW, url=url, content_type=kind)
    return {**fields, "content-type": kind}


def test_the_genuine_one_is_accepted() -> None:
    assert verdict(signed(BODY), BODY) is None
    assert verdict(signed(b""), b"") is None


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "", "application/x-www-form-urlencoded2"])
def test_a_form_does_not_become_an_uncovered_body_by_its_content_type(kind: str) -> None:
    """Content-Type is not signed: whoever changes it must not take the body out of the signature."""
    assert verdict({**signed(b""), "content-type": kind}, b'{"To":"+1900"}') is Reason.NOT_COVERED
    assert verdict({**signed(BODY), "content-type": kind}, BODY) is Reason.NOT_COVERED


def test_a_body_that_is_no_form_is_the_one_whose_digest_is_in_the_url() -> None:
    one, two = b'{"a":1}', b'{"a":2}'
    url = f"{URL}?bodySHA256={hashlib.sha256(one).hexdigest()}"
    digest_of_two = f"bodySHA256={hashlib.sha256(two).hexdigest()}"
    headers = signed(one, url, "application/json")
    assert verdict(headers, one, url) is None
    assert verdict(headers, two, url) is Reason.WRONG_BODY
    assert verdict(headers, one, f"{url}&{digest_of_two}") is Reason.NOT_COVERED
    assert verdict(headers, two, f"{URL}?{digest_of_two}") is Reason.WRONG_SIGNATURE


@pytest.mark.parametrize(
    "body", [b"From=%2B1415&To=%2B1900", b"From=%2B1415", BODY + b"&Extra=1", b"", b"To=%2B1415&From=%2B1800"]
)
def test_another_form_is_refused(body: bytes) -> None:
    assert verdict(signed(BODY), body) is Reason.WRONG_SIGNATURE


@pytest.mark.parametrize("body", [b"To=%2B1800&From=%2B1415", b"From=%2b1415&To=%2B1800", BODY + b"&"])
def test_the_same_form_in_another_spelling_is_the_same(body: bytes) -> None:
    assert verdict(signed(BODY), body) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example/sms?x=1",
        "https://other.example/sms",
        "http://hooks.example/sms",
        "https://hooks.example/sms/",
    ],
)
def test_another_url_is_refused(url: str) -> None:
    assert verdict(signed(BODY), BODY, url) is Reason.WRONG_SIGNATURE


def test_a_form_of_very_many_parameters_is_refused_unread() -> None:
    request, body, seen = signed(BODY), b"a=1&" * 300_000, []
    assert steps(lambda: seen.append(verdict(request, body))) < 1000
    assert seen == [Reason.MALFORMED_CREDENTIALS]


def test_a_url_of_very_many_parameters_costs_nothing() -> None:
    request, url, seen = {**signed(b""), "content-type": ""}, URL + "?" + "a=1&" * 300_000, []
    assert steps(lambda: seen.append(verdict(request, b"{}", url))) < 3000  # a thousand of the parameters are looked at
    assert seen == [Reason.NOT_COVERED]

"""CVE-2022-36087 (oauthlib 3.1.1 to 3.2.1): a URL with very many colons in brackets kept a regular expression busy for minutes.

The URLs that an outsider writes are the ones that the owner is sent back to; those of endpoints come from documents of discovery.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from requests.exceptions import InvalidURL

from tests.counting import instructions
from watchword import ConfigurationError, CredentialsUnavailable
from watchword.dropin.requests_oauthlib import OAuth1Session, OAuth2Session
from watchword.dropin.requests_oauthlib.compliance_fixes import slack_compliance_fix

HOSTILE: dict[str, Callable[[int], str]] = {
    "colons in brackets": lambda size: f"https://[{':' * size}]/?oauth_token=t&oauth_verifier=v",
    "a bracket that stays open": lambda size: f"https://[::{'1:' * size}/?oauth_token=t&oauth_verifier=v",
    "parameters": lambda size: f"https://a.example/?{'a&' * size}oauth_token=t&oauth_verifier=v",
    "percent signs": lambda size: f"https://a.example/?oauth_token={'%' * size}&oauth_verifier=v",
    "question marks": lambda size: f"https://a.example/{'?' * size}oauth_token=t&oauth_verifier=v",
}


def tried(work: Callable[[], object]) -> Callable[[], None]:
    """`work`, whose only errors are those that are documented, and what requests says of a URL."""

    def run() -> None:
        try:
            work()
        except (ConfigurationError, CredentialsUnavailable, InvalidURL):
            pass

    return run


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("call", ["callback", "token_url", "authorize", "api"])
def test_the_work_grows_with_the_url_and_no_faster(kind: str, call: str) -> None:
    def work(size: int) -> int:
        url = HOSTILE[kind](size)
        one, two = OAuth1Session("printer", "s"), slack_compliance_fix(OAuth2Session("robot", client_secret="s"))
        two.send = one.send = lambda request, **_: (_ for _ in ()).throw(ConfigurationError("not sent"))
        calls: dict[str, Callable[[], object]] = {
            "callback": lambda: one.parse_authorization_response(url),
            "token_url": lambda: two.fetch_token(url),
            "authorize": lambda: one.authorization_url(url, request_token="t"),
            "api": lambda: one.get(url),
        }
        return instructions(tried(calls[call]))

    work(10)  # what is done once
    assert work(8_000) <= 9 * work(1_000) + 1_000

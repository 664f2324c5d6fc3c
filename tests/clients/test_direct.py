"""What belongs to no request is carried out by itself: blocking and awaited, asking a person, and once."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.oauth_world import browse
from watchword import AuthorizationCode, ClientSecret, ConfigurationError, CredentialsUnavailable, Device, OAuth2Auth
from watchword.clients.direct import perform, perform_async
from watchword.effects import Ask
from watchword.testing import Clock, LoopbackIssuer, Misbehaviour

CALLBACK = "http://127.0.0.1:1/callback"


@pytest.fixture
def issuer() -> Iterator[LoopbackIssuer]:
    with LoopbackIssuer(clock=Clock(time.time())) as made:
        made.add_client("shop", "a long random secret", redirect_uris=[CALLBACK])
        yield made


def auth_of(issuer: LoopbackIssuer, grant: Any) -> OAuth2Auth:
    return OAuth2Auth(
        issuer=issuer.url, client=ClientSecret("shop", "a long random secret"), grant=grant, scope=["openid"]
    )


@pytest.mark.parametrize("awaited", [False, True])
def test_a_log_in_from_its_beginning_to_its_end(issuer: LoopbackIssuer, awaited: bool) -> None:
    def act(errand: Any, **options: Any) -> Any:
        return asyncio.run(perform_async(errand, **options)) if awaited else perform(errand, **options)

    auth = auth_of(issuer, AuthorizationCode(CALLBACK))
    login = act(auth.begin_login())
    assert act(auth.finish_login(login, browse(login.url))).claims["sub"] == "alice"
    token = auth.token
    assert act(auth.log_in()) != token
    assert issuer.grants.refreshed == ["shop"]
    act(auth.revoke())
    assert len(issuer.grants.revoked) == 1
    assert act(auth.log_in(), ask=lambda ask: browse(ask.url)).subject == "alice"


@pytest.mark.parametrize("awaited", [False, True])
def test_a_device_shows_its_code_and_waits(issuer: LoopbackIssuer, awaited: bool) -> None:
    issuer.settings.device_interval = 1
    shown: list[Ask] = []

    def show(ask: Ask) -> str:
        shown.append(ask)
        return ""

    errand = auth_of(issuer, Device()).log_in()
    token = asyncio.run(perform_async(errand, ask=show)) if awaited else perform(errand, ask=show)
    assert token.subject == "alice"
    assert shown[0].url.startswith(f"{issuer.url}/enter")


def test_where_nobody_can_be_asked_it_says_so(issuer: LoopbackIssuer) -> None:
    with pytest.raises(CredentialsUnavailable, match="ask="):
        perform(auth_of(issuer, Device()).log_in())


def test_a_refresh_whose_answer_is_lost_is_sent_once(issuer: LoopbackIssuer) -> None:
    auth = auth_of(issuer, AuthorizationCode(CALLBACK))
    login = perform(auth.begin_login())
    perform(auth.finish_login(login, browse(login.url)))
    with issuer.misbehaving(Misbehaviour.DROPPED, "token"), pytest.raises(CredentialsUnavailable, match="broken"):
        perform(auth.log_in())
    with pytest.raises(CredentialsUnavailable, match="log in again"):
        perform(auth.log_in())
    assert issuer.grants.refreshed == ["shop"]


def test_an_issuer_without_a_trusted_certificate_gets_nothing_and_that_costs_no_log_in(issuer: LoopbackIssuer) -> None:
    auth = auth_of(issuer, AuthorizationCode(CALLBACK))
    login = perform(auth.begin_login())
    perform(auth.finish_login(login, browse(login.url)))
    issuer.claimed["token_endpoint"] = issuer.token_url.replace("http:", "https:")  # where nobody speaks TLS
    other = auth_of(issuer, AuthorizationCode(CALLBACK))
    other._keeper.store = auth._keeper.store
    other._known.put("", auth.token)
    with pytest.raises(CredentialsUnavailable, match="tls"):
        perform(other.log_in(), ssl_context=ssl.create_default_context())
    perform(auth.log_in())
    assert issuer.grants.refreshed == ["shop"]


def test_a_file_of_authorities_that_is_none_is_a_mistake_of_the_settings(issuer: LoopbackIssuer) -> None:
    issuer.claimed["token_endpoint"] = issuer.token_url.replace("http:", "https:")
    auth = auth_of(issuer, AuthorizationCode(CALLBACK))
    login = perform(auth.begin_login())
    with pytest.raises(ConfigurationError, match="ca_file"):
        perform(auth.finish_login(login, browse(login.url)), ca_file="/nowhere.pem")

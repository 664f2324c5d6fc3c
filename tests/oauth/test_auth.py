"""`OAuth2Auth` as it is made: what goes together, and what it says of what doesn't."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oauth_world import CALLBACK, SECRET, World
from watchword import (
    AuthorizationCode, ClientCredentials, ClientSecret, ConfigurationError, CredentialsUnavailable, OAuth2Auth, PublicClient,
)  # fmt: skip
from watchword.testing import signed

SHOP: dict[str, Any] = {"issuer": "https://id.example", "client": PublicClient("shop"), "grant": ClientCredentials()}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"issuer": None}, "go with issuer="),
        ({"client": None}, "client= is ClientSecret"),
        ({"client": "shop"}, "client= is ClientSecret"),
        ({"grant": None}, "grant= is ClientCredentials"),
        ({"grant": ClientCredentials}, "grant= is ClientCredentials"),
        ({"token_url": "https://id.example/token"}, "with issuer="),
        ({"client_id": "shop"}, "with issuer="),
        ({"in_form": True}, "with issuer="),
        ({"issuer": ""}, "issuer is an http"),
        ({"issuer": "id.example"}, "issuer is an http"),
        ({"issuer": "https://id.example?x=1"}, "no query"),
        ({"issuer": "https://id.example#x"}, "fragment"),
        ({"issuer": "http://id.example"}, "in the clear"),
        ({"scope": "read write"}, r"scope=\['read', 'write'\]"),
        ({"scope": ["read write"]}, "without spaces"),
        ({"scope": [7]}, "without spaces"),
        ({"resource": "orders"}, "resource is an http"),
        ({"resource": "https://api.example/#x"}, "fragment"),
        ({"params": {"redirect_uri": "x"}}, "redirect_uri"),
        ({"params": {"prompt": 1}}, "texts"),
        ({"metadata": {"issuer": "https://other.example"}}, "another issuer"),
    ],
)
def test_what_does_not_go_together_says_what_to_change(options: dict[str, Any], said: str) -> None:
    with pytest.raises((ConfigurationError, CredentialsUnavailable), match=said):
        OAuth2Auth(**{**SHOP, **options})


def test_it_shows_whose_tokens_they_are_and_no_secret() -> None:
    auth = OAuth2Auth(**{**SHOP, "client": ClientSecret("shop", SECRET), "grant": AuthorizationCode(CALLBACK)})
    shown = repr(auth) + repr(auth.for_owner("alice")) + repr(auth._keeper.store) + repr(auth.begin_login())
    assert "owner='alice'" in shown and "shop" in shown
    assert SECRET not in shown
    with pytest.raises(ConfigurationError, match="owner is None"):
        auth.for_owner(None)  # type: ignore[arg-type]


def test_params_audience_and_resource_go_with_client_credentials() -> None:
    world = World()
    world.issuer.audience = "https://api.example/"
    auth = world.auth(
        grant=ClientCredentials(), scope=[], audience="orders", params={"x": "1"}, resource="https://api.example/"
    )
    world.perform(auth.log_in())
    body = world.sent[-1].body or b""
    assert b"audience=orders" in body and b"x=1" in body and b"resource=https%3A%2F%2Fapi.example%2F" in body


def test_a_token_is_given_back_and_forgotten() -> None:
    world = World()
    auth = world.auth()
    token = world.log_in(auth).token
    world.perform(auth.revoke())
    assert world.issuer.grants.revoked == [token.refresh]
    assert auth.token is None
    with pytest.raises(CredentialsUnavailable, match="nobody has logged in"):
        signed(auth, elsewhere=world.issuer.answer, clock=world.clock)
    world.perform(auth.revoke())  # nothing to give back
    assert len(world.issuer.grants.revoked) == 1


def test_without_a_refresh_token_the_access_token_is_given_back() -> None:
    world = World()
    auth = world.auth(grant=ClientCredentials(), scope=[])
    token = world.perform(auth.log_in())
    world.perform(auth.revoke())
    assert world.issuer.grants.revoked == [token.value]


def test_a_revocation_that_is_refused_says_so_and_the_token_is_forgotten_all_the_same() -> None:
    world = World()
    auth = world.auth()
    world.log_in(auth)
    world.issuer.add_client("shop", "another", redirect_uris=[CALLBACK])
    with pytest.raises(CredentialsUnavailable, match="the revocation endpoint answered 401: invalid_client"):
        world.perform(auth.revoke())
    assert auth.token is None

"""What an issuer says of itself is found where it may be, and believed only if it is that issuer's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oauth_world import World
from watchword import ClientCredentials, CredentialsUnavailable
from watchword.oauth.metadata import metadata_urls, read_metadata
from watchword.testing import FakeIssuer, Misbehaviour

NAME = "https://id.example"


@pytest.mark.parametrize("places", [["openid-configuration"], ["oauth-authorization-server"]])
@pytest.mark.parametrize("url", [NAME, NAME + "/tenants/7"])
def test_it_is_found_appended_and_inserted(url: str, places: list[str]) -> None:
    world = World()
    world.issuer = FakeIssuer(url, clock=world.clock)
    world.issuer.add_client("shop", "a long random secret")
    right = world.issuer.reply
    world.issuer.reply = lambda request, body=b"": right(  # type: ignore[method-assign]
        request.seen_as(request.scheme, request.authority, b"/gone", request.peer)
        if b".well-known" in request.target and places[0].encode() not in request.target
        else request,
        body,
    )
    auth = world.auth(issuer=url, grant=ClientCredentials(), scope=[])
    assert world.perform(auth.log_in()).value


def test_an_issuer_without_a_path_has_two_places_and_one_with_a_path_three() -> None:
    assert len(metadata_urls(NAME)) == len(metadata_urls(NAME + "/")) == 2
    assert len(metadata_urls(NAME + "/tenants/7")) == 3


@pytest.mark.parametrize(
    "other", ["https://id.example/", "https://ID.example", "http://id.example", None, 7, ["https://id.example"]]
)
def test_another_issuers_metadata_is_refused_however_alike_the_names_are(other: object) -> None:
    with pytest.raises(CredentialsUnavailable, match="names another issuer") as caught:
        read_metadata({"issuer": other, "token_endpoint": NAME + "/t"}, NAME)
    assert "ID.example" not in str(caught.value)


def test_an_issuer_that_says_it_is_another_gets_no_secret() -> None:
    world = World()
    with world.issuer.misbehaving(Misbehaviour.WRONG_ISSUER, "metadata"), pytest.raises(CredentialsUnavailable):
        world.perform(world.auth(grant=ClientCredentials()).log_in())
    assert [send.request.method for send in world.sent] == ["GET"]


@pytest.mark.parametrize(
    "how", [Misbehaviour.REDIRECTING, Misbehaviour.GARBAGE, Misbehaviour.FAILING, Misbehaviour.HUGE]
)
def test_metadata_that_is_none_is_the_typed_error(how: Misbehaviour) -> None:
    world = World()
    with world.issuer.misbehaving(how, "metadata"), pytest.raises(CredentialsUnavailable):
        world.perform(world.auth(grant=ClientCredentials()).log_in())
    assert [send.request.method for send in world.sent] == ["GET"]


@pytest.mark.parametrize(
    "url", ["http://id.example/t", "ftp://id.example/t", "https://u@id.example/t", "https://id.example/t#f", "//id.example/t",
            "https:///t", "https://id.example:0/t", "https://id.example/a b", "https://id.ex\\ample/", "https://[::1/", 7, []]
)  # fmt: skip
@pytest.mark.parametrize("name", ["token_endpoint", "authorization_endpoint", "jwks_uri"])
def test_a_url_that_may_not_be_asked_is_refused_by_the_name_of_its_member(name: str, url: Any) -> None:
    with pytest.raises(CredentialsUnavailable, match=f"{name} in the metadata of https://id.example is no https URL"):
        read_metadata({"issuer": NAME, name: url}, NAME)


def test_it_is_fetched_once_an_hour() -> None:
    world = World()
    auth = world.auth(grant=ClientCredentials(), scope=[])
    for wait, fetched in ((0, 1), (3500, 1), (200, 2)):
        world.clock.advance(wait)
        world.perform(auth.log_in())
        assert sum(send.request.method == "GET" for send in world.sent) == fetched


def test_an_endpoint_that_is_not_there_is_named() -> None:
    world = World()
    world.issuer.claimed["revocation_endpoint"] = None
    auth = world.auth(grant=ClientCredentials(), scope=[])
    world.perform(auth.log_in())
    with pytest.raises(CredentialsUnavailable, match="names no revocation_endpoint"):
        world.perform(auth.revoke())


def test_metadata_that_nobody_publishes_is_given_by_hand() -> None:
    world = World()
    metadata = {"issuer": world.issuer.url, "token_endpoint": world.issuer.token_url}
    world.perform(world.auth(grant=ClientCredentials(), scope=[], metadata=metadata).log_in())
    assert world.issuer.asked == ["/token"]

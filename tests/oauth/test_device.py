"""A person enters a code elsewhere; the device asks at the pace that the issuer says, and gives up in time."""

from __future__ import annotations

import json

import pytest

from tests.oauth_world import World
from watchword import CredentialsUnavailable, Device
from watchword.oauth.token_response import TokenRefused


def test_it_shows_the_code_and_asks_until_somebody_has_entered_it() -> None:
    world = World(device_answers=["authorization_pending", "slow_down", "authorization_pending"])
    auth = world.auth(grant=Device())
    token = world.perform(auth.log_in(), ask=lambda ask: "")
    assert token.subject == "alice"
    assert world.slept == [5.0, 5.0, 10.0, 10.0]
    shown = world.asked[0]
    assert (shown.interaction, len(shown.code)) == ("device", 8)
    assert shown.url == f"{world.issuer.url}/enter?user_code={shown.code}"


def test_it_keeps_to_the_interval_of_the_issuer() -> None:
    world = World(device_interval=7)
    world.perform(world.auth(grant=Device()).log_in(), ask=lambda ask: "")
    assert world.slept == [7.0]


def test_it_gives_up_when_the_code_ends_by_counting_and_not_by_the_clock() -> None:
    world = World(device_answers=["authorization_pending"] * 200)
    with pytest.raises(TokenRefused, match="nobody has entered the code in time"):
        world.perform(world.auth(grant=Device()).log_in(), ask=lambda ask: "")
    assert sum(world.slept) == 600.0


@pytest.mark.parametrize("error", ["access_denied", "expired_token", "invalid_grant"])
def test_any_other_error_ends_it(error: str) -> None:
    world = World(device_answers=[error])
    with pytest.raises(TokenRefused) as caught:
        world.perform(world.auth(grant=Device()).log_in(), ask=lambda ask: "")
    assert caught.value.error == error
    assert len(world.slept) == 1


def test_its_token_is_refreshed_like_any_other() -> None:
    world = World()
    auth = world.auth(grant=Device())
    world.perform(auth.log_in(), ask=lambda ask: "")
    world.clock.advance(299)
    world.perform(auth.log_in())
    assert world.issuer.grants.refreshed == ["shop"]


def test_without_anybody_to_ask_it_says_so() -> None:
    world = World()
    with pytest.raises(CredentialsUnavailable, match="ask="):
        world.perform(world.auth(grant=Device()).log_in())
    assert world.sent == []


@pytest.mark.parametrize(
    "page", ["javascript:alert(1)", "http://id.example/enter", "file:///etc/passwd", 7, None, "https://a\nb"]
)
def test_nobody_is_sent_to_what_is_no_page_of_https(page: object) -> None:
    world = World()
    right = world.issuer.grants.device

    def changed(request, form):  # type: ignore[no-untyped-def]
        reply = right(request, form)
        return reply._replace(
            body=json.dumps(
                {**json.loads(reply.body), "verification_uri": page, "verification_uri_complete": page}
            ).encode()
        )

    world.issuer.grants.device = changed  # type: ignore[method-assign]
    with pytest.raises(CredentialsUnavailable, match="no https URL to open"):
        world.perform(world.auth(grant=Device()).log_in(), ask=lambda ask: "")
    assert world.asked == []


def test_a_client_that_is_unknown_is_told_why() -> None:
    world = World()
    world.issuer.add_client("shop", "another")
    with pytest.raises(TokenRefused, match="the device authorization endpoint answered 401: invalid_client"):
        world.perform(world.auth(grant=Device()).log_in(), ask=lambda ask: "")

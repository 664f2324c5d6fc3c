"""Log-ins that somebody meddles with (RFC 9700 §4): mix-up, CSRF on the callback, codes slipped in, PKCE taken away."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.oauth_world import CALLBACK, SECRET, World
from watchword import CredentialsUnavailable
from watchword.oauth.token_response import TokenRefused
from watchword.testing import FakeIssuer, Misbehaviour

EVIL = "https://evil.example"


def posts(world: World) -> list[str]:
    return [send.request.authority for send in world.sent if send.request.method == "POST"]


def parameters(callback: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(callback).query).items()}


def test_mix_up_an_honest_issuers_code_is_not_taken_to_an_evil_token_endpoint() -> None:
    """RFC 9207 §1: the person chose the evil issuer, which sent the browser on to the honest one, whose code comes back."""
    honest, evil = World(), World()
    evil.issuer = FakeIssuer(EVIL, clock=evil.clock)
    login = evil.perform(evil.auth(issuer=EVIL).begin_login())
    sent_on = login.url.replace(EVIL, honest.issuer.url)
    with pytest.raises(CredentialsUnavailable, match="not from https://evil.example, where this log-in began"):
        evil.perform(evil.auth(issuer=EVIL).finish_login(login, honest.visit(sent_on)))
    assert posts(evil) == []


def test_mix_up_a_log_in_of_another_issuer_is_not_finished_at_this_one() -> None:
    honest, evil = World(), World()
    evil.issuer = FakeIssuer(EVIL, clock=evil.clock)
    login = evil.perform(evil.auth(issuer=EVIL).begin_login())
    with pytest.raises(CredentialsUnavailable, match="began at another issuer"):
        honest.perform(honest.auth().finish_login(login, f"{CALLBACK}?code=x&state={login.state}"))
    assert posts(honest) == []


@pytest.mark.parametrize("how", [Misbehaviour.WRONG_ISSUER, Misbehaviour.UNNAMED])
@pytest.mark.parametrize("denies", [False, True])
def test_an_answer_that_names_another_issuer_or_none_is_dropped_with_all_that_it_says(
    how: Misbehaviour, denies: bool
) -> None:
    world = World(denies=denies)
    auth = world.auth()
    login = world.perform(auth.begin_login())
    with world.issuer.misbehaving(how, "authorize"):
        callback = world.visit(login.url)
    with pytest.raises(CredentialsUnavailable, match="RFC 9207") as caught:
        world.perform(auth.finish_login(login, callback))
    assert not isinstance(caught.value, TokenRefused)
    assert "alice" not in str(caught.value) and "another-issuer" not in str(caught.value)
    assert posts(world) == []


def test_csrf_the_callback_of_the_attackers_log_in_finishes_nobody_elses() -> None:
    world = World()
    auth = world.auth()
    victim = world.perform(auth.begin_login())
    world.issuer.settings.person = "mallory"
    attackers = world.visit(world.perform(auth.begin_login()).url)
    with pytest.raises(CredentialsUnavailable, match="state"):
        world.perform(auth.finish_login(victim, attackers))
    assert posts(world) == []


def test_a_code_slipped_into_ones_own_log_in_is_refused_by_pkce() -> None:
    """RFC 9700 §4.5: the attacker has another's code, and a log-in of their own with the right state."""
    world = World()
    auth = world.auth()
    stolen = parameters(world.visit(world.perform(auth.begin_login()).url))["code"]
    mine = world.perform(auth.begin_login())
    answer = {**parameters(world.visit(mine.url)), "code": stolen}
    with pytest.raises(TokenRefused, match="invalid_grant"):
        world.perform(auth.finish_login(mine, f"{CALLBACK}?{urlencode(answer)}"))
    assert auth.token is None


def test_a_code_slipped_in_is_refused_by_the_nonce_where_the_issuer_checks_no_pkce() -> None:
    world = World()
    auth = world.auth()
    theirs = world.perform(auth.begin_login())
    stolen = parameters(world.visit(theirs.url))["code"]
    mine = world.perform(auth.begin_login())
    answer = {**parameters(world.visit(mine.url)), "code": stolen}
    asked = world.issuer.grants._codes[stolen]
    challenge = parameters(mine.url)["code_challenge"]
    world.issuer.grants._codes[stolen] = asked._replace(challenge=challenge)  # as good as not checked
    with pytest.raises(CredentialsUnavailable, match="nonce is not that of this log-in"):
        world.perform(auth.finish_login(mine, f"{CALLBACK}?{urlencode(answer)}"))
    assert auth.token is None


@pytest.mark.parametrize("methods", [None, [], ["plain"], ["s256"], "S256", {"S256": True}])
def test_pkce_taken_away_is_an_error_and_no_log_in_without_it(methods: object) -> None:
    world = World()
    world.issuer.claimed["code_challenge_methods_supported"] = methods
    with pytest.raises(CredentialsUnavailable, match="code_challenge_methods_supported"):
        world.perform(world.auth().begin_login())


def test_a_code_is_not_redeemed_twice_by_one_log_in() -> None:
    world = World()
    auth = world.auth()
    login = world.perform(auth.begin_login())
    callback = world.visit(login.url)
    world.perform(auth.finish_login(login, callback))
    with pytest.raises(TokenRefused, match="invalid_grant"):
        world.perform(auth.finish_login(login, callback))


@pytest.mark.parametrize(
    "more", ["&code=evil", "&state=evil", "&iss=https%3A%2F%2Fevil.example", "&error=access_denied&error=x"]
)
def test_a_redirect_with_parameters_added_twice_is_refused(more: str) -> None:
    world = World()
    auth = world.auth()
    login = world.perform(auth.begin_login())
    callback = world.visit(login.url)
    with pytest.raises(CredentialsUnavailable, match="twice"):
        world.perform(auth.finish_login(login, callback + more))
    assert posts(world) == []


def test_params_put_nothing_of_the_flows_own_into_a_request() -> None:
    world = World()
    callback = world.visit(world.perform(world.auth(params={"prompt": "login"}).begin_login()).url)
    assert set(parameters(callback)) == {"code", "state", "iss"}
    assert SECRET not in callback

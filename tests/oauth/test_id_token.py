"""An ID token is checked whole: who signed it, for whom, for which log-in, and when and how somebody proved who they are."""

from __future__ import annotations

import pytest

from tests.oauth_world import CALLBACK, World
from watchword import AuthorizationCode, CredentialsUnavailable, Key
from watchword.testing import FakeIssuer, Misbehaviour

NOW = 1_700_000_000


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS384", "ES512", "ed25519"])
def test_one_that_is_right_says_who_it_is_by_any_algorithm(algorithm: str) -> None:
    world = World()
    world.issuer = FakeIssuer(clock=world.clock, algorithm=algorithm)
    world.issuer.add_client("shop", "a long random secret", redirect_uris=[CALLBACK])
    assert world.log_in(world.auth()).claims["sub"] == "alice"


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"nonce": "another"}, "nonce is not that of this log-in"),
        ({"nonce": None}, "nonce"),
        ({"nonce": 7}, "nonce"),
        ({"iss": "https://evil.example"}, "iss"),
        ({"aud": "another-client"}, "aud"),
        ({"aud": ["another-client"]}, "aud"),
        ({"aud": ["shop", "another"]}, "azp is not there"),
        ({"aud": ["shop", "another"], "azp": "another"}, "azp is another client"),
        ({"azp": "another"}, "azp is another client"),
        ({"exp": NOW - 61}, "exp"),
        ({"exp": None}, "exp"),
        ({"iat": None}, "iat"),
        ({"iat": NOW + 3600}, "iat"),
        ({"sub": None}, "sub"),
        ({"at_hash": "x" * 22}, "at_hash"),
        ({"at_hash": 7}, "at_hash"),
    ],
)
def test_a_claim_that_is_wrong_is_named(claims: dict[str, object], said: str) -> None:
    world = World(id_claims=claims)
    auth = world.auth()
    with pytest.raises(CredentialsUnavailable, match="the ID token is refused") as caught:
        world.log_in(auth)
    assert said in str(caught.value)
    assert auth.token is None


@pytest.mark.parametrize(
    "claims", [{"aud": ["shop"]}, {"aud": ["shop", "other"], "azp": "shop"}, {"azp": "shop"}, {"at_hash": None}]
)
def test_what_is_allowed_is_taken(claims: dict[str, object]) -> None:
    world = World(id_claims=claims)
    assert world.log_in(world.auth()).claims["sub"] == "alice"


@pytest.mark.parametrize(
    ("auth_time", "taken"),
    [(NOW, True), (NOW - 300, True), (NOW - 361, False), (None, False), (True, False), (NOW + 3600, False)],
)
def test_max_age_is_asked_for_and_demanded(auth_time: object, taken: bool) -> None:
    world = World(id_claims={"auth_time": auth_time})
    auth = world.auth(grant=AuthorizationCode(CALLBACK, max_age=300))
    login = world.perform(auth.begin_login())
    assert "max_age=300" in login.url
    if taken:
        assert world.perform(auth.finish_login(login, world.visit(login.url)))
        return
    with pytest.raises(CredentialsUnavailable, match="auth_time"):
        world.perform(auth.finish_login(login, world.visit(login.url)))


@pytest.mark.parametrize(
    ("acr", "taken"), [("mfa", True), ("hardware", True), ("password", False), (None, False), (["mfa"], False)]
)
def test_acr_is_asked_for_and_demanded(acr: object, taken: bool) -> None:
    world = World(id_claims={"acr": acr})
    auth = world.auth(grant=AuthorizationCode(CALLBACK, acr=["mfa", "hardware"]))
    login = world.perform(auth.begin_login())
    assert "acr_values=mfa+hardware" in login.url
    if taken:
        assert world.perform(auth.finish_login(login, world.visit(login.url)))
        return
    with pytest.raises(CredentialsUnavailable, match="acr is none of mfa, hardware"):
        world.perform(auth.finish_login(login, world.visit(login.url)))


def test_one_that_is_not_there_is_missed() -> None:
    world = World(answer={"id_token": None})
    with pytest.raises(CredentialsUnavailable, match="has no ID token"):
        world.log_in(world.auth())


def test_a_key_that_the_issuer_does_not_publish_signs_nothing() -> None:
    world = World()
    forger = Key.generate("ES256", key_id="key-1")
    auth = world.auth()
    login = world.perform(auth.begin_login())
    callback = world.visit(login.url)
    jwks = world.issuer._jwks()
    world.issuer._keys = [forger]
    world.issuer._jwks = lambda: jwks  # type: ignore[method-assign]
    with pytest.raises(CredentialsUnavailable, match="wrong_signature"):
        world.perform(auth.finish_login(login, callback))


@pytest.mark.parametrize("algorithms", [["none"], ["HS256"], ["RS256"], []])
def test_only_public_key_algorithms_that_the_issuer_names_count(algorithms: list[str]) -> None:
    world = World()
    world.issuer.claimed["id_token_signing_alg_values_supported"] = algorithms
    with pytest.raises(CredentialsUnavailable):
        world.log_in(world.auth())


@pytest.mark.parametrize(
    "how", [Misbehaviour.REDIRECTING, Misbehaviour.GARBAGE, Misbehaviour.FAILING, Misbehaviour.HUGE]
)
def test_a_key_set_that_is_none_is_the_typed_error(how: Misbehaviour) -> None:
    world = World()
    with world.issuer.misbehaving(how, "jwks"), pytest.raises(CredentialsUnavailable):
        world.log_in(world.auth())


@pytest.mark.parametrize(
    "claims", [{"sub": "mallory"}, {"sub": None}, {"iss": "https://evil.example"}, {"aud": "another"}]
)
def test_after_a_refresh_it_is_still_the_same_person(claims: dict[str, object]) -> None:
    world = World()
    auth = world.auth()
    world.log_in(auth)
    before = auth.token
    world.clock.advance(299)
    world.issuer.settings.id_claims = claims
    with pytest.raises(CredentialsUnavailable, match="the ID token is refused"):
        world.perform(auth.log_in())
    assert auth.token == before


@pytest.mark.parametrize("token", ["", "a.b.c", 7, {}])
def test_after_a_refresh_what_is_no_id_token_is_refused(token: object) -> None:
    world = World()
    auth = world.auth()
    world.log_in(auth)
    world.clock.advance(299)
    world.issuer.settings.answer = {"id_token": token}
    with pytest.raises(CredentialsUnavailable, match="the ID token is refused"):
        world.perform(auth.log_in())


def test_a_refresh_fetches_no_key_before_its_token_is_kept() -> None:
    world = World()
    auth = world.auth()
    world.log_in(auth)
    world.clock.advance(299)
    world.issuer.asked.clear()
    world.perform(auth.log_in())
    assert world.issuer.asked == ["/token"]

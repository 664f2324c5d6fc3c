"""A person logs in by a code with PKCE; the token is kept for whom it is, and refreshed with and without rotation."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.oauth_world import CALLBACK, World
from watchword import (
    AuthorizationCode,
    ClientCredentials,
    ConfigurationError,
    CredentialsUnavailable,
    PublicClient,
    Response,
)
from watchword.effects import Ask, Received, Send
from watchword.oauth.authorization_code import Login
from watchword.oauth.token_response import TokenRefused
from watchword.testing import ClockedAuth, signed
from watchword.transport.flow import ClientContext, run
from watchword import Request

GET = Request("GET", "https", "api.example", "/orders")


def test_a_person_logs_in_and_is_known_by_the_id_token() -> None:
    world = World()
    auth = world.auth()
    granted = world.log_in(auth)
    assert granted.claims["sub"] == granted.token.subject == "alice"
    assert granted.token == auth.token
    assert granted.token.scopes == ("openid", "read")


def test_the_authorization_request_has_pkce_state_and_nonce_anew_each_time() -> None:
    world = World()
    auth = world.auth(resource="https://api.example/", audience="orders", params={"prompt": "consent"})
    queries = [parse_qs(urlsplit(world.perform(auth.begin_login()).url).query) for _ in range(2)]
    first = {name: values[0] for name, values in queries[0].items()}
    assert first["response_type"] == "code"
    assert first["redirect_uri"] == CALLBACK
    assert first["code_challenge_method"] == "S256"
    assert (first["resource"], first["audience"], first["prompt"]) == ("https://api.example/", "orders", "consent")
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) == 43
        assert queries[0][name] != queries[1][name]


def test_without_openid_there_is_no_nonce_and_nobody_is_known() -> None:
    world = World()
    auth = world.auth(scope=["read"], client=PublicClient("desk"))
    world.issuer.add_client("desk", redirect_uris=[CALLBACK])
    assert "nonce=" not in world.perform(auth.begin_login()).url
    assert world.log_in(auth).claims is None


def test_the_resource_is_said_again_when_the_code_is_redeemed_and_the_token_refreshed() -> None:
    world = World()
    auth = world.auth(resource="https://api.example/")
    world.log_in(auth)
    world.perform(auth.log_in())
    forms = [parse_qs((send.body or b"").decode()) for send in world.sent if send.request.method == "POST"]
    assert [form["grant_type"] for form in forms] == [["authorization_code"], ["refresh_token"]]
    assert all(form["resource"] == ["https://api.example/"] for form in forms)


@pytest.mark.parametrize("rotates", [True, False])
def test_a_token_that_ends_is_refreshed_with_and_without_rotation(rotates: bool) -> None:
    world = World(rotates=rotates)
    auth = world.auth()
    world.log_in(auth)
    for refreshes in (1, 2, 3):
        before = auth.token
        world.clock.advance(299)
        signed(auth, elsewhere=world.issuer.answer, clock=world.clock)
        assert world.issuer.grants.refreshed == ["shop"] * refreshes
        assert auth.token is not None and before is not None
        assert (auth.token.refresh == before.refresh) is not rotates
        assert (auth.token.subject, auth.token.scopes) == ("alice", ("openid", "read"))
    assert world.issuer.grants.ended == []


def test_a_401_refreshes_once() -> None:
    world = World()
    auth = world.auth()
    world.log_in(auth)

    def send(effect: Send) -> Received:
        if effect.want:
            return world.issuer.answer(effect.request, effect.body or b"")
        return Received(Response(401))

    answer = run(auth, GET, send, ClientContext(bytes, now=world.clock))
    assert answer.response.status == 401
    assert world.issuer.grants.refreshed == ["shop"]


def test_owners_share_no_token() -> None:
    world = World()
    auth = world.auth()
    for person in ("alice", "bob"):
        world.issuer.settings.person = person
        world.log_in(auth, owner=person)
    tokens = {person: auth.for_owner(person).token for person in ("alice", "bob")}
    assert {person: token and token.subject for person, token in tokens.items()} == {"alice": "alice", "bob": "bob"}
    request = signed(auth.for_owner("bob"), clock=world.clock).request
    assert request.values(b"authorization") == [f"Bearer {tokens['bob'].value}".encode()]  # type: ignore[union-attr]
    with pytest.raises(CredentialsUnavailable, match="nobody has logged in yet"):
        signed(auth.for_owner("carol"), elsewhere=world.issuer.answer, clock=world.clock)


def test_a_program_asks_the_person_and_is_given_the_callback() -> None:
    world = World()
    auth = world.auth()
    token = world.perform(auth.log_in(), ask=lambda ask: world.visit(ask.url) + "\n")
    assert token.subject == "alice"
    assert [ask.interaction for ask in world.asked] == ["authorize"]


def test_a_log_in_outlives_the_process_as_text_and_shows_nothing() -> None:
    world = World()
    auth = world.auth()
    login = world.perform(auth.begin_login())
    kept = Login.from_text(login.to_text())
    assert kept == login
    assert login.state not in repr(login) and login.verifier not in repr(login)
    assert world.perform(auth.finish_login(kept, world.visit(kept.url))).token.subject == "alice"
    with pytest.raises(CredentialsUnavailable) as caught:
        Login.from_text(login.to_text()[:-9])
    assert login.state not in str(caught.value) + repr(caught.value.__context__)


def test_a_refusal_says_what_it_means_and_what_the_issuer_says_of_it() -> None:
    world = World(denies=True)
    with pytest.raises(
        TokenRefused, match=r'access_denied \("alice has said no"\): the person, or the issuer, has said no'
    ):
        world.log_in(world.auth())


def test_only_codes_have_a_browser() -> None:
    with pytest.raises(ConfigurationError, match="log_in"):
        World().auth(grant=ClientCredentials()).begin_login()
    with pytest.raises(ConfigurationError, match="acr is a list"):
        AuthorizationCode(CALLBACK, acr="mfa")
    with pytest.raises(ConfigurationError, match="redirect_uri"):
        AuthorizationCode("callback")


def test_ask_gives_a_text() -> None:
    world = World()
    with pytest.raises(ConfigurationError, match="a text"):
        world.perform(world.auth().log_in(), ask=lambda ask: None)  # type: ignore[arg-type, return-value]


def test_asking_waits_longer_than_refreshing() -> None:
    auth = World().auth()
    for asks, lease in ((False, 60.0), (True, 900.0)):
        context = ClientContext(bytes)
        context.asks = asks
        assert next(auth.log_in().flow(GET, context)).lease == lease
    assert isinstance(Ask("authorize", "https://id.example"), Ask)


def test_by_the_clock_of_a_test_a_person_is_asked_all_the_same() -> None:
    world = World()
    clocked = ClockedAuth(world.auth(), world.clock)
    seen: list[str] = []

    def send(effect: Send) -> Received:
        if effect.want:
            return world.issuer.answer(effect.request, effect.body or b"")
        seen.extend(value.decode() for value in effect.request.values(b"authorization"))
        return Received(Response(200))

    run(clocked, GET, send, ClientContext(bytes), ask=lambda ask: world.visit(ask.url))
    assert seen[0].startswith("Bearer ")

"""A token is got once, by whoever comes first; a refresh token is sent once, or once more where that is permitted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.oauth_world import World
from watchword import ClientCredentials, CredentialsUnavailable, OAuth2Auth, Request, Response, TokenFile, TokenMemory
from watchword.effects import Received, Send
from watchword.oauth.token_response import AccessToken, TokenRefused
from watchword.oauth.tokens import TokenKey, TokenStore
from watchword.testing import Misbehaviour
from watchword.transport.flow import ClientContext, Drive, arun, run

GET = Request("GET", "https", "api.example", "/orders")
STORES: dict[str, Callable[[Path], TokenStore]] = {
    "memory": lambda folder: TokenMemory(),
    "file": lambda folder: TokenFile(folder / "tokens.json"),
}


@pytest.fixture(params=STORES)
def tokens(request: pytest.FixtureRequest, tmp_path: Path) -> TokenStore:
    return STORES[request.param](tmp_path)


def answered(world: World) -> Callable[[Send], Received]:
    def send(effect: Send) -> Received:
        return world.issuer.answer(effect.request, effect.body or b"") if effect.want else Received(Response(200))

    return send


def call(world: World, auth: OAuth2Auth) -> None:
    run(auth, GET, answered(world), ClientContext(bytes, now=world.clock))


def key_of(auth: OAuth2Auth) -> TokenKey:
    return auth._key


# ---- once --------------------------------------------------------------------------------------------------------------


def test_threads_and_tasks_that_share_a_store_make_one_refresh(tokens: TokenStore) -> None:
    world = World()
    world.log_in(world.auth(tokens=tokens))
    world.clock.advance(299)
    gate = threading.Barrier(33)

    def threaded() -> None:
        gate.wait()
        call(world, world.auth(tokens=tokens))  # an object of its own: what they share is the store

    async def tasks() -> None:
        async def send(effect: Send) -> Received:
            await asyncio.sleep(0)
            return answered(world)(effect)

        gate.wait()
        auths = [world.auth(tokens=tokens) for _ in range(200)]
        await asyncio.gather(*(arun(auth, GET, send, ClientContext(bytes, now=world.clock)) for auth in auths))

    threads = [threading.Thread(target=threaded) for _ in range(32)]
    for thread in threads:
        thread.start()
    asyncio.run(tasks())
    for thread in threads:
        thread.join()
    assert world.issuer.grants.refreshed == ["shop"]
    assert world.issuer.grants.ended == []


def test_another_object_takes_what_the_first_has_got(tokens: TokenStore) -> None:
    world = World()
    world.log_in(world.auth(tokens=tokens))
    world.issuer.asked.clear()
    call(world, world.auth(tokens=tokens))
    assert world.issuer.asked == []


@pytest.mark.parametrize(
    "other",
    [{"scope": ["openid"]}, {"resource": "https://api.example/"}, {"audience": "orders"}],
)
def test_what_is_asked_for_otherwise_is_another_token(tokens: TokenStore, other: dict[str, Any]) -> None:
    world = World()
    world.log_in(world.auth(tokens=tokens))
    with pytest.raises(CredentialsUnavailable, match="nobody has logged in"):
        call(world, world.auth(tokens=tokens, **other))


def test_the_order_of_scopes_makes_no_difference(tokens: TokenStore) -> None:
    world = World()
    world.log_in(world.auth(tokens=tokens))
    call(world, world.auth(tokens=tokens, scope=["read", "openid"]))


def test_a_hook_is_told_of_each_token_and_the_one_before(tokens: TokenStore) -> None:
    told: list[tuple[AccessToken, AccessToken | None]] = []
    world = World()
    auth = world.auth(tokens=tokens, on_token=lambda new, old: told.append((new, old)))
    world.log_in(auth)
    first = auth.token
    world.clock.advance(299)
    call(world, auth)
    assert told == [(first, None), (auth.token, first)]


def test_what_a_hook_raises_is_the_callers(tokens: TokenStore) -> None:
    def hook(new: AccessToken, old: AccessToken | None) -> None:
        raise LookupError("no table")

    world = World()
    auth = world.auth(tokens=tokens, grant=ClientCredentials(), scope=[], on_token=hook)
    with pytest.raises(LookupError, match="no table"):
        call(world, auth)
    assert tokens.load(key_of(auth)).token is not None


# ---- an answer that was lost ----------------------------------------------------------------------------------------------


def lost(world: World, auth: OAuth2Auth) -> None:
    """A refresh whose answer was lost after the issuer had given it."""
    world.clock.advance(299)
    with world.issuer.misbehaving(Misbehaviour.DROPPED, "token"), pytest.raises(ConnectionError):
        call(world, auth)


def test_a_refresh_token_whose_answer_was_lost_is_not_sent_again(tokens: TokenStore) -> None:
    world = World()
    auth = world.auth(tokens=tokens)
    world.log_in(auth)
    lost(world, auth)
    for _ in range(3):
        with pytest.raises(CredentialsUnavailable, match="log in again: the refresh token was sent before"):
            call(world, auth)
    assert len(world.issuer.grants.refreshed) == 1
    assert world.issuer.grants.ended == []
    world.log_in(auth)
    call(world, auth)


def test_with_grace_it_is_sent_once_more_and_then_never_again(tokens: TokenStore) -> None:
    world = World(grace=True)
    auth = world.auth(tokens=tokens, refresh_retry=True)
    world.log_in(auth)
    lost(world, auth)
    call(world, auth)
    assert len(world.issuer.grants.refreshed) == 2
    lost(world, auth)
    lost(world, auth)
    with pytest.raises(CredentialsUnavailable, match="log in again"):
        call(world, auth)
    assert len(world.issuer.grants.refreshed) == 4
    assert world.issuer.grants.ended == []


def test_whoever_can_ask_asks_the_person_instead(tokens: TokenStore) -> None:
    world = World()
    auth = world.auth(tokens=tokens)
    world.log_in(auth)
    lost(world, auth)
    assert world.perform(auth.log_in(), ask=lambda ask: world.visit(ask.url)).subject == "alice"
    assert len(world.issuer.grants.refreshed) == 1


@pytest.mark.parametrize("how", [Misbehaviour.FAILING, Misbehaviour.GARBAGE])
def test_an_answer_from_which_nobody_knows_what_was_done_is_a_lost_one(tokens: TokenStore, how: Misbehaviour) -> None:
    world = World()
    auth = world.auth(tokens=tokens)
    world.log_in(auth)
    world.clock.advance(299)
    with world.issuer.misbehaving(how, "token"), pytest.raises(CredentialsUnavailable):
        call(world, auth)
    with pytest.raises(CredentialsUnavailable, match="log in again"):
        call(world, auth)


@pytest.mark.parametrize(
    ("status", "body"), [(400, b'{"error":"invalid_request"}'), (429, b"<h1>Too Many Requests</h1>"), (401, b"")]
)
def test_an_error_that_says_so_leaves_the_refresh_token_good(tokens: TokenStore, status: int, body: bytes) -> None:
    world = World()
    auth = world.auth(tokens=tokens)
    world.log_in(auth)
    world.clock.advance(299)

    def busy(effect: Send) -> Received:
        return Received(Response(status), body)

    with pytest.raises(TokenRefused, match=str(status)):
        run(auth, GET, busy, ClientContext(bytes, now=world.clock))
    call(world, auth)
    assert world.issuer.grants.refreshed == ["shop"]


def test_a_refresh_token_that_the_issuer_refuses_is_not_sent_again(tokens: TokenStore) -> None:
    world = World()
    auth = world.auth(tokens=tokens)
    world.log_in(auth)
    world.perform(auth.revoke())
    world.log_in(auth)
    for family in world.issuer.grants._families.values():
        family.ended = True
    world.clock.advance(299)
    with pytest.raises(CredentialsUnavailable, match="log in again: .* invalid_grant"):
        call(world, auth)
    world.issuer.asked.clear()
    with pytest.raises(CredentialsUnavailable, match="nobody has logged in"):
        call(world, auth)
    assert world.issuer.asked == []


# ---- a request that never left -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "left"), [(ConnectionRefusedError(), False), (ConnectionResetError(), True), (TimeoutError(), True)]
)
def test_a_request_that_never_left_leaves_the_refresh_token_good(
    tokens: TokenStore, error: Exception, left: bool
) -> None:
    world = World()
    auth = world.auth(tokens=tokens)
    world.log_in(auth)
    world.clock.advance(299)

    def failing(effect: Send) -> Received:
        raise RuntimeError("a library's own error") from error

    with pytest.raises(RuntimeError):
        run(auth, GET, failing, ClientContext(bytes, now=world.clock))
    if left:
        with pytest.raises(CredentialsUnavailable, match="log in again"):
            call(world, auth)
    else:
        call(world, auth)
        assert world.issuer.grants.refreshed == ["shop"]


def test_an_older_error_that_is_being_handled_proves_nothing(tokens: TokenStore) -> None:
    world = World()
    auth = world.auth(tokens=tokens)
    world.log_in(auth)
    world.clock.advance(299)

    def failing(effect: Send) -> Received:
        raise TimeoutError

    try:
        raise ConnectionRefusedError
    except ConnectionRefusedError:
        with pytest.raises(TimeoutError):
            run(auth, GET, failing, ClientContext(bytes, now=world.clock))
    with pytest.raises(CredentialsUnavailable, match="log in again"):
        call(world, auth)


def test_a_second_attempt_that_never_left_is_still_to_come(tokens: TokenStore) -> None:
    world = World(grace=True)
    auth = world.auth(tokens=tokens, refresh_retry=True)
    world.log_in(auth)
    lost(world, auth)

    def failing(effect: Send) -> Received:
        raise ConnectionRefusedError

    with pytest.raises(ConnectionRefusedError):
        run(auth, GET, failing, ClientContext(bytes, now=world.clock))
    call(world, auth)
    lost(world, auth)


# ---- who is too late -----------------------------------------------------------------------------------------------------------


def test_who_outlives_the_lease_saves_nothing(tokens: TokenStore) -> None:
    world = World()
    auth = world.auth(tokens=tokens)
    world.log_in(auth)
    world.clock.advance(299)
    drive = Drive(auth, GET, ClientContext(bytes, now=world.clock))
    send = drive.advance()
    assert send is not None
    answer = world.issuer.answer(send.request, send.body or b"")
    record = tokens.load(key_of(auth))
    newer = type(record)(AccessToken("newer", None, None, ()), None, record.version + 1)
    assert tokens.save(key_of(auth), newer)  # as another does who has got the lease meanwhile
    with pytest.raises(CredentialsUnavailable, match="meanwhile"):
        drive.advance(answer)
    drive.close()
    assert tokens.load(key_of(auth)) == newer


def test_a_lease_that_another_process_keeps_is_waited_for_and_not_taken(tmp_path: Path) -> None:
    tokens = TokenFile(tmp_path / "tokens.json")
    world = World()
    auth = world.auth(tokens=tokens)
    other = tokens.lease(key_of(auth))
    assert other.take()
    with pytest.raises(CredentialsUnavailable, match="another process has been getting this token for 60 s"):
        world.perform(auth.log_in())
    assert sum(world.slept) == pytest.approx(60.0)
    assert max(world.slept) < 0.1  # who waits wakes within 100 ms
    other.close()
    world.log_in(auth)


def test_the_forms_that_secrets_travel_in_are_sent_under_terms_that_forbid_a_repetition() -> None:
    world = World()
    auth = world.auth()
    world.log_in(auth)
    world.perform(auth.log_in())
    world.perform(auth.revoke())
    posts = [send for send in world.sent if send.request.method == "POST"]
    assert len(posts) == 3
    assert all(send.terms is not None and not send.terms.repeatable for send in posts)

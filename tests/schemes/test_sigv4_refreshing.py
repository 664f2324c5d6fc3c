"""SigV4 with credentials that a function gives: when it is asked, by how many, and what becomes of its failures."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from watchword import (
    ConfigurationError, CredentialsUnavailable, Guard, Policy, RefreshingSigV4Auth, Request, Response, SigV4Auth, SigV4Credentials,
    SigV4Verifier,
)  # fmt: skip
from watchword.effects import Received, Send
from watchword.stores import MemoryStore
from watchword.transport.flow import ClientContext, arun, run

NOW = 1_700_000_000.0
SCOPE: dict[str, Any] = {"region": "eu-central-1", "service": "orders"}
ASK = Request("GET", "https", "api.example", "/orders?limit=7")


class World:
    """A clock, a provider that counts, and what was signed."""

    def __init__(self, life: float | None = 3600) -> None:
        self.now = NOW
        self.life = life
        self.asked = 0
        self.error: Exception | None = None
        self.sent: list[Request] = []

    def provide(self) -> SigV4Credentials:
        self.asked += 1
        if self.error is not None:
            raise self.error
        expires = None if self.life is None else self.now + self.life
        return SigV4Credentials(f"AK{self.asked}", f"secret {self.asked}", f"token{self.asked}", expires)

    async def aprovide(self) -> SigV4Credentials:
        await asyncio.sleep(0)
        return self.provide()

    def promise(self) -> Any:
        """A plain function that gives a coroutine."""
        return self.aprovide()

    @property
    def context(self) -> ClientContext:
        return ClientContext(bytes, now=lambda: self.now)

    def send(self, send: Send) -> Received:
        self.sent.append(send.request)
        return Received(Response(200))

    def request(self, auth: RefreshingSigV4Auth) -> Request:
        run(auth, ASK, self.send, self.context)
        return self.sent[-1]


def auth(world: World, provide: Any = None) -> RefreshingSigV4Auth:
    return RefreshingSigV4Auth(provide or world.provide, **SCOPE)


async def arun_of(one: RefreshingSigV4Auth, send: Any, world: World) -> Received:
    return await arun(one, ASK, send, world.context)


def test_a_request_is_signed_as_by_the_credentials_themselves_and_admitted() -> None:
    world = World()
    signed = world.request(auth(world))
    plain = SigV4Auth("AK1", "secret 1", session_token="token1", **SCOPE).sign(ASK, now=NOW)
    assert list(signed.headers) == list(plain.headers)
    store = MemoryStore(clock=lambda: NOW)
    store.add_access_key("alice", "AK1", "secret 1", session_token="token1")
    assert Guard([SigV4Verifier(**SCOPE)], store, policy=Policy(clock=lambda: NOW)).verify(signed).subject == "alice"


@pytest.mark.parametrize(("life", "good_for"), [(3600, 3300), (400, 300), (8, 6)])
def test_credentials_are_asked_for_first_and_a_while_before_they_expire(life: float, good_for: float) -> None:
    world = World(life)
    one = auth(world)
    for at, asked in ((0, 1), (1, 1), (good_for - 1, 1), (good_for, 2), (good_for + 1, 2)):
        world.now = NOW + at
        assert f"AK{asked}".encode() in world.request(one).values(b"authorization")[0]
        assert world.asked == asked


def test_a_provider_that_renews_them_itself_is_asked_each_time() -> None:
    world = World(None)
    one = auth(world)
    assert [world.request(one).values(b"x-amz-security-token") for _ in range(3)] == [
        [b"token1"],
        [b"token2"],
        [b"token3"],
    ]


def test_the_signing_key_stays_as_long_as_the_credentials_do() -> None:
    world = World()
    same = SigV4Credentials("AK", "secret")
    one = auth(world, lambda: same)
    world.request(one)
    first = one._current
    world.request(one)
    assert first is not None
    assert one._current is not None
    assert one._current.auth is first.auth


def test_a_provider_that_fails_stops_nobody_while_the_old_credentials_are_good() -> None:
    world = World()
    one = auth(world)
    world.request(one)
    world.error = OSError("no route to the metadata service")
    world.now = NOW + 3500
    assert b"AK1" in world.request(one).values(b"authorization")[0]
    world.now = NOW + 3600
    with pytest.raises(OSError, match="no route"):
        world.request(one)
    world.error = None
    assert b"AK4" in world.request(one).values(b"authorization")[0]  # and nothing is locked


def test_a_provider_that_fails_at_first_is_the_callers_error_and_is_asked_again() -> None:
    world = World()
    one = auth(world)
    world.error = LookupError("not yet")
    with pytest.raises(LookupError, match="not yet"):
        world.request(one)
    world.error = None
    assert b"AK2" in world.request(one).values(b"authorization")[0]


@pytest.mark.parametrize("given", [None, ("AK", "secret"), {"AccessKeyId": "AK"}, "AK"])
def test_what_is_no_credentials_is_named_without_being_shown(given: object) -> None:
    with pytest.raises(ConfigurationError, match=rf"provide gives SigV4Credentials\(…\), not {type(given).__name__}$"):
        World().request(auth(World(), lambda: given))


def test_credentials_that_have_expired_are_not_used() -> None:
    with pytest.raises(CredentialsUnavailable, match="expired"):
        World().request(auth(World(), lambda: SigV4Credentials("AK", "s", expires=NOW)))


def test_settings_that_can_not_be_meant_are_refused_when_it_is_made() -> None:
    with pytest.raises(ConfigurationError, match="region and service"):
        RefreshingSigV4Auth(World().provide, region="", service="orders")
    with pytest.raises(ConfigurationError, match="provide is a function"):
        RefreshingSigV4Auth(SigV4Credentials("AK", "s"), **SCOPE)  # type: ignore[arg-type]


def test_no_secret_is_shown() -> None:
    world = World()
    one = auth(world)
    world.request(one)
    assert "secret 1" not in repr(one) + repr(one._current) + repr(world.provide())
    assert "token2" not in repr(world.provide())


def test_a_coroutine_function_needs_an_async_client() -> None:
    world = World()
    for provide in (world.aprovide, world.promise):
        with pytest.raises(ConfigurationError, match="async client"):
            world.request(auth(world, provide))


@pytest.mark.parametrize("kind", ["provide", "aprovide", "promise"])
def test_of_many_tasks_one_asks(kind: str) -> None:
    world = World()
    one = auth(world, getattr(world, kind))

    async def send(send: Send) -> Received:
        return world.send(send)

    async def main() -> None:
        await asyncio.gather(*(arun(one, ASK, send, world.context) for _ in range(50)))

    asyncio.run(main())
    assert (world.asked, len(world.sent)) == (1, 50)


def test_an_async_client_does_not_wait_for_a_plain_function_on_its_loop() -> None:
    threads: list[int] = []
    world = World()

    def provide() -> SigV4Credentials:
        threads.append(threading.get_ident())
        return world.provide()

    async def send(send: Send) -> Received:
        return world.send(send)

    asyncio.run(arun_of(auth(world, provide), send, world))
    assert threads != [threading.get_ident()]


def test_of_many_threads_one_asks() -> None:
    world = World()
    one = auth(world)
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(lambda _: world.request(one), range(64)))
    assert (world.asked, len(world.sent)) == (1, 64)


def test_an_async_provider_that_fails_is_the_callers_error() -> None:
    world = World()
    world.error = LookupError("not yet")

    async def send(send: Send) -> Received:
        return world.send(send)

    with pytest.raises(LookupError, match="not yet"):
        asyncio.run(arun_of(auth(world, world.aprovide), send, world))

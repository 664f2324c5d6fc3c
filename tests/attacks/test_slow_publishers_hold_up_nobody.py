"""While the servers of others are slow to show their keys, a request that needs none of them is judged at once.

They stand still until the request has been judged, so nothing here depends on time.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, NamedTuple

import msgspec
import pytest

from tests.attacks.floods import STRANGER, answered, block_until, one_48, one_address, unrelated_48s, until
from tests.patience import PATIENCE
from tests.schemes.bot_world import KEYS, NOW, signed
from tests.stores.issuer import jwks
from watchword import (
    AllOf, AsyncGuard, AttemptPolicy, DigestAuth, DigestVerifier, Guard, HMACAuth, HMACVerifier, JWTVerifier, Key, Peer, Policy,
    Reason, Rejected, Request, Response, SignatureAuth, SignatureVerifier, WebBotVerifier,
)  # fmt: skip
from watchword.core.attempts import Window
from watchword.transport.flow import ClientContext, Drive, run
from watchword.core.io import WAITING
from watchword.effects import Received
from watchword.crypto import jose
from watchword.stores import AgentDirectories, MemoryStore, RemoteKeySet
from watchword.stores.jwks import THREADS
from watchword.transport.get import Answer, Get, Terms

REQUESTS = 48
SHARED = Key.generate("HS256", key_id="shared")
KNOWN, UNKNOWN = Key.generate("ES256", key_id="known"), Key.generate("ES256", key_id="unknown")
OWN = "https://own.example"


def clock() -> float:
    return NOW


class Slow:
    """Servers that stand still until `gate` is set."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.running = self.most = 0
        self.asked: list[str] = []
        self.now = NOW
        self._counting = threading.Lock()

    def fetch(self, get: Get, terms: Terms) -> Answer:
        with self._counting:
            self.asked.append(get.url)
            self.running += 1
            self.most = max(self.most, self.running)
        assert self.gate.wait(PATIENCE)
        with self._counting:
            self.running -= 1
        return Answer(200, (), jwks(KNOWN), get.url)

    def keys(self, name: str = "id") -> RemoteKeySet:
        return RemoteKeySet(f"https://{name}.example/jwks", fetch=self.fetch, clock=lambda: self.now)

    def known_keys(self) -> RemoteKeySet:
        """Fetched a while ago, so that an unknown key id has them fetched again."""
        keys = self.keys()
        self.now = NOW - 60
        keys.refresh()
        self.now = NOW
        return keys


@pytest.fixture
def slow() -> Iterator[Slow]:
    made = Slow()
    yield made
    made.gate.set()
    for thread in threading.enumerate():
        if thread.name == "watchword-keys":
            thread.join(PATIENCE)


def bearer(key: Key, issuer: str) -> Request:
    claims = {"iss": issuer, "aud": "orders", "sub": "alice", "exp": int(NOW) + 60}
    value = b"Bearer " + jose.sign(msgspec.json.encode(claims), key).encode()
    return Request("GET", "https", "api.example", "/", [(b"authorization", value)], peer=Peer(STRANGER))


def sent(auth: Any, request: Request | None = None) -> Request:
    seen: list[Request] = []

    def send(effect: Any) -> Received:
        seen.append(effect.request)
        return Received(Response(200))

    request = Request("GET", "https", "api.example", "/") if request is None else request
    run(auth, request, send, ClientContext(bytes, now=clock))
    return seen[-1]


def from_(address: str, agent: str) -> Request:
    return signed(KEYS["bot"], agent, Request("GET", "https", "api.example", "/", peer=Peer(address)))


class Flood(NamedTuple):
    """Verifiers that fetch, the requests that make them wait, and those that need no fetch although it is for them.

    `places` are fetched at one time at most; `waiting` requests wait for them in threads; `locks` are all that fetching takes.
    """

    verifiers: Sequence[Any]
    requests: Sequence[Request]
    bystanders: Sequence[Request]
    places: int
    waiting: int
    locks: Sequence[Any]


def one_directory(slow: Slow, **who: Any) -> Flood:
    agents = AgentDirectories(fetch=slow.fetch, clock=clock, **who)
    requests = [from_(unrelated_48s(n), "https://slow.example") for n in range(REQUESTS)]
    return Flood([WebBotVerifier(agents)], requests, [], 1, 1, [agents._lock, agents._fetches._changing])


def allowed_directory(slow: Slow) -> Flood:
    return one_directory(slow, allow=["https://slow.example"])


def strangers_directory(slow: Slow) -> Flood:
    return one_directory(slow, any_agent=True)


def many_allowed(slow: Slow) -> Flood:
    names = [f"https://slow-{n}.example" for n in range(REQUESTS)]
    agents = AgentDirectories(names, fetch=slow.fetch, clock=clock)
    requests = [from_(unrelated_48s(n), names[n]) for n in range(REQUESTS)]
    return Flood([WebBotVerifier(agents)], requests, [], 4, 4, [agents._lock, agents._fetches._changing])


def many_strangers(address: Callable[[int], str], most: int) -> Callable[[Slow], Flood]:
    def flood(slow: Slow) -> Flood:
        agents = AgentDirectories(any_agent=True, fetch=slow.fetch, clock=clock)
        requests = [from_(address(n), f"https://slow-{n}.example") for n in range(REQUESTS)]
        return Flood([WebBotVerifier(agents)], requests, [], most, most, [agents._lock, agents._fetches._changing])

    return flood


def first_tokens(slow: Slow) -> Flood:
    keys = slow.keys()
    requests = [bearer(KNOWN, "https://id.example")] * REQUESTS
    return Flood(
        [JWTVerifier(keys, issuer="https://id.example", audience="orders")], requests, [], 1, THREADS, [keys._lock]
    )


def unknown_key_ids(slow: Slow) -> Flood:
    keys = slow.known_keys()
    made_up = [Key.from_jwk(UNKNOWN.to_jwk(private=True) | {"kid": f"made up {n}"}) for n in range(REQUESTS)]
    requests = [bearer(key, "https://id.example") for key in made_up]
    known = bearer(KNOWN, "https://id.example")
    return Flood(
        [JWTVerifier(keys, issuer="https://id.example", audience="orders")], requests, [known], 1, THREADS, [keys._lock]
    )


def many_issuers(slow: Slow) -> Flood:
    sets = [slow.keys(f"id-{n}") for n in range(12)]
    verifiers = [JWTVerifier(keys, issuer=f"https://{n}.example", audience="orders") for n, keys in enumerate(sets)]
    requests = [bearer(KNOWN, f"https://{n % 12}.example") for n in range(REQUESTS)]
    return Flood(verifiers, requests, [], 12, WAITING, [keys._lock for keys in sets])


def signed_requests(slow: Slow) -> Flood:
    keys = slow.known_keys()
    requests = [sent(SignatureAuth(UNKNOWN)) for _ in range(REQUESTS)]
    return Flood([SignatureVerifier(keys)], requests, [sent(SignatureAuth(KNOWN))], 1, THREADS, [keys._lock])


FLOODS: dict[str, Callable[[Slow], Flood]] = {
    "one directory that is allowed": allowed_directory,
    "one directory, any agent": strangers_directory,
    "many directories that are allowed": many_allowed,
    "many directories from one address": many_strangers(one_address, 2),
    "many directories from one /48": many_strangers(one_48, 3),
    "many directories from unrelated /48s": many_strangers(unrelated_48s, 4),
    "the first tokens of an issuer": first_tokens,
    "key ids that are made up": unknown_key_ids,
    "the first tokens of many issuers": many_issuers,
    "signed requests": signed_requests,
}
EACH = pytest.mark.parametrize("name", FLOODS)


def service(make: Any, flood: Flood) -> Any:
    """A guard that also takes tokens and signed requests which need nobody else's keys."""
    store = MemoryStore(clock=clock)
    store.add_key("robot", SHARED)
    own = [JWTVerifier(SHARED, issuer=OWN, audience="orders"), HMACVerifier()]
    return make([*own, *flood.verifiers], store, policy=Policy(clock=clock))


def needing_nobody(flood: Flood) -> Sequence[Request]:
    return [bearer(SHARED, OWN), sent(HMACAuth(SHARED)), *flood.bystanders]


@EACH
@pytest.mark.parametrize("threads", [8, 40])
def test_threads_that_wait_for_slow_publishers_are_few(name: str, threads: int, slow: Slow) -> None:
    flood = FLOODS[name](slow)
    guard = service(Guard, flood)
    slow.gate.clear()
    before = len(slow.asked)

    def ask(request: Request) -> tuple[int, int | None]:
        try:
            guard.verify(request)
        except Rejected as rejected:
            assert rejected.refusal is not None
            return answered(rejected.refusal.response())
        return 200, None

    with ThreadPoolExecutor(threads) as pool, ExitStack() as locked:
        asking = [pool.submit(ask, request) for request in flood.requests]
        try:
            block_until(lambda: sum(asked.done() for asked in asking) >= REQUESTS - flood.waiting and slow.running > 0)
            early = [asked.result() for asked in asking if asked.done()]
            for lock in (*flood.locks, guard.io._waiting._changing):
                locked.enter_context(lock)  # nor is there a lock in the way
            for request in needing_nobody(flood):
                assert pool.submit(guard.verify, request).result(PATIENCE).subject
            assert not slow.gate.is_set()
        finally:
            locked.close()
            slow.gate.set()
        answers = [asked.result(PATIENCE) for asked in asking]
    assert len(early) == REQUESTS - flood.waiting
    assert {status for status, _ in early} <= {429, 503}
    assert all(wait is not None and 1 <= wait <= 60 for _, wait in early)
    assert {status for status, _ in answers} <= {200, 401, 429, 503}
    assert slow.most <= flood.places
    assert len(slow.asked) - before <= 2 * flood.places


@EACH
def test_tasks_that_wait_for_slow_publishers_take_no_thread_of_the_loop(name: str, slow: Slow) -> None:
    flood = FLOODS[name](slow)
    guard = service(AsyncGuard, flood)
    slow.gate.clear()

    async def scene() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        asking = [asyncio.create_task(guard.verify(request)) for request in flood.requests]
        try:
            await until(lambda: slow.running == flood.places)
            with ExitStack() as locked:
                for lock in flood.locks:
                    locked.enter_context(lock)
                for request in needing_nobody(flood):
                    assert (await asyncio.wait_for(guard.verify(request), PATIENCE)).subject
            assert not slow.gate.is_set()
            fetching = [thread for thread in threading.enumerate() if thread.name == "watchword-keys"]
            assert len(fetching) == flood.places
        finally:
            slow.gate.set()
        for answer in await asyncio.gather(*asking, return_exceptions=True):
            if isinstance(answer, BaseException):
                assert isinstance(answer, Rejected), answer
                assert answer.refusal is not None
                assert answer.refusal.status in (401, 429, 503)

    asyncio.run(scene())
    assert slow.most <= flood.places


def test_who_is_told_to_come_again_has_guessed_nothing(slow: Slow) -> None:
    """A right password beside a signature whose key is being fetched: no attempt is spent by that, and nobody is locked out."""
    keys, window = slow.keys(), [Window(3, 600)]
    store = MemoryStore(clock=clock)
    store.add_user("alice", "right", realm="orders", digest_algorithms=("SHA-256",))
    guard = Guard(
        [AllOf(DigestVerifier(realm="orders"), SignatureVerifier(keys), bind=lambda identities: None)],
        store,
        policy=Policy(clock=clock, attempts=AttemptPolicy(pair=window, subject=window, address=window)),
    )

    def genuine() -> Request:
        bare = Request("GET", "https", "api.example", "/")
        drive = Drive(DigestAuth("alice", "right"), bare, ClientContext(clock))
        drive.advance()
        answer = drive.advance(Received(guard.refuse(Rejected(Reason.NO_CREDENTIALS)).response())).request
        return sent(SignatureAuth(KNOWN), answer)

    slow.gate.clear()
    with ThreadPoolExecutor(THREADS) as pool:
        waiting = [pool.submit(guard.verify, genuine()) for _ in range(THREADS)]
        try:
            block_until(lambda: keys._threads.taken == THREADS)
            for _ in range(10):
                with pytest.raises(Rejected) as caught:
                    guard.verify(genuine())
                assert caught.value.reason is Reason.TOO_BUSY
        finally:
            slow.gate.set()
        assert {each.result(PATIENCE).subject for each in waiting} == {"alice"}
    assert guard.verify(genuine()).subject == "alice"

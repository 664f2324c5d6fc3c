"""While passwords are hashed and guesses wait, a request that hashes nothing is judged: it needs none of their locks or threads.

The hash stands still until the request has been judged, so nothing here depends on time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.attacks.floods import ATTACKER, STRANGER, Hashing, one_48, one_address, unrelated_48s, until
from tests.core.guessing import asking
from tests.patience import PATIENCE
from watchword import (
    AsyncGuard, AttemptPolicy, BasicVerifier, DigestAuth, DigestVerifier, Guard, JWTVerifier, Key, Password, Peer, Policy, Rejected,
    Request,
)  # fmt: skip
from watchword.transport.flow import ClientContext, Drive
from watchword.core.records import Put, Ref
from watchword.effects import Received
from watchword.crypto import jose
from watchword.crypto.password_primitives import _ONE_AT_A_TIME
from watchword.schemes.digest.computation import DigestSecret, ha1
from watchword.schemes.password_cache import PasswordCache
from watchword.stores import MemoryStore, SQLStore
from watchword.structures.line import WaitingLine

KEY = Key.generate("HS256")
NOW = 1_800_000_000.0
GUESSES = 40
FROM = pytest.mark.parametrize(
    "address", [one_address, one_48, unrelated_48s], ids=["one address", "one /48", "unrelated /48s"]
)
STORES = pytest.mark.parametrize("kind", ["memory", "sqlite"])
CACHES = pytest.mark.parametrize("strict", [False, True], ids=["default cache", "strict cache"])


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hashing]:
    made = Hashing(monkeypatch)
    yield made
    made.gate.set()


class Service:
    """A guard with JWT, Digest and Basic."""

    def __init__(self, make: Any, kind: str, folder: Path, strict: bool, stack: ExitStack) -> None:
        self.store: Any = MemoryStore(clock=clock)
        if kind == "sqlite":
            self.store = stack.enter_context(SQLStore(f"sqlite:///{folder}/users.db", clock=clock))
        self.store.commit([
            Put(Ref(Password, ("alice",)), Password("plain:right")),
            Put(Ref(DigestSecret, ("SHA-256", "orders", "alice")), DigestSecret(ha1("SHA-256", "alice", "orders", "right"))),
        ])  # fmt: skip
        verifiers = [
            JWTVerifier(KEY, issuer="https://id.example", audience="orders"),
            DigestVerifier(realm="orders"),
            BasicVerifier(realm="orders", cache=PasswordCache(strict=strict), rehash=None),
        ]
        self.guard = make(verifiers, self.store, policy=Policy(clock=clock, attempts=AttemptPolicy()))

    @property
    def waiting(self) -> int:
        counts = self.guard.plan.line._places._counts
        return int(counts.get((True, None), 0) + counts.get((False, None), 0))


def clock() -> float:
    return NOW


def bearer() -> Request:
    claims = {"iss": "https://id.example", "aud": "orders", "sub": "alice", "exp": int(NOW) + 60}
    token = jose.sign(msgspec.json.encode(claims), KEY).encode()
    return Request("GET", "https", "api.example", "/", [(b"authorization", b"Bearer " + token)], peer=Peer(STRANGER))


def digest(challenge: Any, method: str = "GET") -> Request:
    bare = Request(method, "https", "api.example", "/", peer=Peer(STRANGER))
    drive = Drive(DigestAuth("alice", "right"), bare, ClientContext(clock))
    drive.advance()
    request = drive.advance(Received(challenge)).request
    assert isinstance(request, Request)
    return request


def challenge_of(rejected: Rejected) -> Any:
    assert rejected.refusal is not None
    return rejected.refusal.response()


@FROM
@STORES
@CACHES
def test_forty_threads_that_guess_keep_nobody_else_from_being_judged(
    address: Callable[[int], str], kind: str, strict: bool, hashing: Hashing, tmp_path: Path
) -> None:
    with ExitStack() as stack, ThreadPoolExecutor(8) as pool:
        service = Service(Guard, kind, tmp_path, strict, stack)
        verify = service.guard.verify
        hashing.gate.set()
        assert verify(asking("alice", "right", STRANGER)).subject == "alice"  # the cache knows them now
        hashing.gate.clear()
        hashed = len(hashing.secrets)

        def guess(number: int) -> int:
            try:
                verify(asking(f"nobody{number}", f"guess{number}", address(number)))
            except Rejected as rejected:
                return challenge_of(rejected).status
            raise AssertionError

        guesses = [pool.submit(guess, number) for number in range(GUESSES)]
        try:
            while service.waiting + sum(guessed.done() for guessed in guesses) < GUESSES or not hashing.running:
                pool.submit(int).result(PATIENCE)  # the pool has a thread left
            with service.guard.plan.line._mutex, _ONE_AT_A_TIME:  # nor is there a lock in the way
                for request in (bearer(), asking("alice", "right", STRANGER)):
                    assert pool.submit(verify, request).result(PATIENCE).subject == "alice"
                bare = Request("GET", "https", "api.example", "/", peer=Peer(STRANGER))
                refused = pool.submit(verify, bare).exception(PATIENCE)
                assert isinstance(refused, Rejected)
                assert pool.submit(verify, digest(challenge_of(refused))).result(PATIENCE).subject == "alice"
            assert (len(hashing.secrets), hashing.running) == (hashed + 1, 1)
        finally:
            hashing.gate.set()
        assert {guessed.result(PATIENCE) for guessed in guesses} <= {401, 429, 503}


@FROM
@STORES
@CACHES
def test_tasks_that_guess_keep_nobody_else_from_being_judged_nor_a_store_from_its_threads(
    address: Callable[[int], str],
    kind: str,
    strict: bool,
    hashing: Hashing,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The event loop has one thread for everything that blocks: look-ups go on in it, since no hash is there."""
    with ExitStack() as stack:
        service = Service(AsyncGuard, kind, tmp_path, strict, stack)

        async def scene() -> None:
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
            hashing.gate.set()
            assert (await verify(asking("alice", "right", STRANGER))).subject == "alice"
            hashing.gate.clear()
            hashed = len(hashing.secrets)
            guesses = [
                asyncio.create_task(verify(asking(f"nobody{number}", f"guess{number}", address(number))))
                for number in range(GUESSES)
            ]
            try:
                await until(
                    lambda: service.waiting + sum(guess.done() for guess in guesses) == GUESSES and hashing.running == 1
                )
                with monkeypatch.context() as patched, _ONE_AT_A_TIME:
                    patched.delattr(WaitingLine, "join")  # who is in the line has joined it
                    for request in (bearer(), asking("alice", "right", STRANGER)):
                        assert (await verify(request)).subject == "alice"
                    with pytest.raises(Rejected) as refused:
                        await verify(Request("GET", "https", "api.example", "/", peer=Peer(STRANGER)))
                    assert (await verify(digest(challenge_of(refused.value)))).subject == "alice"
                assert (len(hashing.secrets), hashing.running) == (hashed + 1, 1)
            finally:
                hashing.gate.set()
            answers = await asyncio.gather(*guesses, return_exceptions=True)
            assert {challenge_of(answer).status for answer in answers if isinstance(answer, Rejected)} <= {401, 429}
            assert len(answers) == GUESSES

        async def verify(request: Request) -> Any:
            return await asyncio.wait_for(service.guard.verify(request), PATIENCE)

        asyncio.run(scene())


def test_a_hash_that_hangs_keeps_no_thread_from_the_next_ones_of_other_guards(hashing: Hashing, tmp_path: Path) -> None:
    """Each guard hashes by itself, and none of the loop's own threads is taken, so these are as many as there are guards."""
    with ExitStack() as stack:
        services = [Service(AsyncGuard, "sqlite", tmp_path, True, stack) for _ in range(6)]

        async def scene() -> None:
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
            waiting = [
                asyncio.create_task(service.guard.verify(asking("alice", "right", ATTACKER))) for service in services
            ]
            try:
                await until(lambda: hashing.running == len(services))
            finally:
                hashing.gate.set()
            assert {(await task).subject for task in waiting} == {"alice"}

        asyncio.run(scene())

"""Doors where passwords are guessed, the guard's and the token endpoint's, with hashes that are counted and can be held up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.core.guessing import asking
from tests.patience import PATIENCE
from watchword import (
    AsyncGuard,
    AttemptPolicy,
    BasicVerifier,
    Guard,
    Key,
    Password,
    Peer,
    Policy,
    Reason,
    Rejected,
    Request,
)
from watchword.authorization_server import token_endpoint
from watchword.authorization_server.client import Client
from watchword.authorization_server.token_endpoint import TokenEndpoint
from watchword.core.io import Awaited, Direct, drive, once, once_async
from watchword.core.records import Put, Ref
from watchword.schemes import basic
from watchword.schemes.password_cache import PasswordCache
from watchword.stores import MemoryStore
from watchword.structures.line import WaitingLine

STRANGER = "198.51.100.7"
ATTACKER = "192.0.2.1"


class Hashing:
    """Stands for the password hash: each waits for the gate. `secrets` are those that were hashed, in their order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.secrets: list[str] = []
        self.running = self.most = 0
        self.gate = threading.Event()
        self.begun = threading.Event()
        self._counting = threading.Lock()
        monkeypatch.setattr(basic, "verify_password", self._verify)
        monkeypatch.setattr(token_endpoint, "verify_password", self._verify)

    def _verify(self, encoded: str, secret: str, *, decoy: str | None = None) -> None:
        with self._counting:
            self.secrets.append(secret)
            self.running += 1
            self.most = max(self.most, self.running)
        self.begun.set()
        try:
            assert self.gate.wait(PATIENCE)
        finally:
            with self._counting:
                self.running -= 1
        if encoded != f"plain:{secret}":
            raise Rejected(Reason.WRONG_SECRET, "it is not")


class Answer(NamedTuple):
    """What the client gets; `wait` is its Retry-After."""

    status: int
    wait: int | None = None


class Door:
    """`alice` and `bob` have the password "right"; who asks comes from any address."""

    line: WaitingLine

    def ask(self, username: str, secret: str, address: str) -> Answer:
        """From a thread."""
        raise NotImplementedError

    async def ask_async(self, username: str, secret: str, address: str) -> Answer:
        """From a task."""
        raise NotImplementedError

    @property
    def waiting(self) -> int:
        """How many requests are in the line, the one that holds it included."""
        counts = self.line._places._counts
        return counts.get((True, None), 0) + counts.get((False, None), 0)


class GuardDoor(Door):
    """Basic at a guard for threads and one for tasks, each with a line of its own: a test uses one of them."""

    def __init__(
        self, tasks: bool, policy: AttemptPolicy | None, cache: PasswordCache | None = None, store: Any = None
    ) -> None:
        self.store = MemoryStore() if store is None else store
        for name in ("alice", "bob"):
            self.store.commit([Put(Ref(Password, (name,)), Password("plain:right"))])
        verifier = BasicVerifier(realm="orders", cache=cache, rehash=None)
        make: Any = AsyncGuard if tasks else Guard
        self.guard: Any = make([verifier], self.store, policy=Policy(attempts=policy))
        self.line = self.guard.plan.line

    def ask(self, username: str, secret: str, address: str) -> Answer:
        try:
            self.guard.verify(asking(username, secret, address))
        except Rejected as rejected:
            return refused(rejected)
        return Answer(200)

    async def ask_async(self, username: str, secret: str, address: str) -> Answer:
        try:
            await self.guard.verify(asking(username, secret, address))
        except Rejected as rejected:
            return refused(rejected)
        return Answer(200)


class TokenDoor(Door):
    """Client secrets in the form of the token endpoint."""

    def __init__(self, tasks: bool, policy: AttemptPolicy | None) -> None:
        self.store = MemoryStore()
        for name in ("alice", "bob"):
            self.store.commit([Put(Ref(Client, (name,)), Client("plain:right", (), name))])
        self.endpoint = TokenEndpoint(
            Key.generate("HS256"), issuer="https://id.example", audience="orders", attempts=policy
        )
        self.line = self.endpoint._line

    def _asking(self, username: str, secret: str, address: str) -> tuple[Request, bytes]:
        fields = {"Content-Type": "application/x-www-form-urlencoded"}
        body = f"grant_type=client_credentials&client_id={username}&client_secret={secret}".encode()
        return Request("POST", "https", "id.example", "/token", fields, peer=Peer(address)), body

    def ask(self, username: str, secret: str, address: str) -> Answer:
        request, body = self._asking(username, secret, address)
        return answered(drive(self.endpoint.respond(request, Direct(self.store), once(body))).response)

    async def ask_async(self, username: str, secret: str, address: str) -> Answer:
        request, body = self._asking(username, secret, address)
        return answered((await self.endpoint.respond(request, Awaited(self.store), once_async(body))).response)


DOORS: dict[str, Callable[[bool, AttemptPolicy | None], Door]] = {"guard": GuardDoor, "token endpoint": TokenDoor}


def refused(rejected: Rejected) -> Answer:
    """As the client sees it."""
    assert rejected.refusal is not None
    return answered(rejected.refusal.response())


def answered(response: Any) -> Answer:
    """Status and Retry-After of a response."""
    return Answer(response.status, next((int(value) for value in response.values(b"retry-after")), None))


def one_address(number: int) -> str:
    """All guesses from one address."""
    return ATTACKER


def one_48(number: int) -> str:
    """Each from a /64 of its own, spread over all of one /48."""
    return f"2001:db8:1:{number * 43:x}::1"


def unrelated_48s(number: int) -> str:
    """Each from a /48 of its own."""
    return f"2001:db8:{number + 1:x}::1"


async def until(happened: Callable[[], bool]) -> None:
    """Returns once it has; the pipeline tells nobody who joins the line."""
    for _ in range(int(PATIENCE * 1000)):
        if happened():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never happened")


def block_until(happened: Callable[[], bool]) -> None:
    """`until`, in a thread."""
    asyncio.run(until(happened))

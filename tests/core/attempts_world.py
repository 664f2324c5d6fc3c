"""A guard whose password hashes are counted instead of computed, whose clock stands still, asked from any address."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.hash_costs import cheap_password
from watchword import (
    AsyncGuard, AttemptPolicy, BasicVerifier, DigestVerifier, Guard, Password, Peer, Policy, Rejected, Request, Verdict,
)  # fmt: skip
from watchword.core.attempts import Window
from watchword.core.records import Put, Ref
from watchword.crypto import passwords
from watchword.schemes.digest.computation import DigestSecret, ha1
from watchword.schemes.password_cache import PasswordCache
from watchword.stores import AsyncSQLStore, MemoryStore, SQLStore

HASH = cheap_password("right").encoded
HERE, THERE = "192.0.2.1", "198.51.100.7"
SMALL = AttemptPolicy(pair=(Window(3, 60), Window(6, 600)), subject=(Window(10, 60),), address=(Window(20, 60),))
KINDS = ("memory", "memory async", "sql", "sql async", "async sql")


class Answer(NamedTuple):
    """What the client gets: octets and status; `wait` is its Retry-After."""

    status: int
    headers: Any = ()

    @property
    def wait(self) -> int | None:
        """Seconds."""
        return next((int(value) for name, value in self.headers if name == b"retry-after"), None)


def basic(username: str, password: str = "wrong") -> bytes:
    """The value of Authorization."""
    return b"Basic " + b64encode(f"{username}:{password}".encode())


class World:
    """One guard; `hashes` are the passwords that were hashed."""

    def __init__(
        self, kind: str, folder: Path, policy: AttemptPolicy | None, cache: bool, room: int | None = None,
        strict: bool = False,
    ) -> None:  # fmt: skip
        self.now = 1_800_000_000.0
        self.kind = kind
        self.hashes: list[str] = []
        self.verdicts: list[Verdict] = []
        url = f"sqlite:///{folder}/attempts.db"
        limits: dict[str, Any] = {}
        if room is not None:
            limits = {"capacity": 2 * room} if kind.startswith("memory") else {"max_counters": room}
        self.store: Any = {"memory": MemoryStore, "sql": SQLStore, "async": AsyncSQLStore}[kind.partition(" ")[0]](
            *(() if kind.startswith("memory") else (url,)), clock=lambda: self.now, **limits
        )
        self.loop = asyncio.new_event_loop()
        settings = Policy(clock=lambda: self.now, attempts=policy)
        remembered = PasswordCache(strict=strict, clock=lambda: self.now) if cache else None
        verifiers = [
            BasicVerifier(realm="orders", cache=remembered),
            DigestVerifier(realm="orders"),
        ]
        make: Any = AsyncGuard if "async" in kind else Guard
        self.guard = make(verifiers, self.store, policy=settings, observe=self.verdicts.append)
        for name in ("alice", "bob"):
            self.add(name)

    def add(self, name: str, *, disabled: bool = False) -> None:
        """A user whose password is `right`."""
        secret = DigestSecret(ha1("SHA-256", name, "orders", "right"))
        self.do(
            self.store.commit([
                Put(Ref(Password, (name,)), Password(HASH, disabled=disabled)),
                Put(Ref(DigestSecret, ("SHA-256", "orders", name)), secret),
            ])
        )  # fmt: skip

    def do(self, result: Any) -> Any:
        """The result, awaited if it has to be."""
        return self.loop.run_until_complete(result) if asyncio.iscoroutine(result) else result

    def matches(self, encoded: str, octets: bytes, *known: Any) -> bool:
        """Stands for the password hash."""
        self.hashes.append(octets.decode())
        return encoded == HASH and octets == b"right"

    def send(self, authorization: bytes, address: str = HERE, method: str = "GET") -> Answer:
        """One request with these credentials."""
        request = Request(method, "https", "api.example", "/", [(b"authorization", authorization)], Peer(address))
        try:
            self.do(self.guard.verify(request))
        except Rejected as rejected:
            assert rejected.refusal is not None
            response = rejected.refusal.response()
            return Answer(response.status, tuple(pair for pair in response.headers if b"nonce=" not in pair[1]))
        return Answer(200)

    def ask(self, username: str, password: str = "wrong", address: str = HERE) -> Answer:
        """One request with Basic."""
        return self.send(basic(username, password), address)

    def close(self) -> None:
        """Closes store and loop."""
        if "sql" in self.kind:
            self.do(self.store.close())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


@contextmanager
def world(
    kind: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    policy: AttemptPolicy | None = SMALL,
    cache: bool = True,
    room: int | None = None,
    strict: bool = False,
) -> Iterator[World]:
    """A world, closed at the end. `room` is for so many counters, if it is given; `strict` is the cache's."""
    made = World(kind, folder, policy, cache, room, strict)
    monkeypatch.setattr(passwords, "_matches", made.matches)
    try:
        yield made
    finally:
        made.close()

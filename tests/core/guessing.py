"""A server with Basic users whose hashes cost nothing and are counted, and a clock of its own, behind either guard."""

from __future__ import annotations

import asyncio
import threading
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from watchword import (
    AsyncGuard,
    AttemptPolicy,
    BasicVerifier,
    Guard,
    Identity,
    Password,
    Peer,
    Policy,
    Rejected,
    Request,
)
from watchword.core.attempts import Window
from watchword.core.message import Response
from watchword.core.records import Put, Ref
from watchword.core.rejection import Reason, StoreUnavailable
from watchword.schemes import basic
from watchword.schemes.password_cache import PasswordCache

START = 1_700_000_000.0
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"
SMALL = AttemptPolicy(pair=[Window(3, 60), Window(5, 600)], subject=[Window(8, 60)], address=[Window(12, 60)])


def plain(encoded: str, secret: str) -> None:
    """Stands for a password hash."""
    if encoded != f"plain:{secret}":
        raise Rejected(Reason.WRONG_SECRET, "it is not")


def asking(username: str, password: str, address: str = HERE) -> Request:
    value = b"Basic " + b64encode(f"{username}:{password}".encode())
    return Request("GET", "https", "api.example", "/", [(b"authorization", value)], peer=Peer(address))


class Hashes:
    """Counts the hashes, and how many run at the same time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, work: Callable[[], object] = lambda: None) -> None:
        self.count = self.running = self.most = 0
        self._work = work
        self._counting = threading.Lock()
        monkeypatch.setattr(basic, "verify_password", self._verify)

    def _verify(self, encoded: str, secret: str, *, decoy: str | None = None) -> None:
        with self._counting:
            self.count += 1
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            self._work()
            plain(encoded, secret)
        finally:
            with self._counting:
                self.running -= 1


class Server:
    """`alice` and `bob` with the password "right", behind a guard."""

    def __init__(
        self, store: Any, kind: Any = Guard, *, attempts: AttemptPolicy | None = SMALL, cache: PasswordCache | None = None,
        fill: bool = True, clock: Callable[[], float] | None = None,
    ) -> None:  # fmt: skip
        self.store = store
        self.now = START
        self.verifier = BasicVerifier(realm="orders", cache=cache, rehash=None)
        policy = Policy(clock=clock or (lambda: self.now), attempts=attempts)
        self.guard: Any = kind([self.verifier], store, policy=policy)
        if fill:
            for name in ("alice", "bob"):
                self.put(name, Password("plain:right"))

    def put(self, name: str, record: Password) -> None:
        self.store.commit([Put(Ref(Password, (name,)), record)])

    def ask(
        self, password: str, username: str = "alice", address: str = HERE
    ) -> Identity | Rejected | StoreUnavailable:
        request = asking(username, password, address)
        try:
            if isinstance(self.guard, Guard):
                return self.guard.verify(request)
            return asyncio.run(self.guard.verify(request))
        except (Rejected, StoreUnavailable) as error:
            return error

    def status(self, password: str, username: str = "alice", address: str = HERE) -> int:
        """What the client gets."""
        answer = self.ask(password, username, address)
        if isinstance(answer, Identity):
            return 200
        assert answer.refusal is not None
        return answer.refusal.status

    def response(self, password: str, username: str = "alice", address: str = HERE) -> Response:
        """The refusal as it is sent."""
        answer = self.ask(password, username, address)
        assert not isinstance(answer, Identity)
        assert answer.refusal is not None
        return answer.refusal.response()


BOTH = pytest.mark.parametrize("kind", [Guard, AsyncGuard])

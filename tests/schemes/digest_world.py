"""A server with one user and a clock of its own, for tests of Digest: no socket, no waiting, either guard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from watchword import AsyncGuard, DigestAuth, Guard, Identity, Policy, Rejected, Request, Response
from watchword.core.flow import ClientContext, run
from watchword.core.records import Put, Ref
from watchword.core.scheme import Received, Send
from watchword.fields.auth_params import parse_credentials
from watchword.schemes.digest import DigestSecret, DigestVerifier, ha1
from watchword.stores import MemoryStore

REALM = "orders"
USER, PASSWORD = "Mufasa", "Circle of Life"
GUARDS = ("Guard", "AsyncGuard")
START = 1_700_000_000.0


class World:
    """One server. `sent` are the requests that reached it, `verdicts` what it said: an Identity or the Rejected."""

    def __init__(self, guard: str = "Guard", *, store: Any = None, realm: str = REALM, **options: Any) -> None:
        self.now = START
        self.store = MemoryStore(clock=lambda: self.now) if store is None else store
        options.setdefault("algorithms", ("SHA-256",))
        self.verifier = DigestVerifier(realm=realm, **options)
        policy = Policy(clock=lambda: self.now)
        kind: Any = Guard if guard == "Guard" else AsyncGuard
        self.guard = kind([self.verifier], self.store, policy=policy)
        self.sent: list[Request] = []
        self.verdicts: list[Identity | Rejected] = []
        self.add(USER, PASSWORD)

    def add(self, username: str, password: str, **fields: Any) -> None:
        for algorithm in self.verifier.algorithms:
            secret = DigestSecret(ha1(algorithm, username, self.verifier.realm, password), **fields)
            self.store.commit([Put(Ref(DigestSecret, (algorithm, self.verifier.realm, username)), secret)])

    def verify(self, request: Request) -> Identity:
        """What the guard says; raises `Rejected`."""
        answer: Any = self.guard.verify(request)
        identity: Identity = asyncio.run(answer) if asyncio.iscoroutine(answer) else answer
        return identity

    def judge(self, request: Request) -> Identity | Rejected:
        try:
            return self.verify(request)
        except Rejected as rejected:
            return rejected

    def send(self, effect: Send) -> Received:
        """The server, for a flow."""
        self.sent.append(effect.request)
        verdict = self.judge(effect.request)
        self.verdicts.append(verdict)
        if isinstance(verdict, Identity):
            return Received(Response(200))
        assert verdict.refusal is not None
        return Received(verdict.refusal.response())

    def get(self, auth: DigestAuth, target: str = "/", method: str = "GET") -> int:
        """The status that the caller of a client gets."""
        return ask(auth, self.send, request(target, method)).status

    def signed(self, target: str = "/", method: str = "GET", auth: DigestAuth | None = None) -> Request:
        """A genuine request, answering a fresh challenge, that has not reached the server yet."""
        flow = (auth or DigestAuth(USER, PASSWORD)).flow(request(target, method), context())
        first = next(flow)
        assert isinstance(first, Send)
        refused = self.judge(request(target, method))
        assert isinstance(refused, Rejected) and refused.refusal is not None
        second = flow.send(Received(refused.refusal.response()))
        flow.close()
        assert isinstance(second, Send)
        return second.request

    def challenge(self, rejected: Rejected) -> bytes:
        """The first WWW-Authenticate line of a refusal."""
        assert rejected.refusal is not None
        return rejected.refusal.response().values(b"www-authenticate")[0]


def request(target: str = "/", method: str = "GET", headers: Any = ()) -> Request:
    return Request(method, "https", "api.example", target, headers)


def context(random: Callable[[int], bytes] | None = None) -> ClientContext:
    return ClientContext(bytes) if random is None else ClientContext(bytes, random=random)


def ask(
    auth: Any, send: Callable[[Send], Received], asked: Request, random: Callable[[int], bytes] | None = None
) -> Response:
    received = run(auth, asked, send, context(random))
    assert received is not None
    return received.response


def params(signed: Request) -> dict[str, str]:
    """The parameters of its Authorization."""
    (value,) = signed.values(b"authorization")
    return parse_credentials(value).params


def changed(signed: Request, **new: str | None) -> Request:
    """The same request with some parameters of its Authorization replaced, or removed (None)."""
    merged = {**params(signed), **{name.rstrip("_"): value for name, value in new.items()}}
    listed = ", ".join(f'{name}="{value}"' for name, value in merged.items() if value is not None)
    return signed.with_headers(((b"authorization", f"Digest {listed}".encode("latin-1")),))


def to(signed: Request, target: str | None = None, method: str | None = None, **parts: Any) -> Request:
    """The same Authorization on another request."""
    return Request.raw(
        method or signed.method,
        parts.get("scheme", signed.scheme),
        parts.get("authority", signed.authority),
        signed.target if target is None else target.encode(),
        signed.headers,
        signed.peer,
        parts.get("exact", signed.exact),
    )

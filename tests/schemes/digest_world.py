"""A server with one user and a clock of its own, for tests of Digest: no socket, no waiting, either guard."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

from watchword import AsyncGuard, DigestAuth, Guard, Identity, Policy, Rejected, Request, Response
from watchword.core.io import once, once_async
from watchword.transport.flow import ClientContext, run
from watchword.core.message import Headers
from watchword.core.records import Put, Ref
from watchword.effects import Received, Send
from watchword.fields.auth_params import parse_credentials
from watchword.schemes.digest import DigestSecret, DigestVerifier, UserHash, ha1, user_hash
from watchword.stores import MemoryStore

REALM = "orders"
USER, PASSWORD = "Mufasa", "Circle of Life"
GUARDS = ("Guard", "AsyncGuard")
START = 1_700_000_000.0


class World:
    """One server. `sent` are the requests that reached it, `verdicts` what it said: an Identity or the Rejected."""

    def __init__(
        self, guard: str = "Guard", *, store: Any = None, realm: str = REALM, proxy: bool = False, **options: Any
    ) -> None:
        self.now = START
        self.answer = b"the answer"
        self.store = MemoryStore(clock=lambda: self.now) if store is None else store
        options.setdefault("algorithms", ("SHA-256",))
        self.verifier = DigestVerifier(realm=realm, **options)
        policy = Policy(clock=lambda: self.now)
        kind: Any = Guard if guard == "Guard" else AsyncGuard
        self.guard = kind([self.verifier], self.store, policy=policy, proxy=proxy)
        self.sent: list[Request] = []
        self.verdicts: list[Identity | Rejected] = []
        self.add(USER, PASSWORD)

    def add(self, username: str, password: str, **fields: Any) -> None:
        realm = self.verifier.realm
        for name in self.verifier.algorithms:
            algorithm = name.removesuffix("-sess")
            secret = DigestSecret(ha1(algorithm, username, realm, password), **fields)
            alias = Ref(UserHash, (algorithm, realm, user_hash(algorithm, username, realm)))
            self.store.commit(
                [Put(Ref(DigestSecret, (algorithm, realm, username)), secret), Put(alias, UserHash(username))]
            )

    def verify(self, request: Request, body: bytes = b"") -> Identity:
        """What the guard says; raises `Rejected`."""
        return self.admit(request, body)[0]

    def admit(self, request: Request, body: bytes = b"") -> tuple[Identity, Headers]:
        """The same, with the field lines that the answer gets; raises `Rejected`."""
        if isinstance(self.guard, Guard):
            admission = self.guard.admit(request, once(body))
        else:
            admission = asyncio.run(self.guard.admit(request, once_async(body)))
        assert admission.identity is not None
        whole = self.answer if admission.seal is not None and admission.seal.needs_body else None
        return admission.identity, admission.answer_headers(self.guard.plan, Response(200), whole)

    def judge(self, request: Request, body: bytes = b"") -> Identity | Rejected:
        try:
            return self.verify(request, body)
        except Rejected as rejected:
            return rejected

    def send(self, effect: Send, body: bytes = b"") -> Received:
        """The server, for a flow."""
        self.sent.append(effect.request)
        try:
            identity, lines = self.admit(effect.request, body)
        except Rejected as rejected:
            self.verdicts.append(rejected)
            assert rejected.refusal is not None
            return Received(rejected.refusal.response())
        self.verdicts.append(identity)
        return Received(Response(200, lines), self.answer if effect.want else None)

    def get(self, auth: DigestAuth, target: str = "/", method: str = "GET") -> int:
        """The status that the caller of a client gets."""
        return ask(auth, self.send, request(target, method)).status

    def signed(
        self, target: str = "/", method: str = "GET", auth: DigestAuth | None = None, body: bytes = b""
    ) -> Request:
        """A genuine request, answering a fresh challenge, that has not reached the server yet."""
        sent: list[Request] = []

        def send(effect: Send) -> Received:
            sent.append(effect.request)
            if len(sent) == 2:
                return Received(Response(200))
            refused = self.judge(request(target, method))
            assert isinstance(refused, Rejected) and refused.refusal is not None
            return Received(refused.refusal.response())

        ask(auth or DigestAuth(USER, PASSWORD), send, request(target, method), body=body)
        return sent[-1]

    def challenge(self, rejected: Rejected) -> bytes:
        """The first WWW-Authenticate line of a refusal."""
        assert rejected.refusal is not None
        return rejected.refusal.response().values(b"www-authenticate")[0]


def request(target: str = "/", method: str = "GET", headers: Any = ()) -> Request:
    return Request(method, "https", "api.example", target, headers)


def context(random: Callable[[int], bytes] = os.urandom, body: bytes = b"") -> ClientContext:
    return ClientContext(lambda: body, random=random)


def ask(
    auth: Any,
    send: Callable[[Send], Received],
    asked: Request,
    random: Callable[[int], bytes] = os.urandom,
    body: bytes = b"",
) -> Response:
    received = run(auth, asked, send, context(random, body))
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

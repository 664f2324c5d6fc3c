"""A tiny scheme and store whose every step is written down, and one helper that asks both guards."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from watchword.core.attempts import AttemptPolicy
from watchword.core.guard import AsyncGuard, Guard
from watchword.core.identity import Identity
from watchword.core.verdict import Verdict
from watchword.core.answer import Challenge
from watchword.core.message import Headers, Request
from watchword.core.admission import Admission
from watchword.core.limits import Limits
from watchword.core.plan import Policy
from watchword.core.records import COMMITTED, Found, Outcome, Ref, Write
from watchword.core.rejection import Reason, Rejected, Rejection, StoreUnavailable
from watchword.core.scheme import (
    UNUSED, Address, Body, BodyNeed, Check, Decision, Digests, More, Random, Refusal,
)  # fmt: skip

NOW = 1_700_000_000.0
LIMITS = Limits()
ATTEMPTS = AttemptPolicy()


@dataclass(frozen=True, slots=True)
class Note:
    """A record."""

    text: str


NOTE = Ref(Note, ("note",))


@dataclass
class FakeClaim:
    verifier: FakeVerifier
    token: str

    @property
    def needs(self) -> Sequence[Ref[Any]]:
        return self.verifier.needs

    @property
    def body(self) -> BodyNeed | Digests:
        return self.verifier.body

    def slow(self, found: Found) -> bool:
        return self.verifier.is_slow

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision | More:
        self.verifier.saw(f"decide {threading.current_thread() is threading.main_thread()}")
        self.verifier.bodies.append(body)
        if self.token == "wrong":
            raise Rejected(Reason.WRONG_SECRET, "it is not", where=self.verifier.scheme, writes=self.verifier.blame)
        if self.token == "stale":
            raise Rejected(Reason.STALE_NONCE, genuine=True)
        if self.verifier.decision is not None:
            return self.verifier.decision(found, body, now, random)
        return Decision(Identity(self.token, self.verifier.scheme, scopes=self.verifier.scopes))


@dataclass
class FakeVerifier:
    """Speaks `<word> <token>` in a field; the token is the subject, or "wrong", "stale", "malformed", "unclaimed"."""

    scheme: str = "fake"
    word: str | None = None
    field: bytes = b"authorization"
    realm: str | None = None
    rank: int = 0
    single_use: bool = False
    ambient: bool = False
    kinds: Sequence[type] = ()
    always_needed: Sequence[Ref[Any]] = ()
    needs: Sequence[Ref[Any]] = ()
    body: BodyNeed | Digests = UNUSED
    is_slow: bool = False
    decision: Callable[[Found, Body, float, Random], Decision | More] | None = None
    scopes: frozenset[str] = frozenset()
    blame: Sequence[Write] = ()
    params: tuple[tuple[str, str], ...] = ()
    refusal_headers: Headers = ()
    refusal_writes: Callable[[Found], Sequence[Write]] = lambda _: ()
    trace: list[str] = dataclasses.field(default_factory=list)
    bodies: list[Body] = dataclasses.field(default_factory=list)

    __hash__ = object.__hash__
    __eq__ = object.__eq__

    def saw(self, event: str) -> None:
        self.trace.append(f"{self.scheme} {event}")

    @property
    def addresses(self) -> Sequence[Address]:
        return (Address(self.field, self.wire if self.field == b"authorization" else ""),)

    @property
    def wire(self) -> str:
        return self.word or self.scheme

    def read(self, request: Request) -> FakeClaim | None:
        self.saw("read")
        (value,) = request.values(self.field)
        token = value.rpartition(b" ")[2].decode()
        if token == "malformed" or b"," in value:
            raise Rejected(Reason.MALFORMED_CREDENTIALS, "no token", where=self.scheme)
        return None if token == "unclaimed" else FakeClaim(self, token)

    def explain(self, claim: FakeClaim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
        return claim.token, [Check(self.scheme, True)]

    def refuse(self, rejection: Rejection, found: Found, now: float, random: Random) -> Refusal:
        own = () if rejection.reason is Reason.NO_CREDENTIALS else (("error", rejection.reason.value),)
        return Refusal(
            rejection.reason.status,
            [Challenge(self.wire.title(), (*self.params, *own))],
            self.refusal_headers,
            self.refusal_writes(found),
        )


@dataclass
class RoutableFake(FakeVerifier):
    """Claims the tokens that are called as one of its routes."""

    routes: Collection[Hashable] | None = None

    __hash__ = object.__hash__
    __eq__ = object.__eq__

    def route(self, request: Request) -> Hashable:
        (value,) = request.values(self.field)
        token = value.rpartition(b" ")[2].decode()
        if token == "malformed":
            raise Rejected(Reason.MALFORMED_CREDENTIALS, "no token", where=self.scheme)
        return token


class FakeStore:
    """Records in a dict; `outcomes` are what the coming commits answer, then COMMITTED; both verbs are written down."""

    kinds: frozenset[type] | None = None
    blocking = False

    def __init__(
        self, records: dict[Ref[Any], Any] | None = None, outcomes: Sequence[Outcome] = (), down: str = ""
    ) -> None:
        self.records = records or {}
        self.outcomes = list(outcomes)
        self.down = down
        self.fetched: list[Sequence[Ref[Any]]] = []
        self.commits: list[Sequence[Write]] = []
        self.threads: set[bool] = set()

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        self.threads.add(threading.current_thread() is threading.main_thread())
        self.fetched.append(tuple(refs))
        if self.down == "fetch":
            raise StoreUnavailable
        return Found({ref: (self.records[ref], 1) for ref in refs if ref in self.records})

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        self.commits.append(tuple(writes))
        if self.down == "commit":
            raise StoreUnavailable
        return self.outcomes.pop(0) if self.outcomes else COMMITTED


class BlockingStore(FakeStore):
    blocking = True


class AwaitedStore(FakeStore):
    async def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:  # type: ignore[override]
        await asyncio.sleep(0)
        return super().fetch(refs)

    async def commit(self, writes: Sequence[Write], /) -> Outcome:  # type: ignore[override]
        await asyncio.sleep(0)
        return super().commit(writes)


class Answer(NamedTuple):
    """What came of it; equal answers are equal to whoever asked."""

    subject: str | None
    scheme: str | None
    scopes: frozenset[str]
    reason: Reason | None
    status: int
    lines: tuple[bytes, ...]
    headers: Headers
    body: bytes | None
    response_headers: Headers
    fetched: tuple[object, ...]
    commits: tuple[object, ...]
    trace: tuple[str, ...]
    verdicts: tuple[Verdict, ...]


Make = Callable[[type[FakeStore]], tuple[Sequence[Any], FakeStore | None]]


def ask(
    make: Make | FakeVerifier | Sequence[Any],
    request: Request,
    chunks: Sequence[bytes] = (),
    *,
    optional: bool = False,
    proxy: bool = False,
    limits: Limits = LIMITS,
    public_url: Callable[[Request], Request] | None = None,
    attempts: AttemptPolicy | None = ATTEMPTS,
) -> Answer:
    """The answer of `Guard`, shown to be that of `AsyncGuard` over every kind of store as well."""
    maker = make if callable(make) and not isinstance(make, FakeVerifier) else None
    fixed = [make] if isinstance(make, FakeVerifier) else make
    answers = []
    for kind, awaited in ((FakeStore, False), (FakeStore, True), (BlockingStore, True), (AwaitedStore, True)):
        verifiers, store = maker(kind) if maker else (fixed, None)  # type: ignore[misc]
        for verifier in verifiers:
            getattr(verifier, "trace", []).clear()
        seen: list[Verdict] = []
        options: Any = {
            "policy": Policy(public_url, limits, lambda: NOW, lambda n: b"r" * n, attempts),
            "observe": seen.append, "proxy": proxy,
        }  # fmt: skip
        incoming = iter([*chunks, b""])
        result: Admission | Rejected | StoreUnavailable
        try:
            if awaited:
                result = asyncio.run(_ask_async(AsyncGuard(verifiers, store, **options), request, incoming, optional))
            else:
                result = Guard(verifiers, store, **options).admit(request, incoming.__next__, optional=optional)
        except (Rejected, StoreUnavailable) as error:
            result = error
        trace = tuple(line for verifier in verifiers for line in getattr(verifier, "trace", ()))
        # A slow decision runs elsewhere under AsyncGuard; that it does is a test of its own.
        plain = tuple(line.removesuffix(" True").removesuffix(" False") for line in trace)
        answers.append(_answer(result, store, plain, seen))
    assert all(answer == answers[0] for answer in answers), "the guards differ"
    return answers[0]


async def _ask_async(guard: AsyncGuard, request: Request, incoming: Any, optional: bool) -> Admission:
    async def receive() -> bytes:
        await asyncio.sleep(0)
        return next(incoming)  # type: ignore[no-any-return]

    return await guard.admit(request, receive, optional=optional)


def _answer(
    result: Admission | Rejected | StoreUnavailable,
    store: FakeStore | None,
    trace: tuple[str, ...],
    seen: list[Verdict],
) -> Answer:
    identity = result.identity if isinstance(result, Admission) else None
    refusal = None if isinstance(result, Admission) else result.refusal
    assert isinstance(result, Admission) or refusal is not None, "an error without its refusal"
    return Answer(
        subject=identity.subject if identity else None,
        scheme=identity.scheme if identity else None,
        scopes=identity.scopes if identity else frozenset(),
        reason=result.reason if isinstance(result, Rejected) else None,
        status=refusal.status if refusal else 0,
        lines=tuple(challenge.encode() for challenge in refusal.challenges) if refusal else (),
        headers=tuple(refusal.headers) if refusal else (),
        body=result.body if isinstance(result, Admission) else None,
        response_headers=result.response_headers if isinstance(result, Admission) else (),
        fetched=tuple(store.fetched) if store else (),
        commits=tuple(store.commits) if store else (),
        trace=trace,
        verdicts=tuple(seen),
    )


def get(*headers: tuple[str, str], authorization: str | None = None) -> Request:
    """A GET with these fields."""
    lines = [*headers, *([("Authorization", authorization)] if authorization is not None else [])]
    return Request("GET", "https", "api.example", "/", lines)

"""The cheap claims of who was admitted before: for which guards there are any, and that they say what any claim says."""

from __future__ import annotations

import ast
import asyncio
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.schemes.digest_world import PASSWORD, START, USER, context, request, to
import watchword
from watchword import (
    APIKeyVerifier, AsyncGuard, AttemptPolicy, BasicVerifier, DigestAuth, DigestVerifier, Guard, Identity, JWTVerifier, Key, Password,
    PasswordCache, Policy, PublicURL, Reason, Rejected, Request, Response, explain,
)  # fmt: skip
from watchword.core.admission import Admission
from watchword.core.attempts import KnownPair, Window
from watchword.transport.flow import ClientContext, Drive
from watchword.core.io import once, once_async
from watchword.core.message import Peer
from watchword.core.records import Counter, Once, Put, Ref, Take
from watchword.core.rejection import StoreUnavailable
from watchword.core.scheme import Seal
from watchword.effects import Received, Send
from watchword.schemes.basic import BasicClaim, KnownCredentials
from watchword.schemes.password_cache import RememberedUser
from watchword.schemes.digest import DigestSecret
from watchword.schemes.digest.request_memory import KnownClaim
from watchword.stores import AsyncSQLStore, MemoryStore, SQLStore

STORES: dict[str, Callable[[Path, Any], Any]] = {
    "memory": lambda folder, clock: MemoryStore(clock=clock),
    "sql": lambda folder, clock: SQLStore(f"sqlite:///{folder / 'users.db'}", clock=clock),
}
KINDS = [("memory", Guard), ("memory", AsyncGuard), ("sql", Guard)]
SOURCES = Path(watchword.__file__).parent
FEW = AttemptPolicy(pair=(Window(3, 60),), subject=(Window(50, 60),), address=(Window(50, 60),))


class World:
    """One client, one user, one guard whose clock stands still."""

    def __init__(self, store: Any, kind: Any, attempts: AttemptPolicy | None = FEW) -> None:
        self.now = START
        self.store = store
        store.add_user(USER, PASSWORD, realm="orders", digest_algorithms=["SHA-256"])
        self.auth = DigestAuth(USER, PASSWORD)
        self.guard = kind(
            [DigestVerifier(realm="orders")], store, policy=Policy(clock=lambda: self.now, attempts=attempts)
        )

    def judge(self, asked: Request) -> Identity | Rejected:
        try:
            verdict = self.guard.verify(asked)
            return asyncio.run(verdict) if asyncio.iscoroutine(verdict) else verdict
        except Rejected as rejected:
            return rejected

    def is_cheap(self, asked: Request) -> bool:
        """Whether the guard needs no strict reading of these credentials."""
        return isinstance(claim_of(self.guard, asked), KnownClaim)

    def signed(self, auth: DigestAuth | None = None, address: str = "192.0.2.7") -> Request:
        """The client's next request."""
        flow = (auth or self.auth).flow(to(request(), None), context())
        effect = next(flow)
        while not isinstance(effect, Send):
            effect = flow.send(True)
        if not effect.request.values(b"authorization"):
            refused = self.judge(effect.request)
            assert isinstance(refused, Rejected) and refused.refusal is not None
            effect = flow.send(Received(refused.refusal.response()))
            while not isinstance(effect, Send):
                effect = flow.send(None)
        flow.close()
        sent = effect.request
        return Request.raw(
            sent.method, sent.scheme, sent.authority, sent.target, sent.headers, Peer(address), sent.exact
        )


def claim_of(guard: Any, asked: Request) -> Any:
    """The claim as the guard reads it."""
    case = guard.plan.dispatch.locate(asked)
    return None if case is None else case.claim


@pytest.fixture(params=KINDS, ids=lambda kind: f"{kind[0]}-{kind[1].__name__}")
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    name, kind = request.param
    made: list[World] = []
    store = STORES[name](tmp_path, lambda: made[0].now if made else START)
    made.append(World(store, kind))
    yield made[0]
    if name == "sql":
        store.close()


def test_the_second_request_with_a_nonce_makes_a_cheap_claim(world: World) -> None:
    first = world.signed()
    assert not world.is_cheap(first)
    assert isinstance(world.judge(first), Identity)
    for _ in range(5):
        asked = world.signed()
        assert world.is_cheap(asked)
        verdict = world.judge(asked)
        assert isinstance(verdict, Identity) and verdict.subject == USER
    admitted = admit(world.guard, world.signed())
    assert isinstance(admitted, Admission)
    ((name, value),) = admitted.answer_headers(world.guard.plan, Response(200), None)
    assert name == b"authentication-info" and value.startswith(b'rspauth="')


def admit(guard: Any, asked: Request) -> Any:
    """The admission, or what was raised."""
    try:
        if isinstance(guard, Guard):
            return guard.admit(asked, once(b""))
        return asyncio.run(guard.admit(asked, once_async(b"")))
    except (Rejected, StoreUnavailable) as error:
        return error


def test_a_replay_is_refused_whichever_way_came_first(world: World) -> None:
    first = world.signed()
    assert isinstance(world.judge(first), Identity)
    second = world.signed()
    assert isinstance(world.judge(second), Identity)
    for again in (first, second):
        assert world.is_cheap(again)
        verdict = world.judge(again)
        assert isinstance(verdict, Rejected) and verdict.reason is Reason.REPLAYED
        assert verdict.refusal is not None and verdict.refusal.challenges


def test_guesses_with_a_nonce_that_was_good_are_counted_and_lock_the_pair(world: World) -> None:
    assert isinstance(world.judge(world.signed()), Identity)
    right = [world.signed() for _ in range(2)]
    for number in range(5):
        (value,) = world.signed().values(b"authorization")
        wrong = value.rpartition(b'response="')[0] + b'response="' + b"%064x" % number + b'"'
        guess = right[0].with_headers(((b"authorization", wrong),))
        assert world.is_cheap(guess)
        verdict = world.judge(guess)
        assert isinstance(verdict, Rejected)
        assert verdict.reason is (Reason.WRONG_SECRET if number < 3 else Reason.TOO_MANY_ATTEMPTS)
    locked = world.judge(right[0])
    assert isinstance(locked, Rejected) and locked.reason is Reason.TOO_MANY_ATTEMPTS
    assert locked.refusal is not None and locked.refusal.status == 429
    elsewhere = world.signed(address="198.51.100.9")
    assert isinstance(world.judge(elsewhere), Identity)  # another pair is not locked
    world.now += 61
    assert isinstance(world.judge(right[1]), Identity)


def test_a_user_who_is_changed_disabled_or_removed_is_refused_at_once(world: World) -> None:
    assert isinstance(world.judge(world.signed()), Identity)
    assert isinstance(world.judge(world.signed()), Identity)
    world.store.disable_user(USER)
    asked = world.signed()
    assert world.is_cheap(asked)
    verdict = world.judge(asked)
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.DISABLED
    world.store.commit([Take(Ref(DigestSecret, ("SHA-256", "orders", USER)))])
    verdict = world.judge(world.signed())
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.UNKNOWN_SUBJECT
    world.store.add_user(USER, "another", realm="orders", digest_algorithms=["SHA-256"])
    verdict = world.judge(world.signed())
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.WRONG_SECRET


def test_a_pair_is_remembered_again_before_that_ends(world: World) -> None:
    assert isinstance(world.judge(world.signed()), Identity)
    before, nonce = world.guard.plan.attempts.known_for, world.signed()
    attempt = world.guard.plan.attempts.attempt(DigestVerifier(realm="orders").read(nonce).guesses, "192.0.2.7")
    (ref,) = [ref for ref in attempt.refs if ref.kind is KnownPair]
    first = world.store.fetch([ref]).get(ref).until
    assert first == START + before
    world.store.commit(attempt.remembering(world.store.fetch(attempt.refs), START + before))  # as time would
    assert isinstance(world.judge(nonce), Identity)
    assert world.store.fetch([ref]).get(ref).until > first


def test_what_is_refused_before_any_look_up_is_refused_of_who_is_known_as_well(world: World) -> None:
    assert isinstance(world.judge(world.signed()), Identity)
    asked = world.signed()
    (value,) = asked.values(b"authorization")
    for more, reason in (
        ([(b"authorization", value)], Reason.MALFORMED_REQUEST),
        ([(b"host", b"a"), (b"host", b"b")], Reason.MALFORMED_REQUEST),
        ([(b"host", b"a, b")], Reason.MALFORMED_REQUEST),
    ):
        verdict = world.judge(_with(asked, (*asked.headers, *more)))
        assert isinstance(verdict, Rejected) and verdict.reason is reason
    long = _with(asked, [(b"authorization", value + b" " * 17_000)])
    verdict = world.judge(long)
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.HEADER_TOO_LARGE
    assert isinstance(world.judge(_with(asked, (*asked.headers, (b"early-data", b"1")))), Identity)  # single use


def _with(asked: Request, headers: Any) -> Request:
    return Request.raw(asked.method, asked.scheme, asked.authority, asked.target, tuple(headers), asked.peer, True)


class Broken(MemoryStore):
    """Fails when told to, before it does anything."""

    failing: Sequence[str] = ()

    def fetch(self, refs: Any, /) -> Any:
        if "fetch" in self.failing:
            raise StoreUnavailable
        return super().fetch(refs)

    def commit(self, writes: Any, /) -> Any:
        if "mark" in self.failing and any(isinstance(write, Once) for write in writes):
            raise StoreUnavailable
        return super().commit(writes)


@pytest.mark.parametrize("failing", ["fetch", "mark"])
def test_a_store_that_does_not_answer_admits_nobody(failing: str) -> None:
    world = World(Broken(), Guard)
    for _ in range(2):
        assert isinstance(world.judge(world.signed()), Identity)
    asked = world.signed()
    assert world.is_cheap(asked)
    world.store.failing = (failing,)
    with pytest.raises(StoreUnavailable) as caught:
        world.guard.verify(asked)
    assert caught.value.refusal is not None and caught.value.refusal.status == 503
    world.store.failing = ()
    assert isinstance(world.judge(asked), Identity)


class Wax:
    """Seals every answer."""

    def seal(self, request: Request) -> Seal:
        return Seal(False, lambda response, body, now, random: [(b"x-wax", str(response.status).encode())])


def basic(password: str = "right", address: str = "192.0.2.7", **headers: str) -> Request:
    """What a client of Basic sends, as a server behind a proxy sees it."""
    value = b64encode(f"alice:{password}".encode()).decode()
    lines = {"Authorization": f"Basic {value}", **headers}
    return Request("GET", "http", "inside:8000", "/", lines, Peer(address))


EVERYWHERE: dict[str, dict[str, Any]] = {
    "plain": {},
    "observe": {"observe": lambda verdict: None},
    "seal": {"seal": Wax()},
    "proxy": {"proxy": True},
    "public url": {"public_url": PublicURL("https://api.example", trusted=["192.0.2.0/24"], forwarded="Forwarded")},
    "all of them": {"observe": lambda verdict: None, "seal": Wax(), "public_url": PublicURL("https://api.example")},
}
BESIDE: dict[str, Callable[[], list[Any]]] = {
    "alone": list,
    "beside a token": lambda: [JWTVerifier(Key.generate("HS256"))],
    "beside another field": lambda: [APIKeyVerifier()],
}


@pytest.mark.parametrize("kind", [Guard, AsyncGuard])
@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize("where", EVERYWHERE)
@pytest.mark.parametrize("strict", [False, True])
def test_who_is_known_makes_a_cheap_claim_whatever_else_the_guard_does(
    strict: bool, where: str, beside: str, kind: Any
) -> None:
    options = dict(EVERYWHERE[where])
    policy = Policy(public_url=options.pop("public_url", None), clock=lambda: START)
    store = MemoryStore(clock=lambda: START)
    store.commit([Put(Ref(Password, ("alice",)), Password.hash("right"))])
    cache = PasswordCache(strict=strict, clock=lambda: START)
    verifiers = [BasicVerifier(realm="r", cache=cache, rehash=None), *BESIDE[beside]()]
    guard = kind(verifiers, store, policy=policy, **options)
    asked, wrong = basic(), basic("wrong")
    if options.get("proxy"):
        asked, wrong = (
            Request.raw(one.method, one.scheme, one.authority, one.target,
                        ((b"proxy-authorization", one.values(b"authorization")[0]),), one.peer, one.exact)
            for one in (asked, wrong)
        )  # fmt: skip
    assert isinstance(claim_of(guard, asked), BasicClaim)
    assert isinstance(claim_of(guard, wrong), BasicClaim)
    first = admit(guard, asked)
    assert first.identity.subject == "alice"
    cheap = KnownCredentials if strict else RememberedUser
    for _ in range(2):
        assert type(claim_of(guard, asked)) is cheap
        admitted = admit(guard, asked)
        assert (admitted.identity.subject, admitted.identity.scopes) == ("alice", first.identity.scopes)
        assert admitted.verifier is first.verifier
        lines = [each.answer_headers(guard.plan, Response(200), b"") for each in (first, admitted)]
        assert lines[0] == lines[1]
        assert ((b"x-wax", b"200") in lines[1]) is ("seal" in options)
    refused = admit(guard, wrong)
    assert isinstance(refused, Rejected) and refused.reason is Reason.WRONG_SECRET


@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize("where", EVERYWHERE)
@pytest.mark.parametrize("make", ["memory", "sql", "async sql"])
def test_digest_of_who_is_known_makes_a_cheap_claim_whatever_else_the_guard_does(
    make: str, where: str, beside: str
) -> None:
    options = dict(EVERYWHERE[where])
    policy = Policy(public_url=options.pop("public_url", None), clock=lambda: START)
    proxy = options.get("proxy", False)

    async def scene() -> None:
        makers: dict[str, Any] = {"memory": MemoryStore, "sql": SQLStore, "async sql": AsyncSQLStore}
        store = makers[make](*([] if make == "memory" else ["sqlite://"]), clock=lambda: START)
        added = store.add_user(USER, PASSWORD, realm="orders", digest_algorithms=["SHA-256"])
        if asyncio.iscoroutine(added):
            await added
        guard = AsyncGuard([DigestVerifier(realm="orders"), *BESIDE[beside]()], store, policy=policy, **options)
        bare = Request("GET", "http" if proxy else "https", "api.example", "/")  # a proxy reads no request in a tunnel
        with pytest.raises(Rejected) as caught:
            await guard.verify(bare)
        assert caught.value.refusal is not None
        drive = Drive(DigestAuth(USER, PASSWORD, proxy=proxy), bare, ClientContext(lambda: START))
        drive.advance()
        answered = drive.advance(Received(caught.value.refusal.response()))
        assert answered is not None
        sent = answered.request
        assert not isinstance(claim_of(guard, sent), KnownClaim)
        assert (await guard.verify(sent)).subject == USER
        # Proxies are sent targets in absolute form, which are read strictly each time.
        assert isinstance(claim_of(guard, sent), KnownClaim) is not proxy
        with pytest.raises(Rejected) as caught:
            await guard.verify(sent)
        assert caught.value.reason is Reason.REPLAYED
        closed = store.close() if hasattr(store, "close") else None
        if asyncio.iscoroutine(closed):
            await closed

    asyncio.run(scene())


# ---- what is only looked at changes nothing --------------------------------------------------------------------------


def remembered(world: World, *caches: Any) -> list[Any]:
    """All that a request could have changed: what the store holds, and what verifiers remember."""
    store = world.store
    held = [
        sorted(repr(entry) for entry in store.records(kind)) for kind in (DigestSecret, Password, KnownPair, Counter)
    ]
    memory = next(one for one in world.guard.plan.verifiers if isinstance(one, DigestVerifier)).memory
    caches = (memory._shapes, memory._nonce_owners, *caches)
    return [
        held,
        store._marks.size,
        store._counters.size,
        *[[(key, cache.get(key)) for key in cache] for cache in caches],
    ]


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("looked", ["explained", "unawaited"])
def test_what_is_only_explained_or_never_awaited_changes_nothing(looked: str, known: bool) -> None:
    world = World(MemoryStore(clock=lambda: START), AsyncGuard if looked == "unawaited" else Guard)
    world.store.commit([Put(Ref(Password, ("alice",)), Password.hash("right"))])
    cache = PasswordCache(clock=lambda: START)
    world.guard = type(world.guard)(
        [BasicVerifier(realm="orders", cache=cache, rehash=None), *world.guard.plan.verifiers], world.store,
        policy=Policy(clock=lambda: START),
    )  # fmt: skip
    digest = world.signed()
    if known:
        assert isinstance(world.judge(digest), Identity)
        assert isinstance(world.judge(basic()), Identity)
        digest = world.signed()
    (value,) = digest.values(b"authorization")
    bad = digest.with_headers(
        ((b"authorization", value.rpartition(b'response="')[0] + b'response="' + b"0" * 64 + b'"'),)
    )
    caches = (cache._fitted, cache._known, cache._admitted, cache._latest)
    before = remembered(world, *caches)
    for asked, reason in (
        (digest, None), (basic(), None), (bad, Reason.WRONG_SECRET), (basic("guess"), Reason.WRONG_SECRET),
    ):  # fmt: skip
        if looked == "explained":
            assert explain(asked, world.guard).reason is reason
        else:
            world.guard.admit(asked, once_async(b"")).close()
            world.guard.verify(asked).close()
        assert remembered(world, *caches) == before
    assert isinstance(world.judge(digest), Identity) and isinstance(world.judge(basic()), Identity)


def test_one_function_alone_makes_admissions() -> None:
    """So there is no second way past the guard."""
    makers = []
    for path in sorted(SOURCES.rglob("*.py")):
        makers += [f"{path.stem}.{name}" for name in _makers(ast.parse(path.read_text()), "Admission")]
    assert makers == ["pipeline.Pipeline._admission"] * 2


def _makers(tree: ast.AST, called: str, within: str = "") -> list[str]:
    """The functions of which the text calls, or otherwise uses, `called`, once for each time; annotations don't count."""
    found = []
    for child in ast.iter_child_nodes(tree):
        name = within
        if isinstance(child, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            name = f"{within}.{child.name}".lstrip(".")
        if isinstance(child, ast.Call) and called in (
            getattr(child.func, "id", None), getattr(child.func, "attr", None),
            *(getattr(argument, "id", None) for argument in child.args[:1] if _makes_anew(child.func)),
        ):  # fmt: skip
            found.append(within)
        found += _makers(child, called, name)
    return found


def _makes_anew(function: ast.expr) -> bool:
    """`object.__new__`, `partial` and `copy` make what they are given as well."""
    return (getattr(function, "attr", None) or getattr(function, "id", None)) in (
        "__new__",
        "partial",
        "copy",
        "replace",
    )


def test_without_attempts_nothing_is_counted_of_who_is_known() -> None:
    world = World(MemoryStore(), Guard, attempts=None)
    for _ in range(3):
        assert isinstance(world.judge(world.signed()), Identity)
    assert not world.store.records(KnownPair)


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_a_strict_password_cache_makes_cheap_claims_that_heed_all_that_others_do(
    name: str, kind: Any, tmp_path: Path
) -> None:
    now, seconds = [START], [0.0]
    store = STORES[name](tmp_path, lambda: now[0])
    record = Password.hash("right", scopes=["read"])
    alice = Ref(Password, ("alice",))
    store.commit([Put(alice, record)])
    cache = PasswordCache(ttl=60, strict=True, clock=lambda: seconds[0])
    guard = kind(
        [BasicVerifier(realm="r", cache=cache, rehash=None), DigestVerifier(realm="r")], store,
        policy=Policy(clock=lambda: now[0], attempts=FEW),
    )  # fmt: skip

    def judge(password: str = "right", address: str = "192.0.2.7") -> Any:
        try:
            verdict = guard.verify(basic(password, address))
            return asyncio.run(verdict) if asyncio.iscoroutine(verdict) else verdict
        except Rejected as rejected:
            return rejected.reason

    def hashes() -> bool | None:
        """Whether the right password has to be hashed; None if its claim is none of the cheap ones."""
        claim = claim_of(guard, basic())
        return claim.slow(store.fetch(claim.needs)) if isinstance(claim, KnownCredentials) else None

    try:
        assert hashes() is None
        assert judge().scopes == {"read"} and hashes() is False
        assert judge().scopes == judge(address="198.51.100.9").scopes == {"read"} and hashes() is False
        store.commit([Put(alice, replace(record, scopes=("write",), subject="queen"))])
        assert (judge().subject, judge().scopes, hashes()) == ("queen", {"write"}, False)
        store.commit([Put(alice, replace(record, disabled=True))])
        assert hashes() is True and judge() is Reason.DISABLED
        store.commit([Take(alice)])
        assert hashes() is True and judge() is Reason.UNKNOWN_SUBJECT
        store.commit([Put(alice, record)])
        assert hashes() is False
        assert [judge("wrong") for _ in range(2)] == [Reason.WRONG_SECRET, Reason.TOO_MANY_ATTEMPTS]  # two came before
        assert judge() is Reason.TOO_MANY_ATTEMPTS
        assert judge(address="198.51.100.9").subject == "alice"
        now[0] += 61
        assert hashes() is False and judge().subject == "alice"
        seconds[0] += 61
        assert hashes() is True and judge().subject == "alice" and hashes() is False
    finally:
        if name == "sql":
            store.close()

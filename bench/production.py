"""Guards as they are deployed: several schemes, `observe=`, a `PublicURL` behind one proxy, failed attempts counted, a store.

Each limit also reads the proxy's fields, counts the verdict, and makes the same look-ups and commits in the same store. They
are recorded from a guard at work, one without `observe=` and `PublicURL`; the title of a row says how many there are.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from bench import basic, digest, hmac_header, jwt, signatures, sigv4
from bench.harness import Figure, Interleaved, Unfit
from watchword import (
    APIKeyVerifier, BasicVerifier, DigestVerifier, Guard, HMACVerifier, JWTVerifier, PasswordCache, Peer, Policy, PublicURL,
    Rejected, Request, SignatureVerifier, SigV4Verifier, Verdict,
)  # fmt: skip
from watchword.core.message import Headers
from watchword.core.records import COMMITTED, Once, Put, Ref
from watchword.core.scheme import Verifier
from watchword.crypto.passwords import Password
from watchword.schemes.api_key_text import APIKey, hash_key, make_key
from watchword.schemes.digest import DigestSecret
from watchword.schemes.digest.nonces import NONCE_KEY
from watchword.stores import MemoryStore, SQLStore

CLIENT, PROXY, HOST = "192.0.2.7", "10.0.0.2", "api.example"
PUBLIC_URL = PublicURL(forwarded="X-Forwarded", trusted=("10.0.0.0/8",), hops=1, believe=("for", "proto", "host"))
FORWARDED: Headers = (
    (b"x-forwarded-for", CLIENT.encode()), (b"x-forwarded-proto", b"https"), (b"x-forwarded-host", HOST.encode()),
)  # fmt: skip
API_KEY = make_key(os.urandom)
Store = MemoryStore | SQLStore
Judge = Callable[[Request], Any]


class Party(NamedTuple):
    """One scheme in production.

    Args:
        name: of the row.
        make: the next genuine request, as the client sends it.
        body: of every request.
        barest: the limit, look-ups and commits left out: it gives the mark of credentials that are good only once, or nothing.
        verifiers: of the guard; the first is the scheme's own.
        wrong: the same request with credentials that are not right.
    """

    name: str
    make: Callable[[], Request]
    body: bytes
    barest: Callable[[Request], object]
    verifiers: Callable[[], Sequence[Verifier]]
    wrong: Callable[[Request], Request]


def rows() -> Iterable[Interleaved | Added]:
    """Every scheme with the records in the process, then in SQLite; the time that `observe=` and `PublicURL` add."""
    store = filled(MemoryStore(capacity=50_000_000))
    for party in parties():
        yield judging(party, store, "MemoryStore")
    with tempfile.TemporaryDirectory() as folder, SQLStore(f"sqlite:///{Path(folder) / 'bench.db'}") as database:
        filled(database)
        for party in parties():
            yield judging(party, database, "SQLStore")
    yield Added("Added by observe=, MemoryStore", parties(), store, observes=True, public=False)
    yield Added("Added by PublicURL, MemoryStore", parties(), store, observes=False, public=True)
    yield Added("Added by both, MemoryStore", parties(), store, observes=True, public=True)


def filled(store: Store) -> Store:
    """The store with everything that the schemes look up."""
    store.commit(
        [
            Put(Ref(Password, (basic.USER,)), basic.RECORD),
            Put(digest.OWNER, DigestSecret(digest.SECRET)),
            Put(NONCE_KEY, digest.KEY),
            Put(Ref(APIKey, (API_KEY.split("_")[1],)), APIKey(hash_key(API_KEY), "billing")),
        ]
    )
    store.add_key("robot", hmac_header.KEY)
    store.add_key("alice", signatures.hmac_pair().key)
    store.add_access_key("robot", sigv4.KEY_ID, sigv4.SECRET)
    return store


# ---- the schemes -----------------------------------------------------------------------------------------------------


def parties() -> list[Party]:
    """Each with requests, a limit and a guard's verifiers."""
    token = jwt.material("HS256")
    pair = signatures.hmac_pair()

    def usual(*more: Verifier, strict: bool = False) -> list[Verifier]:
        """What most guards of this kind have."""
        cache = PasswordCache(strict=True) if strict else PasswordCache()
        return [
            JWTVerifier(token.public, issuer=jwt.ISSUER, audience=jwt.AUDIENCE), DigestVerifier(realm=digest.REALM),
            BasicVerifier(realm=digest.REALM, cache=cache), HMACVerifier(), *more,
        ]  # fmt: skip

    verify = jwt.limit(token)

    def bare_jwt(request: Request) -> None:
        word, _, given = field(request, b"authorization").decode().partition(" ")
        if word.lower() != "bearer":
            raise ValueError("scheme")
        verify(given)

    bare_digest = digest.limit()

    def once_digest(request: Request) -> Once:
        return Once(*bare_digest(request))

    bare_basic, bare_hmac = basic.limit(), hmac_header.limit()
    bare_signature, bare_sigv4 = signatures.limit(pair, signatures.USUAL, "hmac-sha256"), sigv4.limit()
    known = hash_key(API_KEY)

    def bare_api_key(request: Request) -> None:
        given = hashlib.sha256(field(request, b"x-api-key")).hexdigest()
        if not hmac.compare_digest(given, known):
            raise ValueError("key")

    def bearer() -> Request:
        return asking((b"authorization", b"Bearer " + jwt.sign(token, jwt.claims()).encode()))

    def signed() -> Request:
        return signatures.signed(pair, signatures.USUAL, "hmac-sha256", nonce=os.urandom(16).hex())

    def sigv4_signed() -> Request:
        auth = sigv4.SigV4Auth(sigv4.KEY_ID, sigv4.SECRET, **sigv4.CREDENTIALS)
        return auth.sign(sigv4.asking(), sigv4.BODY, now=time.time())

    def moved(request: Request) -> Request:
        return Request.raw(request.method, "https", HOST, b"/other", request.headers, request.peer, True)

    bearer_once, sigv4_once = kept(bearer), kept(sigv4_signed)
    basic_once = kept(lambda: basic.asking(basic.PASSWORD))
    key_once = kept(lambda: asking((b"x-api-key", API_KEY.encode())))
    return [
        Party("JWT HS256", bearer_once, b"", bare_jwt, usual, lambda _: asking((b"authorization", b"Bearer a.b.c"))),
        Party("Digest, known nonce", digest.signed_requests(), b"", once_digest, usual, moved),
        Party("Basic, default cache", basic_once, b"", bare_basic, usual, lambda _: basic.asking("guess")),
        Party("Basic, strict cache", basic_once, b"", bare_basic, lambda: usual(strict=True), lambda _: basic.asking("guess")),
        Party("HMAC", hmac_header.signed, hmac_header.BODY, lambda request: bare_hmac(request, hmac_header.BODY), usual, moved),
        Party(
            "RFC 9421 hmac-sha256", signed, signatures.BODY, lambda request: bare_signature(request, signatures.BODY),
            lambda: usual(SignatureVerifier()), moved,
        ),
        Party(
            "SigV4", sigv4_once, sigv4.BODY, lambda request: bare_sigv4(request, sigv4.BODY),
            lambda: usual(SigV4Verifier(**sigv4.CREDENTIALS)), moved,
        ),
        Party(
            "API key", key_once, b"", bare_api_key, lambda: usual(APIKeyVerifier()),
            lambda _: asking((b"x-api-key", make_key(os.urandom).encode())),
        ),
    ]  # fmt: skip


def asking(line: tuple[bytes, bytes]) -> Request:
    """A request without a body."""
    lines = ((b"host", HOST.encode()), (b"accept", b"*/*"), line)
    return Request.raw("GET", "https", HOST, b"/orders?id=7", lines, Peer(CLIENT), True)


def field(request: Request, name: bytes) -> bytes:
    (value,) = [value for field, value in request.headers if field == name]
    return value


def kept(make: Callable[[], Request]) -> Callable[[], Request]:
    """Always the same request, for schemes that allow that."""
    one = make()
    return lambda: one


def behind(request: Request) -> Request:
    """A request as it comes to the server from its proxy."""
    lines = (*request.headers, *FORWARDED)
    return Request.raw(request.method, "http", "app:8000", request.target, lines, Peer(PROXY), True)


def direct(request: Request) -> Request:
    """The same request as `PublicURL` gives it, for guards without one: the same lines, the client's address."""
    lines = (*request.headers, *FORWARDED)
    return Request.raw(request.method, "https", HOST, request.target, lines, Peer(CLIENT), True)


# ---- the limit -------------------------------------------------------------------------------------------------------


class Watching:
    """A store that writes down what it is asked."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.calls: list[tuple[str, Sequence[Any]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Any:
        self.calls.append(("fetch", refs))
        return self._store.fetch(refs)

    def commit(self, writes: Sequence[Any], /) -> Any:
        self.calls.append(("commit", writes))
        return self._store.commit(writes)


def calls_of(party: Party, store: Store) -> list[tuple[str, Sequence[Any]]]:
    """The look-ups and commits of one request, once the guard knows the client."""
    watching = Watching(store)
    guard = Guard(party.verifiers(), watching)
    for _ in range(4):
        watching.calls.clear()
        guard.verify(direct(party.make()), party.body)
    return list(watching.calls)


def limit(party: Party, store: Store, calls: Sequence[tuple[str, Sequence[Any]]]) -> Judge:
    """The proxy's fields, the look-ups, the scheme's barest judgement, the commits, and one verdict counted."""
    fetches = [refs for verb, refs in calls if verb == "fetch"]
    commits = [([write for write in writes if type(write) is not Once], any(type(write) is Once for write in writes))
               for verb, writes in calls if verb == "commit"]  # fmt: skip
    barest, fetch, commit = party.barest, store.fetch, store.commit
    verdicts = {"accepted": 0}

    def judge(request: Request) -> object:
        address, scheme, host = request.peer.address, request.scheme, request.authority
        if address.startswith("10."):
            for name, value in request.headers:
                if name == b"x-forwarded-for":
                    address = value.rpartition(b",")[2].strip().decode()
                elif name == b"x-forwarded-proto":
                    scheme = value.decode().lower()
                elif name == b"x-forwarded-host":
                    host = value.decode().lower()
        public = Request.raw(request.method, scheme, host, request.target, request.headers, Peer(address), True)
        for refs in fetches:
            fetch(refs)
        mark = barest(public)
        for writes, marks in commits:
            if commit([*writes, mark] if marks else writes) != COMMITTED:
                raise ValueError("replay")
        verdicts["accepted"] += 1
        return mark

    return judge


# ---- the rows --------------------------------------------------------------------------------------------------------


class Watch:
    """Counts verdicts, as a metric does."""

    def __init__(self) -> None:
        self.accepted = 0
        self.refused = 0

    def __call__(self, verdict: Verdict) -> None:
        if verdict.reason is None:
            self.accepted += 1
        else:
            self.refused += 1


def guard_of(party: Party, store: Store, *, observes: bool, public: bool) -> Judge:
    """A guard's `verify` with this party's body."""
    policy = Policy(public_url=PUBLIC_URL if public else None)
    verify = Guard(party.verifiers(), store, policy=policy, observe=Watch() if observes else None).verify
    body = party.body
    return lambda request: verify(request, body)


def judging(party: Party, store: Store, name: str) -> Interleaved:
    """The limit; the guard in production; the same guard without `observe=` and `PublicURL`."""
    calls = calls_of(party, store)
    fetched = sum(len(refs) for verb, refs in calls if verb == "fetch")
    written = sum(len(writes) for verb, writes in calls if verb == "commit")
    judges = {
        "limit": limit(party, store, calls),
        "watchword, in production": guard_of(party, store, observes=True, public=True),
        "watchword, neither observe= nor PublicURL": guard_of(party, store, observes=False, public=False),
    }
    supplies = {name: (behind if number < 2 else direct, party.make) for number, name in enumerate(judges)}

    def prove() -> None:
        for judge, (route, make) in zip(judges.values(), supplies.values(), strict=True):
            refuse_others(judge, route, make, party)

    title = f"{party.name}, in production, {name}: {counted(fetched, 'record')} looked up, {counted(written, 'write')} committed"
    return Interleaved(
        title, judges, prove, supply={name: lambda way=way: way[0](way[1]()) for name, way in supplies.items()}
    )


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def refuse_others(judge: Judge, route: Callable[[Request], Request], make: Callable[[], Request], party: Party) -> None:
    """Raises `Unfit` if it accepts wrong credentials, or single-use ones twice."""
    good = make()
    judge(route(good))
    wrong = [route(party.wrong(make()))]
    if make() is not good:
        wrong.append(route(good))
    for request in wrong:
        try:
            judge(request)
        except (Rejected, ValueError, KeyError):
            continue
        raise Unfit(f"{party.name}: accepts what it must refuse")
    judge(route(make()))


class Added:
    """The time that `observe=`, or a `PublicURL`, adds to each scheme: one guard with it and one without it, in the same rounds.

    Each amount is that difference; each ratio compares it with the bare cost, which is the policy object called by itself, or
    one verdict made, with all that it says of the request, and handed over. The differences are equal if every scheme goes the same way through the guard.
    """

    def __init__(self, title: str, parties: Sequence[Party], store: Store, *, observes: bool, public: bool) -> None:
        self.title = title
        self._parties = parties
        contenders: dict[str, Callable[..., object]] = {"bare": bare_cost(observes=observes, public=public)}
        supplies: dict[str, Callable[[], object]] = {"bare": lambda: behind(parties[0].make())}
        for party in parties:
            with_them, without = f"{party.name} with", f"{party.name} without"
            contenders[with_them] = guard_of(party, store, observes=observes, public=public)
            contenders[without] = guard_of(party, store, observes=False, public=False)
            route = behind if public else direct
            supplies[with_them] = lambda make=party.make, route=route: route(make())
            supplies[without] = lambda make=party.make: direct(make())
        self._guards = {name: (judge, supplies[name]) for name, judge in contenders.items() if name != "bare"}
        self._timing = Interleaved(title, contenders, self._prove, supply=supplies)

    def _prove(self) -> None:
        """Every guard accepts: that it refuses as well is shown by `judging`."""
        for judge, make in self._guards.values():
            judge(make())

    def measure(self, rounds: int) -> list[Figure]:
        """The bare cost first; then what is added to each scheme."""
        times = self._timing.times(rounds)
        bare = times["bare"]
        cost = median(bare)
        figures = [Figure("bare cost", cost * 1e6, "µs", 1.0, 1.0, 1.0)]
        for party in self._parties:
            pairs = zip(times[f"{party.name} with"], times[f"{party.name} without"], bare, strict=True)
            ratios, added = [], []
            for more, less, least in pairs:
                added.append(more - less)
                ratios.append((more - less) / least)
            figures.append(Figure(party.name, median(added) * 1e6, "µs", min(ratios), median(ratios), max(ratios)))
        return figures


def bare_cost(*, observes: bool, public: bool) -> Judge:
    """The work itself, without a guard."""
    watch, clock = Watch(), time.time

    def tell(request: Request) -> object:
        started, address, method = clock(), request.peer.address, request.method
        path = request.target.partition(b"?")[0].decode("ascii", "backslashreplace")
        took = max(0.0, clock() - started)
        watch(Verdict(None, 0, "jwt", "248289761001", None, "", "", took, False, "accepted", address, method, path))
        return watch

    def both(request: Request) -> object:
        PUBLIC_URL(request)
        return tell(request)

    return both if observes and public else tell if observes else PUBLIC_URL

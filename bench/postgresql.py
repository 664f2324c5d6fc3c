"""Through the guard on PostgreSQL, against the bare round trips that it needs; and clean-up while requests go on.

A server of its own is started, of Debian's programs, in a temporary folder. The limit says the same statements to it, by libpq alone,
which waits for the answer of each. What is timed is what a caller waits for, the clock is the wall's: the server and its disk are in
both. The contenders take turns within each round, of which each one's quickest counts.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterable
from itertools import count
from math import inf
from statistics import median, quantiles
from typing import Any

from bench import basic, digest, hmac_header
from bench.harness import TURNS
from watchword import BasicVerifier, DigestVerifier, Guard, HMACVerifier, PasswordCache, Policy, Request
from watchword.core.records import COMMITTED, Once, Put, Ref
from watchword.crypto.keys import RegisteredKey
from watchword.stores import SQLStore
from watchword.stores.sql.dialects import Say
from watchword.stores.sql.migrations import upgrade

ROUNDS, TURN = 21, 25  # requests of one turn
EXPIRED = 1_000_000
SEGMENTS = 100  # of 128 commits, of which one forgets
SECRETS = bytes(range(32))
Work = Callable[[Any], object]


def report(_seed: int | None, _cases: int | None) -> Iterable[str]:
    """The rows, or why there are none."""
    try:
        from tests.interop.postgresql.cluster import cluster, program

        program("initdb")
    except (FileNotFoundError, ImportError) as error:
        yield f"PostgreSQL: not measured: {error}"
        return
    with cluster() as server:
        yield "PostgreSQL on the same host: what a caller waits for, the wall's clock"
        for number, (title, verifier, policy, make) in enumerate(schemes()):
            url = server.create(f"bench{number}")
            upgrade(url)
            with SQLStore(url, secrets=SECRETS) as store:
                fill(store)
                guard = Guard([verifier], store, policy=policy)
                yield from compared(title, guard, store, make, server.conninfo(f"bench{number}"))
        yield from cleaning(server)


def schemes() -> Iterable[tuple[str, Any, Policy, Callable[[], Request]]]:
    """Title, verifier, policy, and what makes a genuine request."""
    counted, uncounted = Policy(), Policy(attempts=None)
    digests = digest.signed_requests()
    yield "HMAC header", HMACVerifier(), counted, hmac_header.signed
    yield "Digest", DigestVerifier(realm=digest.REALM), counted, digests
    yield "Basic, warm cache", BasicVerifier(realm="orders"), counted, lambda: basic.asking(basic.PASSWORD)
    strict = BasicVerifier(realm="orders", cache=PasswordCache(strict=True))
    yield (
        "Basic, warm cache that asks for the record each time",
        strict,
        uncounted,
        lambda: basic.asking(basic.PASSWORD),
    )


def fill(store: SQLStore) -> None:
    """The users and keys of the requests."""
    record = RegisteredKey("robot", "HS256", hmac_header.SECRET, ())
    store.commit([Put(Ref(RegisteredKey, ("robot-1",)), record)])
    digest.filled(store)
    store.commit([Put(Ref(basic.Password, (basic.USER,)), basic.RECORD)])


def compared(title: str, guard: Guard, store: SQLStore, make: Callable[[], Request], conninfo: str) -> Iterable[str]:
    """The guard against the statements that it says, each by itself."""
    body = hmac_header.BODY if make is hmac_header.signed else b""

    def verify(request: Request) -> object:
        return guard.verify(request, body)

    for _ in range(20):
        verify(make())
    said = recorded(verify, store, make())
    bare = bare_statements(said, conninfo)
    taken: dict[str, list[float]] = {"bare": [], "guard": []}
    contenders: list[tuple[str, Work]] = [("bare", bare), ("guard", verify)]
    for _ in range(ROUNDS):
        quickest = dict.fromkeys(taken, inf)
        for _ in range(TURNS):
            requests = [make() for _ in range(TURN)]
            random.shuffle(contenders)
            for name, work in contenders:
                quickest[name] = min(quickest[name], timed(work, requests))
        for name, seconds in quickest.items():
            taken[name].append(seconds)
    ratios = [guard / bare for bare, guard in zip(taken["bare"], taken["guard"], strict=True)] if said else []
    yield f"{title}: {len(said)} round trips"
    yield f"  bare   {median(taken['bare']) * 1e6:8.1f} µs"
    words = (
        f"{median(ratios):6.2f}   {min(ratios):.2f} - {max(ratios):.2f}"
        if ratios
        else "nothing is asked of the database"
    )
    yield f"  guard  {median(taken['guard']) * 1e6:8.1f} µs  {words}"


def timed(work: Work, requests: list[Request]) -> float:
    """Seconds for one of these."""
    began = time.perf_counter()
    for request in requests:
        work(request)
    return (time.perf_counter() - began) / len(requests)


def recorded(verify: Work, store: SQLStore, request: Request) -> list[Say]:
    """What is said for one request, one statement a round trip."""
    engine, said = store._engine(), []  # noqa: SLF001 -- what is said is to be known

    class Recording:
        def read(self, says: Any) -> Any:
            said.extend(says)
            return engine.read(says)

        def converse(self, start: Any) -> Any:
            def listening() -> Any:
                conversation = start()
                answers = None
                while True:
                    try:
                        says = conversation.send(answers)
                    except StopIteration as stop:
                        return stop.value
                    said.extend(says)
                    answers = yield says

            return engine.converse(listening)

    store._engines[os.getpid()] = Recording()  # type: ignore[assignment] # noqa: SLF001 -- as above
    try:
        verify(request)
    finally:
        store._engines[os.getpid()] = engine  # noqa: SLF001 -- as above
    return said


def bare_statements(said: list[Say], conninfo: str) -> Work:
    """The statements, by libpq and nothing else; each mark has another key each time."""
    from psycopg.pq import Format, PGconn

    from watchword.stores.sql.pipeline import encoded

    connection = PGconn.connect(conninfo.encode())
    prepared = [(b"INSERT" in encoded(say)[0], *encoded(say)) for say in said]
    numbers = count()

    def work(_: object) -> None:
        for is_mark, command, values, types, formats in prepared:
            own = [b'["bare","%d"]' % next(numbers), *values[1:]] if is_mark else values
            result = connection.exec_params(command, own, types, formats, Format.BINARY)
            assert result.error_message == b""

    return work


# ---- clean-up ----


def cleaning(server: Any) -> Iterable[str]:
    """How long marks take in a database that has nothing to forget, and in one that has, in turns."""
    names = ("quiet", "cleaning")
    for name in names:
        upgrade(server.create(name))
    expired = f"INSERT INTO watchword_spent SELECT 'old ' || n, 1.0 + n FROM generate_series(1, {EXPIRED}) AS n"
    server.run("cleaning", expired, "ANALYZE watchword_spent", "CHECKPOINT")
    waits: dict[str, list[float]] = {name: [] for name in names}
    numbers = count()
    with SQLStore(server.url("quiet")) as quiet, SQLStore(server.url("cleaning")) as busy:
        stores = [("quiet", quiet), ("cleaning", busy)]
        for _ in range(SEGMENTS):
            random.shuffle(stores)
            for name, store in stores:
                waits[name] += (marking(store, next(numbers)) for _ in range(128))
    (left,) = server.run("cleaning", f"SELECT count(*) FROM watchword_spent WHERE until < {EXPIRED + 2}")
    yield f"Marks in a database that forgets {EXPIRED - left[0]:,} of {EXPIRED:,} meanwhile: {128 * SEGMENTS:,} commits"
    figures = {}
    for name in names:
        cut = quantiles(waits[name], n=1000)
        figures[name] = cut[989]
        longest = max(waits[name]) * 1e3
        yield f"  {name:<9} median {cut[499] * 1e3:6.3f} ms   p99 {cut[989] * 1e3:6.3f} ms   longest {longest:6.3f} ms"
    yield f"  p99, cleaning to quiet: {figures['cleaning'] / figures['quiet']:.2f}"


def marking(store: SQLStore, number: int) -> float:
    """Seconds for one mark, and for what is forgotten with it."""
    mark = Once(("live", str(number)), time.time() + 3600)
    began = time.perf_counter()
    outcome = store.commit([mark])
    taken = time.perf_counter() - began
    assert outcome == COMMITTED
    return taken

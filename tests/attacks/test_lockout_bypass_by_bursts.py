"""A thousand guesses sent at once are no more guesses than the policy allows, and a burst of genuine requests is none."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.core.guessing import BOTH, HERE, SMALL, START, Hashes, Server, asking
from tests.patience import PATIENCE
from watchword import (
    AsyncGuard, AttemptPolicy, DigestAuth, DigestVerifier, Guard, Identity, Password, Peer, Policy, Rejected, Request,
    StoreUnavailable,
)  # fmt: skip
from watchword.core.attempts import Window
from watchword.transport.flow import ClientContext, Drive
from watchword.core.records import Put, Ref
from watchword.structures.room import FOR_THREADS
from watchword.effects import Received
from watchword.schemes.password_cache import PasswordCache
from watchword.stores import MemoryStore, SQLStore

ROOT = Path(__file__).parents[2]


def test_a_thousand_wrong_passwords_from_four_processes_cost_as_many_hashes_as_the_policy_allows(
    tmp_path: Path,
) -> None:
    statuses, hashes = four_processes(tmp_path, "guess", requests=250)
    assert hashes == 3
    assert statuses == {401: 3, 429: 997}


def test_a_hundred_genuine_first_requests_in_four_processes_hash_no_more_than_the_line_lets_in(tmp_path: Path) -> None:
    statuses, hashes = four_processes(tmp_path, "right", requests=25, limit=20)
    assert statuses == {200: 100}
    assert hashes <= 4 * FOR_THREADS.address


PROGRAM = """
import sys, threading, time
from concurrent.futures import ThreadPoolExecutor
import pytest
from tests.core.guessing import Hashes, Server
from watchword import AttemptPolicy
from watchword.core.attempts import Window
from watchword.schemes.password_cache import PasswordCache
from watchword.stores import SQLStore

url, password, requests, limit = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
# The hour is one window: the test must not end in the next one.
policy = AttemptPolicy(pair=[Window(limit, 3600)], subject=[Window(100, 3600)], address=[Window(100, 3600)])
# On a slow machine the last of them waits long.
store = SQLStore(url, clock=lambda: 1.7e9, timeout=300.0)
with pytest.MonkeyPatch.context() as patch, store, ThreadPoolExecutor(8) as pool:
    hashes = Hashes(patch)
    server = Server(store, attempts=policy, cache=PasswordCache(), fill=False)
    sys.stdin.readline()
    names = [f"{password}{number}" if password == "guess" else password for number in range(requests)]

    def status(name):
        answer = server.status(name)
        while password == "right" and answer in (429, 503):  # no room in the line: it comes again
            time.sleep(0.01)
            answer = server.status(name)
        return answer

    statuses = list(pool.map(status, names))
    server.guard = None
print(hashes.count, *statuses)
"""


def four_processes(folder: Path, password: str, *, requests: int, limit: int = 3) -> tuple[Counter[int], int]:
    """The statuses of all requests, and how many hashes they cost."""
    url = f"sqlite:///{folder / 'users.db'}"
    with SQLStore(url) as store:
        store.commit([Put(Ref(Password, ("alice",)), Password("plain:right"))])
    command = [sys.executable, "-c", PROGRAM, url, password, str(requests), str(limit)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    statuses: Counter[int] = Counter()
    hashes = 0
    for process in processes:
        out, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        count, *rest = map(int, out.split())
        hashes += count
        statuses.update(rest)
    return statuses, hashes


@pytest.mark.parametrize("way", ["threads", "tasks"])
def test_a_thousand_parallel_wrong_passwords_and_the_right_one(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The right one comes last, so it is refused too: nobody learns which it was."""
    hashes = Hashes(monkeypatch)
    store = MemoryStore(clock=lambda: START)
    passwords = [f"guess{number}" for number in range(1000)] + ["right"]
    statuses = burst(Server(store, Guard if way == "threads" else AsyncGuard), passwords)
    assert Counter(statuses) == {401: 3, 429: 998}
    assert (hashes.count, hashes.most) == (3, 1)


@pytest.mark.parametrize("way", ["threads", "tasks"])
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_hundred_genuine_first_requests_are_all_accepted_for_hardly_a_hash(
    way: str, kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hashes = Hashes(monkeypatch)
    url = f"sqlite:///{tmp_path / 'users.db'}"
    store: Any = MemoryStore(clock=lambda: START) if kind == "memory" else SQLStore(url, clock=lambda: START)
    server = Server(store, Guard if way == "threads" else AsyncGuard, cache=PasswordCache())
    statuses = burst(server, ["right"] * 100, again=way == "threads")
    if kind == "sqlite":
        store.close()
    assert statuses == [200] * 100
    assert hashes.count <= (FOR_THREADS.address if way == "threads" else 1)


def test_a_hundred_genuine_first_requests_hash_once_without_a_policy_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = Hashes(monkeypatch)
    server = Server(MemoryStore(), AsyncGuard, attempts=None, cache=PasswordCache())
    assert burst(server, ["right"] * 100) == [200] * 100
    assert hashes.count == 1


def burst(server: Server, passwords: list[str], *, again: bool = False) -> list[int]:
    """The statuses of all at once; with `again` threads that find no room in the line come again until they do."""
    if isinstance(server.guard, Guard):

        def served(password: str) -> int:
            status = server.status(password)
            while again and status == 429:
                time.sleep(0.01)
                status = server.status(password)
            return status

        with ThreadPoolExecutor(64) as pool:
            return list(pool.map(served, passwords))

    async def status(password: str) -> int:
        try:
            await server.guard.verify(asking("alice", password))
        except (Rejected, StoreUnavailable) as error:
            assert error.refusal is not None
            return error.refusal.status
        return 200

    async def together() -> list[int]:
        return await asyncio.gather(*map(status, passwords))

    return asyncio.run(together())


# ---- Digest, which is fast: nothing is reserved, all are under way before the first has counted -----------------------


class Gate(MemoryStore):
    """Answers every fetch before it lets the first commit through."""

    def __init__(self, expected: int) -> None:
        super().__init__(clock=lambda: START)
        self.expected = expected
        self.open = asyncio.Event()
        self.fetched = 0

    async def fetch(self, refs: Any, /) -> Any:  # type: ignore[override]
        found = super().fetch(refs)
        self.fetched += 1
        if self.fetched >= self.expected:
            self.open.set()
        return found

    async def commit(self, writes: Any, /) -> Any:  # type: ignore[override]
        await self.open.wait()
        return super().commit(writes)


def with_the_right_one(number: int) -> list[str]:
    """Guesses, the right one among the last of them, though not the very last, which goes first through the gate."""
    passwords = [f"guess{n}" for n in range(number)]
    passwords[-5] = "right"
    return passwords


def digest_requests(passwords: list[str], now: float, addresses: list[str]) -> tuple[Any, list[Request]]:
    """The users, and one signed request for each password, all for one nonce."""
    store = MemoryStore(clock=lambda: now)
    store.add_user("alice", "right", realm="orders")
    guard = Guard([DigestVerifier(realm="orders")], store, policy=Policy(clock=lambda: now))
    bare = Request("GET", "https", "api.example", "/")
    with pytest.raises(Rejected) as caught:
        guard.verify(bare)
    assert caught.value.refusal is not None
    challenge = caught.value.refusal.response()
    made = []
    for password, address in zip(passwords, addresses, strict=True):
        drive = Drive(DigestAuth("alice", password), bare, ClientContext(lambda: now))
        drive.advance()
        signed: Any = drive.advance(Received(challenge))
        made.append(Request("GET", "https", "api.example", "/", signed.request.headers, peer=Peer(address)))
    return store, made


def all_at_once(store: Any, requests: list[Request], policy: AttemptPolicy) -> list[str]:
    """What became of each, when all were fetched for before the first was counted."""
    gate = Gate(len(requests))
    gate._records = store._records

    async def judge() -> list[str]:
        guard = AsyncGuard([DigestVerifier(realm="orders")], gate, policy=Policy(clock=lambda: START, attempts=policy))
        answers = await asyncio.gather(*map(guard.verify, requests), return_exceptions=True)
        return ["accepted" if isinstance(answer, Identity) else answer.reason.value for answer in answers]  # type: ignore[union-attr]

    return asyncio.run(judge())


def test_a_thousand_parallel_digest_guesses_with_the_right_one_behind_them() -> None:
    passwords = with_the_right_one(1000)
    store, requests = digest_requests(passwords, START, [HERE] * 1000)
    outcomes = all_at_once(store, requests, SMALL)
    assert Counter(outcomes) == {"wrong_secret": 3, "too_many_attempts": 997}
    assert outcomes[passwords.index("right")] == "too_many_attempts"


def test_a_stale_nonce_does_not_tell_either_which_guess_was_right() -> None:
    passwords = with_the_right_one(100)
    store, requests = digest_requests(passwords, START - 1000, [HERE] * 100)
    outcomes = all_at_once(store, requests, SMALL)
    assert Counter(outcomes) == {"wrong_secret": 3, "too_many_attempts": 97}


def test_a_longer_window_that_is_nearly_full_holds_against_a_burst_as_well() -> None:
    """The short one has room all the while."""
    roomy = [Window(1000, 600)]
    policy = AttemptPolicy([Window(50, 60), Window(51, 600)], roomy, roomy)
    passwords = with_the_right_one(100)
    store, requests = digest_requests(passwords, START, [HERE] * 100)
    now = [START - 100]
    guard_store: Any = MemoryStore(clock=lambda: now[0])
    guard_store._records = store._records
    guard = Guard([DigestVerifier(realm="orders")], guard_store, policy=Policy(clock=lambda: now[0], attempts=policy))
    _, earlier = digest_requests(["other"] * 50, START - 100, [HERE] * 50)
    for request in earlier:  # another nonce, so refused, but these count all the same
        with pytest.raises(Rejected):
            guard.verify(request)
    gate = Gate(100)
    gate._records, gate._counters = store._records, guard_store._counters

    async def judge() -> list[Any]:
        late = AsyncGuard([DigestVerifier(realm="orders")], gate, policy=Policy(clock=lambda: START, attempts=policy))
        return await asyncio.gather(*map(late.verify, requests), return_exceptions=True)

    reasons = Counter(answer.reason.value for answer in asyncio.run(judge()))
    assert reasons == {"wrong_secret": 1, "too_many_attempts": 99}


def test_many_addresses_at_once_do_not_get_past_the_subjects_window() -> None:
    passwords = with_the_right_one(100)
    store, requests = digest_requests(passwords, START, [f"203.0.113.{number}" for number in range(100)])
    outcomes = all_at_once(store, requests, SMALL)
    assert Counter(outcomes) == {"wrong_secret": 8, "too_many_attempts": 92}


@BOTH
def test_one_after_the_other_is_no_better(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = Hashes(monkeypatch)
    server = Server(MemoryStore(clock=lambda: START), kind)
    assert Counter(server.status(f"guess{number}") for number in range(200)) == {401: 3, 429: 197}
    assert hashes.count == 3

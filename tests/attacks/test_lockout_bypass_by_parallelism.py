"""A thousand guesses at once are a thousand guesses: what has room is counted before it is hashed, by all processes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.core.attempts_world import HERE, SMALL, World, basic, world
from tests.patience import PATIENCE
from watchword import AttemptPolicy, Peer, Rejected, Request, StoreUnavailable
from watchword.core.attempts import Window
from watchword.structures.room import FOR_TASKS, FOR_THREADS

PROCESS = """
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
from watchword import BasicVerifier, Guard, Peer, Rejected, Request
from watchword.crypto import passwords
from watchword.stores import SQLStore
from base64 import b64encode

hashes = []
def matches(encoded, octets, *known):
    hashes.append(octets)
    time.sleep(0.002)
    return False
passwords._matches = matches

def guess(number):
    value = b"Basic " + b64encode(f"alice:{sys.argv[2]}-{number}".encode())
    request = Request("GET", "https", "api.example", "/", [(b"authorization", value)], Peer("192.0.2.1"))
    try:
        guard.verify(request)
    except Rejected as rejected:
        return rejected.refusal.status
    return 200

with SQLStore(sys.argv[1], timeout=300.0) as store:  # on a slow machine the last of them waits long
    guard = Guard([BasicVerifier(realm="orders")], store)
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(guess, range(250)))
print(json.dumps([len(hashes), statuses]))
"""


def test_a_thousand_wrong_passwords_from_four_processes_cost_no_more_hashes_than_the_policy_allows(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/shared.db"
    processes = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", PROCESS, url, str(number)],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for number in range(4)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    answers = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        out, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        answers.append(json.loads(out))
    allowed = AttemptPolicy().pair[0].limit
    hashes = sum(hashes for hashes, _ in answers)
    # Those for whom the line has no place are refused too, so it may be fewer.
    assert 0 < hashes <= allowed
    assert Counter(status for _, statuses in answers for status in statuses) == {401: hashes, 429: 1000 - hashes}


def request_of(password: str) -> Request:
    return Request("GET", "https", "api.example", "/", [(b"authorization", basic("alice", password))], Peer(HERE))


def statuses(guarded: World, requests: list[Request]) -> list[int]:
    """The answers to all of them at once: from threads, or from tasks."""

    def status_of(error: Rejected | StoreUnavailable) -> int:
        assert error.refusal is not None
        return error.refusal.status

    async def in_task(request: Request) -> int:
        try:
            await guarded.guard.verify(request)
        except (Rejected, StoreUnavailable) as error:
            return status_of(error)
        return 200

    async def in_tasks() -> list[int]:
        return await asyncio.gather(*map(in_task, requests))

    def in_thread(request: Request) -> int:
        try:
            guarded.guard.verify(request)
        except (Rejected, StoreUnavailable) as error:
            return status_of(error)
        return 200

    if "async" in guarded.kind:
        return guarded.loop.run_until_complete(in_tasks())
    with ThreadPoolExecutor(64) as pool:
        return list(pool.map(in_thread, requests))


KINDS = ("memory", "memory async", "sql", "async sql")


@pytest.mark.parametrize("kind", KINDS)
def test_the_right_password_among_many_at_once_passes_only_as_one_of_the_first(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although it is in the cache, so that nothing has to be hashed for it."""
    with world(kind, tmp_path, monkeypatch) as guarded:
        assert guarded.ask("alice", "right", "203.0.113.1").status == 200  # fills the cache
        guarded.hashes.clear()
        found = statuses(guarded, [request_of(f"wrong {number}") for number in range(100)] + [request_of("right")] * 9)
        limit = SMALL.pair[0].limit
        assert len(guarded.hashes) <= limit
        assert found[:100].count(401) <= limit
        assert set(found[:100]) <= {401, 429}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cache", [True, False])
def test_a_burst_of_genuine_first_requests_is_not_taken_for_guesses(
    kind: str, cache: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many are served as one address may have in the line; the others are told to come again, and nothing is counted.

    An attempt is counted before it waits, so a pair's windows have room for more than may wait.
    """
    limit = FOR_TASKS.address + 4
    roomy = AttemptPolicy(pair=(Window(limit, 60),), subject=(Window(100, 60),), address=(Window(100, 60),))
    with world(kind, tmp_path, monkeypatch, roomy, cache=cache) as guarded:
        found = statuses(guarded, [request_of("right")] * 100)
        served = found.count(200)
        assert set(found) <= {200, 429}
        if "async" in kind:
            # With a cache the same credentials follow the first of them, and take no turn.
            assert (served, len(guarded.hashes)) == ((100, 1) if cache else (FOR_TASKS.address, FOR_TASKS.address))
        elif cache:
            assert served >= FOR_THREADS.address and len(guarded.hashes) <= FOR_THREADS.address
        else:
            assert served == len(guarded.hashes) >= FOR_THREADS.address
        refused = {told.detail for told in guarded.verdicts if told.status == 429}
        assert refused <= {"too many log-ins from one network at one time"}
        assert {guarded.ask("alice", "right").status for _ in range(100 - served)} <= {200}
        assert [guarded.ask("alice", "wrong").status for _ in range(limit + 1)] == [401] * limit + [429]


class Held:
    """A decision that waits until it is let go, to be overtaken by guesses."""

    def __init__(self, guarded: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entered, self.go = threading.Event(), threading.Event()
        fetch = guarded.guard.io.fetch
        caller = threading.current_thread()

        def slow_fetch(refs: Any) -> Any:
            found = fetch(refs)
            if threading.current_thread() is not caller:
                self.entered.set()
                assert self.go.wait(PATIENCE)
            return found

        monkeypatch.setattr(guarded.guard.io, "fetch", slow_fetch)


@pytest.mark.parametrize("kind", ["memory", "sql"])
def test_a_cached_password_that_is_overtaken_by_a_windowful_of_guesses_is_refused(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has fetched its records before the first guess was counted; the commit tells it all the same."""
    with world(kind, tmp_path, monkeypatch, strict=True) as guarded:
        assert guarded.ask("alice", "right").status == 200
        held = Held(guarded, monkeypatch)
        with ThreadPoolExecutor(1) as pool:
            late = pool.submit(guarded.ask, "alice", "right")
            assert held.entered.wait(PATIENCE)
            assert [guarded.ask("alice", "wrong").status for _ in range(3)] == [401] * 3
            held.go.set()
            assert late.result().status == 429


@pytest.mark.parametrize("kind", ["memory", "sql", "memory async"])
def test_who_is_remembered_is_not_known_again_after_a_guess_until_admitted_anew(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So no password can be tried, past a full window, against what a cache remembers."""
    with world(kind, tmp_path, monkeypatch) as guarded:
        assert [guarded.ask("alice", "right").status for _ in range(2)] == [200] * 2
        assert [guarded.ask("alice", "wrong").status for _ in range(4)] == [401] * 3 + [429]
        guarded.hashes.clear()
        assert [guarded.ask("alice", password).status for password in ("right", "wrong", "right")] == [429] * 3
        assert guarded.hashes == []


def test_a_cancelled_request_leaves_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world("memory async", tmp_path, monkeypatch, cache=False) as guarded:

        async def cancelled() -> None:
            tasks = [asyncio.create_task(guarded.guard.verify(request_of("right"))) for _ in range(10)]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        guarded.loop.run_until_complete(cancelled())
        assert guarded.ask("bob", "right").status == 200

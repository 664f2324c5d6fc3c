"""Guards and programs on PostgreSQL: the verdicts are those of every other store."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.interop.postgresql.cluster import Cluster
from tests.patience import PATIENCE
from watchword import (
    AsyncGuard, BasicVerifier, Guard, HMACAuth, HMACVerifier, Identity, Key, Peer, Reason, Rejected, Request, Response,
)  # fmt: skip
from watchword.effects import Received, Send
from watchword.stores import AsyncSQLStore, SQLStore
from watchword.transport.flow import ClientContext, run

ROOT = Path(__file__).parents[3]
KEY = Key.from_secret(bytes(range(32)), algorithm="HS256", key_id="robot-1")
SECRETS = bytes(range(32))


def signed() -> Request:
    sent: list[Request] = []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    run(HMACAuth(KEY), Request("GET", "https", "api.example", "/"), send, ClientContext(bytes))
    return sent[0]


def verdict(judge: Any, request: Request) -> Any:
    try:
        return judge(request)
    except Rejected as rejected:
        return rejected.reason


@pytest.mark.parametrize("way", ["direct", "pgbouncer"])
def test_of_many_who_present_one_signature_at_once_one_is_admitted(url: str, pooled: str, way: str) -> None:
    where = url if way == "direct" else pooled
    with SQLStore(where, secrets=SECRETS, timeout=60.0) as one, SQLStore(where, secrets=SECRETS, timeout=60.0) as other:
        one.add_key("robot", KEY)
        guards = [Guard([HMACVerifier()], store) for store in (one, other)]
        for _ in range(10):
            request = signed()
            with ThreadPoolExecutor(16) as pool:
                verdicts = list(pool.map(lambda number, r=request: verdict(guards[number % 2].verify, r), range(16)))
            assert sum(isinstance(found, Identity) for found in verdicts) == 1
            assert verdicts.count(Reason.REPLAYED) == 15


@pytest.mark.parametrize("way", ["direct", "pgbouncer"])
def test_so_it_is_for_guards_that_are_awaited(url: str, pooled: str, way: str) -> None:
    async def present(guard: AsyncGuard, request: Request) -> Any:
        try:
            return await guard.verify(request)
        except Rejected as rejected:
            return rejected.reason

    async def main() -> None:
        async with AsyncSQLStore(url if way == "direct" else pooled, secrets=SECRETS, timeout=60.0) as store:
            await store.add_key("robot", KEY)
            guard = AsyncGuard([HMACVerifier()], store)
            for _ in range(10):
                request = signed()
                verdicts = await asyncio.gather(*(present(guard, request) for _ in range(40)))
                assert sum(isinstance(found, Identity) for found in verdicts) == 1
                assert verdicts.count(Reason.REPLAYED) == 39

    asyncio.run(main())


def test_attempts_of_all_processes_are_counted_together(url: str) -> None:
    with SQLStore(url, secrets=SECRETS, timeout=60.0) as one, SQLStore(url, secrets=SECRETS, timeout=60.0) as other:
        one.add_user("alice", "open sesame")
        guards = [Guard([BasicVerifier(realm="orders")], store) for store in (one, other)]
        wrong = [("Authorization", "Basic YWxpY2U6d3Jvbmc=")]
        request = Request("GET", "https", "api.example", "/", wrong, Peer("192.0.2.1"))
        verdicts = [verdict(guards[number % 2].verify, request) for number in range(40)]
        assert verdicts[0] is Reason.WRONG_SECRET
        assert verdicts[-1] is Reason.TOO_MANY_ATTEMPTS
        assert verdicts == sorted(verdicts, key=lambda reason: reason is Reason.TOO_MANY_ATTEMPTS)


def test_the_demo_finds_no_wrong_verdict(server: Cluster) -> None:
    url = server.create("demo")
    environment = {**os.environ, "WATCHWORD_SECRETS": "a text of more than thirty-two octets",
                   "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo", "--store", url],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout[-2000:]
    assert ", 0 wrong," in done.stdout

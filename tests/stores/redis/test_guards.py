"""Every scheme over these stores, through both guards: genuine once, replayed as the scheme says, forged never."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.stores.faces import on_valkey
from watchword import AsyncGuard, Guard, Identity, Policy, Reason, Rejected
from watchword.core.message import Request
from watchword.stores import AsyncRedisStore, RedisStore
from watchword.testing import Clock, SeededRandom, signed
from watchword.testing.cases import CASES

Judge = Callable[[Request, bytes], Any]


def verdict(verify: Callable[[], Any]) -> Any:
    try:
        return verify()
    except Rejected as rejected:
        return rejected.reason


class World:
    """A scheme's clients and its guard, over stores that share what they remember."""

    def __init__(self, case: Any, store: Any, async_store: Any) -> None:
        self.case, self.clock, self.random = case, Clock(), SeededRandom()
        self.policy = Policy(clock=self.clock, random=self.random)
        case.enrol(store)
        self.guard = Guard([case.verifier()], store, policy=self.policy)
        self._runner = asyncio.Runner() if async_store is not None else None
        self._async_guard = (
            None if async_store is None else AsyncGuard([case.verifier()], async_store, policy=self.policy)
        )
        self._elsewhere = None if case.elsewhere is None else case.elsewhere(self.clock)

    def request(self, auth: Any) -> Any:
        return signed(
            auth, "GET", guard=self.guard, clock=self.clock, random=self.random, elsewhere=self._elsewhere
        )  # fmt: skip

    def judge(self, request: Request, body: bytes) -> Any:
        guard, runner = self._async_guard, self._runner
        if guard is None or runner is None:
            return verdict(lambda: self.guard.verify(request, body))
        return verdict(lambda: runner.run(guard.verify(request, body)))

    def close(self, async_store: Any) -> None:
        if self._runner is not None:
            self._runner.run(async_store.close())
            self._runner.close()


@pytest.fixture(params=[False, True], ids=["guard", "async-guard"])
def world(request: pytest.FixtureRequest, case: Any) -> Iterator[World]:
    arguments = on_valkey()
    with RedisStore(**arguments) as store:
        async_store = AsyncRedisStore(**arguments) if request.param else None
        made = World(case, store, async_store)
        yield made
        made.close(async_store)


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Any:
    return CASES[request.param]()


def test_every_scheme_keeps_its_promises(world: World) -> None:
    auth = world.case.auth()
    for _ in range(2):
        genuine = world.request(auth)
        who = world.judge(*genuine)
        assert isinstance(who, Identity), who
        assert who.subject == world.case.subject
        again = world.judge(*genuine)
        assert again is Reason.REPLAYED if world.case.single_use else isinstance(again, Identity)
    assert isinstance(world.judge(*world.request(world.case.impostor())), Reason)

"""Every scheme over these stores, through both guards: genuine once, replayed as the scheme says, forged never."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stores.faces import on_valkey
from watchword import (
    AsyncGuard, BasicAuth, BasicVerifier, DigestAuth, DigestVerifier, Guard, Identity, Key, Password, Policy, Reason, Rejected,
    Request,
)  # fmt: skip
from watchword.authorization_server.token_endpoint import TokenEndpoint
from watchword.core.records import Add, Once
from watchword.schemes.digest import DigestSecret
from watchword.servers.endpoint import wsgi_endpoint
from watchword.stores import AsyncRedisStore, AsyncSQLStore, RedisStore, SQLStore, combine
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
            for part in getattr(async_store, "parts", (async_store,)):
                self._runner.run(part.close())
            self._runner.close()


def alone(folder: Path, redis: dict[str, Any]) -> tuple[Any, Any]:
    return RedisStore(**redis), AsyncRedisStore(**redis)


def split(folder: Path, redis: dict[str, Any]) -> tuple[Any, Any]:
    """Users and keys in SQL, replay marks and attempts in Redis: as the documentation says."""
    del redis["secrets"]  # there are none in Redis
    url = f"sqlite:///{folder / 'users.db'}"
    return combine(SQLStore(url), RedisStore(**redis)), combine(AsyncSQLStore(url), AsyncRedisStore(**redis))


@pytest.fixture(params=[alone, split])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Any, Any]]:
    """One for each kind of guard, over the same records."""
    made = request.param(tmp_path, on_valkey())
    yield made
    for part in getattr(made[0], "parts", (made[0],)):
        part.close()


@pytest.fixture(params=[False, True], ids=["guard", "async-guard"])
def world(request: pytest.FixtureRequest, case: Any, stores: tuple[Any, Any]) -> Iterator[World]:
    store, async_store = stores
    made = World(case, store, async_store if request.param else None)
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


def test_every_endpoint_works_over_them(stores: tuple[Any, Any]) -> None:
    endpoint = TokenEndpoint(Key.generate("HS256"), issuer="https://id.example", audience="orders")
    store = stores[0]
    store.add_client("billing", "a long random secret", scopes=["read"])
    app = wsgi_endpoint(endpoint, store)
    answers = [ask(app, secret) for secret in ("wrong", "a long random secret", "wrong", "a long random secret")]
    assert answers == ["401 Unauthorized", "200 OK"] * 2


def ask(app: Any, secret: str) -> str:
    form = f"grant_type=client_credentials&client_id=billing&client_secret={secret.replace(' ', '+')}".encode()
    said: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/token", "SERVER_NAME": "h", "SERVER_PORT": "80", "REMOTE_ADDR": "192.0.2.7",
        "SERVER_PROTOCOL": "HTTP/1.1", "CONTENT_TYPE": "application/x-www-form-urlencoded", "CONTENT_LENGTH": str(len(form)),
        "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(form), "HTTP_HOST": "h",
    }  # fmt: skip
    app(environ, lambda status, headers: said.append(status))
    return said[0]


def test_a_session_of_digest_and_attempts_work_over_them(stores: tuple[Any, Any]) -> None:
    """What one verdict commits to counters, marks and first cnonces is in one store; the first key of nonces is in another."""
    store, _ = stores
    store.add_user("alice", "open sesame", realm="orders", digest_algorithms=["SHA-256-sess"])
    guard = Guard([DigestVerifier(realm="orders", algorithms=["SHA-256-sess"]), BasicVerifier(realm="orders")], store)
    auth = DigestAuth("alice", "open sesame", algorithms=["SHA-256-sess"])
    for _ in range(3):
        request = signed(auth, guard=guard)
        assert guard.verify(*request).subject == "alice"
        assert verdict(lambda request=request: guard.verify(*request)) is Reason.REPLAYED
    guesses = [verdict(lambda: guard.verify(*signed(BasicAuth("alice", "guess")))) for _ in range(21)]
    assert guesses[0] is Reason.WRONG_SECRET
    assert guesses[-1] is Reason.TOO_MANY_ATTEMPTS
    store.set_password("alice", "another one")
    store.disable_user("alice")
    store.add_api_key("billing")
    assert len(getattr(store, "parts", (store,))[0].records(Password)) == 1


def test_the_split_keeps_what_lasts_in_sql_and_what_passes_in_redis(tmp_path: Path) -> None:
    store, _ = split(tmp_path, on_valkey())
    sql, redis = store.parts
    store.add_user("alice", "open sesame", realm="orders")
    mark = Once(("m",), time.time() + 300)
    store.commit([mark, Add(("c",), 1, time.time() + 300)])
    assert not redis.records(Password)
    assert [record for _, record in sql.records(DigestSecret)]
    assert mark.is_used(redis.fetch(mark.refs))
    assert not mark.is_used(sql.fetch(mark.refs))
    for part in store.parts:
        part.close()

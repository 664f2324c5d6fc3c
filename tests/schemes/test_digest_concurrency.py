"""One `DigestAuth` for many requests at once, over sockets: one request learns the challenge, the others wait for it."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from typing import Any
from urllib.request import ProxyHandler, build_opener

import aiohttp
import httpx2
import pytest
import requests
import urllib3
import uvicorn
from requests.adapters import HTTPAdapter

from tests.patience import PATIENCE
from tests.schemes.digest_world import context, request
from watchword import DigestAuth, DigestVerifier, Guard, Policy, Request, Response
from watchword.clients.aiohttp import adapt as adapt_aiohttp
from watchword.clients.httpx2 import adapt as adapt_httpx2
from watchword.clients.requests import adapt as adapt_requests
from watchword.clients.urllib3 import adapt as adapt_urllib3
from watchword.clients.urllib_request import adapt as adapt_urllib
from watchword.transport.flow import AsyncDrive, Drive, arun, run
from watchword.effects import Received, Send
from watchword.schemes.digest import client
from watchword.servers.asgi import protect
from watchword.stores import MemoryStore


class Counted:
    """An ASGI application that counts the statuses that leave it, and waits `pause` seconds before each answer."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.statuses: list[int] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def noting(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.statuses.append(message["status"])
            await send(message)

        await self.app(scope, receive, noting)


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


@contextmanager
def serving(clock: Callable[[], float] = time.time, **options: Any) -> Iterator[tuple[str, Counted]]:
    store = MemoryStore()
    store.add_user("alice", "s3cret", realm="orders")
    guard = Guard([DigestVerifier(realm="orders", **options)], store, policy=Policy(clock=clock))
    app = Counted(protect(hello, guard))
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", timeout_keep_alive=60))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/", app
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def get_with_httpx2(url: str, number: int, connections: int, auth: DigestAuth) -> list[int]:
    async def all_of_them() -> list[int]:
        limits = httpx2.Limits(max_connections=connections)
        waits = httpx2.Timeout(PATIENCE)
        async with httpx2.AsyncClient(auth=adapt_httpx2(auth), limits=limits, timeout=waits, trust_env=False) as client:
            answers = await asyncio.gather(*(client.get(f"{url}{n}") for n in range(number)))
        return [answer.status_code for answer in answers]

    return asyncio.run(all_of_them())


def get_with_requests(url: str, number: int, connections: int, auth: DigestAuth) -> list[int]:
    with requests.Session() as session, ThreadPoolExecutor(64) as pool:
        session.trust_env = False
        session.mount("http://", HTTPAdapter(pool_maxsize=connections, pool_block=True))
        session.auth = adapt_requests(auth)
        return list(pool.map(lambda n: session.get(f"{url}{n}", timeout=PATIENCE).status_code, range(number)))


def get_with_aiohttp(url: str, number: int, connections: int, auth: DigestAuth) -> list[int]:
    async def one(session: aiohttp.ClientSession, n: int) -> int:
        async with session.get(f"{url}{n}") as answer:
            return answer.status

    async def all_of_them() -> list[int]:
        waits = aiohttp.ClientTimeout(PATIENCE)
        connector = aiohttp.TCPConnector(limit=connections)
        async with aiohttp.ClientSession(
            middlewares=[adapt_aiohttp(auth)], connector=connector, timeout=waits
        ) as session:
            return list(await asyncio.gather(*(one(session, n) for n in range(number))))

    return asyncio.run(all_of_them())


def get_with_urllib3(url: str, number: int, connections: int, auth: DigestAuth) -> list[int]:
    pool = urllib3.PoolManager(maxsize=connections, block=True, timeout=PATIENCE)
    with adapt_urllib3(auth)(pool) as http, ThreadPoolExecutor(64) as threads:
        return list(threads.map(lambda n: http.request("GET", f"{url}{n}").status, range(number)))


def get_with_urllib(url: str, number: int, _: int, auth: DigestAuth) -> list[int]:
    opener = build_opener(ProxyHandler({}), adapt_urllib(auth))

    def one(n: int) -> int:
        with opener.open(f"{url}{n}", timeout=PATIENCE) as answer:
            return int(answer.status)

    with ThreadPoolExecutor(64) as threads:
        return list(threads.map(one, range(number)))


@pytest.mark.parametrize(
    ("get", "number", "connections"),
    [
        (get_with_httpx2, 300, 100), (get_with_httpx2, 12, 1),
        (get_with_requests, 200, 64), (get_with_requests, 12, 1),
        (get_with_aiohttp, 300, 100), (get_with_aiohttp, 12, 1),
        (get_with_urllib3, 200, 64), (get_with_urllib3, 12, 1),
        (get_with_urllib, 200, 64),
    ],
)  # fmt: skip
def test_a_burst_is_challenged_once(get: Callable[..., list[int]], number: int, connections: int) -> None:
    with serving() as (url, app):
        auth = DigestAuth("alice", "s3cret", require_mutual=True)
        assert get(url, number, connections, auth) == [200] * number
        assert app.statuses.count(401) == 1
        assert get(url, number, connections, auth) == [200] * number
        assert app.statuses.count(401) == 1


def test_a_client_that_never_stops_is_challenged_about_once_however_short_a_nonce_lives() -> None:
    """The server's clock goes on by a hundredth of a nonce's life for each look at it.

    A thread that the machine holds up for half of a life, some twenty requests of the others, is challenged once more. Were each
    of the eight challenged by itself, there would be eight for each life.
    """
    looks = count(100_000)
    life = serving(clock=lambda: next(looks) / 100, nonce_lifetime=1.0)
    with life as (url, app), ThreadPoolExecutor(8) as pool, requests.Session() as session:
        session.trust_env = False
        session.mount("http://", HTTPAdapter(pool_maxsize=8))
        session.auth = adapt_requests(DigestAuth("alice", "s3cret"))

        def get(_: int) -> int:
            return session.get(url, timeout=PATIENCE).status_code

        assert set(pool.map(get, range(300))) == {200}
        lives = next(looks) // 100 - 1000
        assert lives >= 3
        assert app.statuses.count(401) <= 3 * (lives + 1)


# ---- without sockets: who waits for whom ----


@pytest.fixture
def endless_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that waits for another one's lease to end waits until the test is ended as hanging."""
    monkeypatch.setattr(client, "LEASE", 1e6)


CHALLENGE = Response(401, {"WWW-Authenticate": 'Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth"'})


def is_signed(asked: Request) -> bool:
    return bool(asked.values(b"authorization"))


def test_tasks_wait_for_the_first_of_them_only_until_it_knows_the_challenge() -> None:
    auth = DigestAuth("a", "b")
    log: list[bool] = []

    async def send(effect: Send) -> Received:
        log.append(is_signed(effect.request))
        await asyncio.sleep(0.01)
        return Received(Response(200)) if is_signed(effect.request) else Received(CHALLENGE)

    async def all_of_them() -> None:
        await asyncio.gather(*(arun(auth, request(f"/{n}"), send, context()) for n in range(100)))

    asyncio.run(all_of_them())
    assert log == [False] + [True] * 100


def test_a_first_request_that_fails_lets_the_next_one_learn(endless_lease: None) -> None:
    auth = DigestAuth("a", "b")
    tries: list[bool] = []

    async def send(effect: Send) -> Received:
        tries.append(is_signed(effect.request))
        await asyncio.sleep(0)
        if len(tries) == 1:
            raise OSError("no route")
        return Received(Response(200)) if is_signed(effect.request) else Received(CHALLENGE)

    async def all_of_them() -> list[Any]:
        flows = (arun(auth, request(f"/{n}"), send, context()) for n in range(10))
        return await asyncio.gather(*flows, return_exceptions=True)

    answers = asyncio.run(all_of_them())
    assert [isinstance(answer, OSError) for answer in answers] == [True] + [False] * 9
    assert tries.count(False) == 2


def test_a_request_whose_answer_never_comes_holds_the_others_up_for_the_lease_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "LEASE", 0.1)
    auth = DigestAuth("a", "b")
    stuck: list[Drive] = []

    def begin() -> None:
        stuck.append(Drive(auth, request(), context()))
        assert isinstance(stuck[0].advance(), Send)

    thread = threading.Thread(target=begin)
    thread.start()
    thread.join()
    answer = run(
        auth, request(), lambda effect: Received(Response(200) if is_signed(effect.request) else CHALLENGE), context()
    )
    assert answer.response.status == 200
    stuck[0].close()


def test_a_request_that_was_prepared_and_not_sent_does_not_hold_up_its_own_thread(endless_lease: None) -> None:
    auth = DigestAuth("a", "b")
    prepared = requests.Request("GET", "http://api.example/", auth=adapt_requests(auth)).prepare()
    assert requests.Request("GET", "http://api.example/", auth=adapt_requests(auth)).prepare().url
    assert prepared.url


def test_a_flow_that_is_dropped_gives_the_lock_back(endless_lease: None) -> None:
    auth = DigestAuth("a", "b")

    def begin() -> None:
        assert isinstance(Drive(auth, request(), context()).advance(), Send)

    thread = threading.Thread(target=begin)
    thread.start()
    thread.join()
    drive = Drive(auth, request(), context())
    assert isinstance(drive.advance(), Send)
    drive.close()


def test_two_flows_of_one_task_do_not_wait_for_each_other(endless_lease: None) -> None:
    async def both() -> None:
        auth = DigestAuth("a", "b")
        drives = [AsyncDrive(auth, request(), context()) for _ in range(2)]
        for drive in drives:
            assert isinstance(await drive.advance(), Send)
        for drive in drives:
            drive.close()

    asyncio.run(both())


def test_where_nobody_is_challenged_requests_do_not_wait_for_each_other(endless_lease: None) -> None:
    """None is answered before all are under way: one that waited for another would wait for ever."""
    auth = DigestAuth("a", "b")

    async def all_of_them() -> list[Received]:
        gathered = asyncio.Barrier(20)

        async def send(effect: Send) -> Received:
            if effect.request.target != b"/open/first":
                await gathered.wait()
            return Received(Response(200))

        await arun(auth, request("/open/first"), send, context())
        return await asyncio.gather(*(arun(auth, request(f"/open/{n}"), send, context()) for n in range(20)))

    assert len(asyncio.run(all_of_them())) == 20


def test_a_wrong_password_is_tried_once_by_each_request_and_no_more() -> None:
    auth = DigestAuth("a", "wrong")
    attempts = 0

    async def send(effect: Send) -> Received:
        nonlocal attempts
        attempts += is_signed(effect.request)
        await asyncio.sleep(0)
        return Received(CHALLENGE)

    async def all_of_them() -> list[Received]:
        return await asyncio.gather(*(arun(auth, request(), send, context()) for _ in range(50)))

    assert {answer.response.status for answer in asyncio.run(all_of_them())} == {401}
    assert attempts <= 50


def test_a_body_that_cannot_be_sent_twice_is_refused_before_it_is_sent_once() -> None:
    from watchword import ConfigurationError

    with serving() as (url, app), requests.Session() as session:
        session.trust_env = False
        with pytest.raises(ConfigurationError, match="only once"):
            session.post(
                url, data=iter([b"a", b"b"]), auth=adapt_requests(DigestAuth("alice", "s3cret")), timeout=PATIENCE
            )
        with httpx2.Client(trust_env=False, auth=adapt_httpx2(DigestAuth("alice", "s3cret"))) as other:
            with pytest.raises(ConfigurationError, match="only once"):
                other.post(url, content=iter([b"a", b"b"]))
            assert not app.statuses, "nothing was sent"
            assert other.get(url).status_code == 200
            assert other.post(url, content=iter([b"a", b"b"])).status_code == 200, "once the challenge is known"

"""Slow key directories over real connections: at a WSGI server with forty threads, and at uvicorn, tokens are judged meanwhile."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIServer, make_server

import pytest
import uvicorn

from tests.attacks.floods import block_until, until
from tests.attacks.test_slow_publishers_hold_up_nobody import OWN, SHARED, Slow, bearer, clock
from tests.patience import PATIENCE
from tests.schemes.bot_world import KEYS, signed
from tests.servers.apps import asgi_app, wsgi_app
from tests.servers.conftest import QuietWSGI
from watchword import AsyncGuard, Guard, JWTVerifier, Policy, Request, WebBotVerifier
from watchword.servers import asgi, wsgi
from watchword.stores import AgentDirectories

CONNECTIONS = 48
THREADS = 40


@pytest.fixture
def slow() -> Iterator[Slow]:
    made = Slow()
    made.gate.clear()
    yield made
    made.gate.set()


class Pooled(WSGIServer):
    """Each connection takes one of its threads until it is answered, as at most WSGI servers."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.pool = ThreadPoolExecutor(THREADS)

    request_queue_size = 128

    def process_request(self, request: Any, client_address: Any) -> None:
        self.pool.submit(self._serve, request, client_address)

    def _serve(self, request: Any, client_address: Any) -> None:
        self.finish_request(request, client_address)
        self.shutdown_request(request)


@contextmanager
def in_threads(verifiers: Any) -> Iterator[int]:
    guard = Guard(verifiers, policy=Policy(clock=clock))
    server = make_server("127.0.0.1", 0, wsgi.protect(wsgi_app, guard), Pooled, QuietWSGI)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.pool.shutdown()
        server.server_close()


@contextmanager
def in_tasks(verifiers: Any) -> Iterator[int]:
    guard = AsyncGuard(verifiers, policy=Policy(clock=clock))
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    server = uvicorn.Server(uvicorn.Config(asgi.protect(asgi_app, guard), log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        block_until(lambda: bool(server.started))
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


async def ask(port: int, request: Request) -> int:
    """The status of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"GET {request.target.decode()} HTTP/1.1", "Host: api.example", "Connection: close"]
    lines += [f"{name.decode()}: {value.decode()}" for name, value in request.headers]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    try:
        return int((await asyncio.wait_for(reader.read(), PATIENCE)).split(b" ", 2)[1])
    finally:
        writer.close()


@pytest.mark.parametrize("many", [False, True], ids=["one directory", "many directories"])
@pytest.mark.parametrize(("serving", "waiting"), [(in_threads, (1, 4)), (in_tasks, (16, 4))], ids=["WSGI", "uvicorn"])
def test_a_token_is_judged_while_directories_are_slow(
    serving: Any, waiting: tuple[int, int], many: bool, slow: Slow
) -> None:
    directories = AgentDirectories(any_agent=True, fetch=slow.fetch, clock=clock)
    verifiers = [JWTVerifier(SHARED, issuer=OWN, audience="orders"), WebBotVerifier(directories)]

    async def scene(port: int) -> None:
        plain = Request("GET", "http", "api.example", "/")
        agents = [f"https://slow-{n if many else 0}.example" for n in range(CONNECTIONS)]
        flood = [asyncio.create_task(ask(port, signed(KEYS["bot"], agent, plain))) for agent in agents]
        await until(lambda: sum(asked.done() for asked in flood) == CONNECTIONS - waiting[many])
        assert Counter(asked.result() for asked in flood if asked.done()) == {503: CONNECTIONS - waiting[many]}
        assert await ask(port, bearer(SHARED, OWN)) == 200
        assert not slow.gate.is_set()
        slow.gate.set()
        assert Counter(await asyncio.gather(*flood))[401] == waiting[many]

    with serving(verifiers) as port:
        try:
            asyncio.run(scene(port))
        finally:
            slow.gate.set()
    assert len(slow.asked) == (4 if many else 1)

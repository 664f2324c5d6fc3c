"""A flood of guesses over real connections, at uvicorn: others get in, and clients that hang up leave no hash behind.

The server trusts a proxy on loopback, so each request may come from an address of its own. The hash stands still until the
test lets it go, so nothing depends on time.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
import uvicorn

from tests.attacks.floods import STRANGER, Hashing, block_until, one_48, one_address, unrelated_48s, until
from tests.patience import PATIENCE
from tests.servers.apps import asgi_app
from watchword import AsyncGuard, BasicVerifier, JWTVerifier, Key, Password, Policy, PublicURL
from watchword.core.records import Put, Ref
from watchword.crypto import jose
from watchword.servers.asgi import protect
from watchword.stores import MemoryStore
from watchword.structures.room import FOR_TASKS

KEY = Key.generate("HS256")
GUESSES = 240


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hashing]:
    made = Hashing(monkeypatch)
    yield made
    made.gate.set()


class Service:
    """A guarded application at uvicorn."""

    def __init__(self, guard: AsyncGuard, port: int) -> None:
        self.guard = guard
        self.port = port

    @property
    def waiting(self) -> int:
        """How many requests are in the line, the one that holds it included."""
        counts = self.guard.plan.line._places._counts
        return counts.get((True, None), 0) + counts.get((False, None), 0)

    async def send(self, authorization: str, address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        lines = ("GET / HTTP/1.1", "Host: api.example", f"Authorization: {authorization}",
                 f"X-Forwarded-For: {address}", "Connection: close", "", "")  # fmt: skip
        writer.write("\r\n".join(lines).encode())
        await writer.drain()
        return reader, writer

    async def ask(self, authorization: str, address: str = STRANGER) -> tuple[int, str | None]:
        """Status and Retry-After."""
        reader, writer = await self.send(authorization, address)
        try:
            head = (await asyncio.wait_for(reader.read(), PATIENCE)).partition(b"\r\n\r\n")[0].decode()
        finally:
            writer.close()
        status, *lines = head.split("\r\n")
        wait = [line.partition(": ")[2] for line in lines if line.lower().startswith("retry-after:")]
        return int(status.split(" ")[1]), wait[0] if wait else None


@contextmanager
def serving() -> Iterator[Service]:
    store = MemoryStore()
    store.commit([Put(Ref(Password, ("alice",)), Password("plain:right"))])
    verifiers = [
        JWTVerifier(KEY, issuer="https://id.example", audience="orders"),
        BasicVerifier(realm="orders", cache=None, rehash=None),
    ]
    url = PublicURL(forwarded="X-Forwarded", trusted=("127.0.0.1/32",))
    guard = AsyncGuard(verifiers, store, policy=Policy(public_url=url))
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    config = uvicorn.Config(protect(asgi_app, guard), log_level="critical", lifespan="off", proxy_headers=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        block_until(lambda: bool(server.started))
        yield Service(guard, listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def basic(username: str, password: str) -> str:
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode()


def bearer() -> str:
    claims = {"iss": "https://id.example", "aud": "orders", "sub": "alice", "exp": 4_000_000_000}
    return "Bearer " + jose.sign(msgspec.json.encode(claims), KEY)


@pytest.mark.parametrize(
    ("address", "places", "refusal"),
    [
        (one_address, FOR_TASKS.address, (429, "1")),
        (one_48, FOR_TASKS.widest, (429, "1")),
        (unrelated_48s, FOR_TASKS.strangers, (503, "1")),
    ],
    ids=["one address", "one /48", "unrelated /48s"],
)
def test_few_guesses_wait_and_others_get_in(
    address: Callable[[int], str], places: int, refusal: tuple[int, str], hashing: Hashing
) -> None:
    async def scene(service: Service) -> None:
        hashing.gate.set()
        known = "203.0.113.9"
        assert await service.ask(basic("alice", "right"), known) == (200, None)
        hashing.secrets.clear()
        hashing.gate.clear()
        flood = [asyncio.create_task(service.ask(basic(f"nobody{n}", f"guess{n}"), address(n))) for n in range(GUESSES)]
        await until(lambda: hashing.running == 1 and sum(guess.done() for guess in flood) == GUESSES - places)
        # One address may fail 200 times a minute; these were refused before they were counted.
        assert Counter(guess.result() for guess in flood if guess.done()) == {refusal: GUESSES - places}
        assert await service.ask(bearer()) == (200, None)  # while the hash stands still
        from_where = STRANGER if refusal[0] == 429 else known
        login = asyncio.create_task(service.ask(basic("alice", "right"), from_where))
        await until(lambda: service.waiting == places + 1)
        hashing.gate.set()
        assert await login == (200, None)
        assert [guess[0] for guess in await asyncio.gather(*flood)].count(401) == places

    with serving() as service:
        asyncio.run(scene(service))
        assert 2 <= hashing.secrets.index("right") + 1 <= 3
        assert (hashing.most, service.waiting) == (1, 0)


def test_guesses_that_are_sent_and_hung_up_on_leave_one_hash_behind(hashing: Hashing) -> None:
    async def scene(service: Service) -> None:
        first: Any = None
        for number in range(120):
            _, writer = await service.send(basic(f"nobody{number}", f"guess{number}"), one_address(number))
            if number == 0:
                await until(hashing.begun.is_set)
                first = writer
                continue
            writer.close()
        first.close()
        await until(lambda: service.waiting == 1)  # the hash that runs; the others have left the line
        assert await service.ask(bearer()) == (200, None)
        login = asyncio.create_task(service.ask(basic("alice", "right")))
        await until(lambda: service.waiting == 2)
        hashing.gate.set()
        assert await login == (200, None)

    with serving() as service:
        asyncio.run(scene(service))
        assert (hashing.secrets, hashing.most) == (["guess0", "right"], 1)

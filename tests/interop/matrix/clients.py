"""The clients of the matrix: each library as its users hold it, with one adapted auth in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from tests.interop.matrix.schemes import Scheme, User
from tests.patience import PATIENCE

__all__ = ["CLIENTS", "Asked", "Client", "Got", "Sender", "Upload"]

CHUNK = 65536


@dataclass(frozen=True)
class Upload:
    """A file that is sent as it is read.

    Args:
        path: the file.
        covered: whether the scheme signs the body, so that the client has to read it before it sends it.
    """

    path: Path
    covered: bool


class Asked(NamedTuple):
    """A request."""

    method: str
    url: str
    body: bytes | Upload = b""
    fields: Mapping[str, str] = {}


class Got(NamedTuple):
    """The last answer to it."""

    status: int
    body: bytes


class Sender(Protocol):
    """A session, or what the library has in its place, with its auth."""

    def send(self, asked: Asked) -> Got:
        """The answer, redirects followed."""
        ...

    def together(self, asked: Asked, times: int) -> list[Got]:
        """The answers to that many of them, sent at once."""
        ...


@dataclass(frozen=True)
class Client:
    """One client.

    Args:
        name: as the table has it.
        opened: a session in which a user authenticates by a scheme.
        schemes: those that it can be given; None: all.
        redirects: whether it follows redirects.
        reasons: why not all "schemes", or not all "checks".
    """

    name: str
    opened: Callable[[Scheme, User], AbstractContextManager[Sender]]
    schemes: frozenset[str] | None = None
    redirects: bool = True
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def user(self) -> str:
        """The name of who uses it, on every server."""
        return self.name.replace(", ", "-")


class Threads:
    """A sync session, used from several threads."""

    def __init__(self, send: Callable[[Asked], Got]) -> None:
        self.send = send

    def together(self, asked: Asked, times: int) -> list[Got]:
        with ThreadPoolExecutor(times) as threads:
            return list(threads.map(self.send, [asked] * times))


class Tasks:
    """An async session on a loop of its own, used by several tasks."""

    def __init__(self, runner: asyncio.Runner, send: Callable[[Asked], Any]) -> None:
        self._runner = runner
        self._send = send

    def send(self, asked: Asked) -> Got:
        got: Got = self._runner.run(self._send(asked))
        return got

    def together(self, asked: Asked, times: int) -> list[Got]:
        async def gathered() -> list[Got]:
            return list(await asyncio.gather(*(self._send(asked) for _ in range(times))))

        return self._runner.run(gathered())


class Chunks:
    """A file in chunks, for clients that take an async iterable: it can be iterated again."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with self._path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk


@contextmanager
def content_of(body: bytes | Upload) -> Iterator[Any]:
    """The body as sync clients take it: octets, or an open file."""
    if isinstance(body, Upload):
        with body.path.open("rb") as file:
            yield file
    else:
        yield body


# ---- requests ---------------------------------------------------------------------------------------------------------


@contextmanager
def _requests(scheme: Scheme, user: User) -> Iterator[Sender]:
    import requests

    from watchword.clients.requests import adapt

    with requests.Session() as session:
        session.trust_env = False
        session.auth = adapt(scheme.auth(user))

        def send(asked: Asked) -> Got:
            with content_of(asked.body) as content:
                answer = session.request(
                    asked.method, asked.url, data=content, headers=dict(asked.fields), timeout=PATIENCE
                )
            return Got(answer.status_code, answer.content)

        yield Threads(send)


# ---- httpx and httpx2 -------------------------------------------------------------------------------------------------


@contextmanager
def _sync(library: Any, adapted: Any) -> Iterator[Sender]:
    with library.Client(auth=adapted, trust_env=False, timeout=PATIENCE, follow_redirects=True, verify=False) as client:

        def send(asked: Asked) -> Got:
            with content_of(asked.body) as content:
                answer = client.request(asked.method, asked.url, content=content, headers=asked.fields)
            return Got(answer.status_code, answer.content)

        yield Threads(send)


@contextmanager
def _async(library: Any, adapted: Any) -> Iterator[Sender]:
    with asyncio.Runner() as runner:
        client = library.AsyncClient(
            auth=adapted, trust_env=False, timeout=PATIENCE, follow_redirects=True, verify=False
        )

        async def send(asked: Asked) -> Got:
            content = Chunks(asked.body.path) if isinstance(asked.body, Upload) else asked.body
            request = client.build_request(asked.method, asked.url, content=content, headers=asked.fields)
            if isinstance(asked.body, Upload) and asked.body.covered:
                await request.aread()
            answer = await client.send(request)
            return Got(answer.status_code, answer.content)

        try:
            yield Tasks(runner, send)
        finally:
            runner.run(client.aclose())


def _httpx(scheme: Scheme, user: User) -> AbstractContextManager[Sender]:
    import httpx

    from watchword.clients.httpx import adapt

    return _sync(httpx, adapt(scheme.auth(user)))


def _httpx_async(scheme: Scheme, user: User) -> AbstractContextManager[Sender]:
    import httpx

    from watchword.clients.httpx import adapt

    return _async(httpx, adapt(scheme.auth(user)))


def _httpx2(scheme: Scheme, user: User) -> AbstractContextManager[Sender]:
    import httpx2

    from watchword.clients.httpx2 import adapt

    return _sync(httpx2, adapt(scheme.auth(user)))


def _httpx2_async(scheme: Scheme, user: User) -> AbstractContextManager[Sender]:
    import httpx2

    from watchword.clients.httpx2 import adapt

    return _async(httpx2, adapt(scheme.auth(user)))


# ---- aiohttp ----------------------------------------------------------------------------------------------------------


@contextmanager
def _aiohttp(scheme: Scheme, user: User) -> Iterator[Sender]:
    import aiohttp

    from watchword.clients.aiohttp import adapt

    async def opened() -> aiohttp.ClientSession:
        timeout = aiohttp.ClientTimeout(PATIENCE)
        return aiohttp.ClientSession(middlewares=[adapt(scheme.auth(user))], timeout=timeout)

    with asyncio.Runner() as runner:
        session = runner.run(opened())

        async def send(asked: Asked) -> Got:
            with content_of(asked.body) as content:
                async with session.request(
                    asked.method, asked.url, data=content or None, headers=asked.fields
                ) as answer:
                    return Got(answer.status, await answer.read())

        try:
            yield Tasks(runner, send)
        finally:
            runner.run(session.close())


# ---- urllib3 and urllib.request ---------------------------------------------------------------------------------------


@contextmanager
def _urllib3(scheme: Scheme, user: User) -> Iterator[Sender]:
    import urllib3

    from watchword.clients.urllib3 import adapt

    with adapt(scheme.auth(user))(urllib3.PoolManager(timeout=PATIENCE)) as http:

        def send(asked: Asked) -> Got:
            with content_of(asked.body) as content:
                answer = http.request(asked.method, asked.url, body=content or None, headers=asked.fields)
            return Got(answer.status, answer.data)

        yield Threads(send)


@contextmanager
def _urllib(scheme: Scheme, user: User) -> Iterator[Sender]:
    from urllib.error import HTTPError
    from urllib.request import ProxyHandler, Request, build_opener

    from watchword.clients.urllib_request import adapt

    opener = build_opener(ProxyHandler({}), adapt(scheme.auth(user)))

    def send(asked: Asked) -> Got:
        with content_of(asked.body) as content:
            request = Request(asked.url, content or None, dict(asked.fields), method=asked.method)
            try:
                answer = opener.open(request, timeout=PATIENCE)
            except HTTPError as refused:
                answer = refused
            with answer:
                return Got(answer.status, answer.read())

    yield Threads(send)


# ---- http.client ------------------------------------------------------------------------------------------------------


class Connection:
    """A connection, which one thread uses: others get their own."""

    def __init__(self, scheme: Scheme, user: User) -> None:
        self._scheme, self._user = scheme, user
        self._connections: dict[str, Any] = {}

    def send(self, asked: Asked) -> Got:
        parts = urlsplit(asked.url)
        if parts.netloc not in self._connections:
            self._connections[parts.netloc] = self._opened(parts.netloc)
        connection = self._connections[parts.netloc]
        with content_of(asked.body) as content:
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            with suppress(BrokenPipeError):  # the answer is there before all of the request has gone
                connection.request(asked.method, target, content or None, dict(asked.fields))
            answer = connection.getresponse()
            return Got(answer.status, answer.read())

    def _opened(self, netloc: str) -> Any:
        from watchword.dropin.http_client import HTTPConnection

        connection = HTTPConnection(netloc, timeout=PATIENCE)
        # It gives no password to a server that offers Digest too, but unasked.
        password = self._user.secret("password")
        connection.set_credentials(self._user.name, password, preemptive=self._scheme.name == "basic")
        return connection

    def together(self, asked: Asked, times: int) -> list[Got]:
        def alone(_: int) -> Got:
            with _http_client(self._scheme, self._user) as another:
                return another.send(asked)

        with ThreadPoolExecutor(times) as threads:
            return list(threads.map(alone, range(times)))

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()


def _http_client(scheme: Scheme, user: User) -> AbstractContextManager[Sender]:
    return closing(Connection(scheme, user))


CLIENTS = (
    Client("requests", _requests),
    Client("httpx", _httpx),
    Client("httpx, async", _httpx_async),
    Client("httpx2", _httpx2),
    Client("httpx2, async", _httpx2_async),
    Client("aiohttp", _aiohttp),
    Client("urllib3", _urllib3),
    Client("urllib.request", _urllib),
    Client(
        "http.client",
        _http_client,
        schemes=frozenset({"basic", "digest"}),
        redirects=False,
        reasons={
            "schemes": "the drop-in takes a name and a password, and speaks Basic and Digest",
            "checks": "http.client follows no redirects",
        },
    ),
)

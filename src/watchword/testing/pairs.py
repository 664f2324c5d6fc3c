"""A client and a guarded server for each adapter, in the process: what a scheme needs that has to go through all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, NamedTuple, Protocol

from watchword.core.guard import Guard
from watchword.effects import Auth
from watchword.testing import pair_apps
from watchword.testing.clocked_auth import ClockedAuth
from watchword.testing.pair_hosts import asgi_with, wsgi_with
from watchword.testing.pair_sockets import serving
from watchword.testing.signing import Elsewhere

__all__ = ["PAIRS", "Ask", "Pair", "PairAnswer"]

_HOST: Final = "api.example"
_URL: Final = f"https://{_HOST}"


class PairAnswer(NamedTuple):
    """An answer; of one that was accepted the text is the subject and the length of the body: "alice 6"."""

    status: int
    text: str


class Ask(Protocol):
    """Sends a request by the pair's client."""

    def __call__(self, method: str = "GET", target: str = "/orders?id=7", body: bytes = b"") -> PairAnswer: ...


class Pair(Protocol):
    """Opens the pair: the guard guards every path of its server, the client half gives credentials to its client, by the guard's clock.

    `elsewhere` answers the client half's own requests, such as one for a token: `FakeIssuer.answer`. The clients of requests,
    aiohttp, urllib3 and urllib.request send them over a socket all the same, to a `LoopbackIssuer`.
    """

    def __call__(
        self, guard: Guard, auth: Auth, elsewhere: Elsewhere | None = None, /
    ) -> AbstractContextManager[Ask]: ...


@contextmanager
def _requests(guard: Guard, auth: Auth, elsewhere: Elsewhere | None = None) -> Iterator[Ask]:
    # Each pair needs what its own extras install. The adapter is first: it says what that is.
    from watchword.clients.requests import adapt  # noqa: PLC0415
    from watchword.testing.requests import WSGIAdapter  # noqa: PLC0415

    import requests  # noqa: PLC0415

    with requests.Session() as session:
        session.trust_env = False
        session.mount(_URL, WSGIAdapter(pair_apps.wsgi_app(guard)))
        session.auth = adapt(auth)

        def ask(method: str = "GET", target: str = "/orders?id=7", body: bytes = b"") -> PairAnswer:
            answer = session.request(method, _URL + target, data=body)
            return PairAnswer(answer.status_code, answer.text)

        yield ask


def _httpx_like(library: str) -> tuple[Any, Callable[[Auth], Any]]:
    from importlib import import_module  # noqa: PLC0415 -- as above

    adapt = import_module(f"watchword.clients.{library}").adapt
    return import_module(library), adapt


def _over_wsgi(library: str) -> Pair:
    @contextmanager
    def pair(guard: Guard, auth: Auth, elsewhere: Elsewhere | None = None) -> Iterator[Ask]:
        module, adapt = _httpx_like(library)
        transport = module.WSGITransport(app=wsgi_with(pair_apps.wsgi_app(guard), _HOST, elsewhere))
        with module.Client(transport=transport, auth=adapt(auth), base_url=_URL, trust_env=False) as client:
            yield _asking(client)

    return pair


def _over_asgi(library: str) -> Pair:
    @contextmanager
    def pair(guard: Guard, auth: Auth, elsewhere: Elsewhere | None = None) -> Iterator[Ask]:
        module, adapt = _httpx_like(library)
        adapted, app = adapt(auth), asgi_with(pair_apps.asgi_app(guard), _HOST, elsewhere)

        async def asked(method: str, target: str, body: bytes) -> PairAnswer:
            transport = module.ASGITransport(app=app)
            async with module.AsyncClient(transport=transport, auth=adapted, base_url=_URL, trust_env=False) as client:
                answer = await client.request(method, target, content=body)
                return PairAnswer(answer.status_code, answer.text)

        def ask(method: str = "GET", target: str = "/orders?id=7", body: bytes = b"") -> PairAnswer:
            return asyncio.run(asked(method, target, body))

        yield ask

    return pair


@contextmanager
def _starlette(guard: Guard, auth: Auth, elsewhere: Elsewhere | None = None) -> Iterator[Ask]:
    yield from _by_starlettes_client(asgi_with(pair_apps.starlette_app(guard), _HOST, elsewhere), auth)


@contextmanager
def _fastapi(guard: Guard, auth: Auth, elsewhere: Elsewhere | None = None) -> Iterator[Ask]:
    yield from _by_starlettes_client(asgi_with(pair_apps.fastapi_app(guard), _HOST, elsewhere), auth)


def _by_starlettes_client(app: Any, auth: Auth) -> Iterator[Ask]:
    from starlette.testclient import TestClient  # noqa: PLC0415 -- as above; the app is there, and so is Starlette

    library = TestClient.__mro__[1].__module__.partition(".")[0]  # httpx2; httpx where that isn't installed
    _, adapt = _httpx_like(library)
    with TestClient(app, base_url=_URL) as client:
        client.auth = adapt(auth)
        yield _asking(client)


@contextmanager
def _litestar(guard: Guard, auth: Auth, elsewhere: Elsewhere | None = None) -> Iterator[Ask]:
    from watchword.testing.litestar import served  # noqa: PLC0415 -- as above

    app: Any = asgi_with(served(pair_apps.litestar_app(guard)), _HOST, elsewhere)
    from litestar.testing import TestClient  # noqa: PLC0415

    _, adapt = _httpx_like("httpx")
    with TestClient(app, base_url=_URL) as client:
        client.auth = adapt(auth)
        yield _asking(client)


def _asking(client: Any) -> Ask:
    def ask(method: str = "GET", target: str = "/orders?id=7", body: bytes = b"") -> PairAnswer:
        answer = client.request(method, target, content=body)
        return PairAnswer(answer.status_code, answer.text)

    return ask


@contextmanager
def _flask(guard: Guard, auth: Auth, elsewhere: Elsewhere | None = None) -> Iterator[Ask]:
    from watchword.testing.flask import Client  # noqa: PLC0415 -- as above

    app = pair_apps.flask_app(guard)
    app.test_client_class = Client
    client = app.test_client(auth=auth, elsewhere=elsewhere)

    def ask(method: str = "GET", target: str = "/orders?id=7", body: bytes = b"") -> PairAnswer:
        answer = client.open(target, base_url=_URL, method=method, data=body)
        return PairAnswer(answer.status_code, answer.text)

    yield ask


@contextmanager
def _django(guard: Guard, auth: Auth, elsewhere: Elsewhere | None = None) -> Iterator[Ask]:
    from watchword.testing.django import Client  # noqa: PLC0415 -- as above

    import django  # noqa: PLC0415
    from django.conf import settings  # noqa: PLC0415

    if not settings.configured:  # a process has one project: the caller's own, or this one
        settings.configure(SECRET_KEY="of a test alone", USE_TZ=True, LOGGING_CONFIG=None)  # noqa: S106
        django.setup()
    from django.test import override_settings  # noqa: PLC0415

    given = {
        "WATCHWORD": {"guard": guard},
        "MIDDLEWARE": ["watchword.servers.django.Authenticate"],
        "ALLOWED_HOSTS": ["*"],
    }
    with override_settings(ROOT_URLCONF="watchword.testing.pair_urls", **given):
        client = Client(auth=auth, elsewhere=elsewhere, SERVER_NAME="api.example")

        def ask(method: str = "GET", target: str = "/orders?id=7", body: bytes = b"") -> PairAnswer:
            answer = client.generic(method, target, body, secure=True)
            return PairAnswer(answer.status_code, answer.content.decode())

        yield ask


@contextmanager
def _aiohttp(guard: Guard, auth: Auth, elsewhere: Elsewhere | None = None) -> Iterator[Ask]:
    from watchword.clients.aiohttp import adapt  # noqa: PLC0415 -- as above

    from aiohttp.test_utils import TestClient, TestServer  # noqa: PLC0415

    adapted = adapt(auth)

    async def asked(method: str, target: str, body: bytes) -> PairAnswer:
        async with TestClient(TestServer(pair_apps.aiohttp_app(guard)), middlewares=[adapted]) as client:
            answer = await client.request(method, target, data=body)
            return PairAnswer(answer.status, await answer.text())

    def ask(method: str = "GET", target: str = "/orders?id=7", body: bytes = b"") -> PairAnswer:
        return asyncio.run(asked(method, target, body))

    yield ask


@contextmanager
def _urllib3(guard: Guard, auth: Auth, elsewhere: Elsewhere | None = None) -> Iterator[Ask]:
    from watchword.clients.urllib3 import adapt  # noqa: PLC0415 -- as above

    import urllib3  # noqa: PLC0415

    with serving(pair_apps.wsgi_app(guard)) as url, adapt(auth)(urllib3.PoolManager()) as pool:

        def ask(method: str = "GET", target: str = "/orders?id=7", body: bytes = b"") -> PairAnswer:
            answer = pool.request(method, url + target, body=body or None)
            return PairAnswer(answer.status, answer.data.decode())

        yield ask


@contextmanager
def _urllib_request(guard: Guard, auth: Auth, elsewhere: Elsewhere | None = None) -> Iterator[Ask]:
    from urllib.error import HTTPError  # noqa: PLC0415 -- as above
    from urllib.request import ProxyHandler, Request, build_opener  # noqa: PLC0415

    from watchword.clients.urllib_request import adapt  # noqa: PLC0415

    opener = build_opener(ProxyHandler({}), adapt(auth))
    with serving(pair_apps.wsgi_app(guard)) as url:

        def ask(method: str = "GET", target: str = "/orders?id=7", body: bytes = b"") -> PairAnswer:
            answer: Any
            try:
                answer = opener.open(Request(url + target, body or None, method=method))  # noqa: S310 -- this machine's
            except HTTPError as refused:
                answer = refused
            with answer:
                return PairAnswer(answer.status, answer.read().decode())

        yield ask


def _by_the_guards_clock(pair: Pair) -> Pair:
    @contextmanager
    def opened(guard: Guard, auth: Auth, elsewhere: Elsewhere | None = None) -> Iterator[Ask]:
        with pair(guard, ClockedAuth(auth, guard.plan.clock), elsewhere) as ask:
            yield ask

    return opened


_PAIRS: Final[Mapping[str, Pair]] = {
    "requests, wsgi": _requests,
    "urllib3": _urllib3,
    "urllib.request": _urllib_request,
    "httpx, wsgi": _over_wsgi("httpx"),
    "httpx, asgi": _over_asgi("httpx"),
    "httpx2, wsgi": _over_wsgi("httpx2"),
    "httpx2, asgi": _over_asgi("httpx2"),
    "starlette": _starlette,
    "fastapi": _fastapi,
    "litestar": _litestar,
    "flask": _flask,
    "django": _django,
    "aiohttp": _aiohttp,
}
PAIRS: Final[Mapping[str, Pair]] = {name: _by_the_guards_clock(pair) for name, pair in _PAIRS.items()}
"""Each adapter's client and server, by name. Those of aiohttp, urllib3 and urllib.request open a socket of this machine, the others none."""

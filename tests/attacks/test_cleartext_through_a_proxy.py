"""Loopback in the clear stays on this host only if nothing stands between: through a proxy a secret travels on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import BaseHandler, HTTPHandler, ProxyHandler, build_opener, getproxies, proxy_bypass

import aiohttp
import httpx
import httpx2
import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter

from tests.clients.kinds import CONTEXT, KINDS
from tests.clients.origin import Answer, Seen, ok, origin
from tests.patience import PATIENCE
from watchword import (
    APIKeyAuth,
    BasicAuth,
    BearerAuth,
    ConfigurationError,
    DigestAuth,
    JWTAuth,
    Key,
    OAuth1Auth,
    OAuth2Auth,
)
from watchword.clients import aiohttp as for_aiohttp
from watchword.clients import httpx as for_httpx
from watchword.clients import httpx2 as for_httpx2
from watchword.clients import requests as for_requests
from watchword.clients import urllib3 as for_urllib3
from watchword.clients import urllib_request as for_urllib
from watchword.dropin import http_client
from watchword.dropin.requests_oauthlib import OAuth1Session, OAuth2Session
from watchword.schemes.oauth1 import OAuth1Endpoints
from watchword.stores import MemoryStore

pytestmark = pytest.mark.sweep

TOKENS = Key.from_secret("t" * 32, algorithm="HS256")
API_KEY = MemoryStore().add_api_key("alice")
BARE: dict[str, Callable[[str], Any]] = {
    "basic": lambda url: BasicAuth("alice", "open sesame"),
    "bearer": lambda url: BearerAuth("t0ken"),
    "api-key": lambda url: APIKeyAuth(API_KEY),
    "jwt": lambda url: JWTAuth(TOKENS, claims={"sub": "alice"}),
    "oauth2": lambda url: OAuth2Auth(f"{url}/token", "robot", "open sesame"),
    "oauth2-form": lambda url: OAuth2Auth(f"{url}/token", "robot", "open sesame", in_form=True),
    "oauth1-plaintext": lambda url: OAuth1Auth(
        "robot", "open sesame", signature_method="PLAINTEXT", allow_plaintext=True
    ),
    "oauth1-dance": lambda url: OAuth1Auth(
        "robot", "open sesame", endpoints=OAuth1Endpoints(f"{url}/t", f"{url}/a", f"{url}/k")
    ),
}
HOSTS = ["127.0.0.1", "localhost", "api.localhost"]
FAR = "http://192.0.2.1:9"


@pytest.fixture(autouse=True)
def no_proxy_of_the_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def anything(seen: Seen) -> Answer:
    """What every endpoint of these schemes would answer; a proxy that were given a secret answers it as well."""
    if seen.target.endswith("/token"):
        return 200, [("Content-Type", "application/json")], b'{"access_token": "t0ken", "token_type": "bearer"}'
    return ok(seen)


def by_requests(url: str, auth: Any, *, session: Any = None, **options: Any) -> Any:
    with session or requests.Session() as using:
        return using.get(url, auth=for_requests.adapt(auth), timeout=PATIENCE, **options)


def by_httpx(library: Any, adapter: Any, url: str, auth: Any, **options: Any) -> Any:
    with library.Client(auth=adapter.adapt(auth), timeout=PATIENCE, verify=CONTEXT, **options) as client:
        return client.get(url)


def by_async(library: Any, adapter: Any, url: str, auth: Any, **options: Any) -> Any:
    async def main() -> Any:
        async with library.AsyncClient(auth=adapter.adapt(auth), timeout=PATIENCE, verify=CONTEXT, **options) as client:
            return await client.get(url)

    return asyncio.run(main())


class Answered(NamedTuple):
    status_code: int


def by_aiohttp(
    url: str, auth: Any, *, connector: Any = None, proxy: str | None = None, session_proxy: Any = None
) -> Any:
    async def main() -> Any:
        waits = aiohttp.ClientTimeout(total=PATIENCE)
        settings = {"timeout": waits, "trust_env": True, "connector": connector and connector(), "proxy": session_proxy}
        async with (
            aiohttp.ClientSession(middlewares=[for_aiohttp.adapt(auth)], **settings) as session,
            session.get(url, **({"proxy": proxy} if proxy else {})) as response,
        ):
            return Answered(response.status)

    return asyncio.run(main())


class OwnConnector(aiohttp.TCPConnector):
    """Nobody knows where to."""


def by_urllib3(url: str, auth: Any, *, pool: Any = None) -> Any:
    if pool is None:  # it doesn't look at the environment: who wants that does
        proxy = None if proxy_bypass(urlsplit(url).hostname) else getproxies().get("http")
        pool = urllib3.ProxyManager(proxy) if proxy else urllib3.PoolManager()
    with for_urllib3.adapt(auth)(pool) as http:
        return Answered(http.request("GET", url, timeout=PATIENCE).status)


class OwnPool(urllib3.HTTPConnectionPool):
    """Nobody knows where to."""


class OwnManager(urllib3.PoolManager):
    """Nobody knows where to."""


def with_pools_of_its_own() -> urllib3.PoolManager:
    manager = urllib3.PoolManager()
    manager.pool_classes_by_scheme = {"http": OwnPool, "https": urllib3.HTTPSConnectionPool}
    return manager


def by_urllib(url: str, auth: Any, *, handlers: Any = ()) -> Any:
    with build_opener(for_urllib.adapt(auth), *handlers).open(url, timeout=PATIENCE) as response:
        return Answered(response.status)


class OwnHandler(HTTPHandler):
    """Nobody knows where to."""


class Renaming(BaseHandler):
    """Leads to another host before anybody connects."""

    handler_order = 110

    def http_open(self, req: Any) -> None:
        req.host = "192.0.2.1:9"


CLIENTS: dict[str, Callable[..., Any]] = {
    "requests": by_requests,
    "httpx": partial(by_httpx, httpx, for_httpx),
    "httpx-async": partial(by_async, httpx, for_httpx),
    "httpx2": partial(by_httpx, httpx2, for_httpx2),
    "httpx2-async": partial(by_async, httpx2, for_httpx2),
    "aiohttp": by_aiohttp,
    "urllib3": by_urllib3,
    "urllib.request": by_urllib,
}


def with_proxies(proxy: str) -> requests.Session:
    session = requests.Session()
    session.proxies = {"http": proxy}
    return session


class Elsewhere(HTTPAdapter):
    """Sends everything to where only it knows."""

    def __init__(self, proxy: str) -> None:
        super().__init__()
        self._proxy = proxy

    def send(self, request: Any, *arguments: Any, **settings: Any) -> Any:
        return super().send(request, *arguments, **{**settings, "proxies": {"http": self._proxy}})


def mounted(proxy: str) -> requests.Session:
    session = requests.Session()
    session.mount("http://", Elsewhere(proxy))
    return session


def own_transport(library: Any, kind: str, proxy: str) -> Any:
    class Own(getattr(library, kind)):  # type: ignore[misc]
        """Nobody knows where to."""

    return Own(proxy=proxy, verify=CONTEXT)


def ways(name: str, proxy: str, set_environment: Callable[[str, str], None]) -> dict[str, Callable[[], dict[str, Any]]]:
    """By each way, the options of a client that is led to the proxy."""

    def environment(variable: str) -> dict[str, Any]:
        set_environment(variable, proxy)
        return {}

    both = {"http_proxy": partial(environment, "http_proxy"), "ALL_PROXY": partial(environment, "ALL_PROXY")}
    if name == "requests":
        return both | {
            "proxies=": lambda: {"proxies": {"http": proxy}},
            "session.proxies": lambda: {"session": with_proxies(proxy)},
            "mounted": lambda: {"session": mounted(proxy)},
        }
    if name == "urllib.request":
        return {
            "http_proxy": both["http_proxy"],
            "ProxyHandler": lambda: {"handlers": [ProxyHandler({"http": proxy})]},
            "own": lambda: {"handlers": [OwnHandler()]},
            "renaming": lambda: {"handlers": [Renaming()]},
        }
    if name == "urllib3":
        return {
            "http_proxy": both["http_proxy"],
            "proxy": lambda: {"pool": urllib3.ProxyManager(proxy)},
            "pool of a proxy": lambda: {"pool": urllib3.ProxyManager(proxy).connection_from_host("127.0.0.1", 9)},
            "own manager": lambda: {"pool": OwnManager()},
            "own pool": lambda: {"pool": OwnPool("127.0.0.1", 9)},
            "own pools": lambda: {"pool": with_pools_of_its_own()},
        }
    if name == "aiohttp":
        return {  # it doesn't read ALL_PROXY
            "http_proxy": both["http_proxy"],
            "request": lambda: {"proxy": proxy},
            "session": lambda: {"session_proxy": proxy},
            "own": lambda: {"connector": OwnConnector},
        }
    library: Any = httpx2 if name.startswith("httpx2") else httpx
    kind = "AsyncHTTPTransport" if name.endswith("async") else "HTTPTransport"
    transport = getattr(library, kind)
    return both | {
        "proxy=": lambda: {"proxy": proxy},
        "mounts=": lambda: {"mounts": {"http://": transport(proxy=proxy, verify=CONTEXT)}},
        "transport=": lambda: {"transport": transport(proxy=proxy, verify=CONTEXT)},
        "own": lambda: {"transport": own_transport(library, kind, proxy)},
    }


CASES = [(name, way) for name in CLIENTS for way in ways(name, FAR, lambda *_: None)]


@contextmanager
def a_proxy() -> Iterator[Any]:
    with origin(anything) as proxy:
        yield proxy


@pytest.mark.parametrize("scheme", BARE)
@pytest.mark.parametrize(("name", "way"), CASES, ids=str)
def test_no_bare_secret_for_loopback_goes_through_a_proxy(
    name: str, way: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = HOSTS[len(scheme + way) % len(HOSTS)]
    with a_proxy() as proxy:
        options = ways(name, proxy.url.rstrip("/"), monkeypatch.setenv)[way]()
        with pytest.raises(ConfigurationError, match="in the clear"):
            CLIENTS[name](f"http://{host}:9/orders", BARE[scheme](f"http://{host}:9"), **options)
        assert not proxy.seen


@pytest.mark.parametrize("scheme", [scheme for scheme in BARE if scheme != "oauth1-dance"])  # that one asks a person
@pytest.mark.parametrize("name", CLIENTS)
def test_without_a_proxy_loopback_is_loopback(name: str, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", FAR)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with origin(anything) as server:
        url = server.url.rstrip("/")
        assert CLIENTS[name](f"{url}/orders", BARE[scheme](url)).status_code == 200
        assert server.seen[-1].target == "/orders"


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_secret_stays_here_though_the_api_is_elsewhere(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with a_proxy() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.rstrip("/"))
        with pytest.raises(ConfigurationError, match="in the clear"):
            CLIENTS[name]("https://api.example/orders", BARE["oauth2"]("http://localhost:9"))
        assert not proxy.seen


@pytest.mark.parametrize("name", CLIENTS)
def test_what_shows_no_secret_goes_through_proxies(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with a_proxy() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.rstrip("/"))
        assert CLIENTS[name]("http://localhost:9/orders", DigestAuth("alice", "open sesame")).status_code == 200
        allowed = BasicAuth("alice", "open sesame", allow_cleartext=True)
        assert CLIENTS[name]("http://localhost:9/orders", allowed).status_code == 200
        assert [seen.target for seen in proxy.seen] == ["http://localhost:9/orders"] * 2


def test_a_token_is_renewed_through_no_proxy_that_the_session_has() -> None:
    with (
        a_proxy() as proxy,
        origin(lambda seen: (401, [], b"") if seen.target == "/orders" else anything(seen)) as server,
    ):
        session = requests.Session()
        session.proxies = {"http://localhost": proxy.url.rstrip("/")}
        token_url = server.url.rstrip("/").replace("127.0.0.1", "localhost")
        with pytest.raises(ConfigurationError, match="in the clear"):
            by_requests(f"{server.url.rstrip('/')}/orders", BARE["oauth2"](token_url), session=session)
        assert not proxy.seen


@pytest.mark.parametrize("given", [{}, {"include_client_id": True}, {"auth": ("robot", "open sesame")}])
@pytest.mark.parametrize("of_the_call", [False, True])
def test_the_sessions_of_requests_oauthlib_ask_for_their_tokens_through_no_proxy(
    given: dict[str, Any], of_the_call: bool
) -> None:
    with a_proxy() as proxy:
        proxies = {"http": proxy.url.rstrip("/")}
        two, one = OAuth2Session("robot", client_secret="open sesame"), OAuth1Session("robot", "open sesame")
        for session in (two, one):
            session.proxies = {} if of_the_call else proxies
        more = {"proxies": proxies} if of_the_call else {}
        with pytest.raises(ConfigurationError, match="in the clear"):
            two.fetch_token("http://localhost:9/token", **given, **more)
        with pytest.raises(ConfigurationError, match="in the clear"):
            one.fetch_request_token("http://localhost:9/token", **more)
        two.token = {"access_token": "t0ken"}
        with pytest.raises(ConfigurationError, match="in the clear"):
            two.get("http://localhost:9/", **more)
        assert not proxy.seen


@pytest.mark.parametrize("tunnel", [True, False])
def test_http_client_sends_basic_through_no_proxy(tunnel: bool) -> None:
    with a_proxy() as proxy:
        host, _, port = proxy.url.rstrip("/").rpartition("//")[2].partition(":")
        connection = http_client.HTTPConnection(host, int(port), timeout=PATIENCE)
        connection.set_credentials("alice", "open sesame", preemptive=True)
        if tunnel:
            connection.set_tunnel("localhost", 9)
        with pytest.raises(ConfigurationError, match="in the clear"):
            connection.request("GET", "/" if tunnel else "http://localhost:9/")
        assert not proxy.seen


def test_an_application_in_memory_is_loopback_by_any_name() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": dict(scope["headers"])[b"authorization"]})

    def show_wsgi(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [environ["HTTP_AUTHORIZATION"].encode()]

    for name, library in (("httpx", httpx), ("httpx2", httpx2)):
        auth, wsgi, asgi = BARE["bearer"](""), library.WSGITransport(show_wsgi), library.ASGITransport(app)
        assert CLIENTS[name]("http://app.example/", auth, transport=wsgi).text == "Bearer t0ken"
        assert CLIENTS[f"{name}-async"]("http://app.example/", auth, transport=asgi).text == "Bearer t0ken"
        # Starlette's test client has a transport of its own, known by its name.
        named = type("_TestClientTransport", (library.WSGITransport,), {"__module__": "starlette.testclient"})
        assert CLIENTS[name]("http://testserver/", auth, transport=named(show_wsgi)).text == "Bearer t0ken"


def test_every_client_is_in_the_table() -> None:
    assert CLIENTS.keys() == KINDS.keys()

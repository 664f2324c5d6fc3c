"""Tokens by each client, over sockets: got once, refreshed once, and no secret sent twice."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
import requests.adapters
import urllib3

from tests.clients.kinds import KINDS
from tests.oauth_world import browse
from watchword import (
    AuthorizationCode, ClientCredentials, ClientSecret, CredentialsUnavailable, Guard, OAuth2Auth, Policy, TokenMemory,
)  # fmt: skip
from watchword.clients import requests as for_requests
from watchword.clients import urllib3 as for_urllib3
from watchword.clients.direct import perform
from watchword.core.rejection import WatchwordError
from watchword.servers.wsgi import identity, protect
from watchword.testing import Clock, LoopbackIssuer, Misbehaviour
from wsgiref.simple_server import WSGIRequestHandler, make_server

SECRET = "a long random secret"
CALLBACK = "http://127.0.0.1:1/callback"


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def issuer() -> Iterator[LoopbackIssuer]:
    with LoopbackIssuer(clock=Clock(time.time())) as made:
        made.add_client("shop", SECRET, redirect_uris=[CALLBACK])
        yield made


@pytest.fixture
def api(issuer: LoopbackIssuer) -> Iterator[str]:
    """An API that takes the issuer's tokens and says who asks."""

    def hello(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"hello {identity(environ).subject}".encode()]

    guard = Guard([issuer.verifier()], policy=Policy(clock=issuer.clock))
    with make_server("127.0.0.1", 0, protect(hello, guard), handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def auth_of(issuer: LoopbackIssuer, **options: Any) -> OAuth2Auth:
    usual: dict[str, Any] = {
        "issuer": issuer.url, "client": ClientSecret("shop", SECRET), "grant": AuthorizationCode(CALLBACK), "scope": ["openid"],
    }  # fmt: skip
    return OAuth2Auth(**{**usual, **options})


def log_in(auth: OAuth2Auth) -> Any:
    login = perform(auth.begin_login())
    return perform(auth.finish_login(login, browse(login.url)))


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_log_in_and_its_refresh_by_each_client(kind: Any, issuer: LoopbackIssuer, api: str) -> None:
    auth = auth_of(issuer)
    assert log_in(auth).claims["sub"] == "alice"
    adapted = kind.adapt(auth)
    assert kind.send("GET", api, adapted).body == b"hello alice"
    issuer.clock.advance(301)  # for the API, which refuses the token from now on
    got = kind.send("GET", api, adapted)
    assert (got.status, got.body) == (200, b"hello alice")
    assert issuer.grants.refreshed == ["shop"]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_client_credentials_found_by_the_issuer_alone(kind: Any, issuer: LoopbackIssuer, api: str) -> None:
    adapted = kind.adapt(auth_of(issuer, grant=ClientCredentials(), scope=[]))
    for _ in range(3):
        assert kind.send("GET", api, adapted).body == b"hello shop"
    assert issuer.asked[:2] == ["/.well-known/openid-configuration", "/token"]
    assert issuer.asked.count("/token") == 1


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_an_issuer_that_is_down_costs_no_log_in(kind: Any, issuer: LoopbackIssuer, api: str) -> None:
    """Each library wraps the error of connecting in its own way; in all of them it is known that nothing was sent."""
    auth = auth_of(issuer)
    log_in(auth)
    assert auth.token is not None and auth.token.refresh is not None
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{unheard.getsockname()[1]}"
        issuer.claimed["token_endpoint"] = f"{nobody}/token"
        tokens = auth._keeper.store
        other = auth_of(issuer, tokens=tokens)
        issuer.clock.advance(301)
        other._known.put("", auth.token)
        with pytest.raises(Exception) as caught:
            kind.send("GET", api, kind.adapt(other))
        assert not isinstance(caught.value, CredentialsUnavailable)
    again = auth_of(issuer, tokens=tokens)
    del issuer.claimed["token_endpoint"]
    again._known.put("", auth.token)
    assert kind.send("GET", api, kind.adapt(again)).body == b"hello alice"
    assert issuer.grants.refreshed == ["shop"]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_an_answer_that_was_lost_is_not_asked_for_again(kind: Any, issuer: LoopbackIssuer, api: str) -> None:
    auth = auth_of(issuer)
    log_in(auth)
    issuer.clock.advance(301)
    adapted = kind.adapt(auth)
    with issuer.misbehaving(Misbehaviour.DROPPED, "token"), pytest.raises(Exception):  # noqa: B017 -- each library's own
        kind.send("GET", api, adapted)
    with pytest.raises(CredentialsUnavailable, match="log in again"):
        kind.send("GET", api, adapted)
    assert issuer.grants.refreshed == ["shop"]
    assert issuer.grants.ended == []


# ---- transports that repeat ----------------------------------------------------------------------------------------------------


class _Losing(BaseHTTPRequestHandler):
    """Takes the form of a token request and ends the connection, or says to come again."""

    taken = 0
    says = b""

    def do_POST(self) -> None:
        type(self).taken += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        self.wfile.write(self.says)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(
    params=[b"", b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"], ids=["lost", "come again"]
)
def losing(request: pytest.FixtureRequest) -> Iterator[tuple[str, type[_Losing]]]:
    handler = type("Losing", (_Losing,), {"taken": 0, "says": request.param})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/token", handler
    server.shutdown()
    thread.join()
    server.server_close()


EAGER = urllib3.Retry(5, allowed_methods=None, status_forcelist=[503], backoff_factor=0)


def test_what_urllib3_repeats_under_requests_is_no_token_request(losing: tuple[str, type[_Losing]]) -> None:
    url, handler = losing
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=EAGER))
        with pytest.raises((requests.RequestException, WatchwordError)):
            session.get("https://api.invalid/", auth=for_requests.adapt(OAuth2Auth(url, "robot", SECRET)), timeout=30)
    assert handler.taken == 1


def test_what_urllib3_repeats_by_itself_is_no_token_request(losing: tuple[str, type[_Losing]]) -> None:
    url, handler = losing
    robot = for_urllib3.adapt(OAuth2Auth(url, "robot", SECRET))
    with (
        robot(urllib3.PoolManager(retries=EAGER)) as http,
        pytest.raises((urllib3.exceptions.HTTPError, WatchwordError)),
    ):
        http.request("GET", "https://api.invalid/", retries=EAGER)
    assert handler.taken == 1


def test_tokens_in_one_memory_serve_several_clients(issuer: LoopbackIssuer, api: str) -> None:
    tokens = TokenMemory()
    for kind in KINDS.values():
        auth = auth_of(issuer, grant=ClientCredentials(), scope=[], tokens=tokens)
        assert kind.send("GET", api, kind.adapt(auth)).body == b"hello shop"
    assert issuer.asked.count("/token") == 1

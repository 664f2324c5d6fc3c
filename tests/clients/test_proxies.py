"""Credentials for a proxy that is a process of its own: over http by every adapter, and in CONNECT by that of requests."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.clients.kinds import KINDS
from tests.clients.origin import guarded, ok, origin
from tests.clients.test_names import through
from tests.clients.worlds import WORLDS
from tests.transport.origin import certificate
from watchword import BasicAuth, ConfigurationError, DigestAuth
from watchword.clients.requests import ProxyAdapter, adapt
from watchword.core.message import SOCKS, Peer, Request
from watchword.effects import Send
from watchword.transport.flow import ClientContext

pytestmark = pytest.mark.sweep

AUTHS = {"basic": BasicAuth, "digest": DigestAuth}


class Running(NamedTuple):
    url: str
    process: subprocess.Popen

    def asked(self):
        """What it was asked, once it has ended."""
        self.process.terminate()
        return [tuple(line.split()) for line in self.process.communicate()[0].splitlines()]


@contextmanager
def running(*arguments):
    command = [sys.executable, "-m", "tests.clients.proxy", *arguments]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True) as process:
        try:
            port = int(process.stdout.readline())
            yield Running(f"http://127.0.0.1:{port}", process)
        finally:
            process.kill()


@contextmanager
def proxied(proxy, adapter):
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"http": proxy.url, "https": proxy.url}
        for scheme in ("http://", "https://"):
            session.mount(scheme, adapter)
        yield session


@pytest.mark.parametrize("scheme", AUTHS)
@pytest.mark.parametrize("name", list(KINDS))
def test_a_proxy_is_given_its_credentials_and_the_origin_none(name, scheme):
    kind = KINDS[name]
    with running(scheme) as proxy, origin(ok) as server:
        auth = kind.adapt(AUTHS[scheme]("alice", "s3cret", proxy=True))
        for _ in range(2):
            got = kind.send("POST", server.url + "/a?b=c", auth, content=b"data", **through(kind, proxy.url))
            assert (got.status, got.body) == (200, b"fine")
        first = [] if scheme == "basic" else [("POST", f"{server.url}/a?b=c", "without")]
        assert proxy.asked() == first + [("POST", f"{server.url}/a?b=c", "with")] * 2
        assert [seen.body for seen in server.seen] == [b"data"] * 2
        assert not any("proxy-authorization" in seen.fields for seen in server.seen)


@pytest.mark.parametrize("scheme", AUTHS)
@pytest.mark.parametrize("name", list(KINDS))
def test_without_a_proxy_nothing_of_its_credentials_is_sent(name, scheme):
    kind = KINDS[name]
    with origin(lambda seen: (407, [("Proxy-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')], b"")) as server:
        assert kind.send("GET", server.url, kind.adapt(AUTHS[scheme]("alice", "s3cret", proxy=True))).status == 407
        assert [seen.field("proxy-authorization") for seen in server.seen] == [None]


@pytest.mark.parametrize("closing", [(), ("closing",)], ids=["keeping", "closing"])
@pytest.mark.parametrize("scheme", AUTHS)
def test_requests_asks_for_a_tunnel_with_credentials_that_do_not_pass_through_it(scheme, closing, tmp_path):
    tls, trust = certificate(tmp_path, "localhost")
    world = WORLDS["hmac"]
    with running(scheme, *closing) as proxy, origin(guarded(world.guard()), tls) as server:
        adapter = ProxyAdapter(AUTHS[scheme]("alice", "s3cret", proxy=True))
        with proxied(proxy, adapter) as session:
            session.auth = adapt(world.auth())
            url = f"https://localhost:{server.port}/a?b=c"
            for number in range(4):
                answer = session.post(url, data=b"data", verify=trust)
                assert answer.status_code == 200
                if number == 1:
                    adapter.close()  # so that the next request needs a tunnel of its own
        authority = f"localhost:{server.port}"
        first = [] if scheme == "basic" else [("CONNECT", authority, "without")]
        assert proxy.asked() == first + [("CONNECT", authority, "with")] * 2
        assert not any("proxy-authorization" in seen.fields for seen in server.seen)
        assert len(server.seen) == 4


@pytest.mark.parametrize("scheme", AUTHS)
def test_requests_gives_credentials_to_proxy_and_origin_alike_and_keeps_them_apart_in_redirects(scheme):
    def redirect(seen):
        return (307, [("Location", "/there")], b"") if seen.target == "/start" else None

    world = WORLDS["hmac"]
    with running(scheme) as proxy, origin(guarded(world.guard(), redirect)) as server:
        with proxied(proxy, ProxyAdapter(AUTHS[scheme]("alice", "s3cret", proxy=True))) as session:
            session.auth = adapt(world.auth())
            for _ in range(2):
                answer = session.post(server.url + "/start", data=b"data")
                assert (answer.status_code, answer.content) == (200, b"alice by hmac")
                assert "Proxy-Authorization" not in answer.request.headers
        assert [line[2] for line in proxy.asked()].count("without") == (scheme == "digest")
        assert len(server.seen) == 4


def test_requests_past_the_proxy_are_as_ever():
    with origin(ok) as server, requests.Session() as session:
        session.trust_env = False
        session.mount("http://", ProxyAdapter(BasicAuth("alice", "s3cret", proxy=True)))
        assert session.get(server.url, auth=adapt(BasicAuth("alice", "s3cret"))).content == b"fine"
        assert "proxy-authorization" not in server.seen[0].fields


@pytest.mark.parametrize("scheme", AUTHS)
def test_a_wrong_password_ends_with_what_the_proxy_says(scheme, tmp_path):
    with running(scheme) as proxy, origin(ok) as server:
        with proxied(proxy, ProxyAdapter(AUTHS[scheme]("alice", "wrong", proxy=True))) as session:
            assert session.get(server.url).status_code == 407
            with pytest.raises(requests.exceptions.ProxyError, match="407"):
                session.get(f"https://localhost:{server.port}/")
        assert not server.seen


def test_a_proxy_that_is_not_there_is_the_librarys_error():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        gone = Running(f"http://127.0.0.1:{closed.getsockname()[1]}", None)
        with proxied(gone, ProxyAdapter(DigestAuth("alice", "s3cret", proxy=True))) as session:
            for scheme in ("http", "https"):
                with pytest.raises(requests.exceptions.ProxyError):
                    session.get(f"{scheme}://localhost/")


def test_a_proxy_adapter_takes_an_auth_and_stays_in_its_process():
    import pickle

    with pytest.raises(ConfigurationError, match="adapt takes an Auth"):
        ProxyAdapter(("alice", "s3cret"))
    with pytest.raises(TypeError, match="ProxyAdapter"):
        pickle.dumps(ProxyAdapter(BasicAuth("alice", "s3cret", proxy=True)))
    assert isinstance(ProxyAdapter(BasicAuth("alice", "s3cret", proxy=True), max_retries=3), HTTPAdapter)


FAR = Peer("api.example", relay="a proxy", relay_host="proxy.example")
NEAR = Peer("api.example", relay="a proxy", relay_host="127.0.0.1")


@pytest.mark.parametrize(
    ("method", "scheme", "peer", "attached"),
    [
        ("GET", "http", NEAR, True), ("CONNECT", "http", NEAR, True), ("GET", "http", Peer(), None), ("GET", "https", NEAR, False),
        ("GET", "wss", NEAR, False), ("GET", "http", Peer("api.example"), False), ("GET", "http", FAR, None),
        ("CONNECT", "http", FAR, None), ("CONNECT", "https", FAR, True), ("GET", "http", Peer("api.example", relay=SOCKS), False),
    ],
)  # fmt: skip
def test_a_password_for_a_proxy_goes_where_a_proxy_reads_it_and_in_the_clear_to_loopback_alone(
    method, scheme, peer, attached
):
    """None: it would travel in the clear."""
    request = Request(method, scheme, "api.example", "api.example:443" if method == "CONNECT" else "/", peer=peer)
    flow = BasicAuth("alice", "s3cret", proxy=True).flow(request, ClientContext(bytes))
    if attached is None:
        with pytest.raises(ConfigurationError, match="the proxy's password would travel in the clear to"):
            next(flow)
        flow = BasicAuth("alice", "s3cret", proxy=True, allow_cleartext=True).flow(request, ClientContext(bytes))
        attached = True
    send = next(flow)
    assert isinstance(send, Send)
    assert bool(send.request.values(b"proxy-authorization")) is attached
    assert not send.request.values(b"authorization")

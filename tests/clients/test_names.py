"""Names that are not ASCII, by every adapter: of users, of hosts (IDNA, RFC 5891), of targets, and what fields say."""

from __future__ import annotations

from functools import cache
from urllib.request import ProxyHandler

import pytest
import requests
import urllib3

from tests.clients.kinds import HTTPX, KINDS
from tests.clients.origin import guarded, origin
from tests.clients.worlds import SECRET, SIGNING, WORLDS
from tests.patience import PATIENCE
from watchword import BasicAuth, BasicVerifier, DigestAuth, DigestVerifier, Guard, Rejected, Request
from watchword.stores import MemoryStore

pytestmark = pytest.mark.sweep

COVERING_TARGETS = ["digest", *SIGNING]


@pytest.fixture(params=list(KINDS))
def kind(request):
    return KINDS[request.param]


def through(kind, proxy):
    """The options by which a kind sends through a proxy."""
    if kind is KINDS["requests"]:
        session = requests.Session()
        session.proxies = {"http": proxy}
        return {"session": session}
    if kind is KINDS["urllib3"]:
        return {"pool": urllib3.ProxyManager(proxy, timeout=PATIENCE)}
    if kind is KINDS["urllib.request"]:
        return {"handlers": [ProxyHandler({"http": proxy})]}
    return {"proxy": proxy}


def as_proxy(guard):
    """Answers as the origin would that a request for a proxy names (RFC 9112 §3.2.2)."""

    def answer(seen):
        path = "/" + seen.target.partition("://")[2].partition("/")[2]
        try:
            who = guard.verify(Request(seen.method, "http", seen.field("host"), path, seen.lines()), seen.body)
        except Rejected as rejected:
            response = rejected.refusal.response()
            headers = [(n.decode(), v.decode("latin-1")) for n, v in response.headers if n != b"content-length"]
            return response.status, headers, b""
        return 200, [], f"{who.subject} {seen.target}".encode()

    return answer


@pytest.mark.parametrize("name", COVERING_TARGETS)
@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("http://bücher.example/ä?ö=ü", "http://xn--bcher-kva.example/%C3%A4?%C3%B6=%C3%BC"),
        ("http://BÜCHER.example:8080/", "http://xn--bcher-kva.example:8080/"),
        ("http://例え.テスト/", "http://xn--r8jz45g.xn--zckzah/"),
    ],
)
def test_a_host_is_signed_as_it_is_sent(kind, name, url, sent):
    world = WORLDS[name]
    with origin(as_proxy(world.guard())) as proxy:
        got = kind.send("GET", url, kind.adapt(world.auth()), **through(kind, proxy.url))
        assert (got.status, got.body.decode()) == (200, f"alice {sent}")
        assert sent.startswith("http://" + proxy.seen[-1].field("host"))


USERS = ["Jürgen", "山田 太郎", "İbrahim", "a\u0308nne"]


@cache
def users():
    store = MemoryStore()
    for user in USERS:
        store.add_user(user, SECRET + "ß", realm="Köln")
    return store


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("scheme", ["basic", "digest"])
def test_a_user_has_any_name(kind, user, scheme):
    verifier, auth = (BasicVerifier, BasicAuth) if scheme == "basic" else (DigestVerifier, DigestAuth)
    with origin(guarded(Guard([verifier(realm="Köln")], users()))) as server:
        got = kind.send("GET", server.url + "/", kind.adapt(auth(user, SECRET + "ß")))
        assert got.status == 200
        assert kind.send("GET", server.url + "/", kind.adapt(auth(user, SECRET))).status == 401


@pytest.mark.parametrize("name", list(WORLDS))
def test_what_a_field_says_goes_along_with_any_scheme(kind, name):
    """SigV4 covers it."""
    world = WORLDS[name]
    value = "Jürgen".encode("latin-1") if kind in HTTPX.values() else "Jürgen"  # httpx takes it as octets only
    with origin(guarded(world.guard())) as server:
        got = kind.send("GET", server.url + "/", kind.adapt(world.auth()), headers={"X-Name": value})
        assert got.status == 200
        assert server.seen[-1].field("x-name").encode("latin-1") in ("Jürgen".encode("latin-1"), "Jürgen".encode())

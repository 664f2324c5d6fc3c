"""Apache, Caddy, Traefik, Envoy and HAProxy before a guarded application. Envoy reaches it over HTTP/2."""

from __future__ import annotations

import pytest

from tests.interop.proxies.origin import ALICE, ask
from watchword import DigestAuth, HMACAuth, PublicURL, Reason

SCHEMES = {"digest": lambda origin: DigestAuth(*ALICE), "hmac": lambda origin: HMACAuth(origin.key)}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_signed_requests_pass(origin, other, client, scheme):
    base = other["tls"]
    origin.judge(PublicURL(base))
    for path, method, body in (("/orders?id=7&b=c%20d", "GET", b""), ("/orders", "POST", b"x" * 70_000)):
        answer = client(SCHEMES[scheme](origin), base + path, other.trust, method, data=body)
        assert answer.status_code == 200, origin.verdicts
        assert (answer.json()["scheme"], answer.json()["size"]) == (scheme, len(body))
    assert (origin.seen.scheme, origin.public.scheme) == ("http", "https")


FORGED = {
    "Forwarded": 'for=127.0.0.2;proto=https;host="evil.example"',
    "X-Forwarded-For": "127.0.0.2",
    "X-Forwarded-Proto": "ftp",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "444",
    "X-Forwarded-Prefix": "/evil",
}
# What each sets by itself, so that it may be believed.
SETS = {
    "apache2": ("for", "proto", "host"),
    "caddy": ("for", "proto", "host"),
    "traefik": ("for", "proto", "host", "port"),
    "envoy": ("for", "proto"),
    "haproxy": ("for", "proto", "host"),
}


@pytest.mark.parametrize("forged", [{}, FORGED], ids=["genuine", "forged"])
def test_what_the_proxy_sets_is_believed_and_what_the_client_writes_is_not(origin, other, forged):
    base = other["tls"]
    origin.judge(PublicURL(forwarded="X-Forwarded", hops=1, believe=SETS[other.name]))
    answer = ask(HMACAuth(origin.key), base, "/orders", headers=forged, trust=other.trust)
    assert answer.status == 200, (origin.verdict, origin.seen.headers)
    assert f"{origin.public.scheme}://{origin.public.authority}" == base
    assert origin.public.target == b"/orders"
    assert origin.public.peer.address != "127.0.0.2"


TARGETS = [
    "/a//b", "//a/b", "/a/./b/../c", "/a/%2e%2e/c", "/a%2Fb", "/a;b=c", "/%7Ea/%41", "/a%20b+c", "/a?", "/a?b=%2F//../;&c;d=+%20",
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_target_that_the_proxy_leaves_alone_is_accepted_and_any_other_refused(origin, other, scheme, target):
    base = other["tls"]
    origin.judge(PublicURL(base))
    answer = ask(SCHEMES[scheme](origin), base, target, trust=other.trust)
    if origin.seen is not None and origin.seen.target == target.encode():
        assert answer.status == 200
    else:
        assert answer.status in (301, 308, 400, 401, 404)
    if other.name in ("caddy", "envoy", "haproxy") and target != "/a?":
        assert answer.status == 200, "this proxy changes nothing"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_stripped_prefix_is_put_back(origin, other, scheme):
    base = other["strip"]
    policies = [PublicURL(base, prefix="/api")]
    if other.name == "traefik":  # which says what it took
        policies.append(PublicURL(base, forwarded="X-Forwarded", hops=1, believe=("prefix",)))
    for policy in policies:
        origin.judge(policy)
        for target in ("/api/orders?id=7", "/api/orders/7/", "/api/a%20b"):
            assert ask(SCHEMES[scheme](origin), base, target).status == 200, (target, origin.seen, origin.verdict)
            assert origin.public.target == target.encode()
            assert origin.seen.target == target.removeprefix("/api").encode()
    origin.judge(PublicURL(base))
    assert ask(SCHEMES[scheme](origin), base, "/api/orders").status in (400, 401)
    assert origin.verdict.reason is (Reason.WRONG_TARGET if scheme == "digest" else Reason.WRONG_SIGNATURE)


@pytest.mark.parametrize("target", ["/a//b", "/a/./b/../c", "/a/%2e%2e/c", "/a%2Fb", "/a;b=c", "/a/..;/b", "/a%5Cb"])
def test_where_the_proxy_rewrites_paths_ambiguous_ones_are_refused(origin, other, target):
    base = other["strip"]
    origin.judge(PublicURL(base, prefix="/api"))
    answer = ask(HMACAuth(origin.key), base, "/api" + target)
    assert answer.status in (400, 401, 404)
    if origin.seen is not None:
        assert origin.verdict.reason in (Reason.TARGET_REFUSED, Reason.WRONG_SIGNATURE)

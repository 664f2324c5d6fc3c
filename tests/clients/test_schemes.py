"""The real schemes through every adapter, against real guards over sockets."""

from __future__ import annotations

from functools import cache

import pytest

from tests.clients.kinds import KINDS
from tests.clients.origin import guarded, ok, origin
from watchword import (
    BasicAuth, BasicVerifier, BearerAuth, ConfigurationError, DigestAuth, DigestVerifier, Guard, HMACAuth, HMACVerifier,
    JWTAuth, JWTVerifier, Key,
)  # fmt: skip
from watchword.stores import MemoryStore

KEY = Key.from_secret("k" * 32, algorithm="hmac-sha256", key_id="key-1")
TOKENS = Key.from_secret("t" * 32, algorithm="HS256")


@cache
def store():
    store = MemoryStore()
    store.add_user("alice", "s3cret", realm="r")
    store.add_key("alice", KEY)
    return store


SCHEMES = {
    "basic": (lambda: BasicAuth("alice", "s3cret"), lambda: Guard([BasicVerifier(realm="r")], store())),
    "digest": (lambda: DigestAuth("alice", "s3cret"), lambda: Guard([DigestVerifier(realm="r")], store())),
    "hmac": (lambda: HMACAuth(KEY), lambda: Guard([HMACVerifier()], store())),
    "jwt": (lambda: JWTAuth(TOKENS, claims={"sub": "alice"}), lambda: Guard([JWTVerifier(TOKENS)])),
}


@pytest.fixture(params=list(KINDS))
def kind(request):
    return KINDS[request.param]


@pytest.mark.parametrize("scheme", list(SCHEMES))
def test_a_scheme_works_and_survives_redirects_within_the_origin_only(kind, scheme):
    make, guard = SCHEMES[scheme]
    adapted = kind.adapt(make())

    def redirect(seen):
        return (307, [("Location", "/b?d=e")], b"") if seen.target == "/start" else None

    with origin(guarded(guard(), redirect)) as server:
        for target in ("/a?b=c%20d", "/a", "/start"):
            got = kind.send("POST", server.url + target, adapted, content=b"body")
            assert (got.status, got.body) == (200, f"alice by {scheme}".encode())
        with origin(ok) as elsewhere:
            server.answer = guarded(guard(), lambda seen: (307, [("Location", elsewhere.url)], b""))
            kind.send("POST", server.url, adapted, content=b"body")
            for seen in elsewhere.seen:
                assert not {"authorization", "x-hmac", "cookie"} & set(seen.fields)


def test_digest_goes_on_with_its_nonce(kind):
    adapted = kind.adapt(DigestAuth("alice", "s3cret"))
    with origin(guarded(Guard([DigestVerifier(realm="r")], store()))) as server:
        for _ in range(3):
            assert kind.send("GET", server.url, adapted).status == 200
        assert len(server.seen) == 4


def test_wrong_secrets_end_with_the_401(kind):
    guard = Guard([BasicVerifier(realm="r"), DigestVerifier(realm="r")], store())
    with origin(guarded(guard)) as server:
        for auth in (BasicAuth("alice", "wrong"), DigestAuth("alice", "wrong"), DigestAuth("nobody", "s3cret")):
            assert kind.send("GET", server.url, kind.adapt(auth)).status == 401


@pytest.mark.parametrize("make", [lambda: BasicAuth("alice", "s3cret"), lambda: BearerAuth("token")])
def test_bare_secrets_do_not_travel_in_the_clear(kind, make):
    with pytest.raises(ConfigurationError, match="https"):
        kind.send("GET", "http://api.invalid/", kind.adapt(make()))

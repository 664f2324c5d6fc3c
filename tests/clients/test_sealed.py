"""Signed responses through every client adapter, over sockets: with any scheme inside, and with none."""

from __future__ import annotations

import gzip
from functools import cache

import pytest

from tests.clients.kinds import KINDS
from tests.clients.origin import origin
from tests.clients.sealed_origin import sealing
from watchword import (
    BasicAuth, BasicVerifier, CredentialsUnavailable, DigestAuth, DigestVerifier, Guard, HMACAuth, HMACVerifier, Key, Reason,
)  # fmt: skip
from watchword.schemes.digest import ServerUnproven
from watchword.schemes.signatures.responses import ResponsePolicy
from watchword.schemes.signatures.scheme import SignatureAuth, SignatureVerifier
from watchword.schemes.signatures.seal import SignatureSeal
from watchword.schemes.signatures.sealed import ResponseUnproven, SealedAuth
from watchword.stores import MemoryStore

SEALING = Key.from_secret("s" * 32, algorithm="hmac-sha256", key_id="seal-1")
KEY = Key.from_secret("k" * 32, algorithm="hmac-sha256", key_id="key-1")
SEAL = SignatureSeal(SEALING)


@cache
def store():
    store = MemoryStore()
    store.add_user("alice", "s3cret", realm="r")
    store.add_key("alice", KEY)
    return store


SCHEMES = {
    "basic": (lambda: BasicAuth("alice", "s3cret"), lambda: BasicVerifier(realm="r")),
    "digest": (lambda: DigestAuth("alice", "s3cret", require_mutual=True), lambda: DigestVerifier(realm="r")),
    "hmac": (lambda: HMACAuth(KEY), HMACVerifier),
    "signature": (lambda: SignatureAuth(KEY), SignatureVerifier),
}


@pytest.fixture(params=list(KINDS))
def kind(request):
    return KINDS[request.param]


def content(seen):
    return 200, [("Content-Type", "text/plain")], b"the content of " + seen.target.encode()


@pytest.mark.parametrize("scheme", list(SCHEMES))
def test_sealed_answers_work_round_every_scheme(kind, scheme):
    make, verifier = SCHEMES[scheme]
    adapted = kind.adapt(SealedAuth(SEALING, make()))
    with origin(sealing(Guard([verifier()], store(), seal=SEAL), content)) as server:
        for method, target in (("GET", "/a?b=c%20d"), ("POST", "/a"), ("GET", "/")):
            got = kind.send(method, server.url + target, adapted, content=b"body" if method == "POST" else None)
            assert (got.status, got.body) == (200, b"the content of " + target.encode())
        got = kind.send("HEAD", server.url + "/a", adapted)
        assert (got.status, got.body) == (200, b"")


@pytest.mark.parametrize("size", [0, 5, 300_000])
def test_content_that_digest_covers_both_ways_reaches_the_caller(kind, size):
    """Under auth-int the flow reads the answer first (RFC 7616 §3.4.3)."""
    guard = Guard([DigestVerifier(realm="r", qop=("auth-int",))], store())
    auth = kind.adapt(DigestAuth("alice", "s3cret", require_mutual=True))
    with origin(sealing(guard, lambda seen: (200, [], bytes(size)))) as server:
        for body in (b"body", None):
            got = kind.send("POST", server.url + "/a", auth, content=body)
            assert (got.status, got.body) == (200, bytes(size))
        server.answer = sealing(
            guard, lambda seen: (200, [], b"x" * size), lambda seen, answer: (*answer[:2], b"other")
        )
        with pytest.raises(ServerUnproven):
            kind.send("POST", server.url + "/a", auth, content=b"body")


def test_refusals_are_proven_and_reach_the_caller(kind):
    with origin(sealing(Guard([BasicVerifier(realm="r")], store(), seal=SEAL), content)) as server:
        for auth in (SealedAuth(SEALING, BasicAuth("alice", "wrong")), SealedAuth(SEALING)):
            got = kind.send("GET", server.url + "/a", kind.adapt(auth))
            assert got.status == 401


def test_anonymous_answers_are_proven(kind):
    with origin(sealing(Guard([BasicVerifier(realm="r")], store(), seal=SEAL), content, optional=True)) as server:
        got = kind.send("GET", server.url + "/a", kind.adapt(SealedAuth(SEALING)))
        assert (got.status, got.body) == (200, b"the content of /a")


def test_an_unsigned_answer_is_an_error_of_the_clients(kind):
    with (
        origin(sealing(Guard([BasicVerifier(realm="r")], store()), content, optional=True)) as server,
        pytest.raises(ResponseUnproven) as unproven,
    ):
        kind.send("GET", server.url + "/a", kind.adapt(SealedAuth(SEALING)))
    assert unproven.value.unproven.rejection.reason is Reason.NO_CREDENTIALS
    assert unproven.value.unproven.origin == server.url


def test_a_redirect_is_not_followed_into_the_unproven(kind):
    def redirects(seen):
        return (302, [("Location", "/elsewhere")], b"") if seen.target == "/a" else content(seen)

    guard = Guard([BasicVerifier(realm="r")], store(), seal=SEAL)
    with origin(sealing(guard, redirects, optional=True)) as server:
        adapted = kind.adapt(SealedAuth(SEALING))
        with pytest.raises(CredentialsUnavailable, match="redirects"):
            kind.send("GET", server.url + "/a", adapted, follow=False)
        adapted = kind.adapt(SealedAuth(SEALING, allow_redirects=True))
        assert kind.send("GET", server.url + "/a", adapted, follow=False).status == 302


def test_content_that_is_encoded_all_the_same_is_not_believed(kind):
    def encoded(seen):
        assert seen.field("accept-encoding") == "identity"
        return 200, [("Content-Encoding", "gzip")], gzip.compress(b"content")

    guard = Guard([BasicVerifier(realm="r")], store(), seal=SEAL)
    with origin(sealing(guard, encoded, optional=True)) as server:
        with pytest.raises(ResponseUnproven, match="content-encoding"):
            kind.send("GET", server.url + "/a", kind.adapt(SealedAuth(SEALING)))
        lax = SealedAuth(SEALING, policy=ResponsePolicy(content=False))
        server.answer = sealing(
            guard, lambda seen: (200, [("Content-Encoding", "gzip")], gzip.compress(b"content")), optional=True
        )
        body = kind.send("GET", server.url + "/a", kind.adapt(lax)).body
        assert (body if kind.unpacks else gzip.decompress(body)) == b"content"

"""Whoever changes a signed request on the way and passes the server's answer on is not believed: it answers another request."""

from __future__ import annotations

import pytest

from tests.clients.kinds import KINDS
from tests.clients.origin import Answer, Seen, origin
from tests.clients.sealed_origin import sealing
from watchword import Guard, JWTVerifier, Key
from watchword.core.message import Request
from watchword.schemes.signatures.scheme import SignatureAuth, SignatureVerifier
from watchword.schemes.signatures.seal import SignatureSeal
from watchword.schemes.signatures.sealed import ResponseUnproven, SealedAuth
from watchword.stores import MemoryStore

KEY = Key.from_secret("s" * 32, algorithm="hmac-sha256", key_id="seal-1")
ALICE = Key.from_secret("a" * 32, algorithm="hmac-sha256", key_id="alice")
MALLORY = Key.from_secret("m" * 32, algorithm="hmac-sha256", key_id="mallory")


def served(seen: Seen) -> Answer:
    """What an application says to whoever asks, of what it was sent."""
    return sealing(GUARD, lambda got: (200, [], b"done: " + got.body), optional=True)(seen)


GUARD = Guard([JWTVerifier(Key.from_secret("u" * 32, algorithm="HS256"))], seal=SignatureSeal(KEY))


def without(seen: Seen, *names: str, body: bytes | None = None) -> Seen:
    fields = {name: values for name, values in seen.fields.items() if name not in names}
    return Seen(seen.method, seen.target, fields, seen.body if body is None else body)


CHANGES = {
    "no signature": ("signature", "signature-input"),
    "no digest": ("content-digest",),
    "neither": ("signature", "signature-input", "content-digest"),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_the_answer_to_a_request_whose_proof_was_taken_off_is_not_believed(change):
    """The place is the same, the nonce is the client's, the answer is the server's; the body is mallory's."""

    def between(seen: Seen) -> Answer:
        return served(without(seen, *CHANGES[change], body=b"pay mallory"))

    auth = KINDS["requests"].adapt(SealedAuth(KEY, SignatureAuth(ALICE)))
    with origin(between) as server, pytest.raises(ResponseUnproven, match="not_covered"):
        KINDS["requests"].send("POST", server.url + "/pay", auth, content=b"pay bob")


def test_the_answer_to_the_same_request_in_anothers_name_is_not_believed():
    store = MemoryStore()
    guard = Guard(
        [SignatureVerifier(Key.from_secret("m" * 32, algorithm="hmac-sha256", key_id="mallory"))],
        store,
        seal=SignatureSeal(KEY),
    )

    def between(seen: Seen) -> Answer:
        plain = without(seen, "signature", "signature-input")
        lines = [(name, value) for name, values in plain.fields.items() for value in values]
        request = Request(seen.method, "http", seen.field("host") or "", seen.target, lines)
        signed = one_send(SignatureAuth(MALLORY), request)
        fields = {name.decode(): [value.decode()] for name, value in signed.headers}
        return sealing(guard, lambda _: (200, [], b"owes 0"))(Seen(seen.method, seen.target, fields, seen.body))

    auth = KINDS["requests"].adapt(SealedAuth(KEY, SignatureAuth(ALICE)))
    with origin(between) as server, pytest.raises(ResponseUnproven):
        KINDS["requests"].send("GET", server.url + "/balance", auth)


def one_send(auth, request: Request) -> Request:
    from watchword.transport.flow import ClientContext

    return next(auth.flow(request, ClientContext(bytes))).request


def test_the_answer_to_the_request_itself_is_believed():
    auth = KINDS["requests"].adapt(SealedAuth(KEY, SignatureAuth(ALICE)))
    with origin(served) as server:
        assert KINDS["requests"].send("POST", server.url + "/pay", auth, content=b"pay bob").body == b"done: pay bob"

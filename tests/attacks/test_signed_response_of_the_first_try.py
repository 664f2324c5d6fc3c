"""A request that is answered by a challenge is sent again; the challenge is not the answer to that."""

from __future__ import annotations

import pytest

from tests.clients.kinds import KINDS
from tests.clients.origin import Answer, Seen, origin
from tests.clients.sealed_origin import sealing
from watchword import DigestAuth, DigestVerifier, Guard, Key
from watchword.transport.flow import ClientContext
from watchword.core.message import Request, Response
from watchword.effects import Context, Flow, Received, Send
from watchword.schemes.signatures.seal import SignatureSeal
from watchword.schemes.signatures.sealed import ResponseUnproven, SealedAuth
from watchword.schemes.signatures.scheme import SignatureAuth
from watchword.stores import MemoryStore

KEY = Key.from_secret("s" * 32, algorithm="hmac-sha256", key_id="seal-1")


def sealing_digest():
    store = MemoryStore()
    store.add_user("alice", "open sesame", realm="bank")
    return sealing(Guard([DigestVerifier(realm="bank")], store, seal=SignatureSeal(KEY)), lambda _: (200, [], b"done"))


@pytest.mark.parametrize("kind", ["requests", "httpx", "httpx2-async", "aiohttp", "urllib3", "urllib.request"])
def test_the_challenge_is_not_believed_as_the_answer_to_the_credentials(kind):
    """The server did what it was asked for; whoever is told that it refused may ask again."""
    done: list[Answer] = []
    genuine = sealing_digest()

    def between(seen: Seen) -> Answer:
        done.append(genuine(seen))
        return done[0]

    kind = KINDS[kind]
    with origin(between) as server, pytest.raises(ResponseUnproven, match="binding_mismatch"):
        kind.send(
            "POST", server.url + "/pay", kind.adapt(SealedAuth(KEY, DigestAuth("alice", "open sesame"))), content=b"x"
        )
    assert [status for status, _, _ in done] == [401, 200]


def test_the_answer_to_the_credentials_is_believed():
    with origin(sealing_digest()) as server:
        auth = KINDS["requests"].adapt(SealedAuth(KEY, DigestAuth("alice", "open sesame")))
        assert KINDS["requests"].send("POST", server.url + "/pay", auth, content=b"x").body == b"done"


class Twice:
    """Sends a request twice, as its inner half makes it."""

    def __init__(self, inner):
        self.inner = inner

    def flow(self, request: Request, context: Context) -> Flow:
        for _ in range(2):
            yield from self.inner.flow(request, context)


def asked(inner) -> list[bytes]:
    flow = SealedAuth(KEY, Twice(inner), require=False, on_unproven=lambda _: None).flow(
        Request("GET", "https", "bank.example", "/", {"date": "x"}), ClientContext(bytes)
    )
    first = next(flow)
    second = flow.send(Received(Response(200), b""))
    assert isinstance(first, Send)
    assert isinstance(second, Send)
    return [send.request.values(b"accept-signature")[0] for send in (first, second)]


def test_each_answer_is_asked_for_by_a_nonce_of_its_own():
    first, second = asked(SignatureAuth(KEY, answer=False))
    assert first != second
    assert len(first) == len(second)


def test_a_field_that_is_signed_stays_as_it_is():
    first, second = asked(SignatureAuth(KEY, components=("@method", "accept-signature"), answer=False))
    assert first == second

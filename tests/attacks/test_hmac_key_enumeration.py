"""Which key ids exist is not told: an unknown one costs the same work as a known one and gets the same octets."""

from __future__ import annotations

import pytest

from watchword import Guard, HMACAuth, HMACVerifier, Key, Policy, Reason, Rejected, Request, Response
from watchword.transport.flow import ClientContext, run
from watchword.effects import Received, Send
from watchword.stores import MemoryStore

NOW = 1_700_000_000.0
STORE = MemoryStore()
STORE.add_key("robot", Key.generate("HS256", key_id="robot-1"))
GUARD = Guard([HMACVerifier()], STORE, policy=Policy(clock=lambda: NOW))


def forged(key_id: str) -> Request:
    """Signed with a key of somebody's own."""
    sent: list[Request] = []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    auth = HMACAuth(Key.generate("HS256", key_id=key_id))
    run(auth, Request("GET", "https", "api.example", "/"), send, ClientContext(bytes, now=lambda: NOW))
    return sent[0]


def refused(key_id: str) -> Rejected:
    with pytest.raises(Rejected) as caught:
        GUARD.verify(forged(key_id))
    return caught.value


def test_both_get_the_same_octets() -> None:
    known, unknown = refused("robot-1"), refused("robot-9")
    assert (known.reason, unknown.reason) == (Reason.WRONG_SIGNATURE, Reason.UNKNOWN_KEY)
    answers = [rejected.refusal and rejected.refusal.response() for rejected in (known, unknown)]
    assert answers[0] and answers[1]
    assert (answers[0].status, answers[0].headers) == (answers[1].status, answers[1].headers)

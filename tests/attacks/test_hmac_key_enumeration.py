"""Which key ids exist is not told: an unknown one costs the same work as a known one and gets the same octets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from watchword import Guard, HMACAuth, HMACVerifier, Key, Policy, Reason, Rejected, Request, Response
from watchword.core.flow import ClientContext, run
from watchword.core.scheme import Received, Send
from watchword.schemes import hmac_header
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


def test_both_make_one_mac_and_compare_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed: a clock would only show the noise of the machine."""
    calls: Counter[str] = Counter()
    check, compare = hmac_header.Key.from_secret, hmac_header.compare
    refused("robot-1")  # a stored key is looked at once, before its first use

    def from_secret(*arguments: Any, **named: Any) -> Key:
        calls["key"] += 1
        return check(*arguments, **named)

    def counting(mac: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
        def counted(data: bytes) -> bytes:
            calls["mac", len(data)] += 1
            return mac(data)

        return counted

    def counted(a: bytes, b: bytes) -> bool:
        calls["compare", len(a), len(b)] += 1
        return compare(a, b)

    asked = {name: forged(name) for name in ("robot-1", "robot-9")}
    monkeypatch.setattr(hmac_header.Key, "from_secret", from_secret)
    (verifier,) = GUARD.plan.verifiers
    assert isinstance(verifier, HMACVerifier)
    known = verifier._checked.get("robot-1")
    assert known is not None
    verifier._checked.put("robot-1", (known[0], counting(known[1])))
    monkeypatch.setattr(hmac_header, "_nobodys_mac", counting(hmac_header._nobodys_mac))
    monkeypatch.setattr(hmac_header, "compare", counted)
    work = []
    for request in asked.values():
        calls.clear()
        with pytest.raises(Rejected):
            GUARD.verify(request)
        work.append(dict(calls))
    covered = len("HMAC 1\nrobot-1\n1700000000\n\nGET\napi.example\n/\n\n") + 22 + 43
    assert work[0] == work[1] == {("mac", covered): 1, ("compare", 43, 43): 1}


def test_both_get_the_same_octets() -> None:
    known, unknown = refused("robot-1"), refused("robot-9")
    assert (known.reason, unknown.reason) == (Reason.WRONG_SIGNATURE, Reason.UNKNOWN_KEY)
    answers = [rejected.refusal and rejected.refusal.response() for rejected in (known, unknown)]
    assert answers[0] and answers[1]
    assert (answers[0].status, answers[0].headers) == (answers[1].status, answers[1].headers)

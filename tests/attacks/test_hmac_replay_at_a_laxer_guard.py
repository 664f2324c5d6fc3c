"""Two guards on one store, one of them stricter: what the strict one accepted is a replay at the other, however late."""

from __future__ import annotations

import pytest

from watchword import Guard, HMACAuth, HMACVerifier, Key, Policy, Reason, Rejected, Request, Response
from watchword.transport.flow import ClientContext, run
from watchword.core.records import Once
from watchword.effects import Received, Send
from watchword.stores import MemoryStore, SQLStore


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("strict", [1.0, 10.0, 299.0])
def test_it_is_refused_until_the_laxer_one_finds_it_too_old(kind: str, strict: float) -> None:
    now = 1_700_000_000.0

    def clock() -> float:
        return now

    store = MemoryStore(clock=clock) if kind == "memory" else SQLStore("sqlite://", clock=clock)
    key = Key.generate("HS256", key_id="robot-1")
    store.add_key("robot", key)
    policy = Policy(clock=clock)
    one, other = (Guard([HMACVerifier(max_age=age)], store, policy=policy) for age in (strict, 300))
    sent: list[Request] = []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    run(HMACAuth(key), Request("POST", "https", "api.example", "/pay"), send, ClientContext(bytes, now=clock))
    assert one.verify(sent[0]).subject == "robot"
    reasons = set()
    for _ in range(60):
        now += 5
        for number in range(40):  # other requests, at which the store forgets what has ended
            store.commit([Once(("other", str(now), str(number)), now + 1)])
        with pytest.raises(Rejected) as caught:
            other.verify(sent[0])
        reasons.add(caught.value.reason)
        if caught.value.reason is Reason.EXPIRED:
            break
    if isinstance(store, SQLStore):
        store.close()
    assert reasons == {Reason.REPLAYED, Reason.EXPIRED}

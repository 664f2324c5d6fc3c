"""A signed request that is sent again: within the life of its nonce, after it, at a laxer guard, and by another key."""

from __future__ import annotations

import pytest

from tests.schemes.signature_world import COVERED, NOW, guard_at, hand_signed, key_for, params, reason_of, store_with
from tests.schemes.signature_world import signed
from watchword import Guard, Policy, Reason, Rejected, SignatureVerifier
from watchword.core.records import Once
from watchword.stores import MemoryStore, SQLStore


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("strict", [10.0, 299.0])
def test_a_nonce_is_remembered_until_the_signature_is_too_old_everywhere(kind: str, strict: float) -> None:
    now = NOW

    def clock() -> float:
        return now

    key = key_for("ed25519")
    store = MemoryStore(clock=clock) if kind == "memory" else SQLStore("sqlite://", clock=clock)
    store.add_key("robot", key)
    one, other = (Guard([SignatureVerifier(max_age=age)], store, policy=Policy(clock=clock)) for age in (strict, 300.0))
    request = signed(key=key, lifetime=None)
    assert one.verify(request).subject == "robot"
    reasons = set()
    for _ in range(62):
        now += 5
        store.commit([Once(("other", str(now)), now + 1)])
        with pytest.raises(Rejected) as caught:
            other.verify(request)
        reasons.add(caught.value.reason)
    assert reasons == {Reason.REPLAYED, Reason.EXPIRED}
    if isinstance(store, SQLStore):
        store.close()


def test_a_far_end_makes_no_nonce_last_longer_than_the_signature() -> None:
    store = store_with()
    guard = guard_at(store=store)
    request = hand_signed(f"{COVERED}{params(expires=10**14)}")
    assert guard.verify(request).subject == "robot"
    assert reason_of(guard, request) is Reason.REPLAYED
    assert reason_of(guard_at(NOW + 301, store=store), request) is Reason.EXPIRED


def test_nonces_of_different_keys_are_different_nonces() -> None:
    one, two = key_for("ed25519", "one"), key_for("ed25519", "two")
    guard = guard_at(store=store_with(one, two))
    for key in (one, two):
        request = hand_signed(f"{COVERED}{params(keyid=key.key_id)}", key=key)
        assert guard.verify(request).key_id == key.key_id
        assert reason_of(guard, request) is Reason.REPLAYED


def test_garbage_does_not_use_up_a_nonce() -> None:
    guard, request = guard_at(), signed("POST", b"body")
    for _ in range(3):
        assert reason_of(guard, request, b"other") is Reason.WRONG_BODY
    assert guard.verify(request, b"body").subject == "robot"


def test_the_same_nonce_under_another_label_is_the_same_nonce() -> None:
    guard = guard_at()
    assert guard.verify(hand_signed(f"{COVERED}{params()}", label="one")).subject == "robot"
    assert reason_of(guard, hand_signed(f"{COVERED}{params()}", label="two")) is Reason.REPLAYED

"""Two guards on one store, one of them stricter: what the strict one accepted is a replay at the other, however late."""

from __future__ import annotations

import pytest

from tests.schemes.digest_world import World
from watchword import Reason, Rejected
from watchword.core.records import Once


@pytest.mark.parametrize("strict", [1.0, 10.0, 299.0])
def test_it_is_refused_until_the_laxer_one_finds_it_too_old(strict: float) -> None:
    one = World(nonce_lifetime=strict)
    other = World(store=one.store, nonce_lifetime=300)
    captured = one.signed()
    assert not isinstance(one.judge(captured), Rejected)
    reasons = set()
    for _ in range(61):
        one.now += 5
        other.now = one.now
        for number in range(40):  # other requests, at which the store forgets what has ended
            one.store.commit([Once(("other", str(one.now), str(number)), one.now + 1)])
        verdict = other.judge(captured)
        assert isinstance(verdict, Rejected)
        reasons.add(verdict.reason)
    assert reasons == {Reason.REPLAYED, Reason.STALE_NONCE}

"""A presigned URL that was used at a guard with a short `max_expires` is used up at one with a longer one, too."""

from __future__ import annotations

import pytest

from tests.attacks.signed_worlds import NOW, SECRET
from watchword import Guard, Policy, Reason, Rejected, Request, SigV4Auth, SigV4Verifier
from watchword.stores import MemoryStore


@pytest.mark.parametrize("later", [0, 601, 1_000, 3_599])
def test_it_is_remembered_for_as_long_as_the_url_says(later: int) -> None:
    clock = [NOW]
    store = MemoryStore(clock=lambda: clock[0])
    store.add_access_key("robot", "AKIDEXAMPLE", SECRET)
    auth = SigV4Auth("AKIDEXAMPLE", SECRET, region="eu-1", service="orders")
    url = auth.presign("GET", "https://api.example/orders", now=NOW, expires=3_600)
    request = Request("GET", "https", "api.example", url.removeprefix("https://api.example"))
    strict, lax = (
        Guard([SigV4Verifier(max_expires=seconds, single_use=True)], store, policy=Policy(clock=lambda: clock[0]))
        for seconds in (600, 604_800)
    )
    assert strict.verify(request).subject == "robot"
    clock[0] += later
    with pytest.raises(Rejected) as caught:
        lax.verify(request)
    assert caught.value.reason is Reason.REPLAYED

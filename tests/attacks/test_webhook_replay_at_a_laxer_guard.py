"""Two verifiers of one store differ in what they find too old: what one has accepted, the other knows."""

from __future__ import annotations

import pytest

from tests.webhook_senders import SENDERS
from watchword import Guard, Policy, Reason, Rejected, Request, WebhookAuth, WebhookVerifier
from watchword.core.records import Once
from watchword.stores import MemoryStore

NOW = 1_700_000_000.0


@pytest.mark.parametrize("profile", [name for name, sender in SENDERS.items() if sender.row.timed])
def test_what_a_strict_guard_accepted_a_laxer_one_knows(profile):
    sender = SENDERS[profile]
    now = NOW
    store = MemoryStore(clock=lambda: now)
    policy = Policy(clock=lambda: now)
    strict, lax = (
        Guard([WebhookVerifier(sender.verifying, profile, tolerance=tolerance, remember=0)], store, policy=policy)
        for tolerance in (10, 300)
    )
    fields = WebhookAuth(sender.signing, profile).sign(
        sender.body, message_id="msg_1", now=NOW, url="https://hooks.example/in"
    )
    request = Request("POST", "https", "hooks.example", "/in", fields)
    assert strict.verify(request, sender.body)
    now = NOW + 299.9
    for n in range(100):  # other traffic, by which what is over is forgotten
        store.commit([Once(("other", str(n)), now + 10)])
    with pytest.raises(Rejected) as caught:
        lax.verify(request, sender.body)
    assert caught.value.reason is Reason.REPLAYED

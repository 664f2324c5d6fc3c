"""Whoever names a key that is kept for something else is refused; nothing breaks, and nothing is told."""

from __future__ import annotations

import pytest

from tests.attacks.signed_worlds import NOW, SECRET
from watchword import (
    Guard, HMACAuth, HMACVerifier, Key, Policy, Reason, Rejected, Request, SignatureAuth, SignatureVerifier, explain,
)  # fmt: skip
from watchword.transport.flow import ClientContext, Drive
from watchword.core.records import Put, Ref
from watchword.crypto.keys import RegisteredKey
from watchword.stores import MemoryStore


@pytest.mark.parametrize("algorithm", ["A256GCM", "A256KW", "A128CBC-HS256"])
@pytest.mark.parametrize(("auth", "verifier"), [(HMACAuth, HMACVerifier), (SignatureAuth, SignatureVerifier)])
def test_a_key_for_encryption_signs_nothing(algorithm, auth, verifier) -> None:
    store = MemoryStore(clock=lambda: NOW)
    # `add_key` refuses it; a table of one's own may hold it all the same.
    store.commit([Put(Ref(RegisteredKey, ("enc-1",)), RegisteredKey("robot", algorithm, bytes(32)))])
    guard = Guard([verifier()], store, policy=Policy(clock=lambda: NOW))
    refusals = []
    for key_id in ("enc-1", "nobody"):
        key = Key.from_secret(SECRET.encode(), algorithm="HS256", key_id=key_id)
        context = ClientContext(lambda: b"", now=lambda: NOW, random=bytes)
        request = Drive(auth(key), Request("GET", "https", "api.example", "/"), context).advance().request
        with pytest.raises(Rejected) as caught:
            guard.verify(request)
        assert caught.value.reason in (Reason.WRONG_ALGORITHM, Reason.UNKNOWN_KEY)
        refusals.append((caught.value.refusal.status, caught.value.refusal.challenges))
        shown = explain(request, guard, at=NOW)
        assert not shown.accepted
        assert shown.causes
    assert refusals[0] == refusals[1]

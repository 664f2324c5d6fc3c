"""Who exists is not told: an unknown user costs one password hash of the same price and gets the same octets."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import Any

import pytest

from watchword import AsyncGuard, BasicVerifier, Guard, Password, Reason, Rejected, Request
from watchword.core.records import Put, Ref
from watchword.crypto import passwords
from watchword.stores import MemoryStore


@pytest.mark.parametrize("kind", [Guard, AsyncGuard])
@pytest.mark.parametrize("password", ["guess", "", "x" * 5000])
def test_both_cost_one_hash_of_the_same_price_and_get_the_same_octets(
    kind: Any, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed: a clock would only show the noise of the machine."""
    store = MemoryStore()
    store.commit([Put(Ref(Password, ("known",)), Password.hash("secret"))])
    guard = kind([BasicVerifier(realm="orders")], store)
    work: list[tuple[str, int]] = []
    matches = passwords._matches

    def counted(encoded: str, octets: bytes) -> bool:
        work.append((encoded.rpartition("$")[0].rpartition("$")[0], len(octets)))
        return matches(encoded, octets)

    monkeypatch.setattr(passwords, "_matches", counted)
    seen = []
    for name in ("known", "other"):
        work.clear()
        value = b"Basic " + b64encode(f"{name}:{password}".encode())
        asked = Request("GET", "https", "api.example", "/", [(b"authorization", value)])
        with pytest.raises(Rejected) as caught:
            guard.verify(asked) if kind is Guard else asyncio.run(guard.verify(asked))
        assert caught.value.refusal is not None
        response = caught.value.refusal.response()
        seen.append((list(work), response.status, response.headers))
        assert caught.value.reason is (Reason.WRONG_SECRET if name == "known" else Reason.UNKNOWN_SUBJECT)
    assert seen[0] == seen[1]
    assert len(seen[0][0]) == (1 if len(password) <= passwords.MAX_SECRET else 0)

"""A key is accepted only whole and only as it was issued; a checksum proves nothing, an id without its secret neither."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from watchword import APIKeyVerifier, AsyncGuard, Guard, Reason, Rejected, Request
from watchword.core.records import Put, Ref
from watchword.crypto import digests
from watchword.schemes import api_key
from watchword.schemes.api_key_text import APIKey, _checksum, hash_key, key_id_of, make_key
from watchword.stores import MemoryStore


class Watched(MemoryStore):
    """Counts what it is asked."""

    asked = 0

    def fetch(self, refs: Any, /) -> Any:
        self.asked += 1
        return super().fetch(refs)


def refused(kind: Any, store: MemoryStore, value: str) -> Rejected:
    guard = kind([APIKeyVerifier()], store)
    request = Request("GET", "https", "api.example", "/", {"X-API-Key": value})
    with pytest.raises(Rejected) as caught:
        guard.verify(request) if kind is Guard else asyncio.run(guard.verify(request))
    return caught.value


@pytest.mark.parametrize("kind", [Guard, AsyncGuard])
def test_every_truncation_is_refused_before_any_look_up(kind: Any) -> None:
    store = Watched()
    key = store.add_api_key("billing")
    for length in range(len(key)):
        assert refused(kind, store, key[:length]).reason is Reason.MALFORMED_CREDENTIALS
    assert store.asked == 0


@pytest.mark.parametrize("kind", [Guard, AsyncGuard])
def test_a_checksum_that_fits_proves_nothing(kind: Any) -> None:
    """Anybody can compute it: for a made-up secret under a known id, and for two secrets with one checksum."""
    store = MemoryStore()
    key = store.add_api_key("billing")
    made_up = f"ww_{key_id_of(key)}_{'0' * 32}"
    assert refused(kind, store, made_up + _checksum(made_up)).reason is Reason.WRONG_SECRET


@pytest.mark.parametrize("kind", [Guard, AsyncGuard])
def test_another_key_with_the_same_checksum_is_not_the_key(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    key = store.add_api_key("billing")
    forged = key[:47] + ("0" if key[47] != "0" else "1") + key[48:]
    monkeypatch.setattr(api_key, "has_checksum", lambda _: True)  # as if CRC-32 had collided
    assert refused(kind, store, forged).reason is Reason.WRONG_SECRET


@pytest.mark.parametrize("kind", [Guard, AsyncGuard])
def test_a_secret_does_not_open_another_id(kind: Any) -> None:
    store = MemoryStore()
    mine, theirs = store.add_api_key("mallory"), store.add_api_key("alice")
    mixed = f"ww_{key_id_of(theirs)}_{mine.split('_')[2][:32]}"
    assert refused(kind, store, mixed + _checksum(mixed)).reason is Reason.WRONG_SECRET


@pytest.mark.parametrize("kind", [Guard, AsyncGuard])
def test_the_digest_that_the_store_keeps_is_no_key(kind: Any) -> None:
    store = MemoryStore()
    key = store.add_api_key("billing")
    assert refused(kind, store, hash_key(key)).reason is Reason.MALFORMED_CREDENTIALS


@pytest.mark.parametrize("kind", [Guard, AsyncGuard])
def test_who_exists_is_not_told(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown, wrong, revoked, expired and malformed get the same octets; the first four cost the same steps.

    Counted, not timed: a clock would only show the noise of the machine.
    """
    key = make_key(lambda n: b"\x01" * n, "known0000001")
    wrong = make_key(lambda n: b"\x02" * n, "known0000001")
    other = make_key(lambda n: b"\x02" * n, "other0000001")
    record = APIKey(hash_key(key), "billing", former=hash_key(key[::-1]), former_until=1.0)
    work: list[tuple[str, int, int]] = []
    compare, digest = digests.compare, digests.digest

    def counted(a: bytes, b: bytes) -> bool:
        work.append(("compare", len(a), len(b)))
        return compare(a, b)

    def hashed(name: str, data: bytes) -> bytes:
        work.append((name, len(data), 0))
        return digest(name, data)

    monkeypatch.setattr(api_key, "compare", counted)
    monkeypatch.setattr("watchword.schemes.api_key_text.digest", hashed)
    seen = []
    for value, kept, reason in (
        (other, record, Reason.UNKNOWN_KEY),
        (wrong, record, Reason.WRONG_SECRET),
        (key, APIKey(hash_key(key), "billing", revoked=1.0), Reason.REVOKED),
        (key, APIKey(hash_key(key), "billing", expires=1.0), Reason.EXPIRED),
        (key[:-1], record, Reason.MALFORMED_CREDENTIALS),
    ):
        store = MemoryStore()
        store.commit([Put(Ref(APIKey, ("known0000001",)), kept)])
        work.clear()
        rejected = refused(kind, store, value)
        assert rejected.reason is reason
        assert rejected.refusal is not None
        response = rejected.refusal.response()
        seen.append((list(work), response.status, response.headers))
    assert seen[0] == seen[1] == seen[2] == seen[3]
    assert [name for name, *_ in seen[0][0]] == ["sha-256", "compare", "compare"]
    assert all(a == b == 64 for name, a, b in seen[0][0] if name == "compare")
    assert seen[4][0] == []
    assert seen[4][1:] == seen[0][1:]

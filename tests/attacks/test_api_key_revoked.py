"""A revoked key is refused with the next request, by every guard on the store; a rotated one when its overlap ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from watchword import APIKeyVerifier, Guard, Identity, Policy, Reason, Rejected, Request
from watchword.core.records import Store
from watchword.schemes.api_key_text import key_id_of
from watchword.stores import MemoryStore, SQLStore

NOW = 1_700_000_000.0


@pytest.fixture(params=["memory", "sqlite"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[MemoryStore | SQLStore, Store]]:
    """The store that an administrator changes, and the one that a worker asks: the same, or the same file."""
    if request.param == "memory":
        store = MemoryStore(clock=lambda: NOW)
        yield store, store
        return
    url = f"sqlite:///{tmp_path}/users.db"
    with SQLStore(url, clock=lambda: NOW) as ours, SQLStore(url) as theirs:
        yield ours, theirs


def verdict(store: Store, key: str, at: float = NOW) -> Identity | Reason:
    guard = Guard([APIKeyVerifier()], store, policy=Policy(clock=lambda: at))
    try:
        return guard.verify(Request("GET", "https", "api.example", "/", {"X-API-Key": key}))
    except Rejected as rejected:
        return rejected.reason


def test_a_revoked_key_is_refused_at_once_and_so_is_the_one_before_it(
    stores: tuple[MemoryStore | SQLStore, Store],
) -> None:
    office, worker = stores
    old = office.add_api_key("billing")
    key_id = key_id_of(old) or ""
    new = office.rotate_api_key(key_id, overlap=3600)
    assert isinstance(verdict(worker, old), Identity)
    assert isinstance(verdict(worker, new), Identity)
    office.revoke_api_key(key_id)
    assert verdict(worker, old) is verdict(worker, new) is Reason.REVOKED
    office.revoke_api_key(key_id)
    assert verdict(worker, new) is Reason.REVOKED


@pytest.mark.parametrize(
    ("overlap", "passed", "good"), [(60, 0, True), (60, 59.999, True), (60, 60, False), (60, 1e6, False), (0, 0, False)]
)
def test_the_old_key_is_good_until_the_overlap_ends_and_no_longer(
    stores: tuple[MemoryStore | SQLStore, Store], overlap: float, passed: float, good: bool
) -> None:
    office, worker = stores
    old = office.add_api_key("billing")
    new = office.rotate_api_key(key_id_of(old) or "", overlap=overlap)
    answer = verdict(worker, old, NOW + passed)
    assert isinstance(answer, Identity) if good else answer is Reason.EXPIRED
    assert isinstance(verdict(worker, new, NOW + passed), Identity)


def test_a_leaked_key_is_ended_by_a_rotation_without_overlap_even_during_another(
    stores: tuple[MemoryStore | SQLStore, Store],
) -> None:
    office, worker = stores
    first = office.add_api_key("billing")
    key_id = key_id_of(first) or ""
    second = office.rotate_api_key(key_id, overlap=3600)
    third = office.rotate_api_key(key_id, overlap=0)
    assert verdict(worker, first) is Reason.WRONG_SECRET
    assert isinstance(verdict(worker, third), Identity)
    assert verdict(worker, second) is Reason.EXPIRED

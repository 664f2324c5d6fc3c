"""Rotating shared keys with an overlap: on every face of a store, and what the verdicts then say."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from watchword import ConfigurationError, Guard, HMACAuth, HMACVerifier, Identity, Key, Policy, Reason, Rejected
from watchword import Request, Response, Verdict, explain
from watchword.transport.flow import ClientContext
from watchword.transport.flow import run as run_flow
from watchword.core.records import Put, Ref
from watchword.effects import Received, Send
from watchword.crypto.keys import RegisteredKey, RegisteredPublicKey
from watchword.stores import AsyncSQLStore, MemoryStore, SQLStore
from watchword.stores.administration import AdministrationError

NOW = 1_700_000_000.0
OLD = Key.from_secret(b"o" * 32, algorithm="HS256", key_id="robot-1")
NEW = Key.from_secret(b"n" * 64, algorithm="HS512", key_id="robot-2")


def store_of(**options: Any) -> MemoryStore:
    store = MemoryStore(clock=lambda: NOW)
    store.commit(
        [Put(Ref(RegisteredKey, ("robot-1",)), RegisteredKey("robot", "HS256", b"o" * 32, ("read",), **options))]
    )
    return store


def rotate(store: Any, key_id: str = "robot-1", successor: Key = NEW, overlap: float = 60) -> None:
    store.rotate_key(key_id, successor, overlap=overlap)


def signed(key: Key, at: float) -> Request:
    sent: list[Request] = []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    run_flow(HMACAuth(key), Request("GET", "https", "api.example", "/"), send, ClientContext(bytes, now=lambda: at))
    return sent[0]


def verdict(store: MemoryStore, key: Key, at: float) -> Identity | Reason:
    guard = Guard([HMACVerifier()], store, policy=Policy(clock=lambda: at))
    try:
        return guard.verify(signed(key, at))
    except Rejected as rejected:
        return rejected.reason


def test_while_they_overlap_both_keys_are_good_and_the_identity_says_which_is_old() -> None:
    store = store_of()
    rotate(store)
    old, new = verdict(store, OLD, NOW + 59), verdict(store, NEW, NOW + 59)
    assert isinstance(old, Identity) and isinstance(new, Identity)
    assert (old.subject, old.scopes, old.rotated) == ("robot", {"read"}, True)
    assert (new.subject, new.scopes, new.rotated) == ("robot", {"read"}, False)
    assert "rotated=True" in repr(old) and "rotated" not in repr(new)


def test_observers_are_told_too() -> None:
    store, seen = store_of(), list[Verdict]()
    rotate(store)
    guard = Guard([HMACVerifier()], store, policy=Policy(clock=lambda: NOW), observe=seen.append)
    guard.verify(signed(OLD, NOW))
    guard.verify(signed(NEW, NOW))
    assert [(each.key_id, each.rotated) for each in seen] == [("robot-1", True), ("robot-2", False)]


def test_after_the_overlap_the_old_key_is_refused_as_expired() -> None:
    store = store_of()
    rotate(store)
    assert verdict(store, OLD, NOW + 60) is Reason.EXPIRED
    assert isinstance(verdict(store, NEW, NOW + 60), Identity)


def test_an_impostor_is_not_told_that_the_old_key_has_ended() -> None:
    store = store_of()
    rotate(store, overlap=0)
    impostor = Key.from_secret(b"i" * 32, algorithm="HS256", key_id="robot-1")
    assert verdict(store, impostor, NOW) is Reason.WRONG_SIGNATURE


def test_without_an_overlap_the_old_key_ends_now() -> None:
    store = store_of()
    rotate(store, overlap=0)
    assert verdict(store, OLD, NOW) is Reason.EXPIRED


def test_a_key_that_was_to_end_earlier_still_does() -> None:
    store = store_of(expires=NOW + 10)
    rotate(store, overlap=60)
    assert isinstance(verdict(store, OLD, NOW + 9), Identity)
    assert verdict(store, OLD, NOW + 10) is Reason.EXPIRED


@pytest.mark.parametrize(
    ("options", "key_id", "message"),
    [
        ({}, "nobody", "no key of the id"),
        ({"superseded_by": "robot-7", "expires": NOW + 9}, "robot-1", "rotate 'robot-7'"),
        ({"expires": NOW}, "robot-1", "expired"),
    ],
)
def test_what_can_not_be_rotated_is_said(options: dict[str, Any], key_id: str, message: str) -> None:
    with pytest.raises(AdministrationError, match=message):
        rotate(store_of(**options), key_id)


def test_a_key_id_that_is_taken_is_not_overwritten() -> None:
    store = store_of()
    store.add_key("somebody else", NEW)
    with pytest.raises(AdministrationError, match="'robot-2' already"):
        rotate(store)
    assert isinstance(verdict(store, OLD, NOW), Identity)


@pytest.mark.parametrize(
    ("successor", "overlap"),
    [
        (OLD, 60.0),
        (Key.from_secret(b"n" * 32, algorithm="HS256"), 60.0),
        (NEW, -1.0),
        (NEW, float("nan")),
        (NEW, float("inf")),
    ],
)
def test_a_rotation_that_makes_no_sense_is_a_configuration_error(successor: Key, overlap: float) -> None:
    with pytest.raises(ConfigurationError):
        rotate(store_of(), successor=successor, overlap=overlap)


def test_every_face_rotates(tmp_path: Path) -> None:
    async def awaited() -> RegisteredKey | None:
        async with AsyncSQLStore(f"sqlite:///{tmp_path}/async.db") as store:
            await store.add_key("robot", OLD)
            await store.rotate_key("robot-1", NEW, overlap=60)
            return (await store.fetch([ref])).get(ref)

    ref = Ref(RegisteredKey, ("robot-1",))
    with SQLStore(f"sqlite:///{tmp_path}/sync.db") as store:
        store.add_key("robot", OLD)
        store.rotate_key("robot-1", NEW, overlap=60)
        called = store.fetch([ref]).get(ref)
    for record in (called, asyncio.run(awaited())):
        assert record is not None
        assert (record.superseded_by, record.rotated) == ("robot-2", True)


def test_a_key_that_was_stored_before_there_were_rotations_still_loads(tmp_path: Path) -> None:
    import msgspec

    stored = (
        b'{"subject":"robot","algorithm":"HS256","secret":"b29vb29vb29vb29vb29vb29vb29vb29vb29vb29vb28=","scopes":[]}'
    )
    record = msgspec.json.decode(stored, type=RegisteredKey)
    assert (record.rotated, record.expires) == (False, None)


def test_explain_names_the_key_that_has_ended() -> None:
    store = store_of()
    rotate(store, overlap=0)
    guard = Guard([HMACVerifier()], store, policy=Policy(clock=lambda: NOW))
    explanation = explain(signed(OLD, NOW), guard)
    assert (explanation.accepted, explanation.reason, explanation.where) == (
        False,
        Reason.EXPIRED,
        "authorization keyid",
    )


def test_public_keys_rotate_too_and_give_way_to_keys_of_another_kind() -> None:
    first, second = (Key.generate("ed25519", key_id=f"robot-{number}") for number in (1, 2))
    store = MemoryStore(clock=lambda: NOW)
    store.add_key("robot", first, scopes=["read"])
    rotate(store, successor=second)
    old = store.fetch([Ref(RegisteredPublicKey, ("robot-1",))]).get(Ref(RegisteredPublicKey, ("robot-1",)))
    assert old is not None
    assert (old.rotated, old.superseded_by, old.expires) == (True, "robot-2", NOW + 60)
    rotate(store, "robot-2", Key.from_secret(b"n" * 32, algorithm="HS256", key_id="robot-3"))
    new = store.fetch([Ref(RegisteredKey, ("robot-3",))]).get(Ref(RegisteredKey, ("robot-3",)))
    assert new is not None
    assert (new.subject, new.scopes) == ("robot", ("read",))
    with pytest.raises(AdministrationError, match="already"):
        rotate(store, "robot-3", second)

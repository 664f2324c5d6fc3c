"""Keys that somebody publishes (`KeySource`): asked for when they aren't known, and by a guard of either kind."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from tests.schemes.signature_world import NOW, key_for, signed
from watchword import AsyncGuard, Guard, Identity, Key, KeySet, Policy, Reason, Rejected, Request, SignatureVerifier
from watchword import StoreUnavailable
from watchword.core.records import Found, Ref
from watchword.schemes.key_source import PublishedKeys
from watchword.stores import MemoryStore


class Source:
    """Publishes what `published` says when it is asked."""

    name, issuer = "test", None
    since, due, good_until = 0.0, float("inf"), float("inf")

    def __init__(self, published: KeySet | None, known: KeySet | None = None) -> None:
        self.published, self.keys = published, known
        self.asked: list[Ref[Any]] = []

    def snapshot(self) -> KeySet:
        if self.keys is None:
            raise StoreUnavailable("no keys yet")
        return self.keys

    def missed(self, key_id: str, /) -> None:
        raise AssertionError("a guard asks instead")

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        self.asked += refs
        if self.published is None:
            raise StoreUnavailable("unreachable")
        self.keys = self.published
        return Found({ref: (PublishedKeys(self.published), 1) for ref in refs})

    async def afetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        return self.fetch(refs)


def verdict(source: Source, request: Request, aio: bool) -> Identity | Reason:
    guard = Guard([SignatureVerifier(source)], MemoryStore(clock=lambda: NOW), policy=Policy(clock=lambda: NOW))
    try:
        return asyncio.run(AsyncGuard.of(guard).verify(request)) if aio else guard.verify(request)
    except Rejected as rejected:
        return rejected.reason


@pytest.mark.parametrize("aio", [False, True])
def test_keys_that_are_not_known_are_asked_for_once(aio: bool) -> None:
    one, two = key_for("ed25519", "one"), key_for("ed25519", "two")
    for source in (Source(KeySet([one])), Source(KeySet([one]), KeySet([two]))):
        who = verdict(source, signed(key=one), aio)
        assert isinstance(who, Identity)
        assert who.key_id == "one"
        assert source.asked == [Ref(PublishedKeys, ("test", "one"))]


@pytest.mark.parametrize("aio", [False, True])
def test_known_keys_are_not_asked_for(aio: bool) -> None:
    source = Source(None, KeySet([key_for("ed25519", "one")]))
    assert isinstance(verdict(source, signed(key=key_for("ed25519", "one")), aio), Identity)
    assert not source.asked


def test_a_key_that_is_not_published_is_unknown_and_a_source_that_is_down_is_unavailable() -> None:
    stranger = signed(key=Key.generate("ed25519", key_id="stranger"))
    assert verdict(Source(KeySet([key_for("ed25519", "one")])), stranger, False) is Reason.UNKNOWN_KEY
    with pytest.raises(StoreUnavailable):
        verdict(Source(None), stranger, False)


def test_keys_that_are_too_old_are_asked_for_before_they_are_used() -> None:
    source = Source(KeySet([key_for("ed25519", "two")]), KeySet([key_for("ed25519", "one")]))
    source.good_until = NOW
    assert verdict(source, signed(key=key_for("ed25519", "one")), False) is Reason.UNKNOWN_KEY
    assert source.asked


def test_keys_that_are_no_longer_published_are_forgotten() -> None:
    one = key_for("ed25519", "one")
    source = Source(None, KeySet([one]))
    verifier = SignatureVerifier(source)
    guard = Guard([verifier], MemoryStore(clock=lambda: NOW), policy=Policy(clock=lambda: NOW))
    assert guard.verify(signed(key=one)).key_id == "one"
    source.keys = source.published = KeySet([key_for("ed25519", "two")])
    with pytest.raises(Rejected) as caught:
        guard.verify(signed(key=one))
    assert caught.value.reason is Reason.UNKNOWN_KEY

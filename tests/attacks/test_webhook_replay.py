"""A webhook that was seen is sent again: at another time, to another worker, under another name."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from watchword import (
    AsyncGuard,
    Guard,
    Identity,
    Policy,
    Reason,
    Rejected,
    Request,
    WebhookAuth,
    WebhookProfile,
    WebhookVerifier,
)
from watchword.stores import MemoryStore, SQLStore

NOW = 1_700_000_000.0
SECRET = bytes(range(32))
BODY = b'{"n":1}'


def delivery(profile: str = "standard", *, body: bytes = BODY, message_id: str = "msg_1", **more: str) -> Request:
    fields = WebhookAuth(SECRET, profile).sign(body, message_id=message_id, now=NOW)
    return Request("POST", "https", "hooks.example", "/in", {**fields, **more})


def verdict(guard: Guard, request: Request, body: bytes = BODY) -> Identity | Reason:
    try:
        return guard.verify(request, body)
    except Rejected as rejected:
        return rejected.reason


@pytest.mark.parametrize("late", [0, 1, 299.9, 299.9999])
def test_within_the_tolerance_an_id_is_good_once(late: float) -> None:
    """Its last moment included, in which a memory that is too short would have forgotten it."""
    now = NOW
    store = MemoryStore(clock=lambda: now)
    guard = Guard([WebhookVerifier(SECRET, remember=0)], store, policy=Policy(clock=lambda: now))
    assert isinstance(verdict(guard, delivery()), Identity)
    now = NOW + late
    assert verdict(guard, delivery()) is Reason.REPLAYED


def test_beyond_it_the_time_refuses() -> None:
    guard = Guard([WebhookVerifier(SECRET)], MemoryStore(), policy=Policy(clock=lambda: NOW + 300))
    assert verdict(guard, delivery()) is Reason.EXPIRED


def test_the_other_names_of_the_fields_make_no_other_message() -> None:
    store = MemoryStore(clock=lambda: NOW)
    guard = Guard([WebhookVerifier(SECRET)], store, policy=Policy(clock=lambda: NOW))
    genuine = delivery()
    renamed = [(name.replace(b"webhook-", b"svix-"), value) for name, value in genuine.headers]
    assert isinstance(verdict(guard, genuine), Identity)
    assert verdict(guard, Request("POST", "https", "hooks.example", "/in", renamed)) is Reason.REPLAYED


@pytest.mark.parametrize("signed", ["https://hooks.example/in", "https://hooks.example:443/in"])
def test_another_port_makes_no_other_message(signed: str) -> None:
    """Where the URL may have been signed with its port or without, Host may name any port that the signature doesn't."""
    row = WebhookProfile(
        name="mine", signature="x-signature", content="{timestamp}.{url}.{body}", timestamp="x-timestamp", ports=True
    )
    fields = WebhookAuth(SECRET, row).sign(BODY, now=NOW, url=signed)
    guard = Guard([WebhookVerifier(SECRET, row)], MemoryStore(clock=lambda: NOW), policy=Policy(clock=lambda: NOW))
    hosts = ["hooks.example", "hooks.example:443", "hooks.example:8443", "hooks.example"]
    verdicts = [verdict(guard, Request("POST", "https", host, "/in", fields)) for host in hosts]
    assert isinstance(verdicts[0], Identity)
    assert {Reason.REPLAYED} <= set(verdicts[1:]) <= {Reason.REPLAYED, Reason.WRONG_SIGNATURE}


def test_another_id_that_nobody_signed_makes_no_other_message() -> None:
    """A row that names the field of an id must not be weaker than one that doesn't."""
    row = WebhookProfile(
        name="mine", signature="x-signature", content="{timestamp}.{body}", timestamp="x-timestamp", id="x-id"
    )
    verifier = WebhookVerifier(SECRET, row)
    assert verifier.single_use
    guard = Guard([verifier], MemoryStore(clock=lambda: NOW), policy=Policy(clock=lambda: NOW))
    fields = WebhookAuth(SECRET, row).sign(BODY, message_id="one", now=NOW)
    later = WebhookAuth(SECRET, row).sign(BODY, message_id="one", now=NOW + 1)
    without = {name: value for name, value in fields.items() if name != "x-id"}
    sent = [fields, {**fields, "x-id": "two"}, without, later]
    verdicts = [verdict(guard, Request("POST", "https", "hooks.example", "/in", each)) for each in sent]
    assert isinstance(verdicts[0], Identity)
    assert verdicts[1:] == [Reason.REPLAYED] * 3


def test_all_workers_on_one_store_count_together(tmp_path: Path) -> None:
    policy = Policy(clock=lambda: NOW)
    with SQLStore(f"sqlite:///{tmp_path}/a.db", clock=lambda: NOW) as store:
        guards = [Guard([WebhookVerifier(SECRET)], store, policy=policy) for _ in range(2)]
        first, second = (verdict(guard, delivery()) for guard in guards)
    assert isinstance(first, Identity)
    assert second is Reason.REPLAYED


def test_of_many_at_once_one_is_accepted() -> None:
    guard = AsyncGuard([WebhookVerifier(SECRET)], MemoryStore(clock=lambda: NOW), policy=Policy(clock=lambda: NOW))

    async def main() -> list[object]:
        return await asyncio.gather(*(guard.verify(delivery(), BODY) for _ in range(50)), return_exceptions=True)

    answers = asyncio.run(main())
    assert sum(isinstance(answer, Identity) for answer in answers) == 1
    assert all(isinstance(answer, Identity) or answer.reason is Reason.REPLAYED for answer in answers)  # type: ignore[attr-defined]


def test_a_forged_delivery_uses_up_no_id() -> None:
    store = MemoryStore(clock=lambda: NOW)
    guard = Guard([WebhookVerifier(SECRET)], store, policy=Policy(clock=lambda: NOW))
    assert verdict(guard, delivery(), b'{"n":2}') is Reason.WRONG_SIGNATURE
    assert isinstance(verdict(guard, delivery()), Identity)


@pytest.mark.parametrize("profile", ["github", "shopify"])
def test_where_the_id_is_not_signed_another_one_makes_it_good_again(profile: str) -> None:
    """The sender's scheme can't do better; that is documented, and the verifier does not claim to be single-use."""
    name = {"github": "x-github-delivery", "shopify": "x-shopify-webhook-id"}[profile]
    verifier = WebhookVerifier(SECRET, profile)
    guard = Guard([verifier], MemoryStore(clock=lambda: NOW), policy=Policy(clock=lambda: NOW))
    assert isinstance(verdict(guard, delivery(profile)), Identity)
    assert verdict(guard, delivery(profile)) is Reason.REPLAYED
    assert isinstance(verdict(guard, delivery(profile, **{name: "another"})), Identity)
    assert not verifier.single_use


def test_an_id_that_is_not_signed_uses_up_no_id_of_another_senders_scheme() -> None:
    """Whoever has one delivery of GitHub's can send it under any id: not under one that Standard Webhooks will use."""
    policy, store = Policy(clock=lambda: NOW), MemoryStore(clock=lambda: NOW)
    github, standard = (
        Guard([WebhookVerifier(SECRET, name, subject="partner")], store, policy=policy)
        for name in ("github", "standard")
    )
    assert isinstance(verdict(github, delivery("github", **{"x-github-delivery": "msg_1"})), Identity)
    assert isinstance(verdict(standard, delivery()), Identity)


def test_early_data_is_taken_only_where_it_can_not_be_repeated() -> None:
    policy = Policy(clock=lambda: NOW)
    standard = Guard([WebhookVerifier(SECRET)], MemoryStore(clock=lambda: NOW), policy=policy)
    github = Guard([WebhookVerifier(SECRET, "github")], MemoryStore(clock=lambda: NOW), policy=policy)
    assert isinstance(verdict(standard, delivery(**{"early-data": "1"})), Identity)
    assert verdict(github, delivery("github", **{"early-data": "1"})) is Reason.EARLY_DATA

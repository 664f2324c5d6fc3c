"""What changes users and API keys after they were added: on every store, awaited or not, and against others who change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from watchword import ConfigurationError, Password, StoreUnavailable
from watchword.core.io import Direct, drive
from watchword.core.records import Found, Outcome, Put, Ref, Write
from watchword.crypto.passwords import verify_password
from watchword.schemes.api_key_text import APIKey, hash_key, key_id_of
from watchword.schemes.digest import DigestSecret, ha1
from watchword.stores import AsyncSQLStore, MemoryStore, SQLStore, combine
from watchword.stores.administration import AdministrationError, adding_api_key, adding_user, rotating_api_key
from watchword.stores.vault import sensitive

NOW = 1_700_000_000.0
SECRET = Ref(DigestSecret, ("SHA-256", "orders", "alice"))
USER = Ref(Password, ("alice",))


def run(store: Any, program: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """The result of a program over this store."""
    return drive(program(Direct(store), *arguments, **options))


def test_the_awaited_methods_do_the_same(tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncSQLStore(f"sqlite:///{tmp_path}/users.db") as store:
            await store.add_user("alice", "open sesame", realm="orders")
            await store.set_password("alice", "swordfish")
            await store.disable_user("alice")
            found = await store.fetch([USER, SECRET])
            user, secret = found.get(USER), found.get(SECRET)
            assert user is not None and user.disabled
            verify_password(user.encoded, "swordfish")
            assert secret == DigestSecret(ha1("SHA-256", "alice", "orders", "swordfish"), disabled=True)
            await store.disable_user("alice", disabled=False)
            old = await store.add_api_key("billing", scopes=["read"], expires=4e9)
            ref = Ref(APIKey, (key_id_of(old) or "",))
            new = await store.rotate_api_key(ref.key[0], overlap=60)
            record = (await store.fetch([ref])).get(ref)
            assert record is not None
            assert (record.digest, record.former) == (hash_key(new), hash_key(old))
            assert (record.subject, record.scopes, record.expires) == ("billing", ("read",), 4e9)
            await store.revoke_api_key(ref.key[0])
            record = (await store.fetch([ref])).get(ref)
            assert record is not None and record.revoked is not None

    asyncio.run(main())


def test_a_combined_store_administers_what_it_holds() -> None:
    store = combine(MemoryStore())
    key = store.add_api_key("billing")
    store.revoke_api_key(key_id_of(key) or "")


@pytest.mark.parametrize(
    ("subject", "options"),
    [
        ("", {}),
        ("a\n", {}),
        ("a", {"scopes": "read"}),
        ("a", {"scopes": ["read write"]}),
        ("a", {"scopes": [""]}),
        ("a", {"expires": 1.0}),
        ("a", {"expires": float("nan")}),
        ("a", {"expires": float("inf")}),
    ],
)
def test_a_key_that_makes_no_sense_is_a_configuration_error(subject: str, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        MemoryStore().add_api_key(subject, **options)


@pytest.mark.parametrize("overlap", [-1, float("nan"), float("inf")])
def test_an_overlap_that_makes_no_sense_is_a_configuration_error(overlap: float) -> None:
    with pytest.raises(ConfigurationError, match="overlap"):
        MemoryStore().rotate_api_key("a", overlap=overlap)


def test_what_does_not_fit_the_store_is_an_administration_error() -> None:
    store = MemoryStore()
    for change in (
        store.revoke_api_key,
        store.rotate_api_key,
        store.disable_user,
        lambda name: store.set_password(name, "pw"),
    ):
        with pytest.raises(AdministrationError, match="there is no"):
            change("nobody")
    store.commit([Put(Ref(APIKey, ("a",)), APIKey("", "billing", expires=NOW))])
    with pytest.raises(AdministrationError, match="expired"):
        run(store, rotating_api_key, "a", overlap=0, clock=lambda: NOW)


@pytest.mark.parametrize(("passed", "allowed"), [(59.9, False), (60, True)])
def test_a_second_rotation_waits_for_the_end_of_the_overlap(passed: float, allowed: bool) -> None:
    """A third key would end the first one before the time that its users were promised."""
    store = MemoryStore()
    key_id = key_id_of(run(store, adding_api_key, "billing", clock=lambda: NOW)) or ""
    run(store, rotating_api_key, key_id, overlap=60, clock=lambda: NOW)

    def again() -> Any:
        return run(store, rotating_api_key, key_id, overlap=60, clock=lambda: NOW + passed)

    if allowed:
        assert key_id_of(again()) == key_id
    else:
        with pytest.raises(AdministrationError, match="rotated before"):
            again()


def test_an_id_that_is_taken_is_not_given_again() -> None:
    store = MemoryStore()
    octets = iter([b"\x01", b"\x02", b"\x01", b"\x02", b"\x03", b"\x04"])

    def random(n: int) -> bytes:
        return next(octets) * n

    first, second = run(store, adding_api_key, "a", random=random), run(store, adding_api_key, "b", random=random)
    assert key_id_of(first) != key_id_of(second)
    assert sorted(record.subject for _, record in store.records(APIKey)) == ["a", "b"]


class Contested(MemoryStore):
    """Somebody else changes `ref` just before each of the next `times` commits."""

    def __init__(self, ref: Ref[Any], times: int) -> None:
        super().__init__()
        self.ref = ref
        self.times = times

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        entry: Found = self.fetch([self.ref])
        record = entry.get(self.ref)
        if record is not None and self.times:
            self.times -= 1
            super().commit([Put(self.ref, record)])
        return super().commit(writes)


def test_whoever_changed_the_record_meanwhile_is_not_overwritten() -> None:
    for times, good in ((4, True), (5, False)):
        store = Contested(USER, 0)
        store.add_user("alice", "open sesame")
        store.times = times
        if good:
            store.disable_user("alice")
        else:
            with pytest.raises(StoreUnavailable, match="again and again"):
                store.disable_user("alice")
        record = store.fetch([USER]).get(USER)
        assert record is not None
        assert record.disabled is good


def test_of_two_who_add_one_user_one_is_told(tmp_path: Path) -> None:
    with SQLStore(f"sqlite:///{tmp_path}/users.db") as store:

        def add(password: str) -> str:
            try:
                run(store, adding_user, "alice", password)
            except AdministrationError:
                return ""
            return password

        with ThreadPoolExecutor(2) as pool:
            added = [password for password in pool.map(add, ["first", "second"]) if password]
        assert len(added) == 1
        record = store.fetch([USER]).get(USER)
        assert record is not None
        verify_password(record.encoded, added[0])


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_records_lists_a_kind_whole_in_the_order_of_its_keys_sealed_or_not(kind: str, tmp_path: Path) -> None:
    store: Any = MemoryStore() if kind == "memory" else SQLStore(f"sqlite:///{tmp_path}/users.db")
    names = ["zoë", "a", "é", "", "ab", '"', "\ud800"]
    for name in names:
        store.commit([Put(Ref(DigestSecret, ("MD5", name, "x")), DigestSecret(ascii(name)))])
        store.commit([Put(Ref(APIKey, (name,)), APIKey("", "x"))])
    assert sensitive(DigestSecret)
    assert not sensitive(APIKey)
    listed = store.records(DigestSecret)
    assert [key for key, _ in listed] == [("MD5", name, "x") for name in sorted(names)]
    assert all(record.ha1 == ascii(key[1]) for key, record in listed)
    assert [key for key, _ in store.records(APIKey)] == [(name,) for name in sorted(names)]
    assert store.records(Password) == []
    if kind == "sqlite":
        store.close()

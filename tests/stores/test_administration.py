"""The acts of administration: on every store, awaited or not, by the store's clock, and against others who change."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.stores.faces import Called, Clock
from watchword import ConfigurationError, Key, Password, StoreUnavailable
from watchword.core.io import Direct, drive
from watchword.core.records import COMMITTED, NOTHING_FOUND, Found, Outcome, Put, Ref, Write
from watchword.crypto.keys import RegisteredKey
from watchword.crypto.passwords import verify_password
from watchword.schemes.api_key_text import APIKey, hash_key, key_id_of
from watchword.schemes.digest import DigestSecret, ha1
from watchword.schemes.revocation import Revocations, Revoked
from watchword.stores import AsyncSQLStore, MemoryStore, SQLStore, combine, from_callables
from watchword.stores.administration import Admin, Administered, AdministrationError, AsyncAdmin, clients
from watchword.stores.administration.api_keys import add_api_key
from watchword.stores.sql.vault import sensitive

NOW = 1_700_000_000.0
SECRET = Ref(DigestSecret, ("SHA-256", "orders", "alice"))
USER = Ref(Password, ("alice",))


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


# ---- the clock -------------------------------------------------------------------------------------------------------


def adds_an_api_key(store: Called, clock: Clock) -> None:
    made = store.add_api_key("billing", expires=clock.now + 1)
    assert store.get(APIKey, key_id_of(made) or "").created == clock.now
    for past in (clock.now, clock.now - 1):
        with pytest.raises(ConfigurationError, match="a time to come"):
            store.add_api_key("billing", expires=past)


def rotates_an_api_key(store: Called, clock: Clock) -> None:
    key_id = key_id_of(store.add_api_key("billing", expires=clock.now + 100)) or ""
    store.rotate_api_key(key_id, overlap=60)
    assert store.get(APIKey, key_id).former_until == clock.now + 60
    clock.now += 59
    with pytest.raises(AdministrationError, match="good for 1 s more"):
        store.rotate_api_key(key_id, overlap=60)
    clock.now += 1
    store.rotate_api_key(key_id, overlap=10)
    assert store.get(APIKey, key_id).former_until == clock.now + 10
    clock.now += 40
    with pytest.raises(AdministrationError, match="has expired"):
        store.rotate_api_key(key_id)


def revokes_an_api_key(store: Called, clock: Clock) -> None:
    key_id = key_id_of(store.add_api_key("billing")) or ""
    first = clock.now = clock.now + 5
    store.revoke_api_key(key_id)
    clock.now += 5
    store.revoke_api_key(key_id)
    assert store.get(APIKey, key_id).revoked == first


def rotates_a_key(store: Called, clock: Clock) -> None:
    store.add_key("robot", Key.generate("HS256", key_id="robot-1"))
    store.rotate_key("robot-1", Key.generate("HS256", key_id="robot-2"), overlap=60)
    assert store.get(RegisteredKey, "robot-1").expires == clock.now + 60
    ending = RegisteredKey("robot", "HS256", bytes(32), (), expires=clock.now + 10)
    store.commit(Put(Ref(RegisteredKey, ("robot-3",)), ending))
    clock.now += 10
    with pytest.raises(AdministrationError, match="has expired"):
        store.rotate_key("robot-3", Key.generate("HS256", key_id="robot-4"))


def takes_back_tokens(store: Called, clock: Clock) -> None:
    revocations = Revocations(store.store)
    awaited = inspect.iscoroutinefunction(store.store.fetch)
    revoke = revocations.arevoke_subject if awaited else revocations.revoke_subject
    store.wait(revoke("alice", issuer="https://id.example"))
    assert store.get(Revoked, "revoked", "subject", "https://id.example", "alice") == Revoked(before=clock.now)


TIMED: dict[str, Callable[[Called, Clock], None]] = {
    "add_api_key": adds_an_api_key,
    "rotate_api_key": rotates_an_api_key,
    "revoke_api_key": revokes_an_api_key,
    "rotate_key": rotates_a_key,
    "revoke_subject": takes_back_tokens,
}


@pytest.mark.parametrize("now", [1_000.0, 4_000_000_000.0])
@pytest.mark.parametrize("act", TIMED)
def test_whatever_reads_a_time_goes_by_the_clock_of_its_store(
    store: Called, clock: Clock, act: str, now: float
) -> None:
    clock.now = now
    TIMED[act](store, clock)


ARGUMENTS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "add_user": (("bob", "open sesame"), {"realm": "orders"}),
    "set_password": (("alice", "swordfish"), {}),
    "disable_user": (("alice",), {}),
    "add_key": (("robot", Key.generate("HS256", key_id="robot-9")), {}),
    "rotate_key": (("robot-1", Key.generate("HS256", key_id="robot-2")), {}),
    "add_api_key": (("billing",), {}),
    "rotate_api_key": (("KEY_ID",), {}),
    "revoke_api_key": (("KEY_ID",), {}),
    "add_client": (("billing", "a long random secret"), {}),
    "add_oauth1_client": (("printer",), {"secret": "a long random secret"}),
    "add_oauth1_token": (("token", "its long secret"), {"client_key": "printer", "subject": "alice", "expires": 1.0}),
    "remove_oauth1_token": (("token",), {}),
    "add_access_key": (("alice", "AKIDEXAMPLE", "a long random secret"), {"expires": 1.0}),
    "remove_access_key": (("AKIDEXAMPLE",), {}),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_no_other_act_of_administration_reads_a_time(name: str) -> None:
    store = MemoryStore()
    store.add_user("alice", "open sesame")
    store.add_key("robot", Key.generate("HS256", key_id="robot-1"))
    key_id = key_id_of(store.add_api_key("billing")) or ""
    readings: list[float] = []

    def clock() -> float:
        readings.append(NOW)
        return NOW

    positional, options = ARGUMENTS[name]
    act: Callable[..., Any] = inspect.unwrap(vars(Admin)[name])
    words = [key_id if word == "KEY_ID" else word for word in positional]
    drive(act(Administered(Direct(store), clock), *words, **options))
    assert bool(readings) == (name in TIMED)


def test_the_table_of_the_acts_is_whole() -> None:
    assert set(ARGUMENTS) == ACTS


class Verbs(Admin):
    """A store of somebody's own, without a clock."""

    kinds: frozenset[type] | None = None
    blocking = False

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        return NOTHING_FOUND

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        return COMMITTED


def test_the_clock_of_stores_without_one_is_the_hosts() -> None:
    for store in (Verbs(), combine(Verbs())):
        store.add_api_key("billing", expires=4e9)
        with pytest.raises(ConfigurationError, match="a time to come"):
            store.add_api_key("billing", expires=1_000.0)


def test_the_clock_of_several_stores_is_that_of_the_first_that_has_one() -> None:
    store = combine(from_callables(password=lambda _: None), MemoryStore(clock=lambda: 4e9))
    with pytest.raises(ConfigurationError, match="a time to come"):
        store.add_api_key("billing", expires=4e9)
    store.add_api_key("billing", expires=4e9 + 1)


def test_only_a_user_who_is_not_there_yet_is_added_if_nobody_may_be_replaced(store: Called) -> None:
    store.add_user("alice", "open sesame", replace=False)
    with pytest.raises(AdministrationError, match="'alice' already"):
        store.add_user("alice", "swordfish", replace=False)
    verify_password(store.get(Password, "alice").encoded, "open sesame")
    store.add_user("alice", "swordfish")
    verify_password(store.get(Password, "alice").encoded, "swordfish")


ACTS = {name for name in vars(Admin) if not name.startswith("_")}


def test_the_called_and_the_awaited_methods_are_the_same_acts() -> None:
    assert {name for name in vars(AsyncAdmin) if not name.startswith("_")} == ACTS
    assert len(ACTS) == 14


@pytest.mark.parametrize("name", sorted(ACTS))
def test_a_method_has_the_parameters_and_the_documentation_of_its_act(name: str) -> None:
    act: Callable[..., Any] = inspect.unwrap(vars(Admin)[name])
    assert act is inspect.unwrap(vars(AsyncAdmin)[name])
    assert act.__name__ == name
    _, *parameters = inspect.signature(act).parameters.values()
    for method in (getattr(MemoryStore(), name), getattr(AsyncSQLStore("sqlite://"), name)):
        assert list(inspect.signature(method).parameters.values()) == parameters
        assert inspect.getdoc(method) == inspect.getdoc(act)
        for parameter in parameters:
            assert f"    {parameter.name}: " in method.__doc__
        assert "    Raises:" in method.__doc__ and "    >>> " in method.__doc__
    assert not inspect.iscoroutinefunction(vars(Admin)[name])
    assert inspect.iscoroutinefunction(vars(AsyncAdmin)[name])


@pytest.mark.parametrize(
    ("where", "name", "act"),
    [
        (Password, "hash", lambda store: store.add_user("alice", "open sesame")),
        (clients, "hash_password", lambda store: store.add_client("billing", "a long random secret")),
    ],
)
def test_the_awaited_methods_hash_off_the_event_loop(
    where: Any, name: str, act: Callable[[AsyncSQLStore], Coroutine[Any, Any, None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    hashing, threads = getattr(where, name), list[int]()

    def hashed(*args: Any, **options: Any) -> Any:
        threads.append(threading.get_ident())
        return hashing(*args, **options)

    async def main() -> None:
        async with AsyncSQLStore("sqlite://") as store:
            await act(store)

    monkeypatch.setattr(where, name, hashed)
    asyncio.run(main())
    assert len(threads) == 1
    assert threading.get_ident() not in threads


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
    store = MemoryStore(clock=lambda: NOW)
    store.commit([Put(Ref(APIKey, ("a",)), APIKey("", "billing", expires=NOW))])
    with pytest.raises(AdministrationError, match="expired"):
        store.rotate_api_key("a", overlap=0)


@pytest.mark.parametrize(("passed", "allowed"), [(59.9, False), (60, True)])
def test_a_second_rotation_waits_for_the_end_of_the_overlap(passed: float, allowed: bool) -> None:
    """A third key would end the first one before the time that its users were promised."""
    clock = Clock()
    store = MemoryStore(clock=clock)
    key_id = key_id_of(store.add_api_key("billing")) or ""
    store.rotate_api_key(key_id, overlap=60)
    clock.now += passed
    if allowed:
        assert key_id_of(store.rotate_api_key(key_id, overlap=60)) == key_id
    else:
        with pytest.raises(AdministrationError, match="rotated before"):
            store.rotate_api_key(key_id, overlap=60)


def test_an_id_that_is_taken_is_not_given_again() -> None:
    store = MemoryStore()
    octets = iter([b"\x01", b"\x02", b"\x01", b"\x02", b"\x03", b"\x04"])

    def random(n: int) -> bytes:
        return next(octets) * n

    administered = Administered(Direct(store), random=random)
    first, second = (drive(add_api_key(administered, subject)) for subject in "ab")
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
                store.add_user("alice", password, replace=False)
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

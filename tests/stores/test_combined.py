"""Several stores as one, and an application's own look-ups."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.stores.faces import Called, Hidden, Note
from watchword import AsyncGuard, ConfigurationError, Guard, Password, StoreUnavailable
from watchword.authorization_server.client import Client
from watchword.core.records import COMMITTED, Add, Counter, Found, Once, Put, Ref, Replayed, Spent, Take
from watchword.crypto.keys import Key, RegisteredKey, RegisteredPublicKey
from watchword.schemes.digest import DigestSecret
from watchword.stores import MemoryStore, combine, from_callables

NOTE, HIDDEN = Ref(Note, ("n",)), Ref(Hidden, ("h",))
ALICE = Password("$argon2id$…", scopes=("read",))


def only(*kinds: type) -> MemoryStore:
    store = MemoryStore()
    store.kinds = frozenset(kinds)
    return store


def test_each_kind_goes_to_the_first_store_that_holds_it() -> None:
    first, second, rest = only(Note), only(Note, Spent, Counter), MemoryStore()
    store = combine(first, second, rest)
    for writes in ([Put(NOTE, Note("n"))], [Once(("x",), 1e11), Add(("c",), 1, 1e11)], [Put(HIDDEN, Hidden("h"))]):
        assert store.commit(writes) == COMMITTED
    assert first.fetch([NOTE]).get(NOTE) == Note("n")
    assert second.fetch([NOTE]).get(NOTE) is None
    assert second.fetch([Ref(Spent, ("x",))]).get(Ref(Spent, ("x",))) == Spent(1e11)
    assert rest.fetch([HIDDEN]).get(HIDDEN) == Hidden("h")
    found = store.fetch([NOTE, HIDDEN, Ref(Counter, ("c",))])
    assert [found.get(NOTE), found.get(HIDDEN), found.version(NOTE)] == [Note("n"), Hidden("h"), 1]
    assert store.kinds is None
    assert combine(first, only(Hidden)).kinds == {Note, Hidden}


def test_writes_that_fall_to_two_stores_are_refused_whole() -> None:
    store = combine(only(Note), MemoryStore())
    with pytest.raises(ConfigurationError, match="Note, Spent are written together"):
        store.commit([Put(NOTE, Note("n")), Once(("x",), 1e11)])
    assert store.fetch([NOTE]).get(NOTE) is None
    assert store.commit([Once(("x",), 1e11)]) == COMMITTED


def test_a_kind_that_nobody_holds_is_not_found_and_cannot_be_written() -> None:
    store = combine(only(Note), only(Spent))
    assert store.fetch([HIDDEN]).get(HIDDEN) is None
    for writes in ([Take(HIDDEN)], [Put(NOTE, Note("n")), Take(HIDDEN)]):
        with pytest.raises(ConfigurationError, match="no store holds"):
            store.commit(writes)


def test_a_store_that_could_never_be_asked_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="store 3 of combine is never asked: store 2 holds every kind"):
        combine(only(Note), MemoryStore(), MemoryStore())
    with pytest.raises(ConfigurationError, match="store 2 of combine is never asked"):
        combine(only(Note, Hidden), only(Note), MemoryStore())
    with pytest.raises(ConfigurationError, match="needs stores"):
        combine()


def test_it_blocks_if_a_part_blocks() -> None:
    assert combine(MemoryStore()).blocking is False
    assert combine(from_callables(password=dict[str, Password]().get), MemoryStore()).blocking is True


def test_one_awaited_part_makes_the_whole_awaited() -> None:
    async def password(username: str) -> Password | None:
        await asyncio.sleep(0)
        return ALICE if username == "alice" else None

    store = Called(combine(from_callables(password=password), MemoryStore()))
    assert store.get(Password, "alice") == ALICE
    assert store.get(Password, "bob") is None
    assert store.commit(Once(("x",), 1e11)) == COMMITTED
    assert store.commit(Once(("x",), 1e11)) == Replayed(Once(("x",), 1e11))
    store.close()


# ---- from_callables --------------------------------------------------------------------------------------------------


def test_each_look_up_is_asked_with_the_parts_of_the_key() -> None:
    asked: list[tuple[str, ...]] = []
    records = {
        "password": ALICE,
        "key": RegisteredKey("alice", "HS256", bytes(32)),
        "digest": DigestSecret("0" * 64),
        "client": Client("$argon2id$…", (), "svc"),
    }

    def lookup(name: str) -> Any:
        def ask(*key: str) -> Any:
            asked.append((name, *key))
            return records[name]

        return ask

    store = from_callables(**{name: lookup(name) for name in records})
    refs: list[Ref[Any]] = [
        Ref(Password, ("alice",)), Ref(RegisteredKey, ("k1",)), Ref(DigestSecret, ("SHA-256", "orders", "alice")),
        Ref(Client, ("svc",)), NOTE,
    ]  # fmt: skip
    found = store.fetch(refs)
    assert [found.get(ref) for ref in refs] == [*records.values(), None]
    assert asked == [("password", "alice"), ("key", "k1"), ("digest", "SHA-256", "orders", "alice"), ("client", "svc")]
    assert store.kinds == {Password, RegisteredKey, RegisteredPublicKey, DigestSecret, Client}
    assert repr(store) == "from_callables(password, key, digest, client)"


def test_one_look_up_gives_shared_keys_and_public_ones() -> None:
    public = RegisteredPublicKey.of("bob", Key.generate("ed25519"))
    records = {"shared": RegisteredKey("alice", "HS256", bytes(32)), "public": public}
    store = from_callables(key=records.get)
    for name, record in records.items():
        for kind in (RegisteredKey, RegisteredPublicKey):
            ref: Ref[Any] = Ref(kind, (name,))
            assert store.fetch([ref]).get(ref) == (record if type(record) is kind else None)


def awaited(function: Any) -> Any:
    async def ask(*key: str) -> Any:
        return function(*key)

    return ask


@pytest.mark.parametrize("colour", [lambda function: function, awaited])
def test_a_look_up_that_raises_is_unavailable_and_its_words_are_its_causes_alone(colour: Any) -> None:
    def password(username: str) -> Password:
        raise KeyError("hunter2 in the words of a driver")

    store = Called(from_callables(password=colour(password)))
    with pytest.raises(StoreUnavailable, match=r"from_callables\(password=…\) raised KeyError") as caught:
        store.get(Password, "alice")
    assert "hunter2" not in str(caught.value)
    assert isinstance(caught.value.__cause__, KeyError)
    store.close()


@pytest.mark.parametrize("colour", [lambda function: function, awaited])
def test_a_look_up_that_returns_something_else_is_told_what_to_return(colour: Any) -> None:
    store = Called(from_callables(password=colour(lambda username: "hunter2")))
    with pytest.raises(ConfigurationError, match="returned str: return Password or None"):
        store.get(Password, "alice")
    store.close()


@pytest.mark.parametrize("colour", [lambda function: function, awaited])
def test_it_writes_nothing(colour: Any) -> None:
    store = Called(from_callables(password=colour(lambda username: None)))
    assert store.commit() == COMMITTED
    for write in (Once(("x",), 1e11), Put(Ref(Password, ("a",)), ALICE)):
        with pytest.raises(ConfigurationError, match="only looks up"):
            store.commit(write)
    store.close()


def test_an_object_with_an_awaited_call_is_a_coroutine_look_up() -> None:
    class Table:
        async def __call__(self, username: str) -> Password:
            return ALICE

    store = Called(from_callables(password=Table()))
    assert store.get(Password, "alice") == ALICE
    store.close()


def test_none_or_two_colours_of_look_ups_are_configuration_errors() -> None:
    async def key(key_id: str) -> None:
        return None

    with pytest.raises(ConfigurationError, match="needs a look-up"):
        from_callables()
    with pytest.raises(ConfigurationError, match="not both"):
        from_callables(password=lambda username: None, key=key)


def test_guards_take_what_combine_makes() -> None:
    from watchword import BasicVerifier, Request

    record = Password.hash("open sesame")
    store = combine(from_callables(password={"alice": record}.get), MemoryStore())
    request = Request("GET", "https", "api.example", "/", {"Authorization": "Basic YWxpY2U6b3BlbiBzZXNhbWU="})
    assert Guard([BasicVerifier(realm="r")], store).verify(request).subject == "alice"
    assert asyncio.run(AsyncGuard([BasicVerifier(realm="r")], store).verify(request)).subject == "alice"
    assert isinstance(store.fetch([]), Found)

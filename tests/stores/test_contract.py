"""The two verbs: every store of ours keeps the promises of `watchword.testing.conformance`, and more."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stores.faces import COMBINED, KINDS, Called, Clock, Hidden, Note
from watchword import ConfigurationError, Key, Password, Reason, Rejected
from watchword.authorization_server.client import Client
from watchword.core.records import (
    COMMITTED, Add, Counter, Once, Put, Ref, Spent, Take,
)  # fmt: skip
from watchword.crypto.keys import RegisteredKey
from watchword.crypto.passwords import verify_password
from watchword.schemes.digest import DigestSecret, ha1
from watchword.testing.conformance import StoreConformance
from watchword.testing.conformance.store_model import Make

A = Ref(Note, ("a",))


class OurStores(StoreConformance):
    """Keep marks for a minute longer than they have to."""

    grace = 60.0


class TestEveryStore(OurStores):
    @pytest.fixture(params=sorted(KINDS.keys() - COMBINED.keys()))
    def make_store(self, request: pytest.FixtureRequest) -> Make:
        return KINDS[request.param]


class TestCombinedStores(OurStores):
    kept_apart = frozenset({Hidden})

    @pytest.fixture(params=COMBINED)
    def make_store(self, request: pytest.FixtureRequest) -> Make:
        return COMBINED[request.param]


def test_an_owner_has_a_name(store: Called, clock: Clock) -> None:
    with pytest.raises(ConfigurationError, match="owner"):
        store.commit(Once(("id", "1"), clock.now + 9, ""))


def test_marks_and_counters_that_ended_a_minute_ago_are_forgotten_bit_by_bit(store: Called, clock: Clock) -> None:
    for number in range(40):
        store.commit(Once(("old", str(number)), clock.now + 1), Add(("old", str(number)), 1, clock.now + 1))
    clock.now += 200
    for number in range(150):
        store.commit(Once(("new", str(number)), clock.now + 100))
    refs = [Ref(kind, ("old", str(number))) for kind in (Spent, Counter) for number in range(40)]
    refs += [Ref(Spent, ("new", str(number))) for number in range(150)]
    found = store.fetch(refs)
    assert [ref for ref in refs if found.get(ref)] == refs[80:]
    assert store.commit(Once(("old", "1"), clock.now + 1)) == COMMITTED


@pytest.mark.parametrize("until", [float("nan"), float("inf"), float("-inf")])
def test_a_time_that_is_none_is_a_configuration_error_and_writes_nothing(store: Called, until: float) -> None:
    for write in (Once(("x",), until), Add(("x",), 1, until)):
        with pytest.raises(ConfigurationError, match="finite"):
            store.commit(Put(A, Note("1")), write)
    assert store.get(Note, "a") is None


def test_marks_and_counters_are_not_to_be_put_or_taken(store: Called) -> None:
    for write in (Put(Ref(Spent, ("x",)), Spent(1.0)), Take(Ref(Counter, ("x",)))):
        with pytest.raises(ConfigurationError, match="written by"):
            store.commit(write)


def test_a_record_of_another_class_than_its_place_is_refused(store: Called) -> None:
    with pytest.raises(ConfigurationError, match="a Hidden can't be put where a Note is kept"):
        store.commit(Put(A, Hidden("x")))


def test_a_user_can_be_added_and_every_older_password_of_theirs_ends(store: Called) -> None:
    store.add_user("alice", "first", scopes=["read"], realm="orders", digest_algorithms=["SHA-256", "MD5-sess"])
    assert store.get(Password, "alice").scopes == ("read",)
    assert store.get(DigestSecret, "SHA-256", "orders", "alice") == DigestSecret(
        ha1("SHA-256", "alice", "orders", "first"), ("read",)
    )
    assert store.get(DigestSecret, "MD5", "orders", "alice") is not None
    store.add_user("alice", "second", realm="billing")
    verify_password(store.get(Password, "alice").encoded, "second")
    with pytest.raises(Rejected) as caught:
        verify_password(store.get(Password, "alice").encoded, "first")
    assert caught.value.reason is Reason.WRONG_SECRET
    assert store.get(DigestSecret, "SHA-256", "orders", "alice") is None
    assert store.get(DigestSecret, "MD5", "orders", "alice") is None
    assert store.get(DigestSecret, "SHA-256", "billing", "alice") is not None
    store.add_user("alice", "third")
    assert store.get(DigestSecret, "SHA-256", "billing", "alice") is None


def test_keys_and_clients_can_be_added(store: Called) -> None:
    key = Key.from_secret(bytes(range(32)), algorithm="HS256", key_id="k1")
    store.add_key("alice", key, scopes=["write"])
    assert store.get(RegisteredKey, "k1") == RegisteredKey("alice", "HS256", bytes(range(32)), ("write",))
    store.add_client("svc", "open sesame", scopes=["read"])
    client = store.get(Client, "svc")
    assert (client.subject, client.scopes) == ("svc", ("read",))
    verify_password(client.secret, "open sesame")


USER_FAULTS = [
    ({"username": ""}, "empty"),
    ({"username": "a:b"}, "colon.*RFC 7617"),
    ({"username": "a\nb"}, "control character"),
    ({"password": ""}, "empty"),
    ({"password": "x" * 513}, "512 characters: choose a shorter one"),
    ({"password": "é" * 513}, "512 characters: choose a shorter one"),
    ({"username": "x" * 257}, "256 characters"),
    ({"username": "é" * 257}, "256 characters"),
    ({"scopes": "read"}, r"scopes=\['read'\]"),
    ({"digest_algorithms": ["SHA-256"]}, "realm"),
    ({"realm": "r", "digest_algorithms": ["SHA-1"]}, "SHA-1"),
]


@pytest.mark.parametrize(("fault", "words"), USER_FAULTS)
def test_a_user_that_cannot_be_is_a_configuration_error(store: Called, fault: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        store.add_user(**{"username": "alice", "password": "open sesame", **fault})
    assert store.get(Password, "alice") is None


def test_a_key_without_id_or_for_encryption_and_a_client_without_name_are_configuration_errors(store: Called) -> None:
    with pytest.raises(ConfigurationError, match="key_id="):
        store.add_key("alice", Key.from_secret(bytes(32), algorithm="HS256"))
    with pytest.raises(ConfigurationError, match="for encryption"):
        store.add_key("alice", Key.generate("A256GCM", key_id="k"))
    with pytest.raises(ConfigurationError, match="subject is empty"):
        store.add_key("", Key.from_secret(bytes(32), algorithm="HS256", key_id="k"))
    for client_id in ("", "a\nb", "ü"):
        with pytest.raises(ConfigurationError, match="RFC 6749"):
            store.add_client(client_id, "s3cret")


# ---- one form of a name (RFC 8265) ----


def test_a_user_is_kept_under_the_one_form_of_the_name_whatever_form_is_given(store: Called) -> None:
    store.add_user("Jose\u0301", "pa\u0308ss", realm="orders")
    store.add_user("Jos\u00e9", "zwo\u0308lf", realm="orders")
    verify_password(store.get(Password, "Jos\u00e9").encoded, "zw\u00f6lf")
    assert store.get(Password, "Jose\u0301") is None
    secret = store.get(DigestSecret, "SHA-256", "orders", "Jos\u00e9")
    assert secret.ha1 == ha1("SHA-256", "Jos\u00e9", "orders", "zw\u00f6lf")


def test_passwords_and_disabling_reach_the_user_by_any_form_of_the_name(store: Called) -> None:
    store.add_user("Jos\u00e9", "one")
    store.set_password("Jose\u0301", "zwo\u0308lf")
    store.disable_user("Jose\u0301")
    record = store.get(Password, "Jos\u00e9")
    assert record.disabled
    verify_password(record.encoded, "zw\u00f6lf")


def test_case_tells_users_apart(store: Called) -> None:
    store.add_user("alice", "one")
    store.add_user("Alice", "two")
    for name, password in (("alice", "one"), ("Alice", "two")):
        verify_password(store.get(Password, name).encoded, password)

"""Django's users as a store: whom Django lets in, and what Django still accepts afterwards."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from tests.stores.django_users import HASHERS, first
from watchword import (
    AsyncGuard, BasicVerifier, ConfigurationError, Guard, Identity, Password, Reason, Rejected, Request, StoreUnavailable,
)  # fmt: skip
from watchword.core.records import Add, Put, Ref
from watchword.crypto import passwords
from watchword.crypto.passwords import Decoy, hash_password
from watchword.stores import MemoryStore, combine
from watchword.stores.django import AsyncDjangoStore, DjangoStore

from django.contrib.auth import hashers
from django.contrib.auth.models import Permission, User
from django.db import OperationalError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import override_settings

KINDS = [Guard, AsyncGuard]
FIRST = [path.rpartition(".")[2] for path in HASHERS]
MADE_ANEW = [name for name in FIRST if name != "MD5"]


def disconnect() -> None:
    """Here and in asgiref's thread, which both keep their connections: each to a database of its own, if that is in memory."""

    async def awaited() -> None:
        await sync_to_async(BaseDatabaseWrapper.close)(connection)

    asyncio.run(awaited())
    BaseDatabaseWrapper.close(connection)  # its own close() leaves one that is in memory open


@pytest.fixture(scope="module", autouse=True)
def database() -> Iterator[None]:
    name = connection.settings_dict["NAME"]
    disconnect()
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    yield
    connection.creation.destroy_test_db(name, verbosity=0)
    disconnect()


@pytest.fixture(autouse=True)
def no_users(database: None) -> Iterator[None]:
    yield
    User.objects.all().delete()


@pytest.fixture(autouse=True)
def cheap() -> Iterator[None]:
    with override_settings(PASSWORD_HASHERS=HASHERS):
        yield


def guarding(kind: Any, *, rehash: str | None = "bcrypt", **options: Any) -> Any:
    store: Any = (DjangoStore if kind is Guard else AsyncDjangoStore)(**options)
    return kind([BasicVerifier(realm="x", rehash=rehash, cache=None)], combine(store, MemoryStore()))


def ask(guard: Any, password: str, username: str = "alice") -> Identity:
    value = "Basic " + b64encode(f"{username}:{password}".encode()).decode()
    request = Request("GET", "https", "api.example", "/", {"Authorization": value})
    if isinstance(guard, Guard):
        return guard.verify(request)

    async def asked() -> Identity:
        try:
            answer: Identity = await guard.verify(request)
            return answer
        finally:
            await sync_to_async(connections.close_all)()  # those of asgiref's thread

    return asyncio.run(asked())


def stored(username: str = "alice") -> str:
    return str(User.objects.get(username=username).password)


def made_by(name: str, password: str, **parameters: Any) -> str:
    """A hash of that hasher's, with other parameters than it has now."""
    hasher = next(each for each in hashers.get_hashers() if type(each).__name__ == name)
    weaker: Any = type(name, (type(hasher),), parameters)()
    return str(weaker.encode(password, weaker.salt()))


# ---- who logs in -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FIRST)
def test_a_user_of_django_logs_in_under_every_hasher(kind: Any, name: str) -> None:
    with override_settings(PASSWORD_HASHERS=first(name)):
        User.objects.create_user("alice", password="pässwörd")
        before = stored()
        identity = ask(guarding(kind), "pässwörd")
        assert (identity.subject, identity.scopes) == ("alice", frozenset())
        with pytest.raises(Rejected) as caught:
            ask(guarding(kind), "passwörd")
        assert caught.value.reason is Reason.WRONG_SECRET
        assert stored() == before, "it is as Django makes them today"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FIRST)
def test_unusable_inactive_and_unknown_users_cost_a_wrong_password_of_the_first_hasher_and_get_the_same_octets(
    kind: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed."""
    work: list[Any] = []
    matches = passwords._matches

    def counted(encoded: str, octets: bytes, *known: Any) -> bool:
        form, fields = passwords.recognise(encoded)
        work.append((form.name, form.cost(fields), len(octets)))
        return matches(encoded, octets, *known)

    monkeypatch.setattr(passwords, "_matches", counted)
    with override_settings(PASSWORD_HASHERS=first(name)):
        User.objects.create_user("alice", password="secret")
        User.objects.create_user("inactive", password="secret", is_active=False)
        User.objects.create_user("unusable")
        User.objects.create_user("retired", is_active=False)
        assert stored("unusable").startswith("!")
        guard = guarding(kind)
        seen: dict[Any, Any] = {}
        for username, password in [
            ("alice", "guess!"), *((who, what) for who in ("inactive", "unusable", "retired", "nobody") for what in ("secret", "guess!", "!")),
        ]:  # fmt: skip
            work.clear()
            with pytest.raises(Rejected) as caught:
                ask(guard, password, username)
            assert caught.value.refusal is not None
            response = caught.value.refusal.response()
            seen[username, password] = ([each[:2] for each in work], response.status, tuple(response.headers))
        assert len(set(map(repr, seen.values()))) == 1
        assert len(seen["alice", "guess!"][0]) == 1, "one hash, of the first hasher's parameters"


@pytest.mark.parametrize("kind", KINDS)
def test_the_text_that_marks_an_unusable_password_is_no_password(kind: Any) -> None:
    User.objects.create_user("alice")
    for password in (stored(), stored()[1:], "!", ""):
        with pytest.raises(Rejected) as caught:
            ask(guarding(kind), password)
        assert caught.value.reason is Reason.WRONG_SECRET


def test_names_that_the_database_takes_for_one_are_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """As MySQL compares by default."""
    User.objects.create_user("alice", password="secret")
    real = User._default_manager.filter
    monkeypatch.setattr(User._default_manager, "filter", lambda *, username: real(username__iexact=username))
    guard = guarding(Guard, rehash=None)
    assert ask(guard, "secret").subject == "alice"
    for other in ("Alice", "ALICE"):
        with pytest.raises(Rejected) as caught:
            ask(guard, "secret", other)
        assert caught.value.reason is Reason.UNKNOWN_SUBJECT


@pytest.mark.parametrize("kind", KINDS)
def test_scopes_are_those_that_the_project_names(kind: Any) -> None:
    alice = User.objects.create_user("alice", password="secret", is_superuser=False)
    alice.user_permissions.add(Permission.objects.get(codename="view_user"))
    assert ask(guarding(kind, scopes=lambda user: user.get_all_permissions()), "secret").scopes == {"auth.view_user"}
    with pytest.raises(StoreUnavailable) as caught:
        ask(guarding(kind, scopes=lambda user: "read write"), "secret")
    assert "['read', 'write']" in str(caught.value.__cause__)


# ---- made anew -------------------------------------------------------------------------------------------------------

WEAKER = {
    "PBKDF2": {"iterations": 3},
    "PBKDF2SHA1": {"iterations": 3},
    "Scrypt": {"work_factor": 8},
    "MD5": {},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MADE_ANEW)
@pytest.mark.parametrize("old", WEAKER)
def test_after_a_hash_was_made_anew_django_accepts_it_and_would_not_make_another(
    kind: Any, name: str, old: str
) -> None:
    with override_settings(PASSWORD_HASHERS=first(name)):
        User.objects.create_user("alice")
        User.objects.filter(username="alice").update(password=made_by(old, "secret", **WEAKER[old]))
        weak = stored()
        assert ask(guarding(kind), "secret").subject == "alice"
        new = stored()
        assert new != weak
        assert hashers.check_password("secret", new) and not hashers.check_password("Secret", new)
        assert hashers.identify_hasher(new) is hashers.get_hasher()
        assert not hashers.get_hasher().must_update(new)
        assert ask(guarding(kind), "secret").subject == "alice"
        assert stored() == new, "once"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("why", ["rehash=False", "of the verifier", "MD5 first", "dearer", "wrong", "inactive"])
def test_a_hash_is_left_alone_where_it_should_be(kind: Any, why: str) -> None:
    parameters = {"iterations": 5 if why == "dearer" else 3}
    with override_settings(PASSWORD_HASHERS=first("MD5" if why == "MD5 first" else "PBKDF2")):
        User.objects.create_user("alice", is_active=why != "inactive")
        User.objects.filter(username="alice").update(password=made_by("PBKDF2", "secret", **parameters))
        before = stored()
        options = {"rehash=False": {"rehash": False}}.get(why, {})
        store: Any = (DjangoStore if kind is Guard else AsyncDjangoStore)(**options)
        verifier = BasicVerifier(realm="x", cache=None, rehash=None if why == "of the verifier" else "bcrypt")
        guard = kind([verifier], combine(store, MemoryStore()))
        if why in ("wrong", "inactive"):
            with pytest.raises(Rejected):
                ask(guard, "secret" if why == "inactive" else "guess")
        else:
            assert ask(guard, "secret").subject == "alice"
        assert stored() == before


def test_a_password_that_is_changed_meanwhile_stays() -> None:
    User.objects.create_user("alice")
    User.objects.filter(username="alice").update(password=made_by("PBKDF2", "secret", iterations=3))

    class Slow(DjangoStore):
        def _write(self, username: str, old: str, new: str) -> int:
            User.objects.get(username="alice").set_password("another")
            User.objects.filter(username="alice").update(password=hashers.make_password("another"))
            return super()._write(username, old, new)

    guard = Guard([BasicVerifier(realm="x", cache=None)], combine(Slow(), MemoryStore()))
    assert ask(guard, "secret").subject == "alice"
    assert hashers.check_password("another", stored())


def test_nothing_but_a_better_hash_is_written() -> None:
    User.objects.create_user("alice", password="secret")
    before = stored()
    store = DjangoStore()
    number = store.fetch([Ref(Password, ("alice",))]).version(Ref(Password, ("alice",)))
    assert number
    for write in (
        Put(Ref(Password, ("alice",)), Password(passwords.DUMMY), number),
        Put(Ref(Password, ("alice",)), Password("!"), number),
        Put(Ref(Password, ("bob",)), Password(hash_password("x", like=before)), 0),
        Add(("x",), 1, 2e9),
    ):
        with pytest.raises(ConfigurationError):
            store.commit([write])
    with pytest.raises(ConfigurationError):
        combine(store, MemoryStore()).add_user("bob", "secret", replace=False)
    assert stored() == before and User.objects.count() == 1


# ---- the settings, the database --------------------------------------------------------------------------------------


def test_the_decoy_follows_the_setting() -> None:
    store = DjangoStore()

    def decoy() -> str:
        found = store.fetch([]).get(Ref(Decoy, ("password",)))
        assert found is not None and found.pattern
        return found.encoded

    assert decoy().startswith("pbkdf2_sha256$4$") and decoy() == decoy()
    with override_settings(PASSWORD_HASHERS=first("Scrypt")):
        assert decoy().startswith("scrypt$16$")
    assert decoy().startswith("pbkdf2_sha256$4$")


@pytest.mark.parametrize("kind", KINDS)
def test_a_hasher_that_is_not_known_is_a_configuration_error_for_every_user(kind: Any) -> None:
    with override_settings(PASSWORD_HASHERS=first("Unsupported")):
        User.objects.create_user("alice", password="secret")
        for username in ("alice", "nobody"):
            with pytest.raises(ConfigurationError, match=r"Unsupported are not verified .*: put a hasher"):
                ask(guarding(kind), "secret", username)


@pytest.mark.parametrize("kind", KINDS)
def test_a_database_that_fails_is_unavailable_and_its_words_stay_out(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(**_: str) -> None:
        raise OperationalError("hunter2")

    monkeypatch.setattr(User._default_manager, "filter", failing)
    with pytest.raises(StoreUnavailable, match=r"look-up of DjangoStore\(\) raised OperationalError") as caught:
        ask(guarding(kind), "secret")
    assert "hunter2" not in str(caught.value)


def test_a_guard_needs_no_other_store_for_basic() -> None:
    User.objects.create_user("alice", password="secret")
    for store in (DjangoStore(), AsyncDjangoStore()):
        assert store.of_django and store.kinds == {Password, Decoy} and "secret" not in repr(store)
    assert ask(Guard([BasicVerifier(realm="x")], DjangoStore()), "secret").subject == "alice"

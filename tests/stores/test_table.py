"""The user table of another program: read, and written only as that program writes it."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.security import check_password_hash, generate_password_hash

from watchword import (
    AsyncGuard, BasicVerifier, ConfigurationError, Guard, Identity, Password, Reason, Rejected, Request, StoreUnavailable,
)  # fmt: skip
from watchword import stores
from watchword.core.records import COMMITTED, Add, Conflict, Once, Put, Ref, Take
from watchword.crypto import passwords
from watchword.crypto.passwords import Decoy, hash_password, is_outdated, verify_password
from watchword.stores import MemoryStore, combine, password_table

DJANGO = "pbkdf2_sha256$4$salt$" + "A" * 43 + "="
WERKZEUG = generate_password_hash("any", "scrypt:16:8:2")
PHP = "$2y$04$abcdefghijklmnopqrstuu5Lo/g67CiD3M4RpN1BmBb4Crp5w7dbK"
LIKES = {"django": DJANGO, "werkzeug": WERKZEUG, "php": PHP}
OLD = {
    "django": DJANGO.replace("$4$", "$3$"),
    "werkzeug": "pbkdf2:sha256:3$salt$" + "0" * 64,
    "php": "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$" + "A" * 43,
}
"""What is outdated where hashes shall be like those above."""
ALICE = Ref(Password, ("alice",))
KINDS = [Guard, AsyncGuard]


class Rows:
    """A table of the application's own."""

    def __init__(self, **rows: Password) -> None:
        self.rows = rows
        self.saved: list[tuple[str, str, str]] = []

    def lookup(self, username: str) -> Password | None:
        return self.rows.get(username)

    def save(self, username: str, old: str, new: str) -> int:
        self.saved.append((username, old, new))
        if self.rows[username].encoded != old:
            return 0
        self.rows[username] = replace(self.rows[username], encoded=new)
        return 1

    def store(self, kind: Any, like: str, *, writable: bool = True) -> Any:
        if kind is Guard:
            return password_table(self.lookup, like=like, save=self.save if writable else None)

        async def lookup(username: str) -> Password | None:
            return self.lookup(username)

        async def save(username: str, old: str, new: str) -> int:
            return self.save(username, old, new)

        return password_table(lookup, like=like, save=save if writable else None)


def ask(guard: Any, password: str, username: str = "alice") -> Identity:
    value = "Basic " + b64encode(f"{username}:{password}".encode()).decode()
    answer = guard.verify(Request("GET", "https", "api.example", "/", {"Authorization": value}))
    return asyncio.run(answer) if asyncio.iscoroutine(answer) else answer  # type: ignore[no-any-return]


def guarding(kind: Any, store: Any, **options: Any) -> Any:
    return kind([BasicVerifier(realm="x", **options)], combine(store, MemoryStore()))


def commit(store: Any, *writes: Any) -> Any:
    outcome = store.commit(writes)
    return asyncio.run(outcome) if asyncio.iscoroutine(outcome) else outcome


def version(store: Any) -> int:
    found = store.fetch([ALICE])
    found = asyncio.run(found) if asyncio.iscoroutine(found) else found
    number: int = found.version(ALICE)
    return number


# ---- made anew -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", LIKES)
@pytest.mark.parametrize("rehash", ["rfc9106-low-memory", "bcrypt", "pbkdf2-sha256"])
def test_an_outdated_hash_is_made_anew_as_the_table_wants_it_whatever_the_verifier_would_choose(
    kind: Any, name: str, rehash: str
) -> None:
    old = Password(hash_password("secret", like=OLD[name]), ("read",), "user:1")
    table = Rows(alice=old)
    guard = guarding(kind, table.store(kind, LIKES[name]), rehash=rehash)
    assert ask(guard, "secret").subject == "user:1"
    new = table.rows["alice"].encoded
    assert table.saved == [("alice", old.encoded, new)] and new != old.encoded
    assert not is_outdated(new, like=LIKES[name])
    verify_password(new, "secret")
    assert table.rows["alice"] == replace(old, encoded=new)
    assert ask(guard, "secret").subject == "user:1"
    assert len(table.saved) == 1, "once"


def test_werkzeug_still_accepts_a_password_after_its_hash_was_made_anew() -> None:
    table = Rows(alice=Password(generate_password_hash("secret", "pbkdf2:sha256:3")))
    ask(guarding(Guard, table.store(Guard, WERKZEUG)), "secret")
    assert table.rows["alice"].encoded.startswith("scrypt:16:8:2$")
    assert check_password_hash(table.rows["alice"].encoded, "secret")
    assert not check_password_hash(table.rows["alice"].encoded, "Secret")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("why", ["up to date", "rehash=None", "wrong", "disabled", "no save", "too long for bcrypt"])
def test_nothing_is_written_where_it_should_not_be(kind: Any, why: str) -> None:
    like = {"up to date": OLD["django"], "too long for bcrypt": PHP}.get(why, DJANGO)
    secret = "secret" * (20 if why == "too long for bcrypt" else 1)
    alice = Password(hash_password(secret, like=OLD["django"]), disabled=why == "disabled")
    table = Rows(alice=alice)
    options = {"rehash": None} if why == "rehash=None" else {}
    guard = guarding(kind, table.store(kind, like, writable=why != "no save"), **options)
    if why in ("wrong", "disabled"):
        with pytest.raises(Rejected):
            ask(guard, "secret" if why == "disabled" else "guess")
    else:
        ask(guard, secret)
    assert table.rows == {"alice": alice} and not table.saved


@pytest.mark.parametrize("kind", KINDS)
def test_a_password_that_changed_meanwhile_wins(kind: Any) -> None:
    table = Rows(alice=Password(hash_password("secret", like=OLD["django"])))
    store = table.store(kind, DJANGO)
    number = version(store)
    table.rows["alice"] = changed = Password(hash_password("another", like=DJANGO))
    put = Put(ALICE, Password(hash_password("secret", like=DJANGO)), number)
    assert commit(store, put) == Conflict(put)
    del table.rows["alice"]
    assert commit(store, put) == Conflict(put)
    table.rows["alice"] = changed
    assert not table.saved and version(store) != number


def test_a_row_that_changes_between_the_look_up_and_the_save_wins_and_the_log_in_succeeds() -> None:
    table = Rows(alice=Password(hash_password("secret", like=OLD["django"])))
    theirs = Password(hash_password("another", like=DJANGO))

    def save(username: str, old: str, new: str) -> int:
        table.rows["alice"] = theirs
        return table.save(username, old, new)

    guard = guarding(Guard, password_table(table.lookup, like=DJANGO, save=save))
    assert ask(guard, "secret").subject == "alice"
    assert table.rows["alice"] == theirs


@pytest.mark.parametrize("answer", [None, True, 1, False, 0])
def test_what_save_returns_says_whether_it_wrote(answer: Any) -> None:
    table = Rows(alice=Password(DJANGO))
    store = password_table(table.lookup, like=DJANGO, save=lambda *_: answer)
    put = Put(ALICE, Password(hash_password("x", like=DJANGO)), version(store))
    assert store.commit([put]) == (Conflict(put) if answer in (False, 0) and answer is not None else COMMITTED)


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_takes_nothing_but_a_better_hash_in_its_own_format(kind: Any) -> None:
    table = Rows(alice=Password(DJANGO, ("read",)))
    store = table.store(kind, DJANGO)
    number = version(store)
    good = Put(ALICE, Password(hash_password("x", like=DJANGO), ("read",)), number)
    refused = [
        [Take(ALICE)],
        [Once(("x",), 2e9)],
        [Add(("x",), 1, 2e9)],
        [good, good],
        [Put(ALICE, good.record)],
        [Put(ALICE, good.record, 0)],
        [Put(Ref(Decoy, ("password",)), Decoy(DJANGO), number)],
        [Put(Ref(Decoy, ("password",)), good.record, number)],
        *(
            [Put(ALICE, replace(good.record, encoded=other), number)]
            for other in (WERKZEUG, PHP, passwords.DUMMY, "!", "")
        ),
    ]
    for writes in refused:
        with pytest.raises(ConfigurationError, match="combine|own format"):
            commit(store, *writes)
    for record in (replace(good.record, scopes=("admin",)), replace(good.record, disabled=True)):
        assert isinstance(commit(store, Put(ALICE, record, number)), Conflict)
    assert commit(store) == COMMITTED and not table.saved
    assert commit(store, good) == COMMITTED and len(table.saved) == 1
    reading = table.store(kind, DJANGO, writable=False)
    with pytest.raises(ConfigurationError, match="save="):
        commit(reading, good)
    assert version(reading) == 0


def test_an_administrator_who_sets_a_password_through_it_is_told_to_use_the_other_program() -> None:
    table = Rows(alice=Password(DJANGO))
    store = combine(table.store(Guard, DJANGO), MemoryStore())
    with pytest.raises(ConfigurationError, match="own|nothing but"):
        store.set_password("alice", "another secret")
    assert not table.saved


# ---- what it costs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", LIKES)
def test_unknown_unusable_and_disabled_users_cost_what_a_wrong_password_costs_and_get_the_same_octets(
    kind: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed."""
    like = LIKES[name]
    good = Password(hash_password("secret", like=like))
    table = Rows(
        alice=good,
        inactive=replace(good, disabled=True),
        unusable=Password("!sUYHEd4i6lKyeufRvKtjDXsUYHEd4i6lKyeufRvK"),
        empty=Password(""),
        hostile=Password("scrypt:1073741824:8:1$salt$" + "0" * 128),
        off=Password("!", disabled=True),
    )
    guard = guarding(kind, table.store(kind, like))
    work: list[tuple[Any, int]] = []
    matches = passwords._matches

    def counted(encoded: str, octets: bytes, *known: Any) -> bool:
        form, fields = passwords.recognise(encoded)
        work.append(((form.name, form.cost(fields)), len(octets)))
        return matches(encoded, octets, *known)

    monkeypatch.setattr(passwords, "_matches", counted)
    seen = {}
    for username in (*table.rows, "nobody"):
        for password in ("secret", "guess!"):
            work.clear()
            if (username, password) == ("alice", "secret"):
                continue
            with pytest.raises(Rejected) as caught:
                ask(guard, password, username)
            assert caught.value.refusal is not None
            response = caught.value.refusal.response()
            seen[username, password] = (list(work), response.status, tuple(response.headers))
            expected = {"nobody": Reason.UNKNOWN_SUBJECT, "inactive": Reason.DISABLED}
            right = Reason.WRONG_SECRET if password == "guess!" else expected.get(username, Reason.WRONG_SECRET)
            assert caught.value.reason is (expected["nobody"] if username == "nobody" else right)
    assert len(set(map(repr, seen.values()))) == 1
    assert len(next(iter(seen.values()))[0]) == 1


def test_whether_a_secret_matches_the_pattern_is_never_asked() -> None:
    guard = guarding(Guard, Rows().store(Guard, hash_password("secret", like=DJANGO)))
    with pytest.raises(Rejected) as caught:
        ask(guard, "secret", "nobody")
    assert caught.value.reason is Reason.UNKNOWN_SUBJECT


# ---- what it refuses -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("like", ["", "!", "sha1$salt$" + "0" * 40, "scrypt:1073741824:8:1$salt$" + "0" * 128])
def test_a_pattern_that_cannot_be_used_is_refused_at_once(like: str) -> None:
    with pytest.raises(ConfigurationError, match="like= can't be followed"):
        password_table({}.get, like=like)


@pytest.mark.parametrize(
    "like",
    ["md5$salt$" + "0" * 32, "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "$apr1$e/liMnO6$" + "a" * 22],
)
def test_what_nobody_should_make_can_be_read_and_is_not_made(like: str) -> None:
    password_table({}.get, like=like)
    with pytest.raises(ConfigurationError, match="no new"):
        password_table({}.get, like=like, save=lambda *_: None)


def test_two_colours_are_refused() -> None:
    async def save(*_: str) -> None:
        return None

    with pytest.raises(ConfigurationError, match="not both"):
        password_table({}.get, like=DJANGO, save=save)  # type: ignore[call-overload]


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_that_fails_is_unavailable_and_its_words_stay_out(kind: Any) -> None:
    class Failing(Rows):
        def lookup(self, username: str) -> Password | None:
            raise ValueError("hunter2")

    with pytest.raises(StoreUnavailable, match=r"look-up of password_table\(…\) raised ValueError") as caught:
        version(Failing().store(kind, DJANGO))
    assert "hunter2" not in str(caught.value)

    class FailingLater(Rows):
        def save(self, username: str, old: str, new: str) -> int:
            raise ValueError("hunter2")

    table = FailingLater(alice=Password(hash_password("secret", like=OLD["django"])))
    store = table.store(kind, DJANGO)
    put = Put(ALICE, Password(hash_password("x", like=DJANGO)), version(store))
    with pytest.raises(StoreUnavailable, match=r"save of password_table\(…\) raised ValueError") as caught:
        commit(store, put)
    assert "hunter2" not in str(caught.value)
    assert ask(guarding(kind, store), "secret").subject == "alice", "a log-in doesn't fail for it"


def test_a_look_up_that_returns_something_else_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="returned str: return Password or None"):
        password_table(lambda username: DJANGO, like=DJANGO).fetch([ALICE])  # type: ignore[arg-type,return-value]


def test_nothing_of_a_hash_is_shown() -> None:
    table = password_table({"alice": Password(DJANGO)}.get, like=DJANGO)
    shown = repr(table) + repr(table.fetch([ALICE]).records())
    assert "AAAA" not in shown and "pbkdf2" not in shown


def test_no_store_has_the_name_of_its_module_which_would_take_its_place_once_loaded() -> None:
    assert not set(stores.__all__) & set(stores._HOMES.values())
    assert set(stores.__all__) == set(stores._HOMES)

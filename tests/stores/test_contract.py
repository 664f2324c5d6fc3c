"""The two verbs, the same for every store."""

from __future__ import annotations

import asyncio
import inspect
import threading
from typing import Any

import pytest

from tests.stores.faces import Called, Clock, Hidden, Note
from watchword import ConfigurationError, Key, Password, Reason, Rejected
from watchword.authorization_server.client import Client
from watchword.core.records import (
    COMMITTED, Add, After, Conflict, Counter, Exceeded, Once, Put, Ref, Replayed, Spent, Take, TakeBack,
)  # fmt: skip
from watchword.crypto.keys import RegisteredKey
from watchword.crypto.passwords import verify_password
from watchword.schemes.digest import DigestSecret, ha1

A, B = Ref(Note, ("a",)), Ref(Note, ("b",))


def test_a_record_comes_back_as_it_was_put_with_its_version(store: Called) -> None:
    note = Note("ü\0\n\"'", bytes(range(256)), ("x", "y"), 0.1)
    assert store.commit(Put(A, note)) == COMMITTED
    assert store.get(Note, "a") == note
    assert store.version(Note, "a") == 1
    assert store.commit(Put(A, Note("2"))) == COMMITTED
    assert (store.get(Note, "a"), store.version(Note, "a")) == (Note("2"), 2)


def test_what_is_not_there_is_not_found(store: Called) -> None:
    found = store.fetch([A, Ref(Spent, ("a",)), Ref(Counter, ("a",)), Ref(Hidden, ("a",))])
    assert [found.get(ref) for ref in (A, Ref(Spent, ("a",)), Ref(Counter, ("a",)))] == [None] * 3
    assert found.version(A) == 0
    assert store.fetch([]).get(A) is None
    assert store.commit() == COMMITTED


def test_one_fetch_brings_records_marks_and_counters_and_no_other(store: Called, clock: Clock) -> None:
    store.commit(Put(A, Note("a")), Put(B, Note("b")), Put(Ref(Note, ("c",)), Note("c")))
    store.commit(Put(Ref(Hidden, ("a",)), Hidden("s")))
    store.commit(Put(Ref(Hidden, ("c",)), Hidden("t")))
    store.commit(Once(("a",), clock.now + 9), Add(("a",), 4, clock.now + 8))
    refs = [A, Ref(Note, ("c",)), Ref(Hidden, ("a",)), Ref(Spent, ("a",)), Ref(Counter, ("a",)), Ref(Spent, ("b",))]
    found = store.fetch(refs)
    assert [found.get(ref) for ref in refs] == [
        Note("a"), Note("c"), Hidden("s"), Spent(clock.now + 9), Counter(4, clock.now + 8), None,
    ]  # fmt: skip
    assert found.get(B) is None
    assert found.get(Ref(Hidden, ("c",))) is None


def test_keys_that_look_alike_are_different(store: Called, clock: Clock) -> None:
    keys = [
        ("a", "b"), ("a\0b",), ("a,b",), ('a","b',), ("ab",), ("ab", ""), ("", "ab"), ("A", "b"), (), ("",), ("a ", "b"),
        ("\u00e9",), ("e\u0301",), ("\ud800",), ("\\ud800",), ("a/b",),
    ]  # fmt: skip
    for number, key in enumerate(keys):
        assert store.commit(Put(Ref(Note, key), Note(str(number)), 0)) == COMMITTED, key
        assert store.commit(Once(key, clock.now + 10)) == COMMITTED, key
    assert [store.get(Note, *key).text for key in keys] == [str(number) for number in range(len(keys))]


def test_a_mark_is_made_once_even_after_its_time_until_it_is_forgotten(store: Called, clock: Clock) -> None:
    once = Once(("digest", "nonce", "00000001"), clock.now + 10)
    assert store.commit(once) == COMMITTED
    assert store.commit(once) == Replayed(once)
    clock.now += 10 + 59
    again = once._replace(until=clock.now + 10)
    assert store.commit(again) == Replayed(again)
    assert store.get(Spent, *once.key) == Spent(once.until)


def is_used(store: Called, once: Once) -> bool:
    return once.is_used(store.fetch(once.refs))


def test_each_owner_has_marks_of_its_own(store: Called, clock: Clock) -> None:
    marks = [Once(("id", "1"), clock.now + 10 * number, f"o{number}") for number in range(1, 4)]
    for mark in marks:
        assert not is_used(store, mark)
        assert store.commit(mark) == COMMITTED
    for mark in marks:
        assert store.commit(mark) == Replayed(mark)
        assert is_used(store, mark)
    assert not is_used(store, Once(("id", "1"), clock.now + 9, "o4"))
    assert not is_used(store, Once(("id", "2"), clock.now + 9, "o1"))


def test_owners_that_look_alike_are_different(store: Called, clock: Clock) -> None:
    marks = [
        Once(key, clock.now + 9, owner)
        for key in (("a",), ("a", "b"), ("a", "b", "c"), ("owner", "a"))
        for owner in ("a", "A", "b", "c", "owner", "b-c")
    ]
    assert [store.commit(mark) for mark in marks] == [COMMITTED] * len(marks)
    assert [store.commit(mark) for mark in marks] == [Replayed(mark) for mark in marks]


def test_a_mark_without_an_owner_is_everybodys(store: Called, clock: Clock) -> None:
    """As earlier versions made it."""
    store.commit(Once(("id", "1"), clock.now + 9))
    owned = Once(("id", "1"), clock.now + 9, "o1")
    assert is_used(store, owned)
    assert store.commit(owned) == Replayed(owned)


def test_a_mark_holds_for_as_long_as_its_owner_says_whichever_mark_of_the_key_ends_first(
    store: Called, clock: Clock
) -> None:
    short, long = Once(("id", "1"), clock.now + 1, "short"), Once(("id", "1"), clock.now + 2000, "long")
    store.commit(short)
    store.commit(long)
    for number in range(300):  # so that what has ended is forgotten
        clock.now += 1
        assert store.commit(Once(("other", str(number)), clock.now + 1)) == COMMITTED
    assert store.commit(long) == Replayed(long)


def test_marks_of_several_owners_are_made_together_or_not_at_all(store: Called, clock: Clock) -> None:
    first, second, third = (Once(("id", "1"), clock.now + 9, owner) for owner in ("o1", "o2", "o3"))
    assert store.commit(first, second) == COMMITTED
    assert store.commit(third, second) == Replayed(second)
    assert not is_used(store, third)
    assert store.commit(third) == COMMITTED


def test_a_mark_that_was_taken_back_can_be_made_again_and_no_other_can(store: Called, clock: Clock) -> None:
    marks = [Once(("id", "1"), clock.now + 9, owner) for owner in ("o1", "o2", "o3")] + [
        Once(("id", "2"), clock.now + 9)
    ]
    for taken in marks:
        store.commit(*(mark for mark in marks if not is_used(store, mark)))
        assert store.commit(TakeBack(taken.key, taken.owner)) == COMMITTED
        assert [is_used(store, mark) for mark in marks] == [mark is not taken for mark in marks]
        assert store.commit(TakeBack(taken.key, taken.owner)) == COMMITTED, "there is none any more"
        assert [store.commit(mark) for mark in marks if mark is not taken] == [
            Replayed(mark) for mark in marks if mark is not taken
        ]
        assert store.commit(taken) == COMMITTED
        assert store.commit(taken) == Replayed(taken)


def test_nothing_is_taken_back_for_another_owner(store: Called, clock: Clock) -> None:
    owned, everybodys = Once(("id", "1"), clock.now + 9, "o1"), Once(("id", "2"), clock.now + 9)
    store.commit(owned, everybodys)
    store.commit(TakeBack(("id", "1"), "o2"), TakeBack(("id", "1")), TakeBack(("id", "2"), "o1"))
    assert store.commit(owned) == Replayed(owned)
    assert store.commit(everybodys) == Replayed(everybodys)


def test_a_commit_that_is_refused_takes_nothing_back(store: Called, clock: Clock) -> None:
    owned, taken = Once(("id", "1"), clock.now + 9, "o1"), Once(("id", "2"), clock.now + 9)
    store.commit(owned, taken)
    assert store.commit(TakeBack(owned.key, owned.owner), taken) == Replayed(taken)
    assert store.commit(owned) == Replayed(owned)


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


def test_put_if_version_writes_over_exactly_that_version(store: Called) -> None:
    first = Put(A, Note("1"), if_version=0)
    assert store.commit(first) == COMMITTED
    assert store.commit(first) == Conflict(first)
    over = Put(A, Note("2"), if_version=1)
    assert store.commit(over) == COMMITTED
    assert store.commit(over) == Conflict(over)
    missing = Put(B, Note("2"), if_version=1)
    assert store.commit(missing) == Conflict(missing)
    assert (store.get(Note, "a"), store.get(Note, "b")) == (Note("2"), None)


def test_take_deletes_and_its_condition_is_the_version(store: Called) -> None:
    assert store.commit(Take(A)) == COMMITTED
    assert store.commit(Take(A, if_version=0)) == COMMITTED
    store.commit(Put(A, Note("1")))
    for version in (0, 2):
        assert store.commit(Take(A, version)) == Conflict(Take(A, version))
        assert store.get(Note, "a") == Note("1")
    assert store.commit(Take(A, 1)) == COMMITTED
    assert store.get(Note, "a") is None
    assert store.commit(Take(A, 1)) == Conflict(Take(A, 1))
    store.commit(Put(A, Note("again")))
    assert store.commit(Take(A)) == COMMITTED
    assert store.version(Note, "a") == 0


def test_a_counter_counts_up_to_its_limit_for_one_life(store: Called, clock: Clock) -> None:
    end = clock.now + 10
    assert store.commit(Add(("c",), 2, end, limit=3)) == COMMITTED
    too_much = Add(("c",), 2, end + 99, limit=3)
    assert store.commit(too_much) == Exceeded(too_much, end)
    assert store.commit(Add(("c",), 1, end + 99, limit=3)) == COMMITTED
    assert store.get(Counter, "c") == Counter(3, end)
    assert store.commit(Add(("c",), 5, end)) == COMMITTED  # no limit, no refusal
    clock.now = end
    assert store.get(Counter, "c") is None
    assert store.commit(Add(("c",), 2, end + 10, limit=3)) == COMMITTED
    assert store.get(Counter, "c") == Counter(2, end + 10)


def test_adding_nothing_only_asks_whether_the_counter_is_above_its_limit(store: Called, clock: Clock) -> None:
    end = clock.now + 10
    assert store.commit(Add(("c",), 0, end, limit=0)) == COMMITTED
    assert store.get(Counter, "c") is None
    store.commit(Add(("c",), 3, end))
    assert store.commit(Add(("c",), 0, end + 99, limit=3)) == COMMITTED
    above = Add(("c",), 0, end + 99, limit=2)
    assert store.commit(above, Once(("x",), end)) == Exceeded(above, end)
    assert store.get(Spent, "x") is None
    assert store.get(Counter, "c") == Counter(3, end)
    clock.now = end
    assert store.commit(above) == COMMITTED


def test_an_addition_above_the_limit_is_refused_even_from_nothing(store: Called, clock: Clock) -> None:
    add = Add(("c",), 4, clock.now + 10, limit=3)
    assert store.commit(add) == Exceeded(add, clock.now + 10)
    assert store.get(Counter, "c") is None


def test_giving_back_goes_no_lower_than_nothing_and_never_starts_a_life(store: Called, clock: Clock) -> None:
    end = clock.now + 10
    assert store.commit(Add(("c",), -1, end)) == COMMITTED
    assert store.get(Counter, "c") is None
    store.commit(Add(("c",), 2, end))
    store.commit(Add(("c",), -1, end, limit=0))  # giving back is never refused
    assert store.get(Counter, "c") == Counter(1, end)
    store.commit(Add(("c",), -5, end))
    assert store.get(Counter, "c") is None


def test_a_counter_that_is_given_back_whole_begins_a_new_life(store: Called, clock: Clock) -> None:
    end = clock.now + 10
    store.commit(Add(("c",), 1, end, limit=3))
    store.commit(Add(("c",), -1, end, limit=3))
    clock.now += 5
    store.commit(Add(("c",), 1, end + 5, limit=3))
    assert store.get(Counter, "c") == Counter(1, end + 5)


def test_giving_back_takes_nothing_from_a_life_that_has_begun_since(store: Called, clock: Clock) -> None:
    mine = Add(("c",), 1, clock.now + 10, limit=3)
    store.commit(mine)
    clock.now += 10
    store.commit(Add(("c",), 1, clock.now + 10, limit=3))
    assert store.commit(mine._replace(n=-1)) == COMMITTED
    assert store.get(Counter, "c") == Counter(1, clock.now + 10)


def test_a_life_that_has_to_wait_for_another_counter_begins_with_what_that_one_stands_for(
    store: Called, clock: Clock
) -> None:
    end = clock.now + 10
    short = Add(("short",), 1, end, limit=9)
    long = Add(("long",), 1, end + 90, limit=6, after=After(("short",), 3, start=2))
    seen = []
    for _ in range(4):
        assert store.commit(short, long) == COMMITTED
        seen.append(store.get(Counter, "long"))
    assert seen == [None, None, Counter(3, end + 90), Counter(4, end + 90)]
    clock.now = end  # the short one ends, the long one counts on
    for value in (5, 6):
        assert store.commit(short._replace(until=end + 10), long) == COMMITTED
        assert store.get(Counter, "long") == Counter(value, end + 90)
    assert store.commit(short._replace(until=end + 10), long) == Exceeded(long, end + 90)
    assert store.get(Counter, "short") == Counter(2, end + 10)
    clock.now = end + 90  # and so has the long one
    assert store.commit(long) == COMMITTED
    assert store.get(Counter, "long") is None


def test_a_life_that_would_begin_above_its_limit_is_refused(store: Called, clock: Clock) -> None:
    end = clock.now + 10
    store.commit(Add(("short",), 3, end))
    late = Add(("long",), 1, end, limit=2, after=After(("short",), 3, start=2))
    assert store.commit(late) == Exceeded(late, end)
    assert store.get(Counter, "long") is None


REFUSED: list[Any] = [
    Once(("taken",), 1_800_000_100.0),
    Put(B, Note("x"), if_version=7),
    Take(B, if_version=7),
    Take(A, if_version=0),
    Add(("c",), 9, 1_800_000_100.0, limit=5),
]


@pytest.mark.parametrize("refused", REFUSED, ids=lambda write: type(write).__name__)
@pytest.mark.parametrize("last", [True, False])
def test_a_refused_commit_writes_nothing_at_all(store: Called, clock: Clock, refused: Any, last: bool) -> None:
    end = clock.now + 100
    store.commit(Once(("taken",), end), Put(A, Note("1")), Add(("c",), 1, end))
    others = [
        Once(("fresh",), end), Put(A, Note("2")), Put(Ref(Note, ("n",)), Note("n"), 0), Add(("c",), 1, end),
        Add(("d",), 1, end), Take(Ref(Note, ("n",))),
    ]  # fmt: skip
    writes = [*others, refused] if last else [refused, *others]
    outcome = store.commit(*writes)
    assert type(outcome) in (Replayed, Conflict, Exceeded)
    assert outcome[0] == refused
    assert store.get(Spent, "fresh") is None
    assert (store.get(Note, "a"), store.version(Note, "a")) == (Note("1"), 1)
    assert store.get(Note, "n") is None
    assert store.get(Counter, "c") == Counter(1, end)
    assert store.get(Counter, "d") is None


def test_writes_of_one_commit_see_each_other_in_order(store: Called, clock: Clock) -> None:
    end = clock.now + 9
    once = Once(("x",), end)
    assert store.commit(once, once) == Replayed(once)
    assert store.commit(Put(A, Note("1"), 0), Put(A, Note("2"), 1), Take(A, 2), Put(A, Note("3"), 0)) == COMMITTED
    add = Add(("c",), 1, end, limit=2)
    assert store.commit(add, add, add) == Exceeded(add, end)
    assert store.commit(add, add) == COMMITTED


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


def test_many_at_once_win_each_mark_once_and_never_pass_a_limit(store: Called, clock: Clock) -> None:
    end = clock.now + 100
    outcomes: list[Any] = []

    def attempts(worker: int) -> list[list[Any]]:
        return [
            [Once(("m", str(number)), end)] if number % 2 else [Put(Ref(Note, ("first", str(number))), Note("x"), 0)]
            for number in range(20)
        ] + [[Add(("c",), 1, end, limit=30)] for _ in range(10)]

    if inspect.iscoroutinefunction(store.store.commit):

        async def all_at_once() -> None:
            every = [writes for worker in range(6) for writes in attempts(worker)]
            outcomes.extend(await asyncio.gather(*(store.store.commit(writes) for writes in every)))

        store._wait(all_at_once())
    else:

        def work(worker: int) -> None:
            outcomes.extend([store.store.commit(writes) for writes in attempts(worker)])

        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(outcomes) == 6 * 30
    assert sum(type(outcome) is Replayed for outcome in outcomes) == 10 * 5
    assert sum(type(outcome) is Conflict for outcome in outcomes) == 10 * 5
    assert sum(type(outcome) is Exceeded for outcome in outcomes) == 6 * 10 - 30
    assert store.get(Counter, "c").value == 30


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

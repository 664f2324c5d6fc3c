"""What guards make of a password cache: one hash, one look-up, for as long as nothing changes."""

from __future__ import annotations

import asyncio
import gc
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE
from watchword import (
    AsyncGuard, BasicVerifier, ConfigurationError, Guard, Identity, Password, PasswordCache, Peer, PublicURL, Reason,
    Policy, Rejected, Request, Verdict,
)  # fmt: skip
from watchword.core.records import Put, Ref, Take
from watchword.structures.room import FOR_THREADS
from watchword.crypto import passwords
from watchword.crypto.digests import digest
from watchword.schemes.password_cache import RememberedUser
from watchword.stores import AsyncSQLStore, HtpasswdStore, MemoryStore, SQLStore, combine, from_callables

ALICE = Ref(Password, ("alice",))


def hashed(password: str) -> str:
    """Cheap, so that counting is all that a test waits for."""
    return "{SHA}" + b64encode(digest("sha-1", password.encode())).decode()


def asking(password: str, username: str = "alice", address: str = "192.0.2.1", **more: str) -> Request:
    value = "Basic " + b64encode(f"{username}:{password}".encode()).decode()
    return Request("GET", "https", "api.example", "/", {"Authorization": value, **more}, peer=Peer(address))


def ask(guard: Guard | AsyncGuard, request: Request) -> str | Reason:
    """The subject, or why not; as a server adapter asks."""
    try:
        if isinstance(guard, Guard):
            return guard.verify(request).subject
        return asyncio.run(guard.verify(request)).subject
    except Rejected as rejected:
        return rejected.reason


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stored hash of every verification."""
    done: list[str] = []
    matches = passwords._matches

    def counted(encoded: str, *rest: Any) -> bool:
        done.append(encoded)
        return matches(encoded, *rest)

    monkeypatch.setattr(passwords, "_matches", counted)
    return done


def claim_of(guard: Guard, request: Request) -> object:
    """The claim as the guard reads it; a `RememberedUser` needs no look-up."""
    case = guard.plan.dispatch.locate(request)
    assert case is not None
    return case.claim


def memory(**users: str) -> MemoryStore:
    store = MemoryStore()
    store.commit([Put(Ref(Password, (name,)), Password(hashed(word))) for name, word in users.items()])
    return store


def guarded(store: Any, kind: Any = Guard, **options: Any) -> Any:
    return kind([BasicVerifier(realm="x", rehash=None, cache=PasswordCache(**options))], store)


MODES = [{"strict": False}, {"strict": True}]


@pytest.mark.parametrize("kind", [Guard, AsyncGuard])
@pytest.mark.parametrize("mode", MODES)
def test_a_password_is_hashed_once_and_again_after_its_ttl(kind: Any, mode: Any, work: list[str], clock: Clock) -> None:
    guard = guarded(memory(alice="one"), kind, ttl=60, clock=clock, **mode)
    assert {ask(guard, asking("one")) for _ in range(9)} == {"alice"}
    clock.now += 59.9
    assert (ask(guard, asking("one")), len(work)) == ("alice", 1)
    clock.now += 0.2
    assert (ask(guard, asking("one")), len(work)) == ("alice", 2)


@pytest.mark.parametrize("word", ["Basic", "basic"])
def test_an_entry_that_ends_while_a_request_is_judged_makes_no_hash_outside_the_line(
    word: str, work: list[str], clock: Clock
) -> None:
    """The guard asks whether there is something to hash, and then decides; both go by one look at the cache."""
    joined: list[bool] = []
    guard = guarded(memory(alice="one"), AsyncGuard, strict=True, ttl=60, clock=clock)
    line = guard.plan.line
    assert ask(guard, asking("one")) == "alice"
    for late in range(1, 6):  # the entry ends after so many looks at the clock
        looks = iter([*[1000.0] * late, 2000.0])
        guard.plan.verifiers[0].cache._clock = lambda looks=looks: next(looks, 2000.0)
        hashes = len(work)
        holder = line.join(False, ("203.0.113.9",))
        value = asking("one").values(b"authorization")[0].replace(b"Basic", word.encode())
        request = Request("GET", "https", "api.example", "/", [(b"authorization", value)], peer=Peer("192.0.2.1"))
        subject = asyncio.run(outcome_or_wait(guard, request))
        line.leave(holder)
        joined.append(subject is None)
        assert subject in (None, "alice") and len(work) == hashes
    assert False in joined


async def outcome_or_wait(guard: AsyncGuard, request: Request) -> str | None:
    """The subject; None, if the request waits in the line, where this gives up for it."""
    task = asyncio.create_task(guard.verify(request))
    for _ in range(20):
        await asyncio.sleep(0)
    if task.done():
        return str(task.result().subject)
    task.cancel()
    await asyncio.wait([task])
    return None


def test_by_default_there_is_a_cache_that_is_not_strict_and_none_hashes_every_time(work: list[str]) -> None:
    store = memory(alice="one")
    caches = [BasicVerifier(realm="x").cache for _ in range(2)]
    assert repr(caches[0]) == repr(PasswordCache()) and caches[0] is not caches[1]
    for guard, hashes in (
        (Guard([BasicVerifier(realm="x", rehash=None)], store), 1),
        (Guard([BasicVerifier(realm="x", rehash=None, cache=None)], store), 3),
    ):
        work.clear()
        assert {ask(guard, asking("one")) for _ in range(3)} == {"alice"}
        assert len(work) == hashes


@pytest.mark.parametrize("mode", MODES)
def test_the_second_request_of_an_unstrict_guard_asks_the_store_nothing(mode: Any) -> None:
    store = memory(alice="one")
    fetched: list[object] = []
    fetch = store.fetch
    store.fetch = lambda refs: (fetched.append(refs), fetch(refs))[1]  # type: ignore[method-assign]
    guard = guarded(store, **mode)
    ask(guard, asking("one"))
    fetched.clear()
    assert ask(guard, asking("one")) == "alice"
    assert bool(fetched) == mode["strict"]


# ---- single flight ----


@pytest.mark.parametrize(
    "make",
    [lambda: memory(alice="one"), lambda: from_callables(password={"alice": Password(hashed("one"))}.get)],
    ids=["memory", "callables"],
)
@pytest.mark.parametrize("mode", MODES)
def test_threads_at_once_hash_once_and_those_without_room_are_told_to_come_back(
    make: Callable[[], Any], mode: Any, work: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one network as many threads wait as one address may hold up; a thread that waits is missing elsewhere."""
    hashing, go = threading.Event(), threading.Event()
    matches = passwords._matches

    def held(*arguments: Any) -> bool:
        hashing.set()
        assert go.wait(PATIENCE)
        return matches(*arguments)

    monkeypatch.setattr(passwords, "_matches", held)
    guard = guarded(make(), **mode)
    got: list[object] = []
    threads = [
        threading.Thread(target=lambda: got.append(ask(guard, asking("one")))) for _ in range(FOR_THREADS.address)
    ]
    for thread in threads:
        thread.start()
    assert hashing.wait(PATIENCE)
    while guard.plan.line._places._counts.get((False, None), 0) < len(threads):
        threads[0].join(0.001)
    with pytest.raises(Rejected) as caught:
        guard.verify(asking("one"))
    assert caught.value.reason is Reason.TOO_MANY_ATTEMPTS and caught.value.refusal is not None
    assert caught.value.refusal.response().values(b"retry-after") == [b"1"]
    go.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert got == ["alice"] * len(threads)
    assert len(work) == 1
    assert ask(guard, asking("one")) == "alice"


@pytest.mark.parametrize("mode", MODES)
def test_a_hundred_tasks_at_once_hash_once(mode: Any, work: list[str]) -> None:
    guard = guarded(memory(alice="one"), AsyncGuard, **mode)

    async def all_at_once() -> list[Identity]:
        return await asyncio.gather(*(guard.verify(asking("one")) for _ in range(100)))

    assert {identity.subject for identity in asyncio.run(all_at_once())} == {"alice"}
    assert len(work) == 1


# ---- what changes is seen ----

CHANGES: dict[str, Callable[[Any], object]] = {
    "another password": lambda store: store.commit([Put(ALICE, Password(hashed("two")))]),
    "deleted": lambda store: store.commit([Take(ALICE)]),
    "disabled": lambda store: store.disable_user("alice"),
    "made anew": lambda store: store.add_user("alice", "two"),
}


@pytest.fixture(params=["memory", "sqlite", "combined"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "memory":
        yield memory(alice="one")
        return
    with SQLStore(f"sqlite:///{tmp_path}/users.db") as sql:
        sql.commit([Put(ALICE, Password(hashed("one")))])
        yield sql if request.param == "sqlite" else combine(sql)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", [Guard, AsyncGuard])
def test_what_changes_through_the_store_is_seen_by_the_next_request(
    kind: Any, mode: Any, change: str, store: Any
) -> None:
    guard = guarded(store, kind, **mode)
    assert [ask(guard, asking("one")) for _ in range(2)] == ["alice"] * 2
    CHANGES[change](store)
    assert ask(guard, asking("one")) in {Reason.WRONG_SECRET, Reason.UNKNOWN_SUBJECT, Reason.DISABLED}


@pytest.mark.parametrize("mode", MODES)
def test_scopes_and_subject_are_those_of_now(mode: Any, store: Any, work: list[str]) -> None:
    guard = guarded(store, **mode)
    ask(guard, asking("one"))
    store.commit([Put(ALICE, Password(hashed("one"), ("write",), "user:1"))])
    for _ in range(2):
        identity = guard.verify(asking("one"))
        assert (identity.subject, identity.scopes) == ("user:1", frozenset({"write"}))
    assert len(work) == 1, "the hash is the same"


@pytest.mark.parametrize(("mode", "heard"), [({"strict": True}, "at once"), ({"strict": False}, "within the ttl")])
def test_another_process_is_heard_at_once_if_strict_and_else_within_the_ttl(
    mode: Any, heard: str, tmp_path: Path, clock: Clock
) -> None:
    """Another store object on the same file stands for another process: it shares nothing but the file."""
    url = f"sqlite:///{tmp_path}/users.db"
    with SQLStore(url) as here, SQLStore(url) as there:
        here.commit([Put(ALICE, Password(hashed("one")))])
        guard = guarded(here, ttl=60, clock=clock, **mode)
        assert [ask(guard, asking("one")) for _ in range(2)] == ["alice"] * 2
        there.commit([Put(ALICE, Password(hashed("two")))])
        clock.now += 59
        assert ask(guard, asking("one")) == ("alice" if heard == "within the ttl" else Reason.WRONG_SECRET)
        clock.now += 2
        assert ask(guard, asking("one")) is Reason.WRONG_SECRET
        assert ask(guard, asking("two")) == "alice"


def test_a_change_between_the_look_up_and_the_verdict_is_not_remembered_over() -> None:
    store = memory(alice="one")
    fetch, changed = store.fetch, []

    def fetch_then_change(refs: Any) -> Any:
        found = fetch(refs)
        if not changed:
            changed.append(store.commit([Put(ALICE, Password(hashed("two")))]))
        return found

    store.fetch = fetch_then_change  # type: ignore[method-assign]
    guard = guarded(store)
    assert ask(guard, asking("one")) == "alice", "judged by what was there when it was looked up"
    assert changed
    assert ask(guard, asking("one")) is Reason.WRONG_SECRET


def test_a_cancelled_change_in_sqlite_is_seen_once_it_is_made(tmp_path: Path) -> None:
    """The caller of the commit goes away, the commit does not."""

    async def scenario() -> None:
        store = AsyncSQLStore(f"sqlite:///{tmp_path}/users.db")
        await store.commit([Put(ALICE, Password(hashed("one")))])
        before = store.changes(Password)
        change = asyncio.create_task(store.commit([Put(ALICE, Password(hashed("two")))]))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        change.cancel()
        await asyncio.gather(change, return_exceptions=True)
        for _ in range(500):
            found = (await store.fetch([ALICE])).get(ALICE)
            if found is not None and found.encoded == hashed("two"):
                break
            await asyncio.sleep(0.01)
        else:
            before -= 1  # it was cancelled before it began: then nothing has changed
        assert store.changes(Password) != before
        await store.close()

    asyncio.run(scenario())


# ---- who may answer for whom ----


@pytest.mark.parametrize("other", [asking("one", address="192.0.2.2"), asking("one", username="bob")])
def test_what_is_remembered_is_of_one_user_and_one_address(other: Request) -> None:
    store = memory(alice="one", bob="one")
    guard = guarded(store)
    ask(guard, asking("one"))
    assert isinstance(claim_of(guard, asking("one")), RememberedUser)
    assert not isinstance(claim_of(guard, other), RememberedUser)


def test_a_verifier_in_two_guards_with_different_users_answers_for_neither_at_once() -> None:
    verifier = BasicVerifier(realm="x", cache=PasswordCache())
    here, there = Guard([verifier], memory(alice="one")), Guard([verifier], memory(alice="two"))
    for _ in range(2):
        assert [ask(here, asking("one")), ask(there, asking("two"))] == ["alice"] * 2
        assert [ask(here, asking("two")), ask(there, asking("one"))] == [Reason.WRONG_SECRET] * 2


def test_a_verifier_in_two_guards_with_the_same_users_answers_for_both() -> None:
    verifier, store = BasicVerifier(realm="x", cache=PasswordCache(), rehash=None), memory(alice="one")
    here, there = Guard([verifier], store), Guard([verifier], store)
    ask(here, asking("one"))
    assert isinstance(claim_of(there, asking("one")), RememberedUser)


def test_stores_that_do_not_tell_what_changes_are_asked_every_time(tmp_path: Path) -> None:
    (tmp_path / "users").write_text(f"alice:{hashed('one')}\n")
    table = {"alice": Password(hashed("one"))}
    for store in (HtpasswdStore(tmp_path / "users"), from_callables(password=table.get)):
        for whole in (store, combine(store, MemoryStore())):
            guard = guarded(whole)
            assert [ask(guard, asking("one")) for _ in range(2)] == ["alice"] * 2
            assert not isinstance(claim_of(guard, asking("one")), RememberedUser)
    table["alice"] = Password(hashed("two"))
    assert ask(guard, asking("one")) is Reason.WRONG_SECRET


def test_who_is_remembered_is_reported_like_anybody_and_judged_by_the_address_behind_the_proxy() -> None:
    seen: list[Verdict] = []
    public_url = PublicURL("https://api.example", trusted=["10.0.0.0/8"], forwarded="Forwarded")
    guard = Guard(
        [BasicVerifier(realm="x", cache=PasswordCache(), rehash=None)], memory(alice="one"), observe=seen.append,
        policy=Policy(public_url=public_url),
    )  # fmt: skip
    near, far = (asking("one", address="10.0.0.1", Forwarded=f"for=192.0.2.{n}") for n in (1, 2))
    for _ in range(3):
        assert ask(guard, near) == "alice"
    assert isinstance(claim_of(guard, near), RememberedUser)
    assert not isinstance(claim_of(guard, far), RememberedUser)
    assert [(told.scheme, told.subject, told.reason) for told in seen] == [("basic", "alice", None)] * 3


@pytest.mark.parametrize("more", [{"Early-Data": "1"}, {"Host": "a, b"}])
def test_what_is_unusual_about_a_request_is_judged_though_its_credentials_are_remembered(more: dict[str, str]) -> None:
    guard = guarded(memory(alice="one"))
    ask(guard, asking("one"))
    assert ask(guard, asking("one", **more)) in {Reason.EARLY_DATA, Reason.MALFORMED_REQUEST}


# ---- bounds, and what it holds ----


@pytest.mark.parametrize("mode", MODES)
def test_it_never_holds_more_than_its_size_and_forgets_the_oldest(mode: Any, work: list[str]) -> None:
    names = [f"user{number}" for number in range(7)]
    guard = guarded(memory(**dict.fromkeys(names, "one")), size=3, **mode)
    for name in names:
        assert ask(guard, asking("one", name)) == name
    (verifier,) = guard.plan.verifiers
    cache = verifier.cache
    assert len(cache._fitted) == 3 and len(cache._admitted) == len(cache._latest) == (0 if mode["strict"] else 3)
    work.clear()
    assert [ask(guard, asking("one", name)) for name in names[-3:]] == names[-3:]
    assert not work
    assert ask(guard, asking("one", names[0])) == names[0]
    assert len(work) == 1


def test_it_holds_no_password_and_nothing_made_of_it_without_its_key() -> None:
    guard = guarded(memory(alice="correct horse"))
    ask(guard, asking("correct horse"))
    (verifier,) = guard.plan.verifiers
    forbidden = [b"correct horse", b64encode(b"alice:correct horse"), digest("sha-256", b"correct horse")]
    seen: set[int] = set()
    left: list[object] = [verifier.cache]
    while left:
        held = left.pop()
        if id(held) in seen or isinstance(held, type) or callable(held):
            continue
        seen.add(id(held))
        if isinstance(held, (bytes, str)):
            octets = held.encode() if isinstance(held, str) else held
            assert not any(part in octets for part in forbidden)
        left += gc.get_referents(held)
    assert len(seen) > 10
    assert "horse" not in repr(verifier.cache)


@pytest.mark.parametrize(
    "options", [{"size": 0}, {"size": 1.5}, {"size": True}, {"ttl": 0}, {"ttl": -1}, {"ttl": float("nan")},
    {"ttl": 86_401}, {"ttl": "60"}, {"strict": 1}],
)  # fmt: skip
def test_what_is_no_cache_is_a_configuration_error(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        PasswordCache(**options)


def test_one_cache_serves_one_verifier() -> None:
    cache = PasswordCache()
    BasicVerifier(realm="x", cache=cache)
    with pytest.raises(ConfigurationError, match="one verifier"):
        BasicVerifier(realm="x", cache=cache)

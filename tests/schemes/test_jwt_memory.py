"""What a JWT verifier remembers: tokens that were used, that were taken back, and that were found good."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples_of import examples
from watchword import (
    AsyncGuard, ConfigurationError, Guard, Identity, JWTVerifier, Key, KeySet, Policy, Reason, Rejected, Request,
    Revocations, StoreUnavailable, TokenCache, explain,
)  # fmt: skip
from watchword.core.admission import Admission
from watchword.core.io import drive
from watchword.core.records import Found, Ref
from watchword.crypto import jose
from watchword.schemes.key_source import KeySource, PublishedKeys
from watchword.stores import AsyncSQLStore, MemoryStore, SQLStore

NOW = 1_700_000_000
ISSUER = "https://id.example"
KEY = Key.from_secret(bytes(range(32)), algorithm="HS256", key_id="k1")
GOOD = {"iss": ISSUER, "aud": "orders", "sub": "alice", "exp": NOW + 100, "iat": NOW, "jti": "t1"}


class Clock:
    def __init__(self) -> None:
        self.now: float = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> MemoryStore:
    return MemoryStore(clock=clock)


def token(key: Key = KEY, **changes: object) -> str:
    members = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return jose.sign(json.dumps(members).encode(), key)


def request(text: str, target: str = "/", **fields: str) -> Request:
    return Request("GET", "https", "api.example", target, {"Authorization": f"Bearer {text}", **fields})


def verifier(clock: Clock, keys: Any = KEY, **options: Any) -> JWTVerifier[Any]:
    return JWTVerifier(keys, **{"issuer": ISSUER, "audience": "orders", "clock": clock, **options})


def guarded(clock: Clock, store: Any = None, **options: Any) -> Guard:
    return Guard([verifier(clock, **options)], store, policy=Policy(clock=clock))


def reason(function: Any, *arguments: Any) -> tuple[Reason, str]:
    with pytest.raises(Rejected) as caught:
        function(*arguments)
    return caught.value.reason, caught.value.rejection.where


# ---- single use ------------------------------------------------------------------------------------------------------


def test_a_token_is_good_once(clock, store):
    guard = guarded(clock, store, single_use=True)
    assert guard.verify(request(token())).subject == "alice"
    assert reason(guard.verify, request(token()))[0] is Reason.REPLAYED
    assert guard.verify(request(token(jti="t2"))).subject == "alice"


def test_the_id_counts_not_the_spelling_of_the_token_and_per_issuer(clock, store):
    guard = guarded(clock, store, single_use=True, issuer=[ISSUER, "https://two.example"])
    guard.verify(request(token()))
    assert reason(guard.verify, request(token(scope="more")))[0] is Reason.REPLAYED
    guard.verify(request(token(iss="https://two.example")))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"jti": None}, (Reason.MISSING_CLAIM, "jti")),
        ({"jti": ""}, (Reason.WRONG_CLAIM, "jti")),
        ({"jti": 7}, (Reason.WRONG_CLAIM, "jti")),
        ({"exp": None}, (Reason.MISSING_CLAIM, "exp")),
    ],
)
def test_a_single_use_token_has_an_id_and_an_end(clock, store, changes, expected):
    assert reason(guarded(clock, store, single_use=True).verify, request(token(**changes))) == expected


@pytest.mark.parametrize(
    ("options", "until"),
    [({}, NOW + 100), ({"leeway": 30}, NOW + 130), ({"max_age": 10, "leeway": 5}, NOW + 15)],
)
def test_a_use_is_remembered_for_exactly_as_long_as_the_token_is_good(clock, options, until):
    claim = verifier(clock, single_use=True, **options).read(request(token()))
    assert claim is not None
    marks = claim.decide(Found({}), None, NOW, bytes).writes  # type: ignore[arg-type]
    assert {mark[:2] for mark in marks} == {(("jwt", ISSUER, "t1"), until)}
    assert reason(claim.decide, Found({}), None, until, bytes)[0] is Reason.EXPIRED


def test_a_forged_token_uses_nothing_up(clock, store):
    guard = guarded(clock, store, single_use=True)
    with pytest.raises(Rejected):
        guard.verify(request(token(Key.generate("HS256", key_id="k1"))))
    assert guard.verify(request(token())).subject == "alice"


def test_early_data_may_bring_what_is_good_once(clock, store):
    early = {"Early-Data": "1"}
    assert guarded(clock, store, single_use=True).verify(request(token(), **early)).subject == "alice"
    assert reason(guarded(clock).verify, request(token(), **early))[0] is Reason.EARLY_DATA


def test_only_a_guard_can_remember(clock, store):
    for options in ({"single_use": True}, {"revocations": Revocations(store)}):
        for call in (lambda v: v.verify(token()), lambda v: v.verify_at(token(), NOW)):
            with pytest.raises(ConfigurationError, match="only a guard"):
                call(verifier(clock, **options))
    with pytest.raises(ConfigurationError, match="needs a store"):
        guarded(clock, single_use=True)


# ---- revocation ------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["memory", "sql"])
def any_store(request, clock, tmp_path):
    if request.param == "memory":
        yield MemoryStore(clock=clock)
        return
    with SQLStore(f"sqlite:///{tmp_path}/s.db", clock=clock) as opened:
        yield opened


def test_a_token_taken_back_is_refused_and_others_are_not(clock, any_store):
    revocations = Revocations(any_store, clock=clock)
    guard = guarded(clock, revocations=revocations)
    guard.verify(request(token()))
    revocations.revoke_token("t1", issuer=ISSUER, until=NOW + 100)
    assert reason(guard.verify, request(token())) == (Reason.REVOKED, "jti")
    assert guard.verify(request(token(jti="t2"))).subject == "alice"
    assert guard.verify(request(token(jti=None))).subject == "alice"
    revocations.revoke_token("t1", issuer=ISSUER, until=NOW + 100)  # once more changes nothing


def test_a_token_of_another_issuer_with_the_same_id_is_another(clock, store):
    revocations = Revocations(store, clock=clock)
    guard = guarded(clock, revocations=revocations)
    revocations.revoke_token("t1", issuer="https://two.example", until=NOW + 100)
    revocations.revoke_subject("alice", issuer=None)
    revocations.revoke_key("k1", issuer="https://two.example")
    assert guard.verify(request(token())).subject == "alice"


def test_a_subject_is_taken_back_up_to_a_time(clock, any_store):
    revocations = Revocations(any_store, clock=clock)
    guard = guarded(clock, revocations=revocations)
    revocations.revoke_subject("alice", issuer=ISSUER, before=NOW + 10)
    clock.now = NOW + 20
    assert reason(guard.verify, request(token())) == (Reason.REVOKED, "sub")
    assert reason(guard.verify, request(token(iat=NOW + 10))) == (Reason.REVOKED, "sub")
    assert reason(guard.verify, request(token(iat=None))) == (Reason.REVOKED, "sub")
    assert guard.verify(request(token(iat=NOW + 11))).subject == "alice"
    assert guard.verify(request(token(sub="bob"))).subject == "bob"
    revocations.revoke_subject("alice", issuer=ISSUER, before=NOW)  # an earlier time changes nothing
    assert reason(guard.verify, request(token()))[0] is Reason.REVOKED
    revocations.restore_subject("alice", issuer=ISSUER)
    assert guard.verify(request(token())).subject == "alice"


def test_a_subject_is_taken_back_up_to_now_by_default(clock, store):
    revocations = Revocations(store, clock=clock)
    guard = guarded(clock, revocations=revocations)
    revocations.revoke_subject("alice", issuer=ISSUER)
    assert reason(guard.verify, request(token()))[0] is Reason.REVOKED
    clock.now = NOW + 1
    assert guard.verify(request(token(iat=NOW + 1))).subject == "alice"


def test_a_key_is_taken_back_and_restored(clock, any_store):
    other = Key.generate("HS256", key_id="k2")
    nameless = Key.generate("HS384")
    revocations = Revocations(any_store, clock=clock)
    guard = guarded(clock, keys=KeySet([KEY, other, nameless]), revocations=revocations)
    revocations.revoke_key("k1", issuer=ISSUER)
    assert reason(guard.verify, request(token())) == (Reason.REVOKED, "kid")
    assert guard.verify(request(token(other))).key_id == "k2"
    assert guard.verify(request(token(nameless))).key_id is None
    revocations.revoke_key(None, issuer=ISSUER)
    assert reason(guard.verify, request(token(nameless)))[0] is Reason.REVOKED
    revocations.restore_key("k1", issuer=ISSUER)
    assert guard.verify(request(token())).key_id == "k1"


def test_a_revoked_id_is_forgotten_after_the_token_has_ended_and_not_before(clock, store):
    revocations = Revocations(store, margin=10, clock=clock)
    guard = guarded(clock, revocations=revocations, leeway=10)
    revocations.revoke_token("t1", issuer=ISSUER, until=NOW + 100)
    clock.now = NOW + 109
    assert reason(guard.verify, request(token()))[0] is Reason.REVOKED
    clock.now = NOW + 110
    assert reason(guard.verify, request(token()))[0] is Reason.EXPIRED


def test_a_later_end_than_before_is_a_mistake_that_is_told(clock, store):
    revocations = Revocations(store, margin=0, clock=clock)
    revocations.revoke_token("t1", issuer=ISSUER, until=NOW + 100)
    revocations.revoke_token("t1", issuer=ISSUER, until=NOW + 50)
    with pytest.raises(ConfigurationError, match="until an earlier time"):
        revocations.revoke_token("t1", issuer=ISSUER, until=NOW + 101)


@pytest.mark.parametrize("until", [float("nan"), float("inf"), -1, "1", True, None])
def test_a_time_is_a_time(store, until):
    with pytest.raises(ConfigurationError, match="until= is a time"):
        Revocations(store).revoke_token("t1", issuer=ISSUER, until=until)


def test_names_are_texts(store):
    with pytest.raises(ConfigurationError, match="are texts"):
        Revocations(store).revoke_subject(7, issuer=ISSUER)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="margin="):
        Revocations(store, margin=-1)


def test_an_id_that_is_no_text_is_refused_where_ids_are_looked_up(clock, store):
    guard = guarded(clock, revocations=Revocations(store))
    assert reason(guard.verify, request(token(jti=7))) == (Reason.WRONG_CLAIM, "jti")


class Down:
    kinds = None
    blocking = False

    def fetch(self, refs: object) -> Found:
        raise StoreUnavailable

    def commit(self, writes: object) -> Any:
        raise StoreUnavailable


def test_without_an_answer_nothing_is_accepted(clock):
    guard = guarded(clock, revocations=Revocations(Down()))
    with pytest.raises(StoreUnavailable):
        guard.verify(request(token()))
    with pytest.raises(StoreUnavailable):
        Revocations(Down()).revoke_key("k1", issuer=ISSUER)


def test_garbage_is_not_looked_up(clock):
    guard = guarded(clock, revocations=Revocations(Down()))
    assert reason(guard.verify, request(token(Key.generate("HS256", key_id="k1"))))[0] is Reason.WRONG_SIGNATURE


def test_the_asynchronous_half(clock, tmp_path):
    async def run() -> None:
        async with AsyncSQLStore(f"sqlite+aiosqlite:///{tmp_path}/s.db", clock=clock) as opened:
            revocations = Revocations(opened, clock=clock)
            guard = AsyncGuard([verifier(clock, revocations=revocations)], policy=Policy(clock=clock))
            await guard.verify(request(token()))
            await revocations.arevoke_token("t1", issuer=ISSUER, until=NOW + 100)
            with pytest.raises(Rejected, match="revoked at jti"):
                await guard.verify(request(token()))
            await revocations.arevoke_subject("bob", issuer=ISSUER)
            await revocations.arevoke_key("k9", issuer=ISSUER)
            with pytest.raises(Rejected, match="revoked at sub"):
                await guard.verify(request(token(sub="bob", jti="t3")))
            await revocations.arestore_subject("bob", issuer=ISSUER)
            await revocations.arestore_key("k9", issuer=ISSUER)
            await guard.verify(request(token(sub="bob", jti="t3")))
            with pytest.raises(ConfigurationError, match="AsyncStore"):
                revocations.revoke_key("k1", issuer=ISSUER)
            with pytest.raises(ConfigurationError, match="AsyncStore"):
                revocations.fetch(())

    asyncio.run(run())


def test_a_store_that_blocks_serves_an_asynchronous_guard_from_a_thread(clock, tmp_path):
    with SQLStore(f"sqlite:///{tmp_path}/s.db", clock=clock) as opened:
        revocations = Revocations(opened, clock=clock)
        guard = AsyncGuard([verifier(clock, revocations=revocations)], policy=Policy(clock=clock))
        assert asyncio.run(guard.verify(request(token()))).subject == "alice"
        revocations.revoke_key("k1", issuer=ISSUER)
        with pytest.raises(Rejected, match="revoked at kid"):
            asyncio.run(guard.verify(request(token())))


def test_the_signature_is_checked_once_per_request(clock, store):
    calls = []
    key = Key.from_secret(bytes(range(32)), algorithm="HS256", key_id="k1")
    check = key.verifier
    key.verifier = lambda data, signature: (calls.append(1), check(data, signature))[1]  # type: ignore[func-returns-value]
    guard = guarded(clock, keys=key, revocations=Revocations(store))
    guard.verify(request(token()))
    assert len(calls) == 1


def test_explain_shows_the_revocation(clock, store):
    revocations = Revocations(store, clock=clock)
    guard = guarded(clock, revocations=revocations)
    assert {check.name: check.passed for check in explain(request(token()), guard).checks}["revoked"] is True
    revocations.revoke_subject("alice", issuer=ISSUER)
    found = explain(request(token()), guard)
    assert not found.accepted
    assert [check.name for check in found.causes] == ["revoked"]
    forged = explain(request(token(Key.generate("HS256", key_id="k1"))), guard)
    assert {check.name: check.passed for check in forged.checks}["revoked"] is None


def test_revocation_and_single_use_together(clock, store):
    revocations = Revocations(store, clock=clock)
    guard = guarded(clock, store, revocations=revocations, single_use=True)
    guard.verify(request(token()))
    assert reason(guard.verify, request(token()))[0] is Reason.REPLAYED
    revocations.revoke_key("k1", issuer=ISSUER)
    assert reason(guard.verify, request(token(jti="t2")))[0] is Reason.REVOKED


# ---- the cache of verified tokens ------------------------------------------------------------------------------------


def counted(clock: Clock, calls: list[int], **options: Any) -> JWTVerifier[Any]:
    key = Key.from_secret(bytes(range(32)), algorithm="HS256", key_id="k1")
    check = key.verifier
    key.verifier = lambda data, signature: (calls.append(1), check(data, signature))[1]  # type: ignore[func-returns-value]
    return verifier(clock, keys=key, **options)


def test_a_token_is_verified_once_and_then_remembered(clock):
    calls: list[int] = []
    found = counted(clock, calls, cache=TokenCache())
    first, second = found.verify(token()), found.verify(token())
    assert (second.subject, second.claims) == (first.subject, first.claims)
    assert calls == [1]
    assert (first.subject, first.key_id, first.claims["jti"]) == ("alice", "k1", "t1")
    guard = Guard([found], policy=Policy(clock=clock))
    for _ in range(3):
        assert guard.verify(request(token())).claims == first.claims
    assert len(calls) == 2  # a text and octets are remembered apart


class Loose(msgspec.Struct):
    """Claims of a type of one's own that can be changed."""

    jti: str
    roles: list[str]
    nested: dict[str, list[str]]


def spoil(value: Any) -> None:
    """Changes all that can be changed in `value`."""
    if isinstance(value, list):
        for each in value:
            spoil(each)
        value.append("admin")
    elif isinstance(value, dict):
        for each in value.values():
            spoil(each)
        value["admin"] = "admin"
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            spoil(getattr(value, name))
            setattr(value, name, "admin")


RICH = {"roles": ["reader"], "nested": {"groups": ["a", "b"]}, "deep": [[[[[[[{"a": [1]}]]]]]]], "f": 1.5, "n": None}


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("claims", [None, Loose])
def test_what_one_request_changes_no_other_gets(clock, store, claims, strict):
    """Claims are equal and of the same types with and without a cache, and each request's are its own."""
    text = token(**RICH)
    plain = verifier(clock, claims=claims)
    revocations = Revocations(store) if strict else None
    cached = verifier(clock, claims=claims, cache=TokenCache(strict=strict), revocations=revocations)
    guard = Guard([cached], store, policy=Policy(clock=clock))
    verifies = [lambda: guard.verify(request(text))]
    if not strict:
        verifies.append(lambda: cached.verify(text))
    for verify in verifies:
        for _ in range(4):
            found, wanted = verify().claims, plain.verify(text).claims
            assert type(found) is type(wanted)
            assert found == wanted
            assert msgspec.json.encode(found) == msgspec.json.encode(wanted)
            spoil(found)


@pytest.mark.parametrize("options", [{}, {"leeway": 20}, {"max_age": 50}])
def test_a_remembered_token_expires_to_the_second(clock, options):
    plain, cached = verifier(clock, **options), verifier(clock, cache=TokenCache(ttl=86_400), **options)
    cached.verify(token())
    for clock.now in (NOW + 49, NOW + 50, NOW + 99, NOW + 99.9, NOW + 100, NOW + 119, NOW + 120):
        outcomes = []
        for each in (plain, cached):
            try:
                outcomes.append(each.verify(token()).subject)
            except Rejected as rejected:
                outcomes.append(rejected.reason)
        assert outcomes[0] == outcomes[1], clock.now


def test_a_clock_that_was_set_back_is_no_reason_to_trust(clock):
    cached = verifier(clock, cache=TokenCache())
    cached.verify(token(nbf=NOW))
    clock.now = NOW - 10
    assert reason(cached.verify, token(nbf=NOW))[0] is Reason.NOT_YET_VALID


def test_it_is_verified_anew_after_the_ttl(clock):
    calls: list[int] = []
    found = counted(clock, calls, cache=TokenCache(ttl=10))
    for clock.now in (NOW, NOW + 9.9, NOW + 10, NOW + 19):
        found.verify(token())
    assert len(calls) == 2


def test_only_the_very_same_octets_are_known(clock):
    found = verifier(clock, cache=TokenCache())
    good = token()
    found.verify(good)
    for forged in (good[:-1] + ("A" if good[-1] != "A" else "E"), good + "=", " " + good, good.upper()):
        with pytest.raises(Rejected):
            found.verify(forged)


def test_forgeries_are_not_remembered(clock):
    cache = TokenCache()
    found = verifier(clock, cache=cache)
    for _ in range(3):
        with pytest.raises(Rejected):
            found.verify(token(Key.generate("HS256", key_id="k1")))
    assert len(cache) == 0


@examples(50)
@given(size=st.integers(2, 40), picks=st.lists(st.integers(0, 60), max_size=200))
def test_it_never_grows_beyond_its_size_and_never_mixes_tokens(size, picks):
    clock = Clock()
    cache = TokenCache(size=size)
    found = verifier(clock, cache=cache)
    for pick in picks:
        assert found.verify(TOKENS[pick]).claims["jti"] == str(pick)
        assert len(cache) <= size


TOKENS = [token(jti=str(number)) for number in range(61)]


def test_what_is_used_stays(clock):
    calls: list[int] = []
    found = counted(clock, calls, cache=TokenCache(size=8))
    for number in range(40):
        found.verify(TOKENS[60])
        found.verify(TOKENS[number])
    assert len(calls) == 41


def test_one_cache_serves_one_verifier(clock):
    cache = TokenCache()
    verifier(clock, cache=cache)
    with pytest.raises(ConfigurationError, match="belongs to one verifier"):
        verifier(clock, cache=cache, audience="accounts")


@pytest.mark.parametrize(
    "options", [{"size": 1}, {"size": 2.0}, {"ttl": 0}, {"ttl": float("nan")}, {"ttl": 86_401}, {"strict": 1}]
)
def test_a_wrong_cache_fails_at_construction(options):
    with pytest.raises(ConfigurationError):
        TokenCache(**options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cache": {}}, "cache= is a TokenCache"),
        ({"single_use": True, "cache": TokenCache()}, "good once"),
        ({"cache": TokenCache(strict=True)}, "pass revocations="),
        ({"single_use": 1}, "single_use= is"),
        ({"revocations": True}, "revocations= is"),
    ],
)
def test_settings_that_do_not_go_together_fail_at_construction(clock, options, words):
    with pytest.raises(ConfigurationError, match=words):
        verifier(clock, **options)


def test_what_is_taken_back_in_this_process_is_forgotten_at_once(clock, store):
    revocations = Revocations(store, clock=clock)
    cache = TokenCache(ttl=3600)
    guard = guarded(clock, revocations=revocations, cache=cache)
    for take, give in (
        (lambda: revocations.revoke_key("k1", issuer=ISSUER), lambda: revocations.restore_key("k1", issuer=ISSUER)),
        (lambda: revocations.revoke_subject("alice", issuer=ISSUER), lambda: revocations.restore_subject("alice", issuer=ISSUER)),
        (lambda: revocations.revoke_token("t1", issuer=ISSUER, until=NOW + 100), lambda: None),
    ):  # fmt: skip
        guard.verify(request(token()))
        guard.verify(request(token()))
        assert len(cache) == 1
        take()
        assert reason(guard.verify, request(token()))[0] is Reason.REVOKED
        give()


def test_another_process_is_heard_within_the_ttl_or_at_once_if_strict(clock, store):
    loose = guarded(clock, revocations=Revocations(store), cache=TokenCache(ttl=10))
    strict = guarded(clock, revocations=Revocations(store), cache=TokenCache(ttl=10, strict=True))
    for guard in (loose, strict):
        guard.verify(request(token()))
    Revocations(store).revoke_key("k1", issuer=ISSUER)  # an object of its own, as another process has one
    assert loose.verify(request(token())).subject == "alice"
    assert reason(strict.verify, request(token()))[0] is Reason.REVOKED
    clock.now = NOW + 10
    assert reason(loose.verify, request(token()))[0] is Reason.REVOKED


def test_a_strict_cache_spares_the_signature(clock, store):
    calls: list[int] = []
    found = counted(clock, calls, revocations=Revocations(store), cache=TokenCache(strict=True))
    guard = Guard([found], policy=Policy(clock=clock))
    for _ in range(4):
        guard.verify(request(token()))
    assert calls == [1]


def test_a_strict_cache_fails_closed(clock):
    class Fails(MemoryStore):
        down = False

        def fetch(self, refs: Any, /) -> Found:
            if self.down:
                raise StoreUnavailable
            return super().fetch(refs)

    store = Fails()
    guard = guarded(clock, revocations=Revocations(store), cache=TokenCache(strict=True))
    guard.verify(request(token()))
    store.down = True
    with pytest.raises(StoreUnavailable):
        guard.verify(request(token()))


def test_what_is_verified_while_it_is_taken_back_is_not_remembered(clock):
    """The look-up saw nothing, then the token was taken back, then the verdict came to be remembered."""
    cache = TokenCache(ttl=3600)

    class Slow(MemoryStore):
        def fetch(self, refs: Any, /) -> Found:
            found = super().fetch(refs)
            if len(refs) > 1 and not self.done:
                self.done = True
                thread = threading.Thread(target=lambda: revocations.revoke_key("k1", issuer=ISSUER))
                thread.start()
                thread.join()
            return found

        done = False

    revocations = Revocations(Slow())
    guard = guarded(clock, revocations=revocations, cache=cache)
    assert guard.verify(request(token())).subject == "alice"  # it was looked up just before
    assert reason(guard.verify, request(token()))[0] is Reason.REVOKED


class Published:
    """Keys that somebody else may change."""

    name, issuer, since, due, good_until = "here", None, 0.0, 1e12, 1e12

    def __init__(self, keys: KeySet) -> None:
        self.keys: KeySet | None = keys

    def snapshot(self) -> KeySet:
        assert self.keys is not None
        return self.keys

    def missed(self, key_id: str, /) -> None:
        pass

    def fetch(self, refs: Any, /) -> Found:
        return Found({ref: (PublishedKeys(self.snapshot()), 1) for ref in refs})

    async def afetch(self, refs: Any, /) -> Found:
        return self.fetch(refs)


def test_a_key_that_leaves_the_keys_takes_its_tokens_along_at_once(clock):
    source = Published(KeySet([KEY]))
    assert isinstance(source, KeySource)
    found = verifier(clock, keys=source, cache=TokenCache(ttl=3600))
    guard = Guard([found], policy=Policy(clock=clock))
    for _ in range(2):
        found.verify(token())
        guard.verify(request(token()))
    source.keys = KeySet([Key.generate("HS256", key_id="k2")])
    assert reason(found.verify, token())[0] is Reason.UNKNOWN_KEY
    assert reason(guard.verify, request(token()))[0] is Reason.UNKNOWN_KEY


def test_a_key_that_leaves_while_a_token_is_verified_takes_it_along(clock):
    source = Published(KeySet([KEY]))
    cache = TokenCache(ttl=3600)
    found = verifier(clock, keys=source, cache=cache)
    judged = found.judge(token(), NOW)
    source.keys = KeySet([Key.generate("HS256", key_id="k2")])
    found.remember(cache.current, token(), judged, NOW, None)
    assert found.known(token(), NOW) is None


def test_revocation_asks_after_the_keys_were_asked(clock, store):
    class Renewed(Published):
        def fetch(self, refs: Any, /) -> Found:
            self.keys = KeySet([KEY])
            return super().fetch(refs)

    revocations = Revocations(store, clock=clock)
    guard = guarded(clock, keys=Renewed(KeySet([Key.generate("HS256", key_id="k0")])), revocations=revocations)
    assert guard.verify(request(token())).subject == "alice"
    revocations.revoke_key("k1", issuer=ISSUER)
    guard = guarded(clock, keys=Renewed(KeySet([Key.generate("HS256", key_id="k0")])), revocations=revocations)
    assert reason(guard.verify, request(token()))[0] is Reason.REVOKED


# ---- tokens that are known, in guards ---------------------------------------------------------------------------------


def odd(fields: list[tuple[str, str]], target: str = "/") -> Request:
    return Request("GET", "https", "api.example", target, fields)


@pytest.mark.parametrize(
    ("fields", "target"),
    [
        ([("Authorization", "Bearer {}")], "/"),
        ([("Authorization", "bearer {}")], "/"),
        ([("Authorization", "Bearer  {}")], "/?a=b"),
        ([("Authorization", "Bearer {}"), ("Authorization", "Bearer {}")], "/"),
        ([("Authorization", "Bearer {}"), ("Host", "a"), ("Host", "b")], "/"),
        ([("Authorization", "Bearer {}"), ("Host", "a,b")], "/"),
        ([("Authorization", "Bearer {}"), ("Early-Data", "1")], "/"),
        ([("Authorization", "Bearer {}"), ("Early-Data", "0")], "/"),
        ([("Authorization", "Bearer {}")], "/?access_token=x"),
        ([("Authorization", "Bearer {}")], "/?%61ccess_token=x"),
        ([("Authorization", "Bearer {}")], "/?a=%20"),
        ([("Authorization", "Bearer {},")], "/"),
        ([("Authorization", "Basic {}")], "/"),
        ([("Authorization", "Bearer")], "/"),
        ([("Authorization", "Bearer ")], "/"),
        ([("Authorization", "Bearer {}x")], "/"),
        ([("Authorization", "Bearer {}=")], "/"),
        ([("Authorization", "Bearer a.b")], "/"),
        ([("Authorization", "Bearer " + "x" * 17_000)], "/"),
        ([], "/"),
    ],
)
def test_whatever_is_known_of_a_token_the_verdict_is_the_same(clock, fields, target):
    """For a token that was verified before, with an observer, and where the store is asked as well."""
    plain, cached = guarded(clock), guarded(clock, cache=TokenCache())
    observed = Guard([verifier(clock)], policy=Policy(clock=clock), observe=lambda verdict: None)
    asking = guarded(clock, revocations=Revocations(MemoryStore(clock=clock)))
    cached.verify(request(token()))
    asked = odd([(name, value.format(token())) for name, value in fields], target)

    def verdict(verify: Any) -> object:
        try:
            identity: Identity[Any] = verify(asked)
        except Rejected as rejected:
            assert rejected.refusal is not None
            assert rejected.verifier is None or rejected.verifier.scheme == "jwt"
            return rejected.reason, rejected.rejection.where, rejected.refusal
        return identity.subject

    expected = verdict(observed.verify)
    for guard in (plain, cached, asking):
        assert verdict(guard.verify) == expected
        assert verdict(lambda asked, guard=guard: asyncio.run(AsyncGuard.of(guard).verify(asked))) == expected


@pytest.mark.parametrize("cached", [False, True])
def test_a_token_that_needs_nothing_from_outside_is_admitted_at_once_whatever_else_the_guard_does(clock, cached):
    """No program is made for it: the pipeline gives the admission itself."""
    from watchword import BasicVerifier, PublicURL, ReplayableBodyHMACVerifier, SignatureSeal

    def at_once(*more: Any, own: Any = {}, **options: Any) -> list[bool]:  # noqa: B006 -- it is not changed
        options.setdefault("policy", Policy(clock=clock))
        verifiers = [verifier(clock, cache=TokenCache() if cached else None, **own), *more]
        guard = Guard(verifiers, MemoryStore(clock=clock), **options)
        answers = []
        for _ in range(2):
            answer = guard._admit(request(token()), bytes, False)
            answers.append(isinstance(answer, Admission))
            admitted = answer if isinstance(answer, Admission) else drive(answer)
            assert admitted.identity is not None and admitted.identity.subject == "alice"
        return answers

    for settings in (
        at_once(), at_once(BasicVerifier(realm="r")), at_once(ReplayableBodyHMACVerifier(KEY, subject="s")),
        at_once(observe=lambda verdict: None), at_once(seal=SignatureSeal(Key.generate("HS256", key_id="seal"))),
        at_once(policy=Policy(clock=clock, public_url=PublicURL("https://api.example"))),
        at_once(verifier(clock, issuer="https://two.example")),
    ):  # fmt: skip
        assert settings == [True, True]
    # What is taken back has to be looked up: each time, unless a cache that isn't strict answers.
    assert at_once(own={"revocations": Revocations(MemoryStore())}) == [False, cached]


def test_a_long_field_is_refused_though_its_token_is_known(clock):
    from watchword import Limits

    guard = Guard(
        [verifier(clock, cache=TokenCache())], policy=Policy(clock=clock, limits=Limits(field=len(token()) + 6))
    )
    assert reason(guard.verify, request(token()))[0] is Reason.HEADER_TOO_LARGE
    guard = Guard(
        [verifier(clock, cache=TokenCache())], policy=Policy(clock=clock, limits=Limits(field=len(token()) + 7))
    )
    for _ in range(2):
        assert guard.verify(request(token())).subject == "alice"


class Order(msgspec.Struct, frozen=True):
    """Claims of a type of one's own."""

    jti: str


def test_typed_claims_come_out_of_the_cache_typed(clock):
    found = verifier(clock, claims=Order, cache=TokenCache())
    assert found.verify(token()).claims == found.verify(token()).claims == Order("t1")


def test_nothing_secret_is_shown(clock):
    cache = TokenCache()
    found = verifier(clock, cache=cache, revocations=Revocations(MemoryStore()))
    assert token() not in repr(cache) + repr(found) + repr(found.read(request(token())))
    assert repr(Revocations(MemoryStore())) == "Revocations(MemoryStore)"
    assert Ref(PublishedKeys, ("a",)) == Ref(PublishedKeys, ("a",))

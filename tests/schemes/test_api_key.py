"""Both halves of API keys against each other, in memory, through either guard."""

from __future__ import annotations

import asyncio
import re
from binascii import crc32
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples_of import examples
from watchword import (
    AllOf, APIKeyAuth, APIKeyVerifier, AsyncGuard, BasicVerifier, ConfigurationError, Guard, Identity, JWTVerifier, Key,
    Policy, Reason, Rejected, Request, Response, StoreUnavailable, explain,
)  # fmt: skip
from watchword.transport.flow import ClientContext, run
from watchword.core.records import NOTHING_FOUND, Add, Put, Ref, Take
from watchword.effects import Received, Send
from watchword.schemes.api_key_text import KEY, APIKey, APIKeyUse, has_checksum, hash_key, key_id_of, make_key
from watchword.stores import MemoryStore, combine

NOW = 1_700_000_000.0
SCANNER = re.compile(r"\bww_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}\b")  # as documented for secret scanners
ID = "billing00001"
REF, USE = Ref(APIKey, (ID,)), Ref(APIKeyUse, (ID,))


def key_of(seed: int, key_id: str = ID) -> str:
    return make_key(lambda n: bytes([seed]) * n, key_id)


GOOD, FORMER, OTHER = key_of(1), key_of(2), key_of(3)


def record(**changes: Any) -> APIKey:
    fields: dict[str, Any] = {"digest": hash_key(GOOD), "subject": "billing", "scopes": ("invoices",), "created": NOW}
    return APIKey(**{**fields, **changes})


def store_with(kept: APIKey | None = None) -> MemoryStore:
    store = MemoryStore(clock=lambda: NOW)
    store.commit([Put(REF, kept or record())])
    return store


def asking(*values: str | bytes, field: str = "X-API-Key", target: str = "/orders") -> Request:
    return Request("GET", "https", "api.example", target, [(field, value) for value in values])


Judge = Callable[..., Identity | Rejected]


@pytest.fixture(params=[Guard, AsyncGuard])
def judge(request: pytest.FixtureRequest) -> Judge:
    """`judge(request, store, …)`: what a guard of this kind says."""

    def verdict(
        asked: Request, store: Any = None, *, at: float = NOW, verifier: APIKeyVerifier | None = None
    ) -> Identity | Rejected:
        policy = Policy(clock=lambda: at)
        guard = request.param([verifier or APIKeyVerifier()], store or store_with(), policy=policy)
        try:
            answer = guard.verify(asked)
            return asyncio.run(answer) if asyncio.iscoroutine(answer) else answer
        except Rejected as rejected:
            return rejected

    return verdict


def sent_by(auth: APIKeyAuth, asked: Request | None = None) -> Request:
    sent = []

    def server(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(401, {"WWW-Authenticate": 'ApiKey realm="orders", header="X-API-Key"'}))

    run(auth, asked or Request("GET", "https", "api.example", "/"), server, ClientContext(bytes))
    (one,) = sent
    return one


# ---- the form --------------------------------------------------------------------------------------------------------


@given(st.binary(min_size=64, max_size=64))
def test_every_key_is_found_by_the_documented_expression_and_ends_with_its_checksum(octets: bytes) -> None:
    key = make_key(lambda n: octets[:n])
    assert SCANNER.findall(f'X_KEY="{key}", next') == [key]
    assert KEY.fullmatch(key)
    assert has_checksum(key)
    assert key_id_of(key) == key.split("_")[1]


def test_the_checksum_is_the_crc_32_of_all_before_it_in_base_62() -> None:
    """Computed here in another way, so that whoever writes a scanner can rely on it."""
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    number = 0
    for letter in GOOD[-6:]:
        number = number * 62 + letters.index(letter)
    assert number == crc32(GOOD[:-6].encode())


@given(st.integers(0, 53), st.sampled_from("0aZ_-"))
def test_a_changed_letter_is_noticed_without_a_look_up(place: int, letter: str) -> None:
    mistyped = GOOD[:place] + letter + GOOD[place + 1 :]
    if mistyped != GOOD:
        with pytest.raises(Rejected) as caught:
            APIKeyVerifier().read(asking(mistyped))
        assert caught.value.reason is Reason.MALFORMED_CREDENTIALS


def test_the_secret_uses_every_letter_and_enough_octets_of_chance() -> None:
    asked: list[int] = []

    def random(n: int) -> bytes:
        asked.append(n)
        return sha256(str(len(asked)).encode()).digest()[:n]

    letters = "".join(make_key(random)[16:48] for _ in range(200))
    assert len(set(letters)) == 62
    assert asked[:2] == [17, 32]  # 71 and 190 bits, and 64 more each so that no letter is likelier


def test_the_store_keeps_a_sha_256_of_the_whole_key_and_the_key_is_in_no_repr() -> None:
    store = MemoryStore()
    key = store.add_api_key("billing")
    ((place, kept),) = store.records(APIKey)
    assert kept.digest == sha256(key.encode()).hexdigest()
    assert place == (key_id_of(key),)
    claim = APIKeyVerifier().read(asking(key))
    secret = key.split("_")[2]
    for shown in (kept, APIKeyAuth(key), claim, asking(key), APIKeyVerifier(), store):
        assert secret not in repr(shown)
        assert kept.digest not in repr(shown)


# ---- the client half -------------------------------------------------------------------------------------------------


def test_the_client_gets_in_with_the_first_request(judge: Judge) -> None:
    who = judge(sent_by(APIKeyAuth(GOOD)))
    assert isinstance(who, Identity)
    assert (who.subject, who.scheme, who.key_id, who.scopes, dict(who.claims)) == (
        "billing", "api_key", ID, {"invoices"}, {},
    )  # fmt: skip


@pytest.mark.parametrize("header", ["X-API-Key", "x-api-key", "Api-Token", "Authorization", "AUTHORIZATION"])
def test_both_halves_agree_in_any_field(judge: Judge, header: str) -> None:
    request = sent_by(APIKeyAuth(GOOD, header=header))
    assert isinstance(judge(request, verifier=APIKeyVerifier(header=header)), Identity)


def test_in_authorization_the_key_follows_the_word() -> None:
    assert sent_by(APIKeyAuth(GOOD, header="Authorization")).values(b"authorization") == [f"ApiKey {GOOD}".encode()]


@pytest.mark.parametrize(
    "header",
    ["", "X API Key", "X-API-Key:", "X_API_Key", "Ä", "a\r\nb", "Cookie", "host", "Content-Length", "Early-Data"],
)
@pytest.mark.parametrize("half", [lambda header: APIKeyAuth(GOOD, header=header), lambda h: APIKeyVerifier(header=h)])
def test_a_field_that_cannot_carry_a_key_is_a_configuration_error(half: Callable[[str], object], header: str) -> None:
    with pytest.raises(ConfigurationError, match="X-API-Key"):
        half(header)


@pytest.mark.parametrize("key", ["", "a b", "a\n", "a\r\nX: y", "ключ", "x" * 8193])
def test_the_client_refuses_what_a_field_cannot_carry(key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        APIKeyAuth(key)
    assert not key or key not in str(caught.value)


def test_the_client_sends_other_issuers_keys_as_they_are_and_shows_nothing_of_them() -> None:
    auth = APIKeyAuth("sk-{foreign}:1")
    assert sent_by(auth).values(b"x-api-key") == [b"sk-{foreign}:1"]
    assert repr(auth) == "APIKeyAuth(key_id=None)"
    with pytest.raises(ConfigurationError, match="another field"):
        APIKeyAuth("sk-{foreign}:1", header="Authorization")


@pytest.mark.parametrize("key", [GOOD[:-1], GOOD + "x", GOOD[:20] + "x" + GOOD[21:], "ww_"])
def test_the_client_notices_a_key_of_ours_that_is_not_whole(key: str) -> None:
    with pytest.raises(ConfigurationError, match="copy it again") as caught:
        APIKeyAuth(key)
    assert key == "ww_" or key not in str(caught.value)


@pytest.mark.parametrize(("scheme", "authority"), [("http", "api.example"), ("ws", "10.0.0.1:80")])
def test_the_client_sends_no_key_in_the_clear(scheme: str, authority: str) -> None:
    asked = Request("GET", scheme, authority, "/")
    with pytest.raises(ConfigurationError, match="https"):
        sent_by(APIKeyAuth(GOOD), asked)
    assert sent_by(APIKeyAuth(GOOD, allow_cleartext=True), asked).values(b"x-api-key")
    assert sent_by(APIKeyAuth(GOOD), Request("GET", scheme, "localhost:8000", "/")).values(b"x-api-key")


# ---- the server half -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "presented", "at", "reason"),
    [
        ({}, OTHER, NOW, Reason.WRONG_SECRET),
        ({}, key_of(1, "nobody000001"), NOW, Reason.UNKNOWN_KEY),
        ({"expires": NOW}, GOOD, NOW - 0.001, None),
        ({"expires": NOW}, GOOD, NOW, Reason.EXPIRED),
        ({"revoked": NOW}, GOOD, NOW - 10, Reason.REVOKED),
        ({"revoked": NOW, "expires": NOW}, GOOD, NOW, Reason.REVOKED),
        ({"revoked": NOW}, OTHER, NOW, Reason.WRONG_SECRET),
        ({"former": hash_key(FORMER), "former_until": NOW}, FORMER, NOW - 0.001, None),
        ({"former": hash_key(FORMER), "former_until": NOW}, FORMER, NOW, Reason.EXPIRED),
        ({"former": hash_key(FORMER), "former_until": NOW}, GOOD, NOW, None),
        ({"former": hash_key(FORMER), "former_until": NOW + 9, "expires": NOW}, FORMER, NOW, Reason.EXPIRED),
        ({"former": hash_key(FORMER), "former_until": NOW + 9, "revoked": NOW}, FORMER, NOW, Reason.REVOKED),
        ({"digest": "", "former": ""}, GOOD, NOW, Reason.WRONG_SECRET),
        ({"digest": "\ud800é"}, GOOD, NOW, Reason.WRONG_SECRET),
    ],
)  # fmt: skip
def test_what_became_of_a_key(
    judge: Judge, changes: dict[str, Any], presented: str, at: float, reason: Reason | None
) -> None:
    answer = judge(asking(presented), store_with(record(**changes)), at=at)
    assert (answer.reason if isinstance(answer, Rejected) else None) is reason


def test_the_identity_says_when_the_old_key_of_a_rotation_was_used(judge: Judge) -> None:
    store = store_with(record(former=hash_key(FORMER), former_until=NOW + 60))
    old, new = judge(asking(FORMER), store), judge(asking(GOOD), store)
    assert isinstance(old, Identity) and isinstance(new, Identity)
    assert (old.rotated, new.rotated) == (True, False)
    assert (old.key_id, old.subject) == (new.key_id, new.subject)


@pytest.mark.parametrize("header", ["X-API-Key", "Authorization"])
def test_every_401_asks_for_a_key_and_says_where(header: str) -> None:
    guard = Guard([APIKeyVerifier(header=header), JWTVerifier(Key.generate("HS256"))], store_with())
    with pytest.raises(Rejected) as caught:
        guard.verify(Request("GET", "https", "api.example", "/"))
    assert caught.value.refusal is not None
    params = ', header="X-API-Key"' if header == "X-API-Key" else ""
    challenges = caught.value.refusal.response().values(b"www-authenticate")
    assert challenges[-1] == f'ApiKey realm="protected"{params}'.encode()
    assert len(challenges) == 2


def test_a_key_in_the_query_is_not_read(judge: Judge) -> None:
    for name in ("api_key", "x-api-key", "X-API-Key", "key"):
        answer = judge(asking(target=f"/orders?{name}={GOOD}"))
        assert isinstance(answer, Rejected)
        assert answer.reason is Reason.NO_CREDENTIALS


@pytest.mark.parametrize(
    "values",
    [
        (GOOD, GOOD), (GOOD, OTHER), (f"{GOOD},{GOOD}",), (f"{GOOD}, {GOOD}",), ("",), (f"ApiKey {GOOD}",), (f" {GOOD}",),
        (f"{GOOD}\n",), (GOOD.upper(),), (GOOD.replace("_", "-"),), (b"\xff" * 54,), ("ww_" + "０" * 12 + GOOD[15:],),
    ],
)  # fmt: skip
def test_anything_but_one_whole_key_is_malformed(judge: Judge, values: tuple[str | bytes, ...]) -> None:
    answer = judge(asking(*values))
    assert isinstance(answer, Rejected)
    assert answer.reason is Reason.MALFORMED_CREDENTIALS
    assert GOOD.split("_")[2] not in str(answer)


@pytest.mark.parametrize(
    "value", ["ApiKey", f"ApiKey {GOOD}=", f"ApiKey key={GOOD}", f"ApiKey {GOOD} {GOOD}", "ApiKey ="]
)
def test_in_authorization_anything_but_one_whole_key_is_malformed(judge: Judge, value: str) -> None:
    answer = judge(asking(value, field="Authorization"), verifier=APIKeyVerifier(header="Authorization"))
    assert isinstance(answer, Rejected)
    assert answer.reason is Reason.MALFORMED_CREDENTIALS


def test_the_answer_is_private_because_caches_do_not_know_the_field() -> None:
    def headers(header: str) -> list[tuple[bytes, bytes]]:
        guard = Guard([APIKeyVerifier(header=header)], store_with(), policy=Policy(clock=lambda: NOW))
        admission = guard.admit(sent_by(APIKeyAuth(GOOD, header=header)), lambda: b"")
        return list(admission.answer_headers(guard.plan, Response(200), None))

    assert headers("X-API-Key") == [(b"cache-control", b"private")]
    assert headers("Authorization") == []


def test_a_key_and_another_scheme_together_are_ambiguous(judge: Judge) -> None:
    guard = Guard([APIKeyVerifier(), BasicVerifier(realm="orders")], store_with())
    with pytest.raises(Rejected) as caught:
        guard.verify(asking(GOOD).with_headers(((b"authorization", b"Basic YTpi"),)))
    assert caught.value.reason is Reason.AMBIGUOUS


def test_two_verifiers_of_one_field_are_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="x-api-key"):
        Guard([APIKeyVerifier(), APIKeyVerifier(header="x-api-key")], store_with())
    Guard([APIKeyVerifier(), APIKeyVerifier(header="X-Other-Key")], store_with())


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_a_time_that_is_not_positive_is_a_configuration_error(seconds: float) -> None:
    with pytest.raises(ConfigurationError, match="record_use"):
        APIKeyVerifier(record_use=seconds)


@examples(200)
@given(st.binary(max_size=60) | st.text("ww_0Az", min_size=50, max_size=58).map(str.encode))
def test_any_octets_are_read_or_rejected(value: bytes) -> None:
    for verifier, request in (
        (APIKeyVerifier(), asking(value)),
        (APIKeyVerifier(header="Authorization"), asking(b"ApiKey " + value, field="Authorization")),
    ):
        try:
            claim = verifier.read(request)
        except Rejected as rejected:
            assert rejected.reason is Reason.MALFORMED_CREDENTIALS
        else:
            assert claim is not None
            assert has_checksum(value.strip().decode())


# ---- the last use ----------------------------------------------------------------------------------------------------


class Noting:
    """A store that writes down its commits, and can be made to fail them or to say that others were faster."""

    kinds = None
    blocking = False

    def __init__(self, store: MemoryStore, failing: Exception | None = None) -> None:
        self.store = store
        self.failing = failing
        self.commits: list[Any] = []

    def fetch(self, refs: Any) -> Any:
        return self.store.fetch(refs)

    def commit(self, writes: Any) -> Any:
        self.commits.append(list(writes))
        if self.failing is not None:
            raise self.failing
        return self.store.commit(writes)


@pytest.mark.parametrize(("passed", "again"), [(0, False), (599.9, False), (600, True), (-50, False)])
def test_the_last_use_is_written_at_most_once_in_ten_minutes(judge: Judge, passed: float, again: bool) -> None:
    store = Noting(store_with())
    assert isinstance(judge(asking(GOOD), store), Identity)
    assert isinstance(judge(asking(GOOD), store, at=NOW + passed), Identity)
    assert len(store.commits) == 1 + again
    assert store.store.fetch([USE]).get(USE) == APIKeyUse(NOW + passed if again else NOW)


def test_a_use_that_cannot_be_written_down_does_not_refuse_the_request(judge: Judge) -> None:
    store = Noting(store_with(), StoreUnavailable("the disk is full"))
    assert isinstance(judge(asking(GOOD), store), Identity)
    assert len(store.commits) == 1


def test_whoever_was_faster_keeps_the_note_and_both_are_accepted(judge: Judge) -> None:
    store = store_with()

    class Overtaken(Noting):
        def commit(self, writes: Any) -> Any:
            self.store.commit([Put(USE, APIKeyUse(NOW - 1))])
            return super().commit(writes)

    overtaken = Overtaken(store)
    assert isinstance(judge(asking(GOOD), overtaken), Identity)
    assert len(overtaken.commits) == 1, "a lost note is not tried again"
    assert store.fetch([USE]).get(USE) == APIKeyUse(NOW - 1)


@pytest.mark.parametrize("presented", [OTHER, key_of(1, "nobody000001"), GOOD[:-1]])
def test_a_refused_request_writes_nothing(judge: Judge, presented: str) -> None:
    store = Noting(store_with())
    assert isinstance(judge(asking(presented), store), Rejected)
    assert store.commits == []


def test_uses_need_not_be_recorded_and_then_no_place_for_them_is_needed(judge: Judge) -> None:
    class Table:
        """A table of somebody else's, which holds keys and nothing more."""

        kinds = frozenset({APIKey})
        blocking = False
        fetch = store_with().fetch

        def commit(self, writes: list[Put | Take | Add]) -> object:
            raise AssertionError("nothing may be written here")

    assert isinstance(judge(asking(GOOD), Table(), verifier=APIKeyVerifier(record_use=None)), Identity)
    with pytest.raises(ConfigurationError, match="APIKeyUse"):
        Guard([APIKeyVerifier()], Table())  # type: ignore[arg-type]
    kept = MemoryStore()
    assert isinstance(judge(asking(GOOD), combine(Table(), kept)), Identity)  # type: ignore[arg-type]
    assert kept.fetch([USE]).get(USE) == APIKeyUse(NOW)


def test_explain_writes_no_use() -> None:
    store = Noting(store_with())
    assert explain(asking(GOOD), Guard([APIKeyVerifier()], store), at=NOW).accepted  # type: ignore[arg-type]
    assert store.commits == []


def test_a_part_of_all_of_has_its_use_noted() -> None:
    store = store_with()
    key = Key.generate("HS256")
    both = AllOf(APIKeyVerifier(), JWTVerifier(key))
    from watchword import JWTAuth

    token = JWTAuth(key, claims={"sub": "billing"}).mint(NOW)
    guard = Guard([both], store, policy=Policy(clock=lambda: NOW))
    assert (
        guard.verify(asking(GOOD).with_headers(((b"authorization", b"Bearer " + token.encode()),))).subject == "billing"
    )
    assert store.fetch([USE]).get(USE) == APIKeyUse(NOW)


# ---- explain ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "presented", "causes"),
    [
        ({}, GOOD, []),
        ({}, OTHER, ["secret"]),
        ({}, key_of(1, "nobody000001"), ["key id"]),
        ({"revoked": NOW}, GOOD, ["revoked"]),
        ({"expires": NOW - 1}, GOOD, ["time"]),
        ({"revoked": NOW, "expires": NOW - 1}, GOOD, ["revoked", "time"]),
        ({"former": hash_key(FORMER), "former_until": NOW - 1}, FORMER, ["secret"]),
        ({"former": hash_key(FORMER), "former_until": NOW + 1}, FORMER, []),
    ],
)
def test_explain_names_what_is_wrong_and_shows_no_secret(
    changes: dict[str, Any], presented: str, causes: list[str]
) -> None:
    found = explain(asking(presented), Guard([APIKeyVerifier()], store_with(record(**changes))), at=NOW)
    assert [check.name for check in found.causes] == causes
    assert [check.name for check in found.checks] == ["format", "key id", "secret", "revoked", "time"]
    assert found.accepted is not causes and found.accepted == (not causes)
    assert all(check.mend for check in found.causes)
    text = str(found) + found.to_json()
    assert presented.split("_")[2] not in text
    assert hash_key(presented) not in text


def test_the_claim_asks_for_two_records_and_no_slow_work() -> None:
    claim = APIKeyVerifier().read(asking(GOOD))
    assert claim is not None
    assert claim.needs == (REF, USE)
    assert not claim.slow(NOTHING_FOUND)


def test_a_key_that_a_look_up_does_not_know_is_not_said_to_lack_an_id():
    guard = Guard([APIKeyVerifier({}.get)])
    first = explain(Request("GET", "https", "api.example", "/", {"X-API-Key": "sk_live_51H8"}), guard).causes[0]
    assert (first.expected, first.received) == ("a key that the look-up knows", "another key")

"""Opaque tokens and keys of other issuers: looked up by the application's own functions, in either guard."""

from __future__ import annotations

import asyncio
import threading
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from tests.schemes.lookup_worlds import Judge, challenge_of, judges, request_with
from watchword import (
    AllOf, APIKeyAuth, APIKeyVerifier, AsyncGuard, BearerAuth, ConfigurationError, Guard, Identity, JWTVerifier, Key, Policy, Reason,
    Rejected, Request, Response, SignatureVerifier, StoreUnavailable, TokenVerifier, explain, explain_async,
)  # fmt: skip
from watchword.core.records import Put, Ref
from watchword.effects import Received
from watchword.crypto import jose
from watchword.schemes.api_key_text import APIKey
from watchword.schemes.registered_token import RegisteredToken
from watchword.stores import MemoryStore, combine, from_callables
from watchword.transport.flow import ClientContext, run

NOW = 1_700_000_000.0
TOKEN = "mF_9.B5f-4.1JqM-a-token-of-ours"
HASH = sha256(TOKEN.encode()).hexdigest()
ALICE = RegisteredToken("alice", scopes=("read",))
JWT_KEY = Key.from_secret(bytes(range(32)), algorithm="HS256")
ISSUER = "https://id.example"


class Asked:
    """A look-up that notes what it was asked for."""

    def __init__(self, records: dict[str, Any]) -> None:
        self.records = records
        self.names: list[str] = []

    def __call__(self, name: str) -> Any:
        self.names.append(name)
        return self.records.get(name)


@pytest.fixture(params=judges(), ids=lambda judge: judge.__name__)
def judge(request: pytest.FixtureRequest) -> Judge:
    chosen: Judge = request.param
    return chosen


def bearer(token: str | bytes = TOKEN, word: str = "Bearer") -> Request:
    text = token if isinstance(token, bytes) else token.encode()
    return request_with((b"authorization", word.encode() + b" " + text))


# ---- what the look-up is asked for, and what it says ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "name", "record"),
    [
        ("sha256", HASH, ALICE),
        ("plain", TOKEN, ALICE),
        ("plain", TOKEN, RegisteredToken("alice", ("read",), secret=TOKEN)),
        ("sha256", HASH, RegisteredToken("alice", ("read",), digest=HASH.upper())),
        (lambda token: token.split(".")[0], "mF_9", RegisteredToken("alice", ("read",), secret=TOKEN)),
        (lambda token: token.split(".")[0], "mF_9", RegisteredToken("alice", ("read",), digest=HASH)),
    ],
)
def test_a_token_is_looked_up_by_what_by_says_once(judge: Judge, by: Any, name: str, record: RegisteredToken) -> None:
    lookup = Asked({name: record})
    who = judge([TokenVerifier(lookup, by=by)], bearer())
    assert isinstance(who, Identity)
    assert (who.subject, who.scheme, who.scopes) == ("alice", "token", {"read"})
    assert who.key_id == (name if callable(by) else None)
    assert lookup.names == [name]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (None, Reason.UNKNOWN_KEY),
        (RegisteredToken("alice", disabled=True), Reason.DISABLED),
        (RegisteredToken("alice", expires=NOW), Reason.EXPIRED),
        (RegisteredToken("alice", secret=TOKEN[:-1]), Reason.WRONG_SECRET),
        (
            RegisteredToken("alice", secret=TOKEN.swapcase()),
            Reason.WRONG_SECRET,
        ),  # as a table that compares without case finds it
        (RegisteredToken("alice", digest="0" * 64), Reason.WRONG_SECRET),
        (RegisteredToken("alice", secret=TOKEN, digest="0" * 64), Reason.WRONG_SECRET),
    ],
)
@pytest.mark.parametrize("by", ["sha256", "plain"])
def test_what_the_record_says_is_held_to(judge: Judge, by: Any, record: RegisteredToken | None, reason: Reason) -> None:
    rejected = judge([TokenVerifier(lambda _: record, by=by)], bearer(), Policy(clock=lambda: NOW))
    assert isinstance(rejected, Rejected)
    assert rejected.reason is reason
    assert rejected.refusal is not None
    assert (rejected.refusal.status, challenge_of(rejected)) == (401, 'Bearer realm="protected", error="invalid_token"')
    assert TOKEN not in str(rejected) + repr(rejected)


def test_an_end_in_the_future_is_no_end_yet(judge: Judge) -> None:
    verifier = TokenVerifier(lambda _: RegisteredToken("alice", expires=NOW + 1))
    assert isinstance(judge([verifier], bearer(), Policy(clock=lambda: NOW)), Identity)


def test_each_request_has_claims_of_its_own(judge: Judge) -> None:
    record = RegisteredToken("alice", claims={"tenant": "blue"})
    for _ in range(2):
        who = judge([TokenVerifier(lambda _: record)], bearer())
        assert isinstance(who, Identity)
        assert who.claims == {"tenant": "blue"}
        who.claims["admin"] = True  # type: ignore[index]


@pytest.mark.parametrize(
    "value", [b"Bearer", b"Bearer ", b"Bearer  ", b"Bearer a b", b'Bearer "a"', b"Bearer =", "Bearer ü".encode()]
)
def test_no_token_is_handed_to_the_look_up(judge: Judge, value: bytes) -> None:
    lookup = Asked({})
    rejected = judge([TokenVerifier(lookup, by="plain")], request_with((b"authorization", value)))
    assert isinstance(rejected, Rejected)
    assert rejected.reason is Reason.MALFORMED_REQUEST
    assert isinstance(judge([TokenVerifier(lookup, by="plain")], request_with()), Rejected)
    assert lookup.names == []


@pytest.mark.parametrize("found", [None, "", "split"])
def test_a_token_in_which_there_is_no_id_is_malformed(judge: Judge, found: str | None) -> None:
    lookup = Asked({})
    by: Callable[[str], str | None] = (lambda token: token.split("_")[7]) if found == "split" else (lambda _: found)
    rejected = judge([TokenVerifier(lookup, by=by)], bearer())
    assert isinstance(rejected, Rejected)
    assert rejected.reason is Reason.MALFORMED_CREDENTIALS
    assert (rejected.__cause__, lookup.names) == (None, [])


def test_an_id_alone_proves_nothing(judge: Judge) -> None:
    with pytest.raises(ConfigurationError, match="an id proves nothing"):
        judge([TokenVerifier(lambda _: ALICE, by=lambda token: token[:4])], bearer())


# ---- look-ups that fail --------------------------------------------------------------------------------------------------


def test_what_a_look_up_raises_is_a_503(judge: Judge) -> None:
    def down(name: str) -> Any:
        raise TimeoutError("no answer")

    for verifier, request in (
        (TokenVerifier(down, by="plain"), bearer()),
        (APIKeyVerifier(down, by="plain"), request_with((b"x-api-key", TOKEN.encode()))),
        (TokenVerifier(), bearer()),
    ):
        failed = judge([verifier], request, store=from_callables(token=down))
        assert isinstance(failed, StoreUnavailable)
        assert failed.refusal is not None
        assert failed.refusal.status == 503
        assert isinstance(failed.__cause__, TimeoutError)


@pytest.mark.parametrize("deep", [0, 1, 2])
def test_what_repeats_the_token_that_was_looked_up_is_in_no_log(
    judge: Judge, deep: int, caplog: pytest.LogCaptureFixture
) -> None:
    """As the errors of some databases do, which tell the statement with its parameters."""

    def down(name: str) -> Any:
        try:
            raise TimeoutError(f"SELECT … WHERE token = {name!r}")
        except TimeoutError as error:
            if deep == 0:
                raise
            if deep == 1:
                raise LookupError("down") from error
            raise LookupError("down")  # noqa: B904 -- as whoever forgets the cause has it

    async def awaited(name: str) -> Any:
        return down(name)

    for verifier, store in (
        (TokenVerifier(down, by="plain"), None),
        (TokenVerifier(by="plain"), from_callables(token=down)),
    ):
        failed = judge([verifier], bearer(), store=store)
        assert isinstance(failed, StoreUnavailable)
        assert failed.__cause__ is None
        assert ("TimeoutError" if deep == 0 else "LookupError") in str(failed)
    with pytest.raises(StoreUnavailable):
        asyncio.run(AsyncGuard([TokenVerifier(by="plain")], from_callables(token=awaited)).verify(bearer()))
    assert caplog.records
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("returned", ["alice", True, {"sub": "alice"}, APIKey("0" * 64, "alice")])
def test_what_is_no_record_is_the_developers_fault(judge: Judge, returned: Any) -> None:
    with pytest.raises(ConfigurationError, match="return RegisteredToken or None"):
        judge([TokenVerifier(lambda _: returned)], bearer())


def test_a_coroutine_function_is_refused_by_a_guard_that_never_awaits() -> None:
    async def lookup(name: str) -> Any:
        raise AssertionError(name)

    for verifier in (TokenVerifier(lookup), APIKeyVerifier(lookup), AllOf(TokenVerifier(lookup), SignatureVerifier())):
        with pytest.raises(ConfigurationError, match="use AsyncGuard"):
            Guard([verifier], MemoryStore())
        AsyncGuard([verifier], MemoryStore())


def test_a_plain_function_runs_off_the_event_loop() -> None:
    threads = []

    def lookup(name: str) -> RegisteredToken:
        threads.append(threading.current_thread())
        return ALICE

    asyncio.run(AsyncGuard([TokenVerifier(lookup)]).verify(bearer()))
    Guard([TokenVerifier(lookup)]).verify(bearer())
    assert (threads[0] is threading.main_thread(), threads[1] is threading.main_thread()) == (False, True)


# ---- beside JWTs ---------------------------------------------------------------------------------------------------------


def jwt(**claims: Any) -> str:
    import msgspec

    return jose.sign(msgspec.json.encode({"sub": "alice", "aud": "orders", "exp": 4_000_000_000, **claims}), JWT_KEY)


BESIDE = JWTVerifier(JWT_KEY, issuer=ISSUER, audience="orders")


def test_a_jwt_and_an_opaque_token_each_go_to_their_own_verifier(judge: Judge) -> None:
    lookup = Asked({HASH: ALICE})
    for order in ([BESIDE, TokenVerifier(lookup)], [TokenVerifier(lookup), BESIDE]):
        by_jwt, by_token = judge(order, bearer(jwt(iss=ISSUER))), judge(order, bearer())
        assert isinstance(by_jwt, Identity)
        assert isinstance(by_token, Identity)
        assert (by_jwt.scheme, by_token.scheme) == ("jwt", "token")
    assert lookup.names == [HASH, HASH]


UNKNOWN = {
    "another issuer": jwt(iss="https://evil.example"),
    "no issuer": jwt(),
    "an issuer that is no text": jwt(iss=[ISSUER]),
    "another signature": jwt(iss="https://evil.example")[:-4] + "AAAA",
    "no signature": jwt(iss="https://evil.example").rpartition(".")[0] + ".",
    "another payload": jwt().split(".")[0] + ".e30." + "A" * 43,
    "a payload that is no JSON": jwt().split(".")[0] + ".AAAA." + "A" * 43,
    "an encrypted one": jwt().split(".")[0] + ".AAAA.AAAA.AAAA.AAAA",
}


@pytest.mark.parametrize("token", UNKNOWN.values(), ids=UNKNOWN)
def test_a_jwt_that_no_verifier_names_never_falls_through_to_the_look_up(judge: Judge, token: str) -> None:
    lookup = Asked({token: ALICE, sha256(token.encode()).hexdigest(): ALICE})
    for by in ("plain", "sha256"):
        for order in ([BESIDE, TokenVerifier(lookup, by=by)], [TokenVerifier(lookup, by=by), BESIDE]):  # type: ignore[arg-type]
            rejected = judge(order, bearer(token))
            assert isinstance(rejected, Rejected)
            assert rejected.reason is Reason.UNKNOWN_ISSUER
    assert lookup.names == []


@pytest.mark.parametrize(
    ("sent", "what"),
    [
        (b64encode(TOKEN.encode()), "in base64"), (TOKEN.encode().hex().encode(), "in hex"), (TOKEN.encode() * 2, "twice"),
        (b"=?utf-8?B?%b?=" % b64encode(TOKEN.encode()), "an encoded word of MIME"), (b'Some("%b")' % TOKEN.encode(), "Some(…)"),
        (b"<%b>" % TOKEN.encode(), "in brackets"),
    ],
)  # fmt: skip
def test_what_was_done_to_a_token_is_told_and_the_token_is_not(sent: bytes, what: str) -> None:
    told = explain(bearer(sent), Guard([TokenVerifier({HASH: ALICE}.get)]))
    assert what in told.causes[0].received
    assert "scheme word" not in told.causes[0].received
    assert TOKEN not in str(told) + told.to_json()
    assert TOKEN.encode().hex() not in str(told)


@pytest.mark.parametrize(
    ("sent", "said"), [(HASH.encode(), "the form of a hash"), (b"() => token()", "a function"), (b"********", "masked")]
)
def test_what_stands_for_a_token_is_told(sent: bytes, said: str) -> None:
    assert said in explain(bearer(sent), Guard([TokenVerifier({HASH: ALICE}.get)])).causes[0].mend


def test_two_look_ups_for_one_word_are_refused_at_construction() -> None:
    with pytest.raises(ConfigurationError, match="two verifiers would claim"):
        Guard([TokenVerifier(lambda _: ALICE), TokenVerifier(lambda _: ALICE)])
    Guard([TokenVerifier(lambda _: ALICE), TokenVerifier(lambda _: ALICE, word="Token")])


# ---- the word ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["Token", "JWT", "Api-Key", "bearer"])
def test_both_halves_take_another_word(judge: Judge, word: str) -> None:
    sent: list[Request] = []

    def send(effect: Any) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    run(BearerAuth(TOKEN, word=word), Request("GET", "https", "api.example", "/"), send, ClientContext(bytes))
    assert sent[0].values(b"authorization") == [f"{word} {TOKEN}".encode()]
    verifier = TokenVerifier(lambda _: ALICE, word=word)
    assert isinstance(judge([verifier], sent[0]), Identity)
    assert isinstance(judge([verifier], bearer(TOKEN, word.swapcase())), Identity)
    other = judge([verifier], bearer(TOKEN, "Another"))
    assert isinstance(other, Rejected)
    assert other.reason is Reason.UNSUPPORTED_SCHEME
    assert other.refusal is not None
    assert challenge_of(other) == f'{word} realm="protected"'


@pytest.mark.parametrize("word", ["", "To ken", "Token ", "Tok\r\nen", "Basic", "digest", None, "ü"])
def test_a_word_that_can_name_no_tokens_is_refused(word: Any) -> None:
    for make in (lambda: BearerAuth(TOKEN, word=word), lambda: TokenVerifier(lambda _: ALICE, word=word),
                 lambda: APIKeyVerifier(word=word), lambda: APIKeyAuth("k", header="Authorization", word=word)):  # fmt: skip
        with pytest.raises(ConfigurationError, match="word"):
            make()


@pytest.mark.parametrize(
    "wrong",
    [
        {"by": "sha1"},
        {"by": None},
        {"lookup": {"a": 1}},
        {"guessable": 1},
        {"word": "Token", "place": object()},
        {"place": object()},
    ],
)
def test_a_wrong_argument_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        TokenVerifier(**{"lookup": lambda _: None, **wrong})


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject": ""},
        {"subject": None},
        {"subject": 7},
        {"scopes": "read"},
        {"scopes": (1,)},
        {"expires": "never"},
        {"secret": b"x"},
    ],
)
def test_a_record_of_wrong_types_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        RegisteredToken(**{"subject": "alice", **wrong})


# ---- by the guard's store ------------------------------------------------------------------------------------------------


def test_the_records_may_be_the_stores(judge: Judge) -> None:
    mine = MemoryStore()
    mine.commit([Put(Ref(RegisteredToken, (HASH,)), ALICE)])
    for store in (mine, combine(from_callables(token={HASH: ALICE}.get), MemoryStore())):
        assert isinstance(judge([TokenVerifier()], bearer(), store=store), Identity)
        unknown = judge([TokenVerifier()], bearer("other"), store=store)
        assert isinstance(unknown, Rejected)
        assert unknown.reason is Reason.UNKNOWN_KEY


def test_without_look_up_and_store_it_is_refused_at_construction() -> None:
    with pytest.raises(ConfigurationError, match="TokenVerifier needs a store"):
        Guard([TokenVerifier()])


def test_failed_attempts_are_counted_where_tokens_can_be_guessed(judge: Judge) -> None:
    for verifier, reason in (
        (TokenVerifier(lambda _: None, guessable=True), Reason.TOO_MANY_ATTEMPTS),
        (TokenVerifier(lambda _: None), Reason.UNKNOWN_KEY),
    ):
        store = MemoryStore()
        for n in range(200):
            judge([verifier], bearer(f"guess-{n}"), store=store)
        last = judge([verifier], bearer("one-more"), store=store)
        assert isinstance(last, Rejected)
        assert last.reason is reason


# ---- keys that an application has already --------------------------------------------------------------------------------


KEY = "sk_live_51H8:of/another=form"
KEY_HASH = sha256(KEY.encode()).hexdigest()


def keyed(key: str = KEY) -> Request:
    return request_with((b"x-api-key", key.encode("latin-1")))


@pytest.mark.parametrize(
    ("by", "name"),
    [(None, KEY_HASH), ("sha256", KEY_HASH), ("plain", KEY), (lambda key: key.split("_")[2][:4], "51H8")],
)
def test_a_key_of_another_form_is_looked_up_by_what_by_says(judge: Judge, by: Any, name: str) -> None:
    lookup = Asked({name: APIKey(KEY_HASH, "billing", ("pay",))})
    who = judge([APIKeyVerifier(lookup, by=by)], keyed())
    assert isinstance(who, Identity)
    assert (who.subject, who.scheme, who.scopes) == ("billing", "api_key", {"pay"})
    assert who.key_id == (name if callable(by) else None)
    assert lookup.names == [name]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (None, Reason.UNKNOWN_KEY),
        (APIKey("0" * 64, "billing"), Reason.WRONG_SECRET),
        (APIKey(KEY_HASH, "billing", revoked=1.0), Reason.REVOKED),
        (APIKey(KEY_HASH, "billing", expires=NOW), Reason.EXPIRED),
        (APIKey("0" * 64, "billing", former=KEY_HASH, former_until=NOW), Reason.EXPIRED),
    ],
)
def test_what_the_record_says_of_a_key_is_held_to(judge: Judge, record: APIKey | None, reason: Reason) -> None:
    rejected = judge([APIKeyVerifier(lambda _: record, by="plain")], keyed(), Policy(clock=lambda: NOW))
    assert isinstance(rejected, Rejected)
    assert rejected.reason is reason
    assert KEY not in str(rejected)


@pytest.mark.parametrize("key", ["", "a b", "a\x00", "ü", "a" * 8193])
def test_what_is_no_key_is_not_looked_up(judge: Judge, key: str) -> None:
    lookup = Asked({})
    rejected = judge([APIKeyVerifier(lookup, by="plain")], keyed(key))
    assert isinstance(rejected, Rejected)
    assert rejected.reason in (Reason.MALFORMED_CREDENTIALS, Reason.HEADER_TOO_LARGE)
    assert lookup.names == []


def test_keys_by_from_callables(judge: Judge) -> None:
    store = from_callables(api_key={KEY_HASH: APIKey(KEY_HASH, "billing")}.get)
    assert isinstance(judge([APIKeyVerifier(by="sha256")], keyed(), store=store), Identity)
    with pytest.raises(ConfigurationError, match="APIKeyUse"):
        Guard([APIKeyVerifier()], store)
    Guard([APIKeyVerifier(record_use=None)], store)


def test_a_key_after_a_word_of_ones_own(judge: Judge) -> None:
    verifier = APIKeyVerifier(
        lambda _: APIKey(sha256(b"k-1").hexdigest(), "billing"), header="Authorization", word="Api-Key"
    )
    assert isinstance(judge([verifier], bearer("k-1", "api-key")), Identity)
    missing = judge([verifier], request_with())
    assert isinstance(missing, Rejected)
    assert missing.refusal is not None
    assert challenge_of(missing) == 'Api-Key realm="protected"'


# ---- why ---------------------------------------------------------------------------------------------------------------


def causes(verifier: Any, request: Request) -> list[Any]:
    explained = explain(request, Guard([verifier]))
    assert str(asyncio.run(explain_async(request, AsyncGuard([verifier])))) == str(explained)
    assert TOKEN not in str(explained)
    assert HASH not in str(explained)
    return [check for check in explained.checks if check.passed is False]


def known(name: str) -> RegisteredToken | None:
    return {HASH: RegisteredToken("alice", digest=HASH), TOKEN: RegisteredToken("alice", secret=TOKEN)}.get(name)


@pytest.mark.parametrize(
    ("sent", "name", "says"),
    [
        (bearer("another-token"), "token", "SHA-256"),
        (bearer(jwt(iss=ISSUER)), "token", "it is a JWT"),
        (bearer(TOKEN, "Token"), "scheme word", "Bearer"),
        (request_with((b"authorization", TOKEN.encode())), "scheme word", "Bearer"),
        (bearer(f'"{TOKEN}"'), "grammar", "quotes"),
        (request_with((b"x-auth-token", TOKEN.encode())), "place", "authorization"),
        (Request("GET", "https", "api.example", f"/?access_token={TOKEN}"), "place", "authorization"),
        (request_with((b"cookie", f"session={TOKEN}".encode())), "place", "authorization"),
    ],
)
def test_an_explanation_names_what_is_wrong(sent: Request, name: str, says: str) -> None:
    first = causes(TokenVerifier(known), sent)[0]
    assert first.name == name
    assert says in f"{first.expected} {first.component} {first.received} {first.mend}"


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (RegisteredToken("alice", disabled=True), "disabled"),
        (RegisteredToken("alice", expires=1.0), "time"),
        (RegisteredToken("alice", secret="other"), "secret"),
    ],
)
def test_an_explanation_names_what_became_of_the_token(record: RegisteredToken, name: str) -> None:
    assert [check.name for check in causes(TokenVerifier(lambda _: record), bearer())] == [name]


def test_an_explanation_of_an_id_without_secret_says_so() -> None:
    with pytest.raises(ConfigurationError, match="an id proves nothing"):
        causes(TokenVerifier(lambda _: ALICE, by=lambda token: token[:4]), bearer())


def test_an_unknown_key_of_another_form_is_named() -> None:
    first = causes(APIKeyVerifier(lambda _: None), keyed())[0]
    assert (first.name, "SHA-256" in first.mend) == ("key id", True)

"""The conformance kit: every promise of every row of SCHEMES, tried through both guards."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from tests.examples_of import examples
from watchword import AsyncGuard, BasicAuth, BasicVerifier, DigestAuth, DigestVerifier, Guard, HMACAuth, HMACVerifier
from watchword import Identity, JWTAuth, JWTVerifier, Key, OAuth1Auth, OAuth1Verifier, OAuth2Auth, OAuth2Verifier
from watchword import PasswordCache, Policy, Reason, Rejected, TokenCache
from watchword import (
    APIKeyAuth,
    APIKeyVerifier,
    BearerAuth,
    RegisteredToken,
    ReplayableBodyHMACAuth,
    ReplayableBodyHMACVerifier,
    Request,
    Response,
    SignatureAuth,
    SignatureVerifier,
    SigV4Auth,
    SigV4Verifier,
    TokenVerifier,
    WebhookAuth,
    WebhookVerifier,
    explain,
    explain_async,
)
from watchword.authorization_server.token_endpoint import TokenEndpoint
from watchword.core.io import Direct, drive, once
from watchword.transport.flow import ClientContext, run
from watchword.core.scheme import Auth, Received, Send, Verifier
from watchword.schemes import SCHEMES, Scheme
from watchword.schemes.api_key_text import APIKey, hash_key, make_key
from watchword.schemes.lookups import sha256_of
from watchword.stores import MemoryStore

START = 1_700_000_000.0
SECRET = "a secret that no output may show, 32+"
USER_KEY = Key.from_secret(SECRET, algorithm="HS256", key_id="k1")
WRONG_KEY = Key.from_secret(SECRET[::-1], algorithm="HS256", key_id="k1")
CLAIMS = {"iss": "https://id.example", "aud": "orders", "sub": "alice"}
API_KEY = make_key(lambda n: b"\x07" * n, "alicesapikey")
WRONG_API_KEY = make_key(lambda n: b"\x08" * n, "alicesapikey")
TOKEN = "alices-opaque-token.of_32-letters"
URL = ("https", "api.example", "/orders?id=7")


class Clock:
    """Time that tests move."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


class Party(NamedTuple):
    """Both halves of one scheme, and the client half of an impostor."""

    auth: Callable[[], Auth]
    impostor: Callable[[], Auth]
    verifier: Verifier


def parties(clock: Clock) -> dict[str, Party]:
    tokens = "https://id.example/token"
    return {
        "basic": Party(
            lambda: BasicAuth("alice", SECRET), lambda: BasicAuth("alice", "guess"), BasicVerifier(realm="orders")
        ),
        "digest": Party(
            lambda: DigestAuth("alice", SECRET), lambda: DigestAuth("alice", "guess"), DigestVerifier(realm="orders")
        ),
        "jwt": Party(
            lambda: JWTAuth(USER_KEY, claims=CLAIMS), lambda: JWTAuth(WRONG_KEY, claims=CLAIMS),
            JWTVerifier(USER_KEY, issuer="https://id.example", audience="orders"),
        ),
        "oauth": Party(
            lambda: OAuth2Auth(tokens, "alice", SECRET),
            lambda: JWTAuth(WRONG_KEY, claims=CLAIMS),
            OAuth2Verifier(USER_KEY, issuer="https://id.example", audience="orders"),
        ),
        "api_key": Party(lambda: APIKeyAuth(API_KEY), lambda: APIKeyAuth(WRONG_API_KEY), APIKeyVerifier()),
        "token": Party(lambda: BearerAuth(TOKEN), lambda: BearerAuth(TOKEN[::-1]), TokenVerifier()),
        "hmac": Party(lambda: HMACAuth(USER_KEY), lambda: HMACAuth(WRONG_KEY), HMACVerifier()),
        "signature": Party(lambda: SignatureAuth(USER_KEY), lambda: SignatureAuth(WRONG_KEY), SignatureVerifier()),
        "oauth1": Party(
            lambda: OAuth1Auth("orders-app", SECRET, token="alices-token", token_secret=SECRET),
            lambda: OAuth1Auth("orders-app", SECRET, token="alices-token", token_secret="guess"),
            OAuth1Verifier(),
        ),
        "sigv4": Party(
            lambda: SigV4Auth("AKALICE", SECRET, region="eu-central-1", service="orders"),
            lambda: SigV4Auth("AKALICE", "guess", region="eu-central-1", service="orders"),
            SigV4Verifier(region="eu-central-1", service="orders"),
        ),
        "replayable_body_hmac": Party(
            lambda: ReplayableBodyHMACAuth(USER_KEY), lambda: ReplayableBodyHMACAuth(WRONG_KEY),
            ReplayableBodyHMACVerifier(USER_KEY, subject="alice"),
        ),
        "webhook": Party(
            lambda: WebhookAuth(SECRET.encode()), lambda: WebhookAuth(SECRET[::-1].encode()),
            WebhookVerifier(SECRET.encode(), subject="alice"),
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def store_with_password() -> MemoryStore:
    """argon2id once, not for every test."""
    store = MemoryStore()
    store.add_user("alice", SECRET, realm="orders")
    store.add_client("alice", SECRET)
    return store


class World:
    """One scheme, its guard, and a server that a client flow can talk to."""

    def __init__(self, row: Scheme, users: MemoryStore) -> None:
        self.row = row
        self.clock = Clock()
        self.party = parties(self.clock)[row.name]
        self.users = users
        self.store = copy_of(users, self.clock)
        self.guard = Guard([self.party.verifier], self.store, policy=Policy(clock=self.clock))
        self.endpoint = TokenEndpoint(USER_KEY, issuer="https://id.example", audience="orders", clock=self.clock)

    def request(self, auth: Auth, method: str = "GET", body: bytes = b"") -> Request:
        """The request with credentials; challenges and token requests are answered on the way."""
        sent: list[Request] = []

        def send(effect: Send) -> Received:
            if effect.body is not None:
                answer = drive(self.endpoint.respond(effect.request, Direct(self.users), once(effect.body)))
                return Received(answer.response, answer.body)
            sent.append(effect.request)
            if not self.credentials_in(effect.request):
                try:
                    self.guard.verify(effect.request, body)
                except Rejected as rejected:
                    assert rejected.refusal is not None
                    return Received(rejected.refusal.response())
            return Received(Response(200))

        context = ClientContext(lambda: body, now=self.clock)
        run(auth, Request(method, *URL), send, context)
        return sent[-1]

    def credentials_in(self, request: Request) -> list[bytes]:
        """The values of the fields that the verifier reads."""
        fields = {address.field for address in self.party.verifier.addresses}
        return [value for name, value in request.headers if name in fields]

    def verdict(self, request: Request, body: bytes = b"", *, aio: bool = False) -> Identity | Reason:
        try:
            if aio:
                return asyncio.run(AsyncGuard.of(self.guard).verify(request, body))
            return self.guard.verify(request, body)
        except Rejected as rejected:
            assert rejected.refusal is not None
            shown = b"".join(value for _, value in rejected.refusal.response().headers) + str(rejected).encode()
            assert SECRET.encode() not in shown
            return rejected.reason


def copy_of(users: MemoryStore, clock: Clock) -> MemoryStore:
    """A store of the test's own with the same users."""
    from watchword.authorization_server.client import Client
    from watchword.core.records import Put, Ref
    from watchword.crypto.passwords import Password
    from watchword.schemes.digest import DigestSecret

    store = MemoryStore(clock=clock)
    refs = [Ref(Password, ("alice",)), Ref(Client, ("alice",)), Ref(DigestSecret, ("SHA-256", "orders", "alice"))]
    found = users.fetch(refs)
    records = [(ref, found.get(ref)) for ref in refs]
    assert all(record is not None for _, record in records)
    store.commit([Put(ref, record) for ref, record in records])
    store.add_key("alice", USER_KEY)
    store.add_access_key("alice", "AKALICE", SECRET)
    store.add_oauth1_client("orders-app", secret=SECRET)
    store.add_oauth1_token("alices-token", SECRET, client_key="orders-app", subject="alice")
    store.commit([Put(Ref(RegisteredToken, (sha256_of(TOKEN),)), RegisteredToken("alice"))])
    store.commit([Put(Ref(APIKey, ("alicesapikey",)), APIKey(hash_key(API_KEY), "alice"))])
    return store


@pytest.fixture(params=SCHEMES, ids=lambda row: row.name)
def world(request: pytest.FixtureRequest, store_with_password: MemoryStore) -> World:
    return World(request.param, store_with_password)


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def aio(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_a_row_names_what_exists(world: World) -> None:
    module = importlib.import_module(f"watchword.schemes.{world.row.module}")
    verifier = getattr(module, world.row.verifier)
    assert hasattr(module, world.row.auth)
    assert verifier.scheme == world.row.name
    assert verifier.single_use is world.row.single_use


def test_only_passwords_are_sent_by_browsers_unasked(world: World) -> None:
    """For whoever else a request of another site's page has no credentials (`Verifier.ambient`)."""
    assert world.party.verifier.ambient is (world.row.name in {"basic", "digest"})


def test_a_genuine_request_is_accepted(world: World, aio: bool) -> None:
    who = world.verdict(world.request(world.party.auth(), "POST", b"pay 10"), b"pay 10", aio=aio)
    assert isinstance(who, Identity)
    assert (who.subject, who.scheme) == ("alice", world.row.name)


def test_a_wrong_secret_is_refused(world: World, aio: bool) -> None:
    assert isinstance(world.verdict(world.request(world.party.impostor()), aio=aio), Reason)


@pytest.mark.parametrize(
    ("part", "method", "target", "body"),
    [
        ("method", "PUT", b"/orders?id=7", b"pay 10"),
        ("target", "POST", b"/orders?id=8", b"pay 10"),
        ("target", "POST", b"/orders/?id=7", b"pay 10"),
        ("target", "POST", b"/orders", b"pay 10"),
        ("body", "POST", b"/orders?id=7", b"pay 99"),
        ("body", "POST", b"/orders?id=7", b""),
        ("headers", "POST", b"/orders?id=7", b"pay 10"),
    ],
)
def test_a_change_is_refused_exactly_where_the_row_covers_it(
    world: World, aio: bool, part: str, method: str, target: bytes, body: bytes
) -> None:
    genuine = world.request(world.party.auth(), "POST", b"pay 10")
    changed = Request(method, "https", "api.example", target, genuine.headers)
    if part == "headers":
        changed = changed.with_headers(((b"x-role", b"admin"),))
    verdict = world.verdict(changed, body, aio=aio)
    assert isinstance(verdict, Reason if part in world.row.covers else Identity)


def test_a_replay_is_refused_exactly_where_the_row_says_single_use(world: World, aio: bool) -> None:
    request = world.request(world.party.auth())
    assert isinstance(world.verdict(request, aio=aio), Identity)
    if world.row.single_use:
        assert world.verdict(request, aio=aio) is Reason.REPLAYED
    else:
        assert isinstance(world.verdict(request, aio=aio), Identity)


REMEMBERING = {
    "basic": lambda: BasicVerifier(realm="orders", cache=PasswordCache()),
    "jwt": lambda: JWTVerifier(USER_KEY, issuer="https://id.example", audience="orders", cache=TokenCache()),
    "oauth": lambda: OAuth2Verifier(USER_KEY, issuer="https://id.example", audience="orders", cache=TokenCache()),
}


def test_what_an_application_changes_of_an_identity_no_other_request_gets(world: World, aio: bool) -> None:
    """Whatever is remembered between requests: caches, keys, the sessions of a client."""
    world.guard = Guard(
        [REMEMBERING.get(world.row.name, lambda: world.party.verifier)()], world.store, policy=Policy(clock=world.clock)
    )
    auth = world.party.auth()
    once = world.request(auth)
    seen = []
    for _ in range(4):
        found = world.verdict(once if not world.row.single_use else world.request(auth), aio=aio)
        assert isinstance(found, Identity)
        names = {"id", "timestamp"}  # of a webhook: each has its own
        seen.append({name: value for name, value in found.claims.items() if name not in names})
        assert isinstance(found.scopes, frozenset)
        with pytest.raises(AttributeError):
            found.scopes = frozenset(("admin",))
        for claims in (found.claims, *found.claims.values()):
            if isinstance(claims, dict):
                claims["admin"] = True
            elif isinstance(claims, list):
                claims.append("admin")
    assert all(claims == seen[0] for claims in seen)


@pytest.mark.parametrize("long", ["A" * 3000, "%41" * 900, "é" * 900, 'x"' * 900])
def test_no_text_of_a_verdict_is_long(world: World, long: str) -> None:
    """Whatever a request says, at any place of its credentials: logs keep the verdict."""
    verdicts = []
    world.guard = Guard([world.party.verifier], world.store, policy=Policy(clock=world.clock), observe=verdicts.append)
    genuine = world.request(world.party.auth(), "POST", b"pay 10")
    for name, value in genuine.headers:
        for at in sorted({0, 5, *(place + 1 for place, octet in enumerate(value) if octet in b'",=;/ .:')}):
            changed = value[:at] + long.encode() + value[at:]
            headers = tuple((n, changed if n == name else v) for n, v in genuine.headers)
            request = Request("POST", "https", "api.example", b"/orders?id=7", headers)
            with contextlib.suppress(Rejected):
                world.guard.verify(request, b"pay 10")
    assert verdicts
    for verdict in verdicts:
        for text in (verdict.detail, verdict.where, verdict.subject or "", verdict.key_id or ""):
            assert len(text) <= 512


def test_a_long_subject_is_shown_in_part(world: World) -> None:
    verdicts = []
    verifier = JWTVerifier(USER_KEY, issuer="https://id.example", audience="orders")
    guard = Guard([verifier], world.store, policy=Policy(clock=world.clock), observe=verdicts.append)
    subject = "a" * 4000
    request = world.request(JWTAuth(USER_KEY, claims={**CLAIMS, "sub": subject}))
    assert guard.verify(request).subject == subject
    assert len(verdicts[0].subject) == 512
    assert verdicts[0].subject[-1] == "…"


def test_credentials_expire_exactly_where_the_row_says_so(world: World, aio: bool) -> None:
    request = world.request(world.party.auth())
    world.clock.now += 100_000
    verdict = world.verdict(request, aio=aio)
    if world.row.expires:
        assert verdict in (Reason.EXPIRED, Reason.STALE_NONCE)
    else:
        assert isinstance(verdict, Identity)


def test_the_scheme_word_is_compared_without_case(world: World) -> None:
    request = world.request(world.party.auth())
    for name, value in request.headers:
        if name == b"authorization":
            word, _, rest = value.partition(b" ")
            changed = request.with_headers(((name, word.swapcase() + b" " + rest),))
            assert isinstance(world.verdict(changed), Identity)


def test_too_large_a_field_is_refused_before_any_look_up(world: World, aio: bool) -> None:
    class Untouched:
        kinds = None
        blocking = False

        def fetch(self, refs: object) -> object:
            raise AssertionError("looked up before the size was checked")

        commit = fetch

    plan_store = world.guard.plan.store
    field = world.party.verifier.addresses[0].field
    request = world.request(world.party.auth())
    huge = request.with_headers(((field, request.values(field)[0] + b"a" * 20_000),))
    assert plan_store is world.store
    if world.row.name == "digest":  # its refusal carries a challenge, for which the nonce key is fetched
        assert world.verdict(huge, aio=aio) is Reason.HEADER_TOO_LARGE
        return
    world.guard = Guard([world.party.verifier], Untouched(), policy=Policy(clock=world.clock))  # type: ignore[arg-type]
    assert world.verdict(huge, aio=aio) is Reason.HEADER_TOO_LARGE


def test_too_large_a_body_is_refused_where_the_scheme_reads_it(world: World, aio: bool) -> None:
    request = world.request(world.party.auth(), "POST", b"")
    verdict = world.verdict(request, b"a" * (1024 * 1024 + 1), aio=aio)
    if "body" in world.row.covers:
        assert verdict is Reason.BODY_TOO_LARGE
    else:
        assert isinstance(verdict, Identity)


def test_explain_agrees_with_the_verdict_and_commits_nothing(world: World) -> None:
    request = world.request(world.party.auth())
    explanation = explain(request, world.guard)
    assert explanation.accepted
    assert not explanation.causes
    assert explanation.checks
    assert str(asyncio.run(explain_async(request, world.guard))) == str(explanation)
    assert isinstance(world.verdict(request), Identity)
    refused = explain(world.request(world.party.impostor()), world.guard)
    assert not refused.accepted
    assert refused.causes
    assert SECRET not in str(explanation) + explanation.to_json() + str(refused) + refused.to_json()


def test_no_secret_in_any_repr(world: World) -> None:
    auth = world.party.auth()
    request = world.request(auth)
    texts = [repr(auth), repr(world.party.verifier), repr(request), repr(world.party.verifier.read(request))]
    credentials = [value.decode() for value in world.credentials_in(request)]
    for text in texts:
        assert SECRET not in text
        assert credentials[0] not in text


def test_a_store_that_is_down_accepts_nothing(world: World, aio: bool) -> None:
    from watchword import StoreUnavailable

    class Down:
        kinds = None
        blocking = False

        def fetch(self, refs: object) -> object:
            raise StoreUnavailable

        commit = fetch

    if not world.party.verifier.kinds:
        return
    request = world.request(world.party.auth())
    guard = Guard([world.party.verifier], Down(), policy=Policy(clock=world.clock))  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailable) as caught:
        asyncio.run(AsyncGuard.of(guard).verify(request)) if aio else guard.verify(request)
    assert caught.value.refusal is not None
    assert caught.value.refusal.status == 503


@pytest.mark.parametrize("row", SCHEMES, ids=lambda row: row.name)
@examples(60, suppress=[HealthCheck.function_scoped_fixture])
@given(field=st.binary(max_size=120), body=st.binary(max_size=20), target=st.binary(max_size=20))
def test_any_octets_give_an_identity_or_a_rejection(
    store_with_password: MemoryStore, row: Scheme, field: bytes, body: bytes, target: bytes
) -> None:
    world = World(row, store_with_password)
    address = world.party.verifier.addresses[0]
    value = address.word.encode() + b" " + field if address.word else field
    request = Request("GET", "https", "api.example", b"/" + target, [(address.field, value)])
    first = world.verdict(request, body)
    assert isinstance(first, Identity | Reason)
    assert isinstance(world.verdict(request, body, aio=True), type(first))

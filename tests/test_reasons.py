"""Every member of Reason is reached by a request, so that the table in docs/reference/reasons.md has no dead row."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from watchword import (
    APIKeyVerifier,
    AllOf,
    BasicVerifier,
    DigestAuth,
    DigestVerifier,
    Guard,
    HMACAuth,
    HMACVerifier,
    Identity,
    InCookie,
)
from watchword import (
    JWTVerifier,
    Key,
    Password,
    Policy,
    PublicURL,
    Reason,
    Rejected,
    ReplayableBodyHMACVerifier,
    Request,
    Response,
    SignatureAuth,
    SignatureVerifier,
    WebhookVerifier,
)
from watchword.core.attempts import AttemptPolicy, Window
from watchword.transport.flow import ClientContext, run
from watchword.core.records import Put, Ref
from watchword.structures.room import FOR_THREADS
from watchword.effects import Auth, Received, Send
from watchword.crypto import jose
from watchword.stores import MemoryStore

KEY = Key.generate("HS256", key_id="k1")
CLAIMS: dict[str, Any] = {"iss": "https://id.example", "aud": "orders", "sub": "alice"}
NOW = time.time()
Case = Callable[[], object]


def get(field: str | None = None, target: str = "/", exact: bool = True, **more: str) -> Request:
    headers = {"Authorization": field} if field is not None else {}
    extra = {name.replace("_", "-"): value for name, value in more.items()}
    return Request("GET", "https", "api.example", target, {**headers, **extra}, exact=exact)


def bearer(header: Mapping[str, object] | None = None, key: Key = KEY, **claims: object) -> Request:
    merged = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    return get("Bearer " + jose.sign(json.dumps(merged).encode(), key, header=header))


def jwt_guard(**options: Any) -> Guard:
    return Guard([JWTVerifier(KEY, issuer="https://id.example", audience="orders", **options)])


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    store = MemoryStore()
    store.add_user("alice", "pw", realm="r", digest_algorithms=("SHA-256",))
    store.add_key("alice", KEY)
    return store


def signed(auth: Auth, guard: Guard, *, target: str = "/", now: float = NOW) -> Request:
    sent: list[Request] = []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        try:
            guard.verify(effect.request)
        except Rejected as rejected:
            assert rejected.refusal is not None
            return Received(rejected.refusal.response())
        return Received(Response(200))

    run(auth, get(target=target), send, ClientContext(bytes, now=lambda: now))
    return sent[-1]


def edited(request: Request, old: str, new: str) -> Request:
    value = request.values(b"authorization")[0].decode()
    assert old in value
    return request.with_headers(((b"authorization", value.replace(old, new).encode()),))


def too_many(store: MemoryStore) -> object:
    once = [Window(1, 60)]
    policy = Policy(attempts=AttemptPolicy(pair=once, subject=once, address=once))
    guard = Guard([BasicVerifier(realm="r")], store, policy=policy)
    with pytest.raises(Rejected) as caught:
        guard.verify(get("Basic YWxpY2U6bm8="))
    assert caught.value.reason is Reason.WRONG_SECRET
    return guard.verify(get("Basic YWxpY2U6bm8="))


def too_busy(store: MemoryStore) -> object:
    """Strangers from everywhere have taken all places of the line for slow work."""
    guard = Guard([BasicVerifier(realm="r")], store)
    for number in range(FOR_THREADS.strangers):
        guard.plan.line.join(False, (f"192.0.2.{number}",))
    return guard.verify(get("Basic YWxpY2U6bm8="))


def cases(store: MemoryStore) -> dict[Reason, Case]:
    basic = Guard([BasicVerifier(realm="r")], store)
    digest = Guard([DigestVerifier(realm="r")], store)
    hmac = Guard([HMACVerifier()], store)
    body_hmac = ReplayableBodyHMACVerifier(KEY, subject="bob")
    both = AllOf(JWTVerifier(KEY, issuer="https://id.example", audience="orders"), body_hmac)
    mac = KEY.sign(b"").hex()

    def answered() -> Request:
        """A genuine Digest request that nobody has seen."""
        spare = Guard([DigestVerifier(realm="r")], store)
        return signed(DigestAuth("alice", "pw"), spare)

    def fresh_digest() -> Request:
        seen: list[Request] = []

        def send(effect: Send) -> Received:
            seen.append(effect.request)
            if effect.request.headers:
                return Received(Response(200))
            with pytest.raises(Rejected) as caught:
                digest.verify(effect.request)
            assert caught.value.refusal is not None
            return Received(caught.value.refusal.response())

        run(DigestAuth("alice", "pw"), get(), send, ClientContext(bytes))
        return seen[-1]

    def fresh_hmac(now: float = NOW, key: Key = KEY) -> Request:
        seen: list[Request] = []

        def send(effect: Send) -> Received:
            seen.append(effect.request)
            return Received(Response(200))

        run(HMACAuth(key), get(), send, ClientContext(bytes, now=lambda: now))
        return seen[-1]

    def later(verifier: DigestVerifier, seconds: float) -> Guard:
        return Guard([verifier], store, policy=Policy(clock=lambda: time.time() + seconds))

    def authorized(scopes: tuple[str, ...]) -> object:
        admission = jwt_guard().admit(bearer(), lambda: b"")
        missing_scopes = admission.missing_scopes(scopes)
        assert missing_scopes is not None
        raise missing_scopes

    def covering() -> Request:
        auth = SignatureAuth(KEY, components=["@method", "@authority", "@path", "@query", "x-a"])
        sent: list[Request] = []

        def send(effect: Send) -> Received:
            sent.append(effect.request)
            return Received(Response(200))

        run(auth, Request("GET", "https", "api.example", "/", {"X-A": "1"}), send, ClientContext(bytes))
        return sent[0]

    covering_a_field = covering()
    twice = Request("GET", "https", "api.example", "/", [("Authorization", "Basic x"), ("Authorization", "Basic y")])
    other = Key.generate("HS256", key_id="k1")
    return {
        Reason.NO_CREDENTIALS: lambda: basic.verify(get()),
        Reason.UNSUPPORTED_SCHEME: lambda: basic.verify(get("Negotiate x")),
        Reason.AMBIGUOUS: lambda: Guard([HMACVerifier(), body_hmac], store).verify(
            fresh_hmac().with_headers(((b"x-hmac", mac.encode()),))
        ),
        Reason.MALFORMED_REQUEST: lambda: basic.verify(twice),
        Reason.HEADER_TOO_LARGE: lambda: basic.verify(get("Basic " + "x" * 20_000)),
        Reason.MISSING_COMPONENT: lambda: Guard([SignatureVerifier()], store).verify(
            Request("GET", "https", "api.example", "/", [line for line in covering_a_field.headers if line[0] != b"x-a"])
        ),
        Reason.NOT_COVERED: lambda: WebhookVerifier("token", "twilio").verify(
            {"X-Twilio-Signature": "a MAC of the URL alone"}, b"{}", url="https://api.example/"
        ),
        Reason.BODY_TOO_LARGE: lambda: hmac.verify(fresh_hmac(), b"x" * 2_000_000),
        Reason.TARGET_TOO_LONG: lambda: basic.verify(get(target="/" + "a" * 20_000)),
        Reason.TOO_MANY_PARAMETERS: lambda: basic.verify(get(target="/?" + "&" * 300)),
        Reason.TARGET_REFUSED: lambda: Guard(
            [BasicVerifier(realm="r")], store, policy=Policy(public_url=PublicURL("https://api.example"))
        ).verify(get("Basic x", target="/a\\b")),
        Reason.TARGET_NOT_EXACT: lambda: hmac.verify(
            Request("GET", "https", "api.example", "/%20", fresh_hmac().headers, exact=False)
        ),
        Reason.EARLY_DATA: lambda: jwt_guard().verify(bearer().with_headers(((b"early-data", b"1"),))),
        Reason.TOO_MANY_ATTEMPTS: lambda: too_many(store),
        Reason.TOO_BUSY: lambda: too_busy(store),
        Reason.MALFORMED_CREDENTIALS: lambda: basic.verify(get("Basic ???")),
        Reason.UNKNOWN_SUBJECT: lambda: basic.verify(get("Basic bm9ib2R5OnB3")),
        Reason.UNKNOWN_KEY: lambda: hmac.verify(edited(fresh_hmac(), '"k1"', '"k2"')),
        Reason.UNKNOWN_ISSUER: lambda: jwt_guard().verify(bearer(iss="https://other.example")),
        Reason.UNKNOWN_NONCE: lambda: digest.verify(edited(fresh_digest(), 'nonce="', 'nonce="A')),
        Reason.UNKNOWN_CRITICAL: lambda: jwt_guard().verify(get("Bearer " + critical())),
        Reason.WRONG_ALGORITHM: lambda: jwt_guard().verify(bearer(key=Key.generate("HS512", key_id="k1"))),
        Reason.WRONG_SECRET: lambda: basic.verify(get("Basic YWxpY2U6bm8=")),
        Reason.WRONG_SIGNATURE: lambda: jwt_guard().verify(bearer(key=other)),
        Reason.WRONG_REALM: lambda: digest.verify(edited(fresh_digest(), 'realm="r"', 'realm="s"')),
        Reason.WRONG_TARGET: lambda: digest.verify(edited(fresh_digest(), 'uri="/"', 'uri="/x"')),
        Reason.WRONG_BODY: lambda: hmac.verify(fresh_hmac(), b"another"),
        Reason.WRONG_TYPE: lambda: jwt_guard().verify(bearer({"typ": "logout+jwt"})),
        Reason.WRONG_AUDIENCE: lambda: jwt_guard().verify(bearer(aud="invoices")),
        Reason.WRONG_CLAIM: lambda: jwt_guard().verify(bearer(exp="tomorrow")),
        Reason.MISSING_CLAIM: lambda: jwt_guard().verify(bearer(sub=None)),
        Reason.EXPIRED: lambda: jwt_guard().verify(bearer(exp=int(NOW) - 10)),
        Reason.NOT_YET_VALID: lambda: jwt_guard().verify(bearer(nbf=int(NOW) + 86_400)),
        Reason.REVOKED: lambda: Guard([APIKeyVerifier()], store).verify(get(X_API_Key=revoked_key(store))),
        Reason.DISABLED: lambda: Guard([BasicVerifier(realm="r")], disabled_alice(store)).verify(
            get("Basic YWxpY2U6cHc=")
        ),
        Reason.STALE_NONCE: lambda: later(DigestVerifier(realm="r"), 1000).verify(fresh_digest()),
        Reason.REPLAYED: lambda: digest.verify(answered()),
        Reason.BINDING_MISSING: lambda: Guard([both]).verify(bearer()),
        Reason.BINDING_MISMATCH: lambda: Guard([both]).verify(bearer().with_headers(((b"x-hmac", mac.encode()),))),
        Reason.INSUFFICIENT_SCOPE: lambda: authorized(("write",)),
        Reason.ORIGIN_REFUSED: lambda: Guard([JWTVerifier(KEY, place=InCookie())]).verify(
            Request("POST", "https", "api.example", "/", {"Cookie": "__Host-token=a.b.c", "Sec-Fetch-Site": "cross-site"})
        ),
    }  # fmt: skip


def revoked_key(store: MemoryStore) -> str:
    key = store.add_api_key("alice")
    store.revoke_api_key(key.split("_")[1])
    return key


def disabled_alice(store: MemoryStore) -> MemoryStore:
    (record,) = (record for key, record in store.records(Password) if key == ("alice",))
    copy = MemoryStore()
    copy.commit([Put(Ref(Password, ("alice",)), record)])
    copy.disable_user("alice")
    return copy


def critical() -> str:
    header = jose.b64url_encode(b'{"alg":"HS256","kid":"k1","crit":["exp2"],"exp2":1}')
    signing_input = header + b"." + jose.b64url_encode(json.dumps(CLAIMS).encode())
    return (signing_input + b"." + jose.b64url_encode(KEY.sign(signing_input))).decode()


@pytest.mark.parametrize("reason", Reason, ids=lambda reason: reason.value)
def test_a_request_reaches_every_reason(reason: Reason, store: MemoryStore) -> None:
    with pytest.raises(Rejected) as caught:
        cases(store)[reason]()
    assert caught.value.reason is reason


def test_an_identity_needs_no_reason(store: MemoryStore) -> None:
    assert isinstance(jwt_guard().verify(bearer()), Identity)
    assert Ref(Key, ("a",)) == Ref(Key, ("a",))

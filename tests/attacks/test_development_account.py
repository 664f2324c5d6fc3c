"""`Policy(explain="development")`: who gets the account, and that it helps nobody who should not have had it."""

from __future__ import annotations

import importlib
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.hash_costs import cheap_password
from watchword import (
    ConfigurationError, DigestAuth, DPoPVerifier, Guard, HMACAuth, HMACVerifier, JWTAuth, JWTVerifier, Key, Policy, PublicURL, Reason, Rejected,
    OAuth2Verifier, ReplayableBodyHMACVerifier, Request, SignatureVerifier, WebhookVerifier,
)  # fmt: skip
from watchword.core.message import Peer, Response
from watchword.core.records import Found, Put, Ref
from watchword.core.scheme import Verifier
from watchword.effects import Auth, Received
from watchword.crypto import passwords
from watchword.schemes import SCHEMES
from watchword.schemes.basic import BasicVerifier
from watchword.schemes.explaining.this_machine import is_of_this_machine
from watchword.testing.cases import CASES, CLAIMS, KEY, SECRET, case_of
from watchword.stores import MemoryStore
from watchword.transport.flow import ClientContext, run

HOST = "127.0.0.1:8000"
PEER = Peer("127.0.0.1")
NOW = 1_700_000_000.0


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def development(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHWORD_ENV", "development")


def asked(
    *fields: tuple[str, str], host: str = HOST, peer: str = "127.0.0.1", target: str = "/orders?id=7", **more: Any
) -> Request:
    return Request(
        more.get("method", "GET"), more.get("scheme", "http"), host, target, [("Host", host), *fields], Peer(peer)
    )


def account(guard: Guard, request: Request, body: bytes = b"") -> bytes:
    with pytest.raises(Rejected) as caught:
        guard.verify(request, body)
    assert caught.value.refusal is not None
    return caught.value.refusal.account


def guarded(**policy: Any) -> Guard:
    return Guard([JWTVerifier(KEY)], policy=Policy(explain="development", **policy))


# ---- who gets it -------------------------------------------------------------------------------------------------------

NEAR = {
    "IPv4": asked(),
    "without a port": asked(host="127.0.0.1"),
    "another of 127.0.0.0/8": asked(host="127.8.9.10:80", peer="127.1.2.3"),
    "IPv6": asked(host="[::1]:8000", peer="::1"),
    "IPv4 in IPv6": asked(peer="::ffff:127.0.0.1"),
    "localhost": asked(host="LocalHost:8000"),
    "by TLS": asked(scheme="https"),
    "a page of this machine": asked(("Origin", "http://localhost:3000")),
}
FAR = {
    "a peer elsewhere": asked(peer="192.0.2.7"),
    "a peer of the same network": asked(peer="10.0.0.1"),
    "a Unix socket": asked(peer=""),
    "an undeclared proxy that says for whom": asked(("X-Forwarded-For", "192.0.2.7")),
    "… in the words of RFC 7239": asked(("Forwarded", "for=192.0.2.7")),
    "… with the scheme": asked(("X-Forwarded-Proto", "https")),
    "… with an empty field": asked(("X-Forwarded-For", "")),
    "… with an underscore": asked(("X_Forwarded_For", "192.0.2.7")),
    "… as nginx is often set up": asked(("X-Real-IP", "192.0.2.7")),
    "… that says it is one": asked(("Via", "1.1 edge")),
    "… of Cloudflare": asked(("CF-Connecting-IP", "192.0.2.7")),
    "… of Fastly": asked(("Fastly-Client-IP", "192.0.2.7")),
    "… of Akamai": asked(("True-Client-IP", "192.0.2.7")),
    "… of a mesh": asked(("X-Envoy-External-Address", "192.0.2.7")),
    "… of AWS": asked(("X-Amzn-Trace-Id", "Root=1")),
    "DNS rebinding": asked(host="attacker.example"),
    "DNS rebinding with a port": asked(host="attacker.example:8000"),
    "a name that only looks local": asked(host="localhost.attacker.example"),
    "a name that begins as the address": asked(host="127.0.0.1.attacker.example"),
    "a name under localhost": asked(host="app.localhost"),
    "user information": asked(host="127.0.0.1@attacker.example"),
    "all addresses": asked(host="0.0.0.0:8000"),
    "an address elsewhere": asked(host="192.0.2.7"),
    "digits that are no address": asked(host="127.1"),
    "an octal address": asked(host="0177.0.0.1"),
    "no Host": asked(host=""),
    "a target of another host": asked(target="http://attacker.example/"),
    "a page of another site": asked(("Origin", "https://attacker.example")),
    "a page of no site": asked(("Origin", "null")),
    "a name of this machine in a page's Origin": asked(("Origin", "http://localhost.attacker.example")),
    "HEAD": asked(method="HEAD"),
    "a WebSocket": asked(scheme="ws"),
}


@pytest.mark.parametrize("request_", NEAR.values(), ids=NEAR)
def test_a_program_on_this_machine_gets_an_account(request_: Request) -> None:
    assert is_of_this_machine(request_)
    text = account(guarded(), request_).decode()
    assert "refused: no_credentials: the request carries no credentials\nwhat to do: have the client" in text


@pytest.mark.parametrize("request_", FAR.values(), ids=FAR)
def test_nobody_gets_an_account_who_may_be_elsewhere(request_: Request) -> None:
    assert not is_of_this_machine(request_)
    assert account(guarded(), request_) == b""


def test_two_hosts_are_none() -> None:
    two = Request("GET", "http", HOST, "/", [("Host", HOST), ("Host", HOST)], PEER)
    other = Request("GET", "http", HOST, "/", [("Host", "attacker.example")], PEER)
    assert not is_of_this_machine(two)
    assert not is_of_this_machine(other)
    assert account(guarded(), two) == b""


@pytest.mark.parametrize("value", [None, "", "production", "Development", "dev", "development ", "true"])
def test_only_an_environment_that_says_development_has_accounts(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    if value is None:
        monkeypatch.delenv("WATCHWORD_ENV")
    else:
        monkeypatch.setenv("WATCHWORD_ENV", value)
    for other in ("FLASK_ENV", "FLASK_DEBUG", "DJANGO_DEBUG", "ENV", "PYTHONDEVMODE"):
        monkeypatch.setenv(other, "development")
    assert account(guarded(), asked()) == b""


def test_a_declared_proxy_a_proxys_own_guard_and_a_policy_that_does_not_ask_have_no_accounts() -> None:
    for url in (PublicURL("http://127.0.0.1:8000"), PublicURL(forwarded="Forwarded", hops=1), lambda request: request):
        assert account(guarded(public_url=url), asked()) == b""
    proxy = Guard([JWTVerifier(KEY)], policy=Policy(explain="development"), proxy=True)
    assert account(proxy, asked()) == b""
    assert account(Guard([JWTVerifier(KEY)]), asked()) == b""
    with pytest.raises(ConfigurationError, match="development"):
        Guard([JWTVerifier(KEY)], policy=Policy(explain="production"))  # type: ignore[arg-type]


def test_answers_that_tell_by_their_status_have_no_account() -> None:
    """The body belongs to 401 and 400: a 425 or 414 says why by itself."""
    token = made_by(JWTAuth(KEY, claims={"sub": "alice"}), guarded()).values(b"authorization")[0].decode()
    for request, status in (
        (asked(("Early-Data", "1"), ("Authorization", token)), 425),
        (asked(target="/" + "a" * 20_000), 414),
    ):
        with pytest.raises(Rejected) as caught:
            guarded(clock=Clock()).verify(request)
        assert caught.value.refusal is not None
        assert (caught.value.refusal.status, caught.value.refusal.account) == (status, b"")


# ---- it tells nothing of what the store holds --------------------------------------------------------------------------


class Blind:
    """A store where nobody is: of what `hidden` names it finds nothing; all else (nonces, counters) is the other's."""

    blocking = False

    def __init__(self, store: MemoryStore, hidden: Sequence[str]) -> None:
        self._store = store
        self._hidden = hidden
        self.kinds = store.kinds
        self.commit = store.commit

    def fetch(self, refs: Sequence[Ref[Any]]) -> Found:
        return self._store.fetch([ref for ref in refs if ref.kind.__name__ not in self._hidden])


HELD = (
    "RegisteredToken",
    "Password",
    "DigestSecret",
    "RegisteredKey",
    "AccessKey",
    "OAuth1Client",
    "OAuth1Token",
    "APIKey",
    "Client",
)
THIRD = Key.from_secret("a third secret that nobody signs with here", algorithm="HS256", key_id="k1")
HOLDING_KEYS: dict[str, Callable[[], Verifier]] = {
    "jwt": lambda: JWTVerifier(THIRD, issuer="https://id.example", audience="orders"),
    "oauth": lambda: OAuth2Verifier(THIRD, issuer="https://id.example", audience="orders"),
    "dpop": lambda: DPoPVerifier(JWTVerifier(THIRD, issuer="https://id.example", audience="orders")),
    "replayable_body_hmac": lambda: ReplayableBodyHMACVerifier(THIRD, subject="alice"),
    "webhook": lambda: WebhookVerifier(b"a third secret that nobody signs with here", subject="alice"),
}
"""Verifiers that hold their keys themselves, with another one."""


def stored(clock: Clock) -> MemoryStore:
    store = MemoryStore(clock=clock)
    for case in CASES.values():
        case().enrol(store)
    return store


def made_by(auth: Auth, guard: Guard) -> Request:
    """The request with credentials, made for this machine, with challenges answered."""
    sent: list[Request] = []

    def send(effect: Any) -> Received:
        sent.append(effect.request)
        if not effect.request.values(b"authorization") and isinstance(auth, DigestAuth):
            try:
                guard.verify(effect.request)
            except Rejected as rejected:
                assert rejected.refusal is not None
                return Received(rejected.refusal.response())
        return Received(Response(200))

    run(auth, Request("GET", "http", HOST, "/orders?id=7"), send, ClientContext(bytes, now=lambda: NOW))
    made = sent[-1]
    return Request.raw(
        made.method, "http", HOST, made.target, ((b"host", HOST.encode()), *made.headers), PEER, True
    )  # fmt: skip


Said = tuple[Reason, int, list[bytes], bytes]


def told(guard: Guard, request: Request, body: bytes = b"") -> Said:
    with pytest.raises(Rejected) as caught:
        guard.verify(request, body)
    return said_of(caught.value)


def said_of(rejected: Rejected) -> Said:
    refusal = rejected.refusal
    assert refusal is not None
    return (
        rejected.reason,
        refusal.status,
        [challenge.scheme.encode() for challenge in refusal.challenges],
        refusal.account,
    )


@pytest.mark.parametrize("name", [scheme.name for scheme in SCHEMES])
def test_the_account_of_somebody_who_exists_is_that_of_nobody(name: str) -> None:
    """Two guards that differ in what they keep secret: users and keys of the store, or the verifier's own key."""
    clock = Clock()
    case = case_of(name)
    store = stored(clock)
    policy = Policy(explain="development", clock=clock, attempts=None, random=lambda n: b"\x07" * n)
    knowing = Guard([case.verifier()], store, policy=policy)
    other = Guard([HOLDING_KEYS.get(name, case.verifier)()], Blind(store, HELD), policy=policy)
    make = JWTAuth(KEY, claims=CLAIMS) if name == "oauth" else case.auth()
    genuine, forged = made_by(make, knowing), made_by(case.impostor(), knowing)
    moved = Request.raw("PUT", "http", HOST, b"/moved", genuine.headers, PEER, True)
    reasons = []
    for request, body, later in (
        (forged, b"", 0.0), (forged, b"", 86_400.0), (genuine, b"", 86_400.0), (genuine, b"another body", 0.0), (moved, b"", 0.0),
    ):  # fmt: skip
        clock.now = NOW + later
        try:
            knowing.verify(request, body)
        except Rejected as rejected:
            one, two = said_of(rejected), told(other, request, body)
        else:
            continue  # the scheme covers no body, or no target
        reasons.append((one[0], two[0]))
        assert one[1:] == two[1:]  # the bare answer is the same, and so is the account
        assert SECRET.encode() not in one[3]
        assert one[3] != b""
    assert len(reasons) >= 2
    assert name in ("replayable_body_hmac", "token") or any(one is not two for one, two in reasons), reasons


def test_the_account_of_a_token_is_the_same_whether_its_signature_is_right_or_not() -> None:
    """A signature oracle: an expired token that is genuine, and one that was signed by somebody else."""
    clock = Clock()
    clock.now = NOW + 86_400.0
    policy = Policy(explain="development", clock=clock)
    claims = {"sub": "alice", "iss": "https://id.example", "aud": "orders"}
    guard = Guard([JWTVerifier(KEY, issuer="https://id.example", audience="orders")], policy=policy)
    secret_in_hex = Key.from_secret(SECRET.encode().hex().encode(), algorithm="HS256", key_id="k1")
    texts = []
    for key in (KEY, Key.generate("HS256", key_id="k1"), secret_in_hex):
        request = made_by(JWTAuth(key, claims=claims), guard)
        reason, _, _, text = told(guard, request)
        texts.append(text)
        assert reason in (Reason.EXPIRED, Reason.WRONG_SIGNATURE)
    assert len(set(texts)) == 1
    assert b"FAIL exp" in texts[0]


@pytest.mark.parametrize("name", ["jwt", "oauth", "webhook", "replayable_body_hmac", "signature"])
def test_no_variant_is_looked_for_with_a_key_that_a_verifier_holds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """How long that takes, and how it ends, would tell how near a forgery came."""

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("a search with a key")

    for module in {scheme.explanation for scheme in SCHEMES}:
        accounts = importlib.import_module(f"watchword.schemes.{module}").EXPLAINERS
        for kind in accounts:
            monkeypatch.setitem(accounts, kind, never)
    clock = Clock()
    case = case_of(name)
    verifier = SignatureVerifier(KEY) if name == "signature" else case.verifier()
    guard = Guard([verifier], stored(clock), policy=Policy(explain="development", clock=clock))
    text = told(guard, made_by(case.impostor(), guard))[3].decode()
    assert f"refused by {verifier.scheme}: the credentials could be read" in text
    assert "no account" not in text
    assert ("  ok   exp: claim exp" in text) is (name in ("jwt", "oauth"))
    assert ("the string that the credentials cover" in text) is (name in ("webhook", "signature"))


def test_a_signature_that_a_variant_explains_has_the_account_of_any_other() -> None:
    """Signed with the secret in hex, or for another path: explain names both, an account neither."""
    clock = Clock()
    store = stored(clock)
    guard = Guard([HMACVerifier()], store, policy=Policy(explain="development", clock=clock, attempts=None))
    texts = set()
    for key in (
        Key.from_secret(SECRET.encode().hex().encode(), algorithm="HS256", key_id="k1"),
        Key.from_secret(b"quite another secret, 32 octets long", algorithm="HS256", key_id="k1"),
    ):
        made = made_by(HMACAuth(key), guard)
        field = made.values(b"authorization")[0]
        nonce = field.partition(b'nonce="')[2].partition(b'"')[0]
        texts.add(told(guard, made)[3].replace(nonce, b"NONCE"))
    assert len(texts) == 1
    assert b"hex" not in texts.pop()


# ---- nor does it help to guess -----------------------------------------------------------------------------------------


def test_guesses_of_a_password_are_told_the_same_and_cost_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as each other: nearly right in a way that `explain` would name, wholly wrong, and of nobody."""
    hashed: list[object] = []
    verify = passwords.verify_password
    store = MemoryStore(clock=Clock())
    store.add_user("alice", "open sesame")
    guards = [
        Guard([BasicVerifier(realm="orders")], store, policy=Policy(explain=explain, clock=Clock()))
        for explain in ("development", None)
    ]

    def counted(*args: Any, **more: Any) -> Any:
        hashed.append(None)
        return verify(*args, **more)

    monkeypatch.setattr("watchword.schemes.basic.verify_password", counted)
    monkeypatch.setattr("watchword.schemes.basic_explain.verify_password", counted, raising=False)
    texts, costs = set(), set()
    for guess in ("alice:OPEN SESAME", "alice:open sesami", "aliza:open sesame", "alice:xxxxxxxxxxx"):
        for guard in guards:
            before = len(hashed)
            text = account(guard, asked(("Authorization", "Basic " + b64encode(guess.encode()).decode())))
            costs.add(len(hashed) - before)
            texts.add(text)
    assert len(texts - {b""}) == 1
    assert len(costs) == 1


def test_attempts_run_out_with_accounts_as_without() -> None:
    store = MemoryStore(clock=Clock())
    store.commit([Put(Ref(passwords.Password, ("alice",)), cheap_password("open sesame"))])
    counts = []
    for explain in ("development", None):
        guard = Guard([BasicVerifier(realm=f"orders {explain}")], store, policy=Policy(explain=explain, clock=Clock()))  # type: ignore[arg-type]
        reasons = []
        for _ in range(30):
            with pytest.raises(Rejected) as caught:
                guard.verify(asked(("Authorization", "Basic YWxpY2U6eHh4")))
            reasons.append(caught.value.reason)
        counts.append(reasons.count(Reason.WRONG_SECRET))
        store = MemoryStore(clock=Clock())
        store.commit([Put(Ref(passwords.Password, ("alice",)), cheap_password("open sesame"))])
    assert counts[0] == counts[1] < 30


# ---- nor shows it what was sent ----------------------------------------------------------------------------------------


def test_an_account_repeats_no_value_of_a_field_a_query_or_a_body() -> None:
    """A proxy of which nothing can be seen may carry it elsewhere."""
    marks = [f"marked-value-{number:02}-xyz" for number in range(5)]
    guard = Guard(
        [HMACVerifier(), BasicVerifier(realm="orders")],
        stored(Clock()),
        policy=Policy(explain="development", clock=Clock()),
    )
    request = asked(
        ("Cookie", f"session={marks[0]}"), ("X-Api-Key", marks[1]), ("Authorization", f"Bearer {marks[2]}"), ("X-Any", marks[3]),
        target=f"/orders?token={marks[4]}",
    )  # fmt: skip
    text = account(guard, request, b"body").decode()
    assert "unsupported_scheme" in text
    assert not [mark for mark in marks if mark in text]


def test_an_account_is_a_text_without_controls_whatever_the_request_holds() -> None:
    request = Request("GET", "http", HOST, b"/\x1b[31m\r\n<script>", [("Host", HOST), ("X-\x1b", "y")], PEER)
    text = account(guarded(), request).decode()
    assert all(char.isprintable() or char == "\n" for char in text)

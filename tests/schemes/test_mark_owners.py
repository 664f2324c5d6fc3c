"""Whose a mark of use is, in every scheme that makes one: no owner uses up another's, and each holds however it is spelled."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.schemes.digest_world import changed, params
from watchword import (
    AllOf, DigestAuth, DigestVerifier, DPoPVerifier, Guard, HMACAuth, HMACVerifier, Identity, JWTVerifier, Key, KeySet, OAuth1Auth,
    OAuth1Verifier, Policy, Reason, Rejected, Request, Response, SignatureAuth, SignatureVerifier, SigV4Auth,
    SigV4Verifier, WebhookAuth, WebhookVerifier, explain,
)  # fmt: skip
from watchword.transport.flow import ClientContext, Drive, run
from watchword.core.records import Once, Put, Ref
from watchword.core.scheme import Verifier
from watchword.effects import Auth, Received, Send
from watchword.crypto import jose
from watchword.schemes import SCHEMES
from watchword.schemes.digest import DigestSecret, ha1
from watchword.schemes.digest.nonces import NONCE_KEY, NonceKey
from watchword.schemes.dpop import make_proof
from watchword.schemes.mark_owners import owner_by_mac, owner_of_key
from watchword.stores import MemoryStore, SQLStore, combine, from_callables

pytestmark = pytest.mark.sweep

NOW = 1_700_000_000.0
A, B = "an old oak by the quiet river bends", "a young elm on the loud street stands"
BODY = b'{"n":1}'
POLICY = Policy(clock=lambda: NOW)


class Shown(NamedTuple):
    """A request with its body, the verifier that it is shown to, and a look-up of its users besides the store."""

    verifier: Verifier
    request: Request
    body: bytes = b""
    users: Any = None


@pytest.fixture(params=["memory", "sql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "memory":
        yield MemoryStore(clock=lambda: NOW)
    else:
        with SQLStore(f"sqlite:///{tmp_path}/a.db", clock=lambda: NOW) as made:
            yield made


def verdict(store: Any, shown: Shown) -> Identity | Reason:
    """What a guard of that verifier alone says."""
    if shown.users is not None:
        store = combine(shown.users, store)
    try:
        return Guard([shown.verifier], store, policy=POLICY).verify(shown.request, shown.body)
    except Rejected as rejected:
        return rejected.reason


def signed(auth: Auth, body: bytes = b"") -> Request:
    """A request of that client; all clients make up the same nonces."""
    count = iter(range(1, 10**6))
    context = ClientContext(lambda: body, now=lambda: NOW, random=lambda n: next(count).to_bytes(n, "big"))
    send = Drive(auth, Request("POST", "https", "api.example", "/orders"), context).advance()
    assert isinstance(send, Send)
    return send.request


def mac_key(secret: str, name: str | None = "k") -> Key:
    return Key.from_secret(secret.encode(), algorithm="HS256", key_id=name)


EDWARDS = [Key.generate("EdDSA", key_id="k") for _ in range(2)]
SEEDS = [bytes([number]) * 32 for number in (1, 2)]


def webhook(secret: Any, profile: str = "standard", *, known: Any = None, **options: Any) -> Shown:
    fields = WebhookAuth(secret, profile).sign(BODY, message_id="msg_1", now=NOW)
    request = Request("POST", "https", "hooks.example", "/in", fields)
    return Shown(WebhookVerifier(secret if known is None else known, profile, **options), request, BODY)


def whsk(seed: bytes) -> str:
    return "whsk_" + base64.b64encode(seed).decode()


def whpk(seed: bytes) -> str:
    pair = Key.from_der(bytes.fromhex("302e020100300506032b657004220420") + seed, algorithm="EdDSA")
    return "whpk_" + base64.b64encode(base64.urlsafe_b64decode(pair.to_jwk()["x"] + "=")).decode()


def token(key: Key, *, known: Any = None, issuer: str | None = None, **claims: Any) -> Shown:
    said = {"sub": "alice", "jti": "t1", "exp": NOW + 60, **claims}
    octets = jose.sign(json.dumps(said).encode(), key)
    request = Request("GET", "https", "api.example", "/", {"Authorization": f"Bearer {octets}"})
    return Shown(JWTVerifier(known or key, issuer=issuer, single_use=True), request)


def given(key: Key, known: Key | KeySet | None = None) -> Shown:
    """A signed request, by a key that its verifier is given."""
    return Shown(SignatureVerifier(known or key), signed(SignatureAuth(key)))


def of_store(store: Any, auth: Callable[[Key], Auth], verifier: Verifier) -> tuple[Shown, Shown]:
    """Requests of two keys of the store."""
    keys = [mac_key(A, "k1"), mac_key(B, "k2")]
    for key in keys:
        store.add_key(f"of {key.key_id}", key)
    one, other = (Shown(verifier, signed(auth(key))) for key in keys)
    return one, other


def of_oauth1(store: Any) -> tuple[Shown, Shown]:
    for name, secret in (("a", A), ("b", B)):
        store.add_oauth1_client(name, secret=secret)
    one, other = (Shown(OAuth1Verifier(), signed(OAuth1Auth(name, secret))) for name, secret in (("a", A), ("b", B)))
    return one, other


def of_sigv4(store: Any) -> tuple[Shown, Shown]:
    for name, secret in (("AKA", A), ("AKB", B)):
        store.add_access_key(name, name, secret)
    verifier = SigV4Verifier(single_use=True)
    one, other = (
        Shown(verifier, signed(SigV4Auth(name, secret, region="eu-1", service="s")))
        for name, secret in (("AKA", A), ("AKB", B))
    )
    return one, other


def digest(username: str, password: str, refused: Response, **options: Any) -> Request:
    """The answer of a user to that challenge: the first count of its nonce."""
    sent: list[Request] = []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(refused if len(sent) == 1 else Response(200))

    run(
        DigestAuth(username, password),
        Request("GET", "https", "api.example", "/"),
        send,
        ClientContext(lambda: b"", **options),
    )
    return sent[-1]


def challenge(store: Any, verifier: Verifier) -> Response:
    with pytest.raises(Rejected) as caught:
        Guard([verifier], store, policy=POLICY).verify(Request("GET", "https", "api.example", "/"))
    assert caught.value.refusal is not None
    return caught.value.refusal.response()


def enrol(store: Any, username: str, password: str, algorithm: str = "SHA-256") -> None:
    store.commit(
        [
            Put(
                Ref(DigestSecret, (algorithm, "orders", username)),
                DigestSecret(ha1(algorithm, username, "orders", password)),
            )
        ]
    )


def of_digest(store: Any, algorithm: str = "SHA-256") -> tuple[Shown, Shown]:
    verifier = DigestVerifier(realm="orders", algorithms=[algorithm])
    for username, password in (("a", A), ("b", B)):
        enrol(store, username, password, algorithm.removesuffix("-sess"))
    refused = challenge(store, verifier)
    one, other = (Shown(verifier, digest(username, password, refused)) for username, password in (("a", A), ("b", B)))
    return one, other


PROVERS = [Key.generate("ES256"), Key.generate("ES256")]


def proven(key: Key) -> Shown:
    """A token that is bound to this key, and a proof whose id another key's proof has too."""
    issuer = mac_key(A)
    token = jose.sign(json.dumps({"sub": "alice", "cnf": {"jkt": key.thumbprint()}}).encode(), issuer)
    proof = make_proof(key, "GET", "https://api.example/", jti="the same", now=POLICY.clock(), token=token)
    fields = {"Authorization": f"DPoP {token}", "DPoP": proof}
    return Shown(DPoPVerifier(JWTVerifier(issuer)), Request("GET", "https", "api.example", "/", fields))


# ---- two owners ------------------------------------------------------------------------------------------------------

TWO: dict[str, Callable[[Any], tuple[Shown, Shown]]] = {
    **{
        f"webhook {profile}": lambda store, profile=profile: (webhook(A, profile), webhook(B, profile))
        for profile in ("github", "stripe", "slack", "shopify")
    },
    "webhook standard": lambda store: (webhook(A.encode()), webhook(B.encode())),
    "webhook of a public key": lambda store: (webhook(whsk(SEEDS[0]), known=whpk(SEEDS[0])), webhook(whsk(SEEDS[1]), known=whpk(SEEDS[1]))),
    "webhook in a rotation": lambda store: (webhook(A.encode(), known=[B.encode(), A.encode()]), webhook(B[::-1].encode())),
    "jwt without iss": lambda store: (token(mac_key(A)), token(mac_key(B))),
    "jwt without iss and kid": lambda store: (token(mac_key(A, None)), token(mac_key(B, None))),
    "jwt of a public key": lambda store: (token(EDWARDS[0]), token(EDWARDS[1])),
    "jwt whose iss nobody checks": lambda store: (token(mac_key(A), iss="https://a.example"), token(mac_key(B), iss="https://a.example")),
    "jwt whose iss one checks": lambda store: (
        token(mac_key(A), iss="https://a.example"), token(mac_key(B), iss="https://a.example", issuer="https://a.example"),
    ),
    "jwt of two issuers": lambda store: (
        token(mac_key(A), iss="https://a.example", issuer="https://a.example"),
        token(mac_key(B), iss="https://b.example", issuer="https://b.example"),
    ),
    "dpop": lambda store: (proven(PROVERS[0]), proven(PROVERS[1])),
    "signature of given keys": lambda store: (given(mac_key(A)), given(mac_key(B))),
    "signature without keyid": lambda store: (given(mac_key(A, None)), given(mac_key(B, None))),
    "signature of a given and a stored key": lambda store: (
        given(mac_key(A, "k1")), of_store(store, SignatureAuth, SignatureVerifier())[1]._replace(
            request=signed(SignatureAuth(mac_key(B, "k2"))),
        ),
    ),
    "signature of stored keys": lambda store: of_store(store, SignatureAuth, SignatureVerifier()),
    "hmac": lambda store: of_store(store, HMACAuth, HMACVerifier()),
    "oauth1": of_oauth1,
    "sigv4": of_sigv4,
    "digest": of_digest,
    "digest MD5": lambda store: of_digest(store, "MD5"),
    "digest SHA-256-sess": lambda store: of_digest(store, "SHA-256-sess"),
}  # fmt: skip


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("name", TWO)
def test_no_owner_uses_up_what_is_anothers(store: Any, name: str, turned: bool) -> None:
    both = TWO[name](store)
    for shown in reversed(both) if turned else both:
        assert isinstance(verdict(store, shown), Identity)
    for shown in both:
        assert verdict(store, shown) is Reason.REPLAYED


@pytest.mark.parametrize("name", TWO)
def test_explain_knows_whose_a_mark_is(store: Any, name: str) -> None:
    one, other = TWO[name](store)
    assert isinstance(verdict(store, one), Identity)
    for shown, accepted in ((one, False), (other, True)):
        guard = Guard([shown.verifier], store, policy=POLICY)
        assert explain(shown.request, guard, shown.body).accepted is accepted


def test_every_scheme_that_marks_is_in_the_table() -> None:
    marking = {name.partition(" ")[0] for name in TWO}
    single = {row.name for row in SCHEMES if row.single_use}
    assert single <= marking, "and those that mark on demand"
    assert marking - single == {"jwt", "sigv4"}


# ---- one owner, spelled in several ways ------------------------------------------------------------------------------


def of_both_secrets(known: Any, only: int | None = None) -> Shown:
    """A delivery that is signed by both secrets; shown with all signatures, or with one."""
    shown = webhook([A.encode(), B.encode()], known=known)
    if only is None:
        return shown
    fields = dict(shown.request.headers)
    fields[b"webhook-signature"] = fields[b"webhook-signature"].split(b" ")[only]
    return shown._replace(request=Request("POST", "https", "hooks.example", "/in", list(fields.items())))


def of_two_kinds(known: Any, only: int | None = None) -> Shown:
    """The same, signed by a shared secret and by a key of Ed25519."""
    both = ["whsec_" + base64.b64encode(A.encode()).decode(), whsk(SEEDS[0])]
    shown = webhook(both, known=known)
    fields = dict(shown.request.headers)
    if only is not None:
        fields[b"webhook-signature"] = fields[b"webhook-signature"].split(b" ")[only]
    return shown._replace(request=Request("POST", "https", "hooks.example", "/in", list(fields.items())))


WHSEC = "whsec_" + base64.b64encode(A.encode()).decode()
OLD, NEW = A.encode(), B.encode()
ISS = {"iss": "https://a.example"}
PAIR = EDWARDS[0]


def published(key: Key, **members: str) -> Key:
    return Key.from_jwk({**key.to_jwk(), **members})


def stored(store: Any, verifier: SignatureVerifier) -> Shown:
    store.add_key("robot", mac_key(A, "k1"))
    return Shown(verifier, signed(SignatureAuth(mac_key(A, "k1"))))


def of_one_user(store: Any, name: str) -> list[Shown]:
    """One count of one user, whose name a look-up takes in any case, or by its hash."""
    if name == "case":
        secret = DigestSecret(ha1("SHA-256", "alice", "orders", A))
        users = from_callables(digest=lambda *key: secret if key[2].lower() == "alice" else None)
        verifier = DigestVerifier(realm="orders")
        one = digest("alice", A, challenge(combine(users, store), verifier))
        return [Shown(verifier, each, users=users) for each in (one, changed(one, username="ALICE"), one)]
    verifier = DigestVerifier(realm="orders", userhash=True)
    store.add_user("alice", A, realm="orders")
    refused = challenge(store, verifier)
    one = digest("alice", A, refused)
    plain = changed(one, username="alice", userhash="false")
    assert params(one)["username"] != "alice"
    return [Shown(verifier, one), Shown(verifier, plain), Shown(DigestVerifier(realm="orders", userhash=True), plain)]


ONE: dict[str, Callable[[Any], list[Shown]]] = {
    "webhook, before, in and after a rotation": lambda store: [
        webhook(OLD), webhook(OLD, known=[NEW, OLD]), webhook(OLD, known=[OLD, NEW]),
    ],
    "webhook of both secrets, in and after a rotation": lambda store: [
        of_both_secrets([NEW, OLD]), of_both_secrets([NEW]), of_both_secrets([OLD]), of_both_secrets([OLD, NEW]),
    ],
    "webhook with only the other signature": lambda store: [
        of_both_secrets([NEW, OLD]), *(of_both_secrets([NEW, OLD], only) for only in (0, 1)),
    ],
    "webhook with one signature, then the other, then both": lambda store: [
        of_both_secrets([NEW, OLD], 0), of_both_secrets([NEW, OLD], 1), of_both_secrets([NEW, OLD]), of_both_secrets([NEW], 1),
    ],
    "webhook of both secrets, before, in and after a rotation": lambda store: [
        of_both_secrets([OLD]), of_both_secrets([NEW, OLD]), of_both_secrets([NEW]), of_both_secrets([NEW], 1),
    ],
    "webhook of both secrets, back to the old one": lambda store: [
        of_both_secrets([NEW]), of_both_secrets([NEW, OLD], 0), of_both_secrets([OLD]),
    ],
    "webhook of a secret and a public key": lambda store: [
        of_two_kinds([WHSEC, whpk(SEEDS[0])], 0), of_two_kinds([WHSEC, whpk(SEEDS[0])], 1), of_two_kinds([whpk(SEEDS[0])]),
        of_two_kinds([WHSEC]),
    ],
    "webhook, its secret as text and as octets": lambda store: [webhook(WHSEC), webhook(OLD), webhook(WHSEC, known=[OLD, NEW])],
    "webhook, its secret with a NUL": lambda store: [webhook(OLD), webhook(OLD, known=OLD + b"\0"), webhook(OLD + b"\0")],
    "webhook, its secret twice": lambda store: [webhook(OLD, known=[WHSEC, OLD]), webhook(OLD)],
    "jwt, its key under another name": lambda store: [
        token(mac_key(A, None)), token(mac_key(A, None), known=mac_key(A, "k2")),
        token(mac_key(A, None), known=KeySet([mac_key(B, "k1"), mac_key(A, "k2")])),
    ],
    "jwt of a public key, whole and half": lambda store: [
        token(PAIR), token(PAIR, known=published(PAIR)), token(PAIR, known=Key.from_jwk(PAIR.to_jwk(private=True))),
    ],
    "jwt, its issuer checked and not": lambda store: [
        token(mac_key(A), issuer="https://a.example", **ISS), token(mac_key(A), **ISS),
    ],
    "jwt, its issuer not checked and checked": lambda store: [
        token(mac_key(A), **ISS), token(mac_key(A), issuer="https://a.example", **ISS),
    ],
    "jwt, by two keys of an issuer": lambda store: [
        token(mac_key(A), issuer="https://a.example", **ISS), token(mac_key(B), issuer="https://a.example", **ISS),
    ],
    "jwt in AllOf": lambda store: [
        token(mac_key(A)),
        Shown(AllOf(token(mac_key(A)).verifier, webhook(OLD, subject="alice").verifier), token(mac_key(A)).request.with_headers(webhook(OLD).request.headers), BODY),
    ],
    "signature without keyid, by another name": lambda store: [
        given(mac_key(A, None), mac_key(A, "k1")), given(mac_key(A, None), mac_key(A, "k2")), given(mac_key(A, None)),
    ],
    "signature of a key that is given and stored": lambda store: [
        stored(store, SignatureVerifier()), stored(store, SignatureVerifier(mac_key(A, "k1"))),
    ],
    "signature of a key that is stored and given": lambda store: [
        stored(store, SignatureVerifier(mac_key(A, "k1"))), stored(store, SignatureVerifier()),
    ],
    "digest, a name in another case": lambda store: of_one_user(store, "case"),
    "digest, a name and its hash": lambda store: of_one_user(store, "hash"),
}  # fmt: skip


@pytest.mark.parametrize("name", ONE)
def test_what_one_owner_has_used_up_is_used_up_however_the_owner_is_spelled(store: Any, name: str) -> None:
    first, *others = ONE[name](store)
    assert isinstance(verdict(store, first), Identity)
    for other in others:
        assert verdict(store, other) is Reason.REPLAYED


# ---- what a store sees -----------------------------------------------------------------------------------------------


class Noting(MemoryStore):
    """A store that notes the marks."""

    def __init__(self) -> None:
        super().__init__(clock=lambda: NOW)
        self.marks: list[Once] = []

    def commit(self, writes: Any) -> Any:
        self.marks += [write for write in writes if isinstance(write, Once)]
        return super().commit(writes)


@pytest.mark.parametrize("name", TWO)
def test_no_mark_shows_a_secret_or_what_is_made_with_it(name: str) -> None:
    store = Noting()
    shown = TWO[name](store)[0]
    verdict(store, shown)
    assert store.marks
    key = store.fetch([NONCE_KEY]).get(NONCE_KEY)
    hidden = [A, B, A[::-1], ha1("SHA-256", "a", "orders", A), *([key.key.hex()] if isinstance(key, NonceKey) else [])]
    for mark in store.marks:
        assert mark.owner in (None, "issuer") or len(mark.owner) == 22
        for text in hidden:
            assert text not in repr(mark)


def test_an_owner_is_no_mac_that_somebody_could_send() -> None:
    """A sender's scheme may sign the body alone: then the MAC of any text is a delivery."""
    seen: list[bytes] = []

    def mac(content: bytes) -> bytes:
        seen.append(b"\xff" * 32)
        return seen[-1]

    owner = owner_by_mac(mac)
    assert len(seen) == 1
    assert base64.urlsafe_b64encode(seen[0]).decode()[:16] not in owner


def test_the_owner_of_a_key_is_what_it_is_made_of() -> None:
    assert owner_of_key(mac_key(A, "k1")) == owner_of_key(mac_key(A, None)) != owner_of_key(mac_key(B, "k1"))
    assert owner_of_key(PAIR) == owner_of_key(published(PAIR, kid="another")) != owner_of_key(EDWARDS[1])
    for algorithm in ("RS256", "PS256", "ES256", "HS512", "Ed25519"):
        key = Key.generate(algorithm)
        assert len(owner_of_key(key)) == 22

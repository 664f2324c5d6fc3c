"""HTTP Message Signatures (RFC 9421). The limits are the barest correct compositions of the primitives, one for each shape."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import time
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from bench.harness import Interleaved, Unfit
from watchword import Guard, Key, KeySet, Policy, Rejected, Request, SignatureAuth, SignaturePolicy, SignatureVerifier
from watchword.transport.flow import ClientContext
from watchword.core.records import NOTHING_FOUND, Committed, Once, Ref
from watchword.core.scheme import Body
from watchword.crypto.keys import RegisteredKey, RegisteredPublicKey
from watchword.stores import MemoryStore

BODY = b'{"order": 7, "amount": "12.50", "currency": "EUR"}'
DIGEST = b"sha-256=:" + b2a_base64(hashlib.sha256(BODY).digest(), newline=False) + b":"
SECRET = bytes(range(32))
PEER = Request("GET", "https", "h", "/").peer
FIELDS = (
    (b"host", b"api.example"), (b"user-agent", b"bench/1"), (b"accept", b"*/*"), (b"content-type", b"application/json"),
    (b"content-length", b"%d" % len(BODY)), (b"content-digest", DIGEST), (b"date", b"Tue, 20 Apr 2021 02:07:55 GMT"),
)  # fmt: skip


class Shape(NamedTuple):
    """A covered list and an order of parameters."""

    title: str
    components: tuple[str, ...]
    params: tuple[str, ...]


USUAL = Shape(
    "as SignatureAuth signs", ("@method", "@authority", "@path", "@query", "content-digest"),
    ("created", "expires", "nonce", "keyid"),
)  # fmt: skip
SHAPES = (
    USUAL,
    Shape("in another order", ("content-digest", "@query", "@path", "@authority", "@method"),
          ("keyid", "alg", "nonce", "created", "tag")),
    Shape("with four more fields", (*USUAL.components, "content-type", "date", "content-length", "accept"),
          ("nonce", "created", "keyid", "expires")),
)  # fmt: skip


class Pair(NamedTuple):
    """The same key for watchword and for whoever uses the primitive itself."""

    key: Key
    sign: Callable[[bytes], bytes]
    check: Callable[[bytes, bytes], None]


def hmac_pair() -> Pair:
    equal = hmac.compare_digest

    def sign(data: bytes) -> bytes:
        return hmac.digest(SECRET, data, "sha256")

    def check(data: bytes, signature: bytes) -> None:
        if not equal(hmac.digest(SECRET, data, "sha256"), signature):
            raise ValueError("signature")

    return Pair(Key.from_secret(SECRET, algorithm="hmac-sha256", key_id="k1"), sign, check)


def ed25519_pair() -> Pair:
    key = Key.generate("ed25519", key_id="k1")
    public, private = key.openssl_pair()
    return Pair(key, private.sign, lambda data, signature: public.verify(signature, data))


def rows() -> Iterable[Interleaved]:
    """Verifying with the body's digest checked, for several shapes; the whole guard; signing; the peer beside."""
    for name, pair in (("hmac-sha256", hmac_pair()), ("ed25519", ed25519_pair())):
        for shape in SHAPES:
            yield deciding(name, pair, shape)
        yield guarding(name, pair)
        yield signing(name, pair)


# ---- requests ---------------------------------------------------------------------------------------------------------


def values(shape: Shape, alg: str, nonce: str) -> str:
    now = int(time.time())
    text = {
        "created": str(now), "expires": str(now + 300), "nonce": f'"{nonce}"', "keyid": '"k1"', "alg": f'"{alg}"',
        "tag": '"orders"',
    }  # fmt: skip
    return "".join(f";{name}={text[name]}" for name in shape.params)


def covered_text(shape: Shape) -> str:
    return "(" + " ".join(f'"{name}"' for name in shape.components) + ")"


TARGET = {"@method": b"POST", "@authority": b"api.example", "@path": b"/orders", "@query": b"?id=7"}


def signed(pair: Pair, shape: Shape, alg: str, nonce: str = "bm9uY2Utb2YtYS1yZXF1ZXN0") -> Request:
    """A request that the barest signer made."""
    covered = covered_text(shape) + values(shape, alg, nonce)
    fields = {name.decode(): value for name, value in FIELDS} | TARGET
    lines = b"".join(f'"{name}": '.encode() + fields[name] + b"\n" for name in shape.components)
    signature = pair.sign(lines + f'"@signature-params": {covered}'.encode())
    own = (
        (b"signature-input", b"sig1=" + covered.encode()),
        (b"signature", b"sig1=:" + b2a_base64(signature, newline=False) + b":"),
    )
    return Request.raw("POST", "https", "api.example", b"/orders?id=7", (*FIELDS, *own), PEER, True)


# ---- verifying --------------------------------------------------------------------------------------------------------

Judge = Callable[[Request, bytes], object]
NUMBER, TEXT = rb"([0-9]{1,15})", rb'"([^"\\]*)"'


def limit(pair: Pair, shape: Shape, alg: str) -> Judge:
    """One regular expression for the one shape, one formatted base, the primitive, the body's hash, the times."""
    params = b"".join(
        b";" + name.encode() + b"=" + (NUMBER if name in ("created", "expires") else TEXT) for name in shape.params
    )
    grammar = re.compile(b"sig1=(" + re.escape(covered_text(shape).encode()) + params + b")")
    at = {name: number + 2 for number, name in enumerate(shape.params)}
    created_at, expires_at, nonce_at, key_at = at["created"], at.get("expires"), at["nonce"], at["keyid"]
    template = b"".join(f'"{name}": %b\n'.encode() for name in shape.components) + b'"@signature-params": %b'
    keys, sha256, equal, clock = {b"k1": pair.check}, hashlib.sha256, hmac.compare_digest, time.time
    own = [name.encode() for name in shape.components if not name.startswith("@")]
    first = shape.components.index("@method") < shape.components.index("content-digest")

    def judge(request: Request, body: bytes) -> Once:
        headers = dict(request.headers)
        match = grammar.fullmatch(headers[b"signature-input"])
        value = headers[b"signature"]
        if match is None or not value.startswith(b"sig1=:"):
            raise ValueError("signature-input")
        path, _, query = request.target.partition(b"?")
        derived = (request.method.encode(), request.authority.lower().encode(), path, b"?" + query)
        covered = [headers[name] for name in own]
        parts = (*derived, *covered) if first else (*covered, *derived[::-1])
        base = template % (*parts, match[1])
        keys[match[key_at]](base, a2b_base64(value[6:-1], strict_mode=True))
        digest = headers[b"content-digest"]
        if not digest.startswith(b"sha-256=:"):
            raise ValueError("digest")
        if not equal(sha256(body).digest(), a2b_base64(digest[9:-1], strict_mode=True)):
            raise ValueError("body")
        now, created = clock(), int(match[created_at])
        if not now - 300 < created < now + 30 or (expires_at and now >= int(match[expires_at])):
            raise ValueError("time")
        return Once(("limit", match[key_at].decode(), match[nonce_at].decode()), created + 300)

    return judge


def judging(verifier: SignatureVerifier) -> Judge:
    """The verifier by itself, its keys at hand; the guard, which reads the body, hashes it on the way."""
    read, clock, random, sha256 = verifier.read, time.time, os.urandom, hashlib.sha256

    def judge(request: Request, body: bytes) -> object:
        claim: Any = read(request)
        return claim.decide(NOTHING_FOUND, Body(body, {"sha-256": sha256(body).digest()}), clock(), random)

    return judge


def refuse_others(judge: Judge, request: Request) -> None:
    """Raises `Unfit` if it accepts another method, another body, or another field that is covered."""
    judge(request, BODY)
    changed = Request("PUT", "https", "api.example", "/orders?id=7", request.headers)
    for bad, body in ((changed, BODY), (request, BODY + b" ")):
        try:
            judge(bad, body)
        except Exception:  # noqa: BLE001 -- each contender refuses in its own words
            continue
        raise Unfit(f"{judge} accepts what it must refuse")


def verifier_for(pair: Pair, keys: KeySet | None = None) -> SignatureVerifier:
    return SignatureVerifier(keys, policy=SignaturePolicy(tags=(None, "orders")))


def deciding(name: str, pair: Pair, shape: Shape) -> Interleaved:
    """The verifier by itself, and the peer."""
    request = signed(pair, shape, name)
    contenders: dict[str, Judge] = {
        "limit": limit(pair, shape, name),
        "watchword": judging(verifier_for(pair, KeySet([pair.key]))),
        "http-message-signatures": peer_judge(name, pair, "orders" if "tag" in shape.params else None),
    }

    def prove() -> None:
        for judge in contenders.values():
            refuse_others(judge, request)

    work: dict[str, Callable[[], object]] = {
        title: lambda judge=judge: judge(request, BODY) for title, judge in contenders.items()
    }
    return Interleaved(f"RFC 9421 {name} verify, body digest checked, {shape.title}", work, prove)


def guarding(name: str, pair: Pair) -> Interleaved:
    """The whole guard, its keys and nonces in a MemoryStore."""
    store = MemoryStore(capacity=50_000_000)
    store.add_key("alice", pair.key)
    kind: Any = RegisteredKey if pair.key.is_secret else RegisteredPublicKey
    guard, barest = Guard([verifier_for(pair)], store, policy=Policy(attempts=None)), limit(pair, USUAL, name)
    ref = Ref(kind, ("k1",))

    def bare(request: Request, body: bytes) -> object:
        mark: Any = barest(request, body)
        if store.fetch((ref,)).get(ref) is None or not isinstance(store.commit([mark]), Committed):
            raise ValueError("replay")
        return mark

    def make() -> Request:
        return signed(pair, USUAL, name, nonce=os.urandom(16).hex())

    pool: dict[str, list[Request]] = {"limit": [], "watchword": []}

    def fresh(whose: str) -> Request:
        if not pool[whose]:
            pool[whose] = [make() for _ in range(256)]
        return pool[whose].pop()

    def prove() -> None:
        for judge in (bare, guard.verify):
            good = make()
            refuse_others(judge, good) if judge is bare else judge(good, BODY)
            try:
                judge(good, BODY)
            except (Rejected, ValueError):
                continue
            raise Unfit(f"{judge} accepts a request twice")

    work: dict[str, Callable[[], object]] = {
        "limit, fetch and commit (signing of the request included)": lambda: bare(fresh("limit"), BODY),
        "watchword (likewise)": lambda: guard.verify(fresh("watchword"), BODY),
    }
    return Interleaved(f"RFC 9421 {name} verify, the whole guard, MemoryStore", work, prove)


# ---- signing ----------------------------------------------------------------------------------------------------------


def signing(name: str, pair: Pair) -> Interleaved:
    """The fields of one request: a digest, a nonce, the base, the primitive."""
    bare = Request.raw(
        "POST", "https", "api.example", b"/orders?id=7", tuple(each for each in FIELDS if each[0] != b"content-digest"),
        PEER, True,
    )  # fmt: skip
    sign, sha256, clock, urandom = pair.sign, hashlib.sha256, time.time, os.urandom
    covered = covered_text(USUAL).encode()

    def limited() -> Request:
        digest = b"sha-256=:" + b2a_base64(sha256(BODY).digest(), newline=False) + b":"
        now = int(clock())
        nonce = b2a_base64(urandom(16), newline=False)
        params = b'%b;created=%d;expires=%d;nonce="%b";keyid="k1"' % (covered, now, now + 300, nonce)
        path, _, query = bare.target.partition(b"?")
        base = (
            b'"@method": %b\n"@authority": %b\n"@path": %b\n"@query": ?%b\n"content-digest": %b\n"@signature-params": %b'
            % (bare.method.encode(), bare.authority.encode(), path, query, digest, params)
        )
        own = (
            (b"content-digest", digest), (b"signature-input", b"sig1=" + params),
            (b"signature", b"sig1=:" + b2a_base64(sign(base), newline=False) + b":"),
        )  # fmt: skip
        return Request.raw(bare.method, bare.scheme, bare.authority, bare.target, (*bare.headers, *own), PEER, True)

    auth, context = SignatureAuth(pair.key), ClientContext(lambda: BODY)

    def ours() -> Request:
        return next(auth.flow(bare, context)).request  # its first effect is a Send

    theirs = peer_signer(name, pair)
    contenders: dict[str, Callable[[], Any]] = {"limit": limited, "watchword": ours, "http-message-signatures": theirs}

    def prove() -> None:
        judge = judging(verifier_for(pair, KeySet([pair.key])))
        for make in (limited, ours):
            judge(make(), BODY)
        theirs()

    return Interleaved(f"RFC 9421 {name} sign, body digest made", contenders, prove)


# ---- the peer ---------------------------------------------------------------------------------------------------------


class Message:
    """A request as http-message-signatures wants it."""

    def __init__(self, method: str, fields: Sequence[tuple[bytes, bytes]]) -> None:
        self.method = method
        self.url = "https://api.example/orders?id=7"
        self.headers = {name.decode(): value.decode() for name, value in fields}


def peer_parts(name: str, pair: Pair) -> tuple[Any, Any]:
    from http_message_signatures import MappingKeyResolver, algorithms

    kind = {"hmac-sha256": algorithms.HMAC_SHA256, "ed25519": algorithms.ED25519}[name]
    public, private = (SECRET, SECRET) if pair.key.is_secret else pair.key.openssl_pair()
    return kind, MappingKeyResolver(public_keys={"k1": public}, private_keys={"k1": private})


def peer_judge(name: str, pair: Pair, tag: str | None) -> Judge:
    from datetime import timedelta

    from http_message_signatures import HTTPMessageVerifier

    kind, resolver = peer_parts(name, pair)
    verifier = HTTPMessageVerifier(signature_algorithm=kind, key_resolver=resolver)

    def judge(request: Request, body: bytes) -> object:
        message = Message(request.method, request.headers)
        return verifier.verify(message, max_age=timedelta(seconds=300), expect_tag=tag, body=body)

    return judge


def peer_signer(name: str, pair: Pair) -> Callable[[], object]:
    from http_message_signatures import HTTPMessageSigner

    kind, resolver = peer_parts(name, pair)
    signer = HTTPMessageSigner(signature_algorithm=kind, key_resolver=resolver)
    fields = [each for each in FIELDS if each[0] != b"content-digest"]

    def sign() -> object:
        message = Message("POST", fields)
        signer.sign(
            message, key_id="k1", label="sig1", include_alg=False, nonce=os.urandom(16).hex(),
            covered_component_ids=USUAL.components[:4], body=BODY,
        )  # fmt: skip
        return message

    return sign

"""A guard and a genuine client of every scheme: the worlds whose requests `bench.explain` breaks, and tests besides.

Nothing here asks `explain` anything, and nothing is broken here.
"""

from __future__ import annotations

import json
import random
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import pbkdf2_hmac, sha256
from urllib.parse import quote

from watchword import (
    APIKeyAuth, APIKeyVerifier, BasicAuth, BasicVerifier, BearerAuth, DigestAuth, DigestVerifier, Guard, HMACAuth, HMACVerifier, JWTVerifier,
    Key, KeySet, OAuth1Auth, OAuth1Verifier, Password, Policy, Rejected, ReplayableBodyHMACAuth, ReplayableBodyHMACVerifier, Request, Response,
    SignatureAuth, SignaturePolicy, SignatureVerifier, SigV4Auth, SigV4Verifier, WebhookAuth, WebhookVerifier,
)  # fmt: skip
from watchword.core.records import Put, Ref
from watchword.core.scheme import Verifier
from watchword.effects import Auth, Context, Flow, Received, Send
from watchword.crypto import jose
from watchword.crypto.passwords import in_one_form
from watchword.schemes.api_key_text import APIKey, hash_key, make_key
from watchword.schemes.explaining.report import Explanation
from watchword.stores import MemoryStore
from watchword.transport.flow import ClientContext, run

__all__ = ["TAGS", "TARGET", "UNSIGNED", "WORLDS", "Draft", "Maker", "World", "cheaply_hashed", "draft", "leaks"]

START = 1_700_000_000.0
TARGET = frozenset({"@method", "@authority", "@path", "@query"})
URL = TARGET | {"@scheme"}
TAGS = "x-request-tags"
WORDS = ("orders", "items", "users", "reports", "files", "accounts", "carts", "events", "jobs", "media")


class Draft:
    """A request that can be changed."""

    def __init__(self, request: Request, body: bytes) -> None:
        self.method = request.method
        self.scheme = request.scheme
        self.authority = request.authority
        self.path, mark, query = request.target.partition(b"?")
        self.query: bytes | None = query if mark else None
        self.headers = list(request.headers)
        self.body = body

    def request(self) -> Request:
        target = self.path if self.query is None else self.path + b"?" + self.query
        return Request(self.method, self.scheme, self.authority, target, self.headers)

    def field(self, name: bytes, *values: bytes) -> None:
        """The field has these lines now, where the first one was; without values it is gone."""
        at = next((place for place, pair in enumerate(self.headers) if pair[0] == name), len(self.headers))
        kept = [pair for pair in self.headers if pair[0] != name]
        self.headers = [*kept[:at], *((name, value) for value in values), *kept[at:]]

    def values(self, name: bytes) -> list[bytes]:
        return [value for field, value in self.headers if field == name]


def draft(rng: random.Random) -> Draft:
    """An ordinary request."""
    method = rng.choice(("GET", "GET", "POST", "PUT", "DELETE"))
    path = "/" + "/".join(rng.choice(WORDS) for _ in range(rng.randint(1, 3))) + f"/{rng.randint(1, 9999)}"
    query = "&".join(f"{rng.choice('abcdefgh')}{at}={rng.randint(0, 99)}" for at in range(rng.randint(0, 4)))
    headers = {
        "Host": "api.example", "Accept": "application/json", "X-Request-Tags": f"red, green, blue-{rng.randint(1, 99)}",
        "X-Trace": f"t-{rng.getrandbits(48):x}",
    }  # fmt: skip
    body = b""
    if method in ("POST", "PUT"):
        headers["Content-Type"] = "application/json"
        body = json.dumps({"id": rng.randint(1, 999), "name": rng.choice(WORDS), "on": rng.random() < 0.5}).encode()
    return Draft(Request(method, "https", "api.example", path + (f"?{query}" if query else ""), headers), body)


class World:
    """One scheme at work.

    Args:
        name: of the row in the report.
        covers: components that the signature covers; "fields" for covered header fields.
        verifier: its server half.
        auth: its client half.
        secrets: what no explanation may show.
        answers: whether the client waits for a challenge.
    """

    def __init__(
        self, name: str, covers: frozenset[str], verifier: Verifier, auth: Auth, secrets: Sequence[bytes], *, answers: bool = False
    ) -> None:  # fmt: skip
        self.name, self.covers, self.auth, self.secrets, self.answers = name, covers, auth, secrets, answers
        self.now = START
        self.store = MemoryStore(clock=self.clock)
        self.guard = Guard([verifier], self.store, policy=Policy(clock=self.clock))

    def clock(self) -> float:
        return self.now

    def sign(self, unsigned: Draft, rng: random.Random, auth: Auth | None = None) -> Request:
        """The request with credentials; challenges are answered by the guard."""
        sent: list[Request] = []

        def send(effect: Send) -> Received:
            sent.append(effect.request)
            if self.answers and len(sent) == 1:
                try:
                    self.guard.verify(effect.request, unsigned.body)
                except Rejected as rejected:
                    return Received(rejected.refusal.response())
            return Received(Response(200))

        context = ClientContext(lambda: unsigned.body, now=lambda: self.now, random=rng.randbytes)
        run(auth or self.auth, unsigned.request(), send, context)
        return sent[-1]


Maker = Callable[[random.Random], World]


# ---- schemes that sign -----------------------------------------------------------------------------------------------


def shared(name: str, secret: bytes, algorithm: str = "HS256") -> Key:
    return Key.from_secret(secret, algorithm=algorithm, key_id=name)


def hmac_world(rng: random.Random, algorithm: str = "HS256", size: int = 32) -> World:
    secret, other = rng.randbytes(size), rng.randbytes(size)
    key = shared("robot-1", secret, algorithm)
    world = World(f"hmac, {algorithm}", TARGET | {"body"}, HMACVerifier(), HMACAuth(key), [secret, other])
    world.store.add_key("robot", key)
    world.store.add_key("billing", shared("billing", other, algorithm))
    return world


def longer_hash_world(rng: random.Random) -> World:
    return hmac_world(rng, "HS512", 64)


def body_hmac_world(rng: random.Random) -> World:
    secret = rng.randbytes(32)
    key = Key.from_secret(secret, algorithm="HS256")
    verifier = ReplayableBodyHMACVerifier(key, subject="partner")
    return World("replayable_body_hmac", frozenset({"body"}), verifier, ReplayableBodyHMACAuth(key), [secret])


class _Covering:
    """Covers the fields that the request has, and the body where there may be one."""

    def __init__(self, key: Key) -> None:
        self._key = key

    def flow(self, request: Request, context: Context) -> Flow:
        names = ["@method", "@scheme", "@authority", "@path", "@query"]
        names += [name for name in (TAGS, "content-type") if request.values(name.encode())]
        names += ["content-digest"] if request.method in ("POST", "PUT") else []
        return SignatureAuth(self._key, components=names).flow(request, context)

    def canonical(self, request: Request, body: bytes = b"") -> str:
        return SignatureAuth(self._key).canonical(request, body)


def signature_world(rng: random.Random, key: Key, known: Sequence[Key]) -> World:
    """RFC 9421 with everything covered that can go wrong."""
    secrets = [each.secret_bytes() for each in known if each.is_secret]
    verifier = SignatureVerifier(policy=SignaturePolicy())
    world = World(f"signature, {key.algorithm}", URL | {"fields", "body"}, verifier, _Covering(key), secrets)
    for each in known:
        world.store.add_key(each.key_id or "", each)
    return world


def shared_signature_world(rng: random.Random) -> World:
    key, other = shared("robot-1", rng.randbytes(32)), shared("billing", rng.randbytes(32))
    return signature_world(rng, key, [key, other])


def public_signature_world(rng: random.Random) -> World:
    key, other = (Key.generate("ed25519", key_id=name) for name in ("robot-1", "billing"))
    return signature_world(rng, key, [key, other])


def oauth1_world(rng: random.Random, placement: str = "header") -> World:
    client, token, other = (rng.randbytes(20).hex() for _ in range(3))
    auth = OAuth1Auth("robot", client, token="alices-token", token_secret=token, placement=placement)
    covers = (URL if placement == "header" else URL - {"@query"}) | {"body"}
    secrets = [each.encode() for each in (client, token, other)]
    world = World(f"oauth1, {placement}", covers, OAuth1Verifier(placements=(placement,)), auth, secrets)
    world.store.add_oauth1_client("robot", secret=client)
    world.store.add_oauth1_client("billing", secret=other)
    world.store.add_oauth1_token("alices-token", token, client_key="robot", subject="alice")
    return world


def oauth1_query_world(rng: random.Random) -> World:
    return oauth1_world(rng, "query")


class _Presigning:
    """Presigns; other than `SigV4Auth.flow` it puts the credentials into the query."""

    def __init__(self, auth: SigV4Auth) -> None:
        self._auth = auth

    def flow(self, request: Request, context: Context) -> Flow:
        origin = f"{request.scheme}://{request.authority}"
        url = origin + request.target.decode()
        url = self._auth.presign(request.method, url, now=context.now(), expires=600, body=context.body())
        target = url.removeprefix(origin)
        yield Send(Request(request.method, request.scheme, request.authority, target, request.headers))

    def canonical(self, request: Request, body: bytes = b"") -> str:
        return self._auth.canonical(request, body)


def sigv4_world(rng: random.Random, service: str = "orders", presigned: bool = False) -> World:
    secret, other = (b64encode(rng.randbytes(30)).decode() for _ in range(2))
    auth = SigV4Auth("AKIDROBOT", secret, region="eu-central-1", service=service)
    covers = (TARGET - {"@query"}) | {"body"} if presigned else TARGET | {"fields", "body"}
    verifier = SigV4Verifier(region="eu-central-1", service=service)
    name = f"sigv4, {service}{', presigned' if presigned else ''}"
    world = World(name, covers, verifier, _Presigning(auth) if presigned else auth, [secret.encode(), other.encode()])
    world.store.add_access_key("robot", "AKIDROBOT", secret)
    world.store.add_access_key("billing", "AKIDBILLING", other)
    return world


def s3_world(rng: random.Random) -> World:
    return sigv4_world(rng, "s3")


def presigned_world(rng: random.Random) -> World:
    return sigv4_world(rng, presigned=True)


def standard_webhook_world(rng: random.Random) -> World:
    raw = rng.randbytes(24)
    secret = "whsec_" + b64encode(raw).decode()
    verifier = WebhookVerifier(secret, subject="sender")
    return World("webhook, standard", frozenset({"body"}), verifier, WebhookAuth(secret), [secret.encode(), raw])


def ed25519_webhook_world(rng: random.Random) -> World:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    seed = rng.randbytes(32)
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    verifier = WebhookVerifier("whpk_" + b64encode(public).decode(), subject="sender")
    auth = WebhookAuth("whsk_" + b64encode(seed).decode())
    return World("webhook, standard v1a", frozenset({"body"}), verifier, auth, [seed])


def vendor(profile: str, covers: frozenset[str] = frozenset({"body"})) -> Maker:
    def make(rng: random.Random) -> World:
        raw = rng.randbytes(20)
        verifier = WebhookVerifier(raw.hex(), profile, subject="sender")
        return World(
            f"webhook, {profile}", covers, verifier, WebhookAuth(raw.hex(), profile), [raw.hex().encode(), raw]
        )

    make.__name__ = f"{profile}_webhook_world"
    return make


class _Calling:
    """What Twilio sends: the digest of a body that is no form goes into the URL before that is signed."""

    def __init__(self, auth: WebhookAuth) -> None:
        self._auth = auth

    def flow(self, request: Request, context: Context) -> Flow:
        mark = b"&" if request.query else b"" if request.query is not None else b"?"
        target = request.target + mark + b"bodySHA256=" + sha256(context.body()).hexdigest().encode()
        return self._auth.flow(
            Request(request.method, request.scheme, request.authority, target, request.headers), context
        )

    def canonical(self, request: Request, body: bytes = b"") -> str:
        return self._auth.canonical(request, body)


def twilio_world(rng: random.Random) -> World:
    secret = rng.randbytes(16).hex()
    verifier, auth = WebhookVerifier(secret, "twilio", subject="sender"), _Calling(WebhookAuth(secret, "twilio"))
    return World("webhook, twilio", (URL - {"@method", "@query"}) | {"body"}, verifier, auth, [secret.encode()])


# ---- schemes that sign no request ------------------------------------------------------------------------------------


class _Anew:
    """A client that remembers nothing of former requests."""

    def __init__(self, make: Callable[[], Auth]) -> None:
        self._make = make

    def flow(self, request: Request, context: Context) -> Flow:
        return self._make().flow(request, context)


def digest_world(rng: random.Random) -> World:
    password = rng.randbytes(12).hex()
    auth = _Anew(lambda: DigestAuth("alice", password))
    covers = frozenset({"@method", "@path", "@query"})
    world = World("digest", covers, DigestVerifier(realm="orders"), auth, [password.encode()], answers=True)
    world.store.add_user("alice", password, realm="orders")
    world.store.add_user("bob", rng.randbytes(12).hex(), realm="orders")
    return world


def cheaply_hashed(password: str | bytes) -> Password:
    """As a store keeps it, at a price for which many can be tried (PBKDF2, as passlib writes it)."""
    octets = in_one_form(password).encode() if isinstance(password, str) else password
    salt, tag = (
        b64encode(each).decode().rstrip("=").replace("+", ".")
        for each in (b"salt", pbkdf2_hmac("sha256", octets, b"salt", 100))
    )
    return Password(f"$pbkdf2-sha256$100${salt}${tag}")


def basic_world(rng: random.Random) -> World:
    password = "pässwörd-" + rng.randbytes(8).hex()
    auth = BasicAuth("alice", password)
    world = World("basic", frozenset(), BasicVerifier(realm="orders"), auth, [password.encode()])
    world.store.commit([Put(Ref(Password, ("alice",)), cheaply_hashed(password))])
    return world


def jwt_world(rng: random.Random) -> World:
    keys = [shared(name, rng.randbytes(64)) for name in ("one", "two")]
    claims = {"iss": "https://id.example", "aud": "orders", "sub": "alice", "exp": 99_000_000_000}
    token = jose.sign(json.dumps(claims).encode(), keys[0])
    verifier = JWTVerifier(KeySet(keys), issuer="https://id.example", audience="orders")
    return World("jwt", frozenset(), verifier, BearerAuth(token), [key.secret_bytes() for key in keys])


def api_key_world(rng: random.Random) -> World:
    keys = [make_key(rng.randbytes) for _ in range(2)]
    secrets = [key[16:].encode() for key in keys]
    world = World("api_key", frozenset(), APIKeyVerifier(), APIKeyAuth(keys[0]), secrets)
    world.store.commit([Put(Ref(APIKey, (key[3:15],)), APIKey(hash_key(key), "billing")) for key in keys])
    return world


UNSIGNED: Sequence[Maker] = (basic_world, digest_world, api_key_world, jwt_world)
WORLDS: Sequence[Maker] = (
    hmac_world, longer_hash_world, body_hmac_world, shared_signature_world, public_signature_world, oauth1_world, oauth1_query_world,
    sigv4_world, s3_world, presigned_world, standard_webhook_world, ed25519_webhook_world, twilio_world,
    *(vendor(name) for name in ("github", "stripe", "slack", "shopify", "zoom", "paddle", "line")),
    vendor("square", URL - {"@method"} | {"body"}), vendor("hubspot", URL | {"body"}), *UNSIGNED,
)  # fmt: skip


# ---- what must not be seen -------------------------------------------------------------------------------------------


def leaks(explanation: Explanation, secrets: Iterable[bytes]) -> bool:
    """Whether a secret is in the text or the JSON: as it is, in hex, base64, base64url, percent-encoded or escaped."""
    shown = (str(explanation) + explanation.to_json() + repr(explanation)).lower()
    return any(form.lower() in shown for secret in secrets for form in _forms(secret))


def _forms(secret: bytes) -> Iterator[str]:
    yield secret.hex()
    yield b64encode(secret).decode().rstrip("=")
    yield urlsafe_b64encode(secret).decode().rstrip("=")
    yield quote(secret)
    yield repr(secret)[2:-1]
    yield secret.decode("latin-1")
    yield secret.decode("utf-8", "backslashreplace")

"""The schemes that sign no request, as worlds for `bench.explain`: Digest, Basic, JSON Web Tokens, API keys."""

from __future__ import annotations

import json
import random
from base64 import b64encode
from collections.abc import Callable, Sequence

from bench.explain_mutations import draft
from bench.explain_worlds import Fault, World, by, doubled, one_character, replay, rewritten, spelled, to, without
from watchword import (
    APIKeyAuth, APIKeyVerifier, BasicAuth, BasicVerifier, DigestAuth, DigestVerifier, JWTVerifier, Key, KeySet, Password,
    Request,
)  # fmt: skip
from watchword.core.records import Put, Ref
from watchword.core.scheme import Auth, Flow, Send
from watchword.crypto import jose
from watchword.schemes.api_key_text import make_key

__all__ = ["BEARERS"]

FIELD = b"authorization"


class Anew:
    """A client that remembers nothing of former requests."""

    def __init__(self, make: Callable[[], Auth]) -> None:
        self._make = make

    def flow(self, request: Request, context: object) -> Flow:
        return self._make().flow(request, context)


class Fixed:
    """Sends this field."""

    def __init__(self, value: bytes, field: bytes = FIELD) -> None:
        self._line = ((field, value),)

    def flow(self, request: Request, _: object) -> Flow:
        yield Send(request.with_headers(self._line))


COMMON = (
    Fault("credentials: taken away", "credentials", without(FIELD)),
    Fault("credentials: twice", "credentials", doubled(FIELD)),
    Fault("credentials: another scheme word", "credentials", rewritten(FIELD, rb"^\S+", to(b"Mac"))),
)


# ---- Digest ----------------------------------------------------------------------------------------------------------


class DigestWorld(World):
    """The client waits for the challenge."""

    answers = True


def digest_world(rng: random.Random) -> World:
    password = rng.randbytes(12).hex()

    def auth(password: str = password, user: str = "alice") -> Auth:
        return Anew(lambda: DigestAuth(user, password))

    hexes = rb'(%b=")([^"]+)'
    faults = [
        Fault("password: another", "password", by(auth("another"))),
        Fault("password: with its line break", "password", by(auth(password + "\n"))),
        Fault("user: unknown", "user", by(auth(user="mallory"))),
        Fault("user: changed on the way", "user", rewritten(FIELD, rb'username="alice"', to(b'username="bob"'))),
        Fault("realm: of another server", "realm", rewritten(FIELD, rb'realm="[^"]+"', to(b'realm="elsewhere"'))),
        Fault("nonce: of another server", "nonce", rewritten(FIELD, rb'([ ,]nonce=")([^"]+)', one_character)),
        Fault("nonce: outlived", "nonce", _outlived),
        Fault("uri: of another resource", "target", rewritten(FIELD, rb'uri="/', to(b'uri="/admin/'))),
        Fault("algorithm: not offered", "algorithm", rewritten(FIELD, rb"algorithm=SHA-256", to(b"algorithm=MD5"))),
        Fault("qop: not offered", "qop", rewritten(FIELD, rb"qop=auth", to(b"qop=auth-int"))),
        Fault("nc: counted up on the way", "nc", rewritten(FIELD, rb"nc=00000001", to(b"nc=00000002"))),
        Fault("cnonce: changed", "cnonce", rewritten(FIELD, hexes % b"cnonce", one_character), recoverable=False),
        Fault("credentials: a character of the proof replaced", "signature", rewritten(FIELD, hexes % b"response", one_character)),
        Fault("credentials: the proof cut", "signature", rewritten(FIELD, hexes % b"response", lambda m, _: m[1] + m[2][:20])),
        Fault("replay", "replay", replay),
        *COMMON,
    ]  # fmt: skip
    world = DigestWorld(
        "digest", frozenset({"@method", "@path", "@query"}), DigestVerifier(realm="orders"), auth(),
        secrets=[password.encode()], faults=faults,
    )  # fmt: skip
    world.store.add_user("alice", password, realm="orders")
    world.store.add_user("bob", rng.randbytes(12).hex(), realm="orders")
    return world


def _outlived(world: World, rng: random.Random) -> tuple[Request, bytes]:
    unsigned = draft(rng)
    request = world.sign(unsigned, rng)
    world.now += 1000
    return request, unsigned.body


# ---- Basic -----------------------------------------------------------------------------------------------------------


def basic_world(rng: random.Random) -> World:
    password = "pässwörd-" + rng.randbytes(8).hex()

    def pair(user: str, password: str, charset: str = "utf-8") -> Auth:
        return Fixed(b"Basic " + b64encode(f"{user}:{password}".encode(charset)))

    faults = [
        Fault("password: another", "password", by(pair("alice", "another"))),
        Fault("password: with a space", "password", by(pair("alice", password + " "))),
        Fault("password: in Latin-1", "credentials", by(pair("alice", password, "latin-1"))),
        Fault("user: unknown", "user", by(pair("mallory", password))),
        Fault("user: with a space", "user", by(pair("alice ", password))),
        Fault("user: disabled", "user", by(pair("bob", password))),
        Fault("credentials: without a colon", "credentials", by(Fixed(b"Basic " + b64encode(password.encode())))),
        Fault("credentials: not encoded", "credentials", by(Fixed(f"Basic alice:{password}".encode()))),
        Fault("credentials: a stray octet", "credentials", rewritten(FIELD, rb"(Basic .{8})", to(rb"\1*"))),
        *COMMON,
    ]
    world = World(
        "basic", frozenset(), BasicVerifier(realm="orders"), BasicAuth("alice", password), secrets=[password.encode()],
        faults=faults,
    )  # fmt: skip
    record = Password.hash(password)
    disabled = Password(record.encoded, disabled=True)
    world.store.commit([Put(Ref(Password, ("alice",)), record), Put(Ref(Password, ("bob",)), disabled)])
    return world


# ---- tokens ----------------------------------------------------------------------------------------------------------


def jwt_world(rng: random.Random) -> World:
    secret, other = rng.randbytes(64), rng.randbytes(64)
    key = Key.from_secret(secret, algorithm="HS256", key_id="one")
    second = Key.from_secret(other, algorithm="HS256", key_id="two")
    public = Key.generate("ed25519", key_id="three")
    issuer = "https://id.example"

    def token(
        key: Key = key, *, lifetime: float = 300, typ: str = "JWT", drop: str = "", **more: object
    ) -> Callable[[World, random.Random], tuple[Request, bytes]]:
        def make(world: World, rng: random.Random) -> tuple[Request, bytes]:
            now = int(world.now)
            claims = {
                "iss": issuer,
                "aud": "orders",
                "sub": "alice",
                "iat": min(now, now + lifetime - 300),
                "exp": now + lifetime,
            }
            claims = {name: value for name, value in {**claims, **more}.items() if name != drop}
            text = jose.sign(json.dumps(claims).encode(), key, header={"typ": typ})
            unsigned = draft(rng)
            return world.sign(unsigned, rng, Fixed(b"Bearer " + text.encode())), unsigned.body

        return make

    def tampered(
        change: Callable[[bytes, random.Random], bytes],
    ) -> Callable[[World, random.Random], tuple[Request, bytes]]:
        def make(world: World, rng: random.Random) -> tuple[Request, bytes]:
            request, body = token()(world, rng)
            return request.with_headers(((FIELD, change(request.values(FIELD)[0], rng)),)), body

        return make

    def flip(value: bytes, rng: random.Random) -> bytes:
        start = value.index(b".") + 20 + rng.randrange(20)
        return value[:start] + (b"A" if value[start : start + 1] != b"A" else b"B") + value[start + 1 :]

    faults = [
        *(Fault(f"key: {what}", "key", token(_hs256(octets, "one"))) for what, octets in spelled(secret)),
        Fault("key: nobody knows whose", "key", token(_hs256(rng.randbytes(32), "one")), recoverable=False),
        Fault("key: another, under the id of this", "key|key id", token(_hs256(other, "one"))),
        Fault("key id: unknown", "key id", token(_hs256(secret, "five"))),
        Fault("algorithm: a longer hash", "algorithm", token(Key.from_secret(secret, algorithm="HS512", key_id="one"))),
        Fault("algorithm: not expected", "algorithm", token(Key.generate("ES256", key_id="one"))),
        Fault("time: expired", "time", token(lifetime=-1000)),
        Fault("time: not yet valid", "time", token(nbf=START_LATER)),
        Fault("audience: another", "audience", token(aud="billing")),
        Fault("audience: none", "audience", token(drop="aud")),
        Fault("issuer: another", "issuer", token(iss="https://id.elsewhere")),
        Fault("subject: none", "subject", token(drop="sub")),
        Fault("typ: of another kind", "typ", token(typ="logout+jwt")),
        Fault("credentials: an octet of the payload changed", "signature", tampered(flip), recoverable=False),
        Fault("credentials: a segment lost", "credentials", tampered(lambda value, _: value.rpartition(b".")[0])),
        Fault("credentials: cut", "signature", tampered(lambda value, _: value[:-20])),
        Fault("credentials: quoted", "credentials", tampered(lambda value, _: value.replace(b" ", b' "') + b'"')),
        *COMMON,
    ]
    verifier = JWTVerifier(KeySet([key, second, public]), issuer=issuer, audience="orders")
    return World("jwt", frozenset(), verifier, Fixed(b"Bearer x.y.z"), secrets=[secret, other], faults=faults)


START_LATER = 99_000_000_000


def _hs256(octets: bytes, key_id: str) -> Key:
    return Key.from_secret(octets, algorithm="HS256", key_id=key_id)


def api_key_world(rng: random.Random) -> World:
    field = b"x-api-key"
    stranger = make_key(rng.randbytes)
    world = World("api_key", frozenset(), APIKeyVerifier(), Fixed(b"", field), secrets=[])
    keys = [world.store.add_api_key("billing") for _ in range(3)]
    good, revoked, rotated = keys
    world.store.revoke_api_key(revoked[3:15])
    world.store.rotate_api_key(rotated[3:15], overlap=0)
    forged = make_key(rng.randbytes, good[3:15])
    world.auth = APIKeyAuth(good)
    world.secrets = [key[16:].encode() for key in (*keys, stranger, forged)]
    world.faults = [
        Fault("key: of no one", "key id", by(APIKeyAuth(stranger))),
        Fault("key: another secret under this id", "key", by(APIKeyAuth(forged))),
        Fault("key: revoked", "revoked", by(APIKeyAuth(revoked))),
        Fault("key: rotated away", "key", by(APIKeyAuth(rotated))),
        Fault("credentials: mistyped", "credentials", rewritten(field, rb"(ww_)([0-9A-Za-z]{12}_.+)", one_character)),
        Fault("credentials: cut", "credentials", rewritten(field, rb".{5}$", to(b""))),
        Fault("credentials: in quotes", "credentials", rewritten(field, rb".+", to(rb'"\g<0>"'))),
        Fault("credentials: taken away", "credentials", without(field)),
        Fault("credentials: twice", "credentials", doubled(field)),
    ]
    return world


BEARERS: Sequence[Callable[[random.Random], World]] = (digest_world, basic_world, jwt_world, api_key_world)

"""The schemes that `bench.explain` breaks: each a guard, a client, and what can go wrong with its credentials.

`Fault.truth` is what was done, in the words of `bench.explain.ALIASES`; nothing here asks `explain` anything.
"""

from __future__ import annotations

import random
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import NamedTuple

from bench.explain_mutations import Draft, draft
from watchword import (
    Guard, HMACAuth, HMACVerifier, Key, Policy, Rejected, ReplayableBodyHMACAuth, ReplayableBodyHMACVerifier, Request,
    Response,
)  # fmt: skip
from watchword.transport.flow import ClientContext, run
from watchword.core.scheme import Auth, Received, Send, Verifier
from watchword.stores import MemoryStore

__all__ = ["OWN", "Fault", "World"]

START = 1_700_000_000.0
TARGET = frozenset({"@method", "@authority", "@path", "@query"})


class Fault(NamedTuple):
    """Something wrong with the credentials, the key or the time. `make` gives the request as the guard gets it, and its body."""

    name: str
    truth: str
    make: Callable[[World, random.Random], tuple[Request, bytes]]
    recoverable: bool = True


class World:
    """One scheme at work.

    Args:
        name: of the row in the report.
        covers: components that the signature covers; "fields" for covered header fields.
        verifier: its server half.
        auth: its client half.
        secrets: what no explanation may show.
        faults: what else can go wrong, besides `explain_mutations.KINDS`.
        digests: the body has a digest of its own, so that any other body is recognised.
        hop: how often a genuine request goes out until its credentials are in it (Digest: 2).
    """

    def __init__(
        self,
        name: str,
        covers: frozenset[str],
        verifier: Verifier,
        auth: Auth,
        *,
        secrets: Sequence[bytes],
        faults: Sequence[Fault] = (),
        digests: bool = False,
        store: MemoryStore | None = None,
    ) -> None:
        self.name, self.covers, self.auth, self.digests = name, covers, auth, digests
        self.secrets, self.faults = secrets, faults
        self.now = START
        self.store = MemoryStore(clock=self.clock) if store is None else store
        self.guard = Guard([verifier], self.store, policy=Policy(clock=self.clock))

    def clock(self) -> float:
        return self.now

    def sign(self, unsigned: Draft, rng: random.Random, auth: Auth | None = None, at: float | None = None) -> Request:
        """The request with credentials, made at `at`; challenges are answered by the guard."""
        sent: list[Request] = []

        def send(effect: Send) -> Received:
            sent.append(effect.request)
            if self.answers and len(sent) == 1:
                try:
                    self.guard.verify(effect.request, unsigned.body)
                except Rejected as rejected:
                    return Received(rejected.refusal.response())
            return Received(Response(200))

        moment = self.now if at is None else at
        context = ClientContext(lambda: unsigned.body, now=lambda: moment, random=rng.randbytes)
        run(auth or self.auth, unsigned.request(), send, context)
        return sent[-1]

    slow = False
    """Whether a guess takes long."""
    answers = False
    """Whether the client waits for a challenge."""


# ---- faults that several schemes share -------------------------------------------------------------------------------


def by(auth: Auth) -> Callable[[World, random.Random], tuple[Request, bytes]]:
    """Signed by another client."""

    def make(world: World, rng: random.Random) -> tuple[Request, bytes]:
        unsigned = draft(rng)
        return world.sign(unsigned, rng, auth), unsigned.body

    return make


def at(low: float, high: float) -> Callable[[World, random.Random], tuple[Request, bytes]]:
    """Signed so many seconds from now."""

    def make(world: World, rng: random.Random) -> tuple[Request, bytes]:
        unsigned = draft(rng)
        return world.sign(unsigned, rng, at=world.now + rng.uniform(low, high)), unsigned.body

    return make


def zone(world: World, rng: random.Random) -> tuple[Request, bytes]:
    hours = rng.choice([-8, -5, -2, -1, 1, 2, 5.5, 9])
    unsigned = draft(rng)
    return world.sign(unsigned, rng, at=world.now + 3600 * hours + rng.uniform(-5, 5)), unsigned.body


def replay(world: World, rng: random.Random) -> tuple[Request, bytes]:
    unsigned = draft(rng)
    request = world.sign(unsigned, rng)
    world.guard.verify(request, unsigned.body)
    return request, unsigned.body


def rewritten(
    name: bytes, pattern: bytes, change: Callable[[re.Match[bytes], random.Random], bytes]
) -> Callable[[World, random.Random], tuple[Request, bytes]]:
    """The first match of `pattern` in the field `name` is another text."""

    def make(world: World, rng: random.Random) -> tuple[Request, bytes]:
        unsigned = draft(rng)
        signed = Draft(world.sign(unsigned, rng), unsigned.body)
        value = signed.values(name)[0]
        new, count = re.subn(pattern, lambda match: change(match, rng), value, count=1)
        if count != 1:
            raise AssertionError(f"{pattern!r} is not in {value!r}")
        signed.field(name, new)
        return signed.request(), unsigned.body

    return make


def to(text: bytes) -> Callable[[re.Match[bytes], random.Random], bytes]:
    return lambda match, _: match.expand(text)


def one_character(match: re.Match[bytes], rng: random.Random) -> bytes:
    """The group 2, with one of its letters or digits replaced by another of its kind."""
    value = match[2]
    at = rng.choice([place for place, octet in enumerate(value[:-3]) if chr(octet).isalnum()])
    old = chr(value[at])
    kind = "0123456789" if old.isdigit() else "abcdef" if old in "abcdef" else "gkmqtw" if old.islower() else "GKMQTW"
    new = rng.choice([char for char in kind if char != old])
    return match[1] + value[:at] + new.encode() + value[at + 1 :]


def moved(low: int, high: int) -> Callable[[re.Match[bytes], random.Random], bytes]:
    return lambda match, rng: match[1] + b"%d" % (int(match[2]) + rng.randint(low, high))


def without(name: bytes) -> Callable[[World, random.Random], tuple[Request, bytes]]:
    def make(world: World, rng: random.Random) -> tuple[Request, bytes]:
        unsigned = draft(rng)
        signed = Draft(world.sign(unsigned, rng), unsigned.body)
        signed.field(name)
        return signed.request(), unsigned.body

    return make


def doubled(name: bytes) -> Callable[[World, random.Random], tuple[Request, bytes]]:
    def make(world: World, rng: random.Random) -> tuple[Request, bytes]:
        unsigned = draft(rng)
        signed = Draft(world.sign(unsigned, rng), unsigned.body)
        signed.headers.append((name, signed.values(name)[0]))
        return signed.request(), unsigned.body

    return make


def spelled(secret: bytes) -> list[tuple[str, bytes]]:
    """What the client has as the secret instead."""
    return [
        ("in hex", secret.hex().encode()),
        ("in base64", b64encode(secret)),
        ("in base64url without padding", urlsafe_b64encode(secret).rstrip(b"=")),
        ("with its line break", secret + b"\n"),
        ("with a space", secret + b" "),
        ("in quotes", b'"%b"' % secret),
    ]


CLOCK = (
    Fault("time: minutes old", "time", at(-3000, -1000)),
    Fault("time: days old", "time", at(-9e5, -2e5)),
    Fault("time: another zone", "time", zone),
    Fault("time: ahead", "time", at(1000, 3000)),
)


def authorization(proof: bytes) -> tuple[Fault, ...]:
    """What happens to an Authorization field; `proof` finds the MAC as group 2, after group 1."""
    field = b"authorization"
    return (
        Fault("credentials: taken away", "credentials", without(field)),
        Fault("credentials: twice", "credentials", doubled(field)),
        Fault("credentials: another scheme word", "credentials", rewritten(field, rb"^\S+", to(b"Mac"))),
        Fault("credentials: a character of the proof replaced", "signature", rewritten(field, proof, one_character)),
        Fault("credentials: the proof cut", "signature", rewritten(field, proof, lambda m, _: m[1] + m[2][: len(m[2]) // 2])),
    )  # fmt: skip


# ---- the schemes -----------------------------------------------------------------------------------------------------


def hmac_world(rng: random.Random) -> World:
    secret, other, hidden = (rng.randbytes(32) for _ in range(3))
    key = Key.from_secret(secret, algorithm="HS256", key_id="robot-1")

    def auth(octets: bytes, algorithm: str = "HS256", key_id: str = "robot-1") -> Auth:
        return HMACAuth(Key.from_secret(octets, algorithm=algorithm, key_id=key_id))

    field, zero = b"authorization", rb"(timestamp=)(\d+)"
    faults = [
        *(Fault(f"key: {what}", "key", by(auth(octets))) for what, octets in spelled(secret)),
        Fault("key: of another client", "key", by(auth(other))),
        Fault("key: nobody knows whose", "key", by(auth(hidden)), recoverable=False),
        Fault("key id: misspelled", "key id", by(auth(secret, key_id="robot_1"))),
        Fault("key id: another case", "key id", by(auth(secret, key_id="Robot-1"))),
        Fault("key id: unknown", "key id", by(auth(hidden, key_id="stranger"))),
        Fault(
            "key id: of another client, on the way",
            "key id",
            rewritten(field, rb'keyid="[^"]+"', to(b'keyid="billing"')),
        ),
        Fault("time: changed by seconds", "time", rewritten(field, zero, moved(2, 200))),
        Fault("nonce: changed", "nonce", rewritten(field, rb'(nonce=")([^"]+)', one_character), recoverable=False),
        Fault("digest: changed on the way", "body", rewritten(field, rb'(digest=")([^"]+)', one_character)),
        Fault("credentials: a parameter lost", "nonce", rewritten(field, rb'nonce="[^"]+", ', to(b""))),
        Fault("replay", "replay", replay),
        *CLOCK,
        *authorization(rb'(mac=")([^"]+)'),
    ]
    world = World(
        "hmac", TARGET | {"body"}, HMACVerifier(), HMACAuth(key), secrets=[secret, other], faults=faults, digests=True
    )  # fmt: skip
    world.store.add_key("robot", key)
    world.store.add_key("billing", Key.from_secret(other, algorithm="HS256", key_id="billing"))
    return world


def longer_hash_world(rng: random.Random) -> World:
    """A key for HMAC-SHA-512, so that the wrong hash is one of the faults."""
    secret = rng.randbytes(64)
    key = Key.from_secret(secret, algorithm="HS512", key_id="robot-5")
    short = HMACAuth(Key.from_secret(secret, algorithm="HS256", key_id="robot-5"))
    faults = [
        Fault("algorithm: a shorter hash", "algorithm", by(short)),
        *(
            Fault(f"key: {what}", "key", by(HMACAuth(Key.from_secret(octets, algorithm="HS512", key_id="robot-5"))))
            for what, octets in spelled(secret)
        ),
    ]
    world = World(
        "hmac, SHA-512", TARGET | {"body"}, HMACVerifier(), HMACAuth(key), secrets=[secret], faults=faults, digests=True
    )  # fmt: skip
    world.store.add_key("robot", key)
    return world


def body_hmac_world(rng: random.Random) -> World:
    secret = rng.randbytes(32)
    key = Key.from_secret(secret, algorithm="HS256")

    def auth(octets: bytes) -> Auth:
        return ReplayableBodyHMACAuth(Key.from_secret(octets, algorithm="HS256"))

    field, proof = b"x-hmac", rb"()(.+)"
    faults = [
        *(Fault(f"key: {what}", "key", by(auth(octets))) for what, octets in spelled(secret)),
        Fault("key: nobody knows whose", "key", by(auth(rng.randbytes(32))), recoverable=False),
        Fault("credentials: taken away", "credentials", without(field)),
        Fault("credentials: twice", "credentials", doubled(field)),
        Fault("credentials: a character of the proof replaced", "signature", rewritten(field, proof, one_character)),
        Fault("credentials: the proof cut", "signature", rewritten(field, proof, lambda m, _: m[2][:40])),
    ]
    verifier = ReplayableBodyHMACVerifier(key, subject="partner")
    return World("replayable_body_hmac", frozenset({"body"}), verifier, auth(secret), secrets=[secret], faults=faults)


OWN: Sequence[Callable[[random.Random], World]] = (hmac_world, longer_hash_world, body_hmac_world)

"""The signing schemes of RFCs and vendors, as worlds for `bench.explain`: HTTP Message Signatures, OAuth 1.0a, webhooks."""

from __future__ import annotations

import random
import re
from base64 import b64encode
from collections.abc import Callable, Sequence

from bench.explain_mutations import TAGS, Draft, draft
from bench.explain_worlds import (
    CLOCK, TARGET, Fault, World, authorization, by, doubled, moved, one_character, replay, rewritten, spelled, to, without,
)  # fmt: skip
from watchword import (
    Key, OAuth1Auth, OAuth1Verifier, Request, SigV4Auth, SigV4Verifier, SignatureAuth, SignaturePolicy, SignatureVerifier, WebhookAuth,
    WebhookVerifier,
)  # fmt: skip
from watchword.core.scheme import Auth

__all__ = ["SIGNED"]

INPUT, PROOF = b"signature-input", b"signature"


def _in_input(pattern: bytes, text: bytes) -> Callable[[World, random.Random], tuple[Request, bytes]]:
    return rewritten(INPUT, pattern, to(text))


def signature_world(rng: random.Random, name: str, key: Key, known: Sequence[Key], faults: Sequence[Fault]) -> World:
    """RFC 9421 with everything covered that can go wrong."""
    covered = ("@method", "@scheme", "@authority", "@path", "@query", TAGS, "content-type", "content-digest")

    def auth(key: Key) -> Auth:
        return _Covering(key, covered)

    alg = b"hmac-sha256" if key.is_secret else b"ed25519"
    world = World(
        f"signature, {name}", TARGET | {"@scheme", "fields", "body"}, SignatureVerifier(policy=SignaturePolicy()), auth(key),
        secrets=[each.secret_bytes() for each in known if each.is_secret], digests=True,
        faults=[
            *faults,
            Fault("time: changed by seconds", "time", rewritten(INPUT, rb"(;created=)(\d+)", moved(2, 200))),
            Fault("nonce: changed", "nonce", rewritten(INPUT, rb'(;nonce=")([^"]+)', one_character), recoverable=False),
            Fault("key id: of another client, on the way", "key id", _in_input(rb'keyid="[^"]+"', b'keyid="billing"')),
            Fault("key id: misspelled on the way", "key id", _in_input(rb'keyid="robot-1"', b'keyid="robot_1"')),
            Fault("input: a component dropped", "input", _in_input(rb' "%b"' % TAGS.encode(), b""), recoverable=False),
            Fault("input: a component added", "input", _in_input(rb'\("@method"', b'("@method" "accept"')),
            Fault("input: components re-ordered", "input", _in_input(rb'"@method" "@scheme"', b'"@scheme" "@method"')),
            Fault("input: a parameter added", "input", _in_input(rb"(;created=\d+)", rb'\1;alg="%b"' % alg)),
            Fault("input: parameters re-ordered", "input", _in_input(rb"(;created=\d+)(;expires=\d+)", rb"\2\1")),
            Fault("credentials: signature taken away", "credentials", without(PROOF)),
            Fault("credentials: input taken away", "credentials", without(INPUT)),
            Fault("credentials: another label", "credentials", rewritten(PROOF, rb"^sig1=", to(b"sig2="))),
            Fault("credentials: twice", "credentials", doubled(INPUT)),
            Fault("credentials: a character of the proof replaced", "signature", rewritten(PROOF, rb"(=:)([^:]+)", one_character)),
            Fault("credentials: the proof cut", "signature", rewritten(PROOF, rb"(=:)([^:]+)", lambda m, _: m[1] + m[2][:40])),
            Fault("digest: changed on the way", "body|header content-digest", _posted_digest),
            Fault("replay", "replay", replay),
            *CLOCK,
        ],
    )  # fmt: skip
    world.slow = True
    for each in known:
        world.store.add_key(each.key_id or "", each)
    return world


class _Covering:
    """Covers the fields that the request has."""

    def __init__(self, key: Key, components: Sequence[str]) -> None:
        self._key, self._components = key, components

    def flow(self, request: Request, context: object):
        digest = "content-digest"
        names = [
            name for name in self._components
            if name[0] == "@" or (name == digest and request.method in ("POST", "PUT")) or request.values(name.encode())
        ]  # fmt: skip
        return SignatureAuth(self._key, components=names).flow(request, context)

    def canonical(self, request: Request, body: bytes = b"") -> str:
        return SignatureAuth(self._key).canonical(request, body)


def _posted_digest(world: World, rng: random.Random) -> tuple[Request, bytes]:
    unsigned = draft(rng)
    unsigned.method, unsigned.body = "POST", b'{"a": 1}'
    unsigned.field(b"content-type", b"application/json")
    signed = Draft(world.sign(unsigned, rng), unsigned.body)
    value = signed.values(b"content-digest")[0]
    signed.field(b"content-digest", value.replace(value[12:13], b"A" if value[12:13] != b"A" else b"B", 1))
    return signed.request(), unsigned.body


def shared_signature_world(rng: random.Random) -> World:
    secret, other, hidden = (rng.randbytes(32) for _ in range(3))

    def key(octets: bytes, key_id: str = "robot-1") -> Key:
        return Key.from_secret(octets, algorithm="HS256", key_id=key_id)

    def auth(octets: bytes, key_id: str = "robot-1") -> Auth:
        return SignatureAuth(key(octets, key_id))

    faults = [
        *(Fault(f"key: {what}", "key", by(auth(octets))) for what, octets in spelled(secret)),
        Fault("key: of another client", "key", by(auth(other))),
        Fault("key: nobody knows whose", "key", by(auth(hidden)), recoverable=False),
        Fault("key id: misspelled", "key id", by(auth(secret, "robot_1"))),
        Fault("key id: unknown", "key id", by(auth(hidden, "stranger"))),
    ]
    return signature_world(rng, "HMAC", key(secret), [key(secret), key(other, "billing")], faults)


def public_signature_world(rng: random.Random) -> World:
    mine, other, hidden = (Key.generate("ed25519", key_id=name) for name in ("robot-1", "billing", "robot-1"))
    renamed = Key.from_jwk({**mine.to_jwk(private=True), "kid": "robot_1"}, algorithm="ed25519")
    misnamed = Key.from_jwk({**other.to_jwk(private=True), "kid": "robot-1"}, algorithm="ed25519")
    faults = [
        Fault("key: of another client", "key", by(SignatureAuth(misnamed))),
        Fault("key: nobody knows whose", "key", by(SignatureAuth(hidden)), recoverable=False),
        Fault("key id: misspelled", "key id", by(SignatureAuth(renamed))),
    ]
    return signature_world(rng, "Ed25519", mine, [mine, other], faults)


# ---- OAuth 1 ---------------------------------------------------------------------------------------------------------


def oauth1_world(rng: random.Random) -> World:
    secrets = [rng.randbytes(20).hex() for _ in range(4)]
    client, token, other, hidden = secrets

    def auth(
        client: str = client, token: str = token, key: str = "robot", name: str = "alices-token", **more: str
    ) -> Auth:
        return OAuth1Auth(key, client, token=name, token_secret=token, **more)

    field = b"authorization"
    faults = [
        *(Fault(f"key: {what}", "key", by(auth(octets.decode()))) for what, octets in spelled(client.encode())),
        Fault("key: token secret with its line break", "key", by(auth(token=token + "\n"))),
        Fault("key: token secret left out", "key", by(auth(token=""))),
        Fault("key: of another client", "key", by(auth(other))),
        Fault("key: nobody knows whose", "key", by(auth(hidden)), recoverable=False),
        Fault("key id: misspelled", "key id", by(auth(key="Robot"))),
        Fault("key id: unknown", "key id", by(auth(hidden, key="stranger"))),
        Fault("token: unknown", "token", by(auth(name="bobs-token"))),
        Fault("algorithm: not accepted", "algorithm", by(auth(signature_method="HMAC-SHA1"))),
        Fault("algorithm: changed on the way", "algorithm", rewritten(field, rb"HMAC-SHA256", to(b"HMAC-SHA512"))),
        Fault("time: changed by seconds", "time", rewritten(field, rb'(oauth_timestamp=")(\d+)', moved(2, 200))),
        Fault("nonce: changed", "nonce", rewritten(field, rb'(oauth_nonce=")([^"]+)', one_character), recoverable=False),
        Fault("credentials: a parameter lost", "credentials", rewritten(field, rb'oauth_signature="[^"]+"(?:, )?', to(b""))),
        Fault("replay", "replay", replay),
        *CLOCK,
        *authorization(rb'(oauth_signature=")([^"]+)'),
    ]  # fmt: skip
    world = World(
        "oauth1", TARGET | {"@scheme", "body"}, OAuth1Verifier(), auth(), secrets=[secret.encode() for secret in secrets],
        faults=faults, digests=True,
    )  # fmt: skip
    world.slow = True
    world.store.add_oauth1_client("robot", secret=client)
    world.store.add_oauth1_client("billing", secret=other)
    world.store.add_oauth1_token("alices-token", token, client_key="robot", subject="alice")
    return world


# ---- SigV4 -----------------------------------------------------------------------------------------------------------


def sigv4_world(rng: random.Random, service: str = "orders") -> World:
    secret, other, hidden = (b64encode(rng.randbytes(30)).decode() for _ in range(3))
    scope = ("AKIDROBOT", "eu-central-1", service)

    def auth(
        octets: str = secret, key: str = "AKIDROBOT", region: str = "eu-central-1", service: str = service
    ) -> Auth:
        return SigV4Auth(key, octets, region=region, service=service)

    field = b"authorization"
    spellings = [(what, octets.decode()) for what, octets in spelled(secret.encode())]
    faults = [
        *(Fault(f"key: {what}", "key", by(auth(text))) for what, text in spellings if text == text.strip()),
        Fault("key: of another client", "key", by(auth(other))),
        Fault("key: nobody knows whose", "key", by(auth(hidden)), recoverable=False),
        Fault("key id: misspelled", "key id", by(auth(key="AKIDROB0T"))),
        Fault("key id: unknown", "key id", by(auth(hidden, key="AKIDSTRANGER"))),
        # SigV4 does not sign the id, so this is a client with another's secret as well.
        Fault("key id: of another client, on the way", "key|key id", rewritten(field, rb"AKIDROBOT", to(b"AKIDBILLING"))),
        Fault("scope: another region", "region", by(auth(region="us-east-1"))),
        Fault("scope: another service", "service", by(auth(service="billing"))),
        Fault("scope: region changed on the way", "region", rewritten(field, rb"eu-central-1", to(b"us-east-1"))),
        Fault("scope: date changed on the way", "date", rewritten(field, rb"/(\d{7})(\d)/", _next_day)),
        Fault("input: a field dropped from the list", "input", rewritten(field, TAGS.encode() + b";", to(b"")), recoverable=False),
        Fault("input: a field added to the list", "input|header zzz", rewritten(field, rb"(SignedHeaders=[^,]*)", to(rb"\1;zzz"))),
        Fault("time: changed by seconds", "time", _retimed),
        Fault("time: field taken away", "time", without(b"x-amz-date")),
        Fault("credentials: a parameter lost", "credentials", rewritten(field, rb"SignedHeaders=[^,]+, ?", to(b""))),
        *CLOCK,
        *authorization(rb"(Signature=)(\w+)"),
    ]  # fmt: skip
    world = World(
        f"sigv4, {service}", TARGET | {"fields", "body"}, SigV4Verifier(region=scope[1], service=service), auth(),
        secrets=[each.encode() for each in (secret, other, hidden)], faults=faults, digests=True,
    )  # fmt: skip
    world.slow = True
    world.store.add_access_key("robot", "AKIDROBOT", secret)
    world.store.add_access_key("billing", "AKIDBILLING", other)
    return world


def _next_day(match: re.Match[bytes], _: random.Random) -> bytes:
    return b"/%b%d/" % (match[1], (int(match[2]) + 1) % 10)


def _retimed(world: World, rng: random.Random) -> tuple[Request, bytes]:
    unsigned = draft(rng)
    signed = Draft(world.sign(unsigned, rng), unsigned.body)
    value = signed.values(b"x-amz-date")[0]
    seconds = b"%02d" % ((int(value[13:15]) + rng.randint(1, 50)) % 60)
    signed.field(b"x-amz-date", value[:13] + seconds + value[15:])
    return signed.request(), unsigned.body


def s3_world(rng: random.Random) -> World:
    return sigv4_world(rng, "s3")


# ---- webhooks --------------------------------------------------------------------------------------------------------


def webhook_world(rng: random.Random, profile: str, secret: str, raw: bytes, covers: frozenset[str]) -> World:
    verifier = WebhookVerifier(secret, profile, subject="sender")
    row = verifier.engine.profile
    signature, stamp, name = row.signature.encode(), row.timestamp.encode(), row.id.encode()
    proof = b"(%b)(.+)" % re.escape(row.prefix.encode())
    spellings = [(what, octets.decode("latin-1")) for what, octets in spelled(secret.encode())]
    spellings = [(what, text) for what, text in spellings if text == text.strip()]  # our own half refuses those
    if profile == "standard":
        spellings = [("taken as text", "whsec_" + b64encode(secret.encode()).decode())]
    faults = [
        *(Fault(f"key: {what}", "key", by(WebhookAuth(text, profile))) for what, text in spellings),
        Fault("key: nobody knows whose", "key", by(WebhookAuth("whsec_" + b64encode(rng.randbytes(24)).decode(), profile)), recoverable=False),
        Fault("credentials: taken away", "credentials", without(signature)),
        Fault("credentials: a character of the proof replaced", "signature", rewritten(signature, proof, one_character)),
        Fault("credentials: the proof cut", "signature", rewritten(signature, proof, lambda m, _: m[1] + m[2][:20])),
    ]  # fmt: skip
    if row.timed:
        tail = rb"(?=\d{3}$)" if row.time_format == "milliseconds" else b""
        where, pattern = (
            (stamp, rb"()(\d+)" + tail) if stamp else (signature, b"(%b)(\\d+)" % row.timestamp_prefix.encode())
        )
        faults += [Fault("time: changed by seconds", "time", rewritten(where, pattern, moved(2, 200))), *CLOCK]
    if verifier.once:
        faults.append(Fault("replay", "replay", replay))
    if "id" in row.parts:
        faults.append(Fault("id: changed", "nonce", rewritten(name, rb"(msg_)(.+)", one_character), recoverable=False))
    return World(
        f"webhook, {profile}",
        covers,
        verifier,
        WebhookAuth(secret, profile),
        secrets=[secret.encode(), raw],
        faults=faults,
    )


def standard_webhook_world(rng: random.Random) -> World:
    raw = rng.randbytes(24)
    return webhook_world(rng, "standard", "whsec_" + b64encode(raw).decode(), raw, frozenset({"body"}))


def vendor(profile: str, covers: frozenset[str] = frozenset({"body"})) -> Callable[[random.Random], World]:
    def make(rng: random.Random) -> World:
        raw = rng.randbytes(20)
        return webhook_world(rng, profile, raw.hex(), raw, covers)

    return make


SIGNED: Sequence[Callable[[random.Random], World]] = (
    shared_signature_world, public_signature_world, oauth1_world, sigv4_world, s3_world, standard_webhook_world, vendor("github"),
    vendor("stripe"), vendor("slack"), vendor("shopify"), vendor("zoom"), vendor("paddle"), vendor("line"),
    vendor("square", (TARGET - {"@method"}) | {"@scheme", "body"}), vendor("hubspot", TARGET | {"@scheme", "body"}),
)  # fmt: skip

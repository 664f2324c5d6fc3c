"""More kinds and worlds for `bench.explain`: a set that was written by somebody who had not seen how explanations are found.

Worlds: presigned URLs, OAuth 1 in the query, Standard Webhooks by Ed25519, Twilio. What carries credentials in its query is not
given the kinds that destroy the query.
"""

from __future__ import annotations

import json
import random
from ast import literal_eval
from base64 import b64encode
from collections.abc import Callable, Sequence
from hashlib import sha256
from unicodedata import normalize
from urllib.parse import parse_qsl, quote, unquote, unquote_to_bytes, urlencode

from bench.explain_mutations import (
    COMPACT, JAVASCRIPT, JSON, QUERY, TAGS, Draft, Kind, anew, body, both, draft, field, nothing, params, path, posted,
    posting, query, refield,
)  # fmt: skip
from bench.explain_worlds import CLOCK, TARGET, Fault, World, by, one_character, replay, rewritten, spelled, to
from watchword import OAuth1Auth, OAuth1Verifier, Request, SigV4Auth, SigV4Verifier, WebhookAuth, WebhookVerifier
from watchword.core.scheme import Flow
from watchword.core.scheme import Context, Send

__all__ = ["MORE_KINDS", "MORE_WORLDS"]

NAMED = posting(JAVASCRIPT, "Zoë", "é")
FLAT = (b"From=%2B49+170&Body=gr%C3%BCn+%26+blau&To=a%7Eb", "application/x-www-form-urlencoded")


def at_port(draft: Draft, rng: random.Random) -> None:
    """A proxy that says the port apart from the host."""
    host, _, port = draft.authority.partition(":")
    draft.host("backend:5000")
    draft.field(b"x-forwarded-host", host.encode())
    draft.field(b"x-forwarded-port", port.encode())


def with_port(draft: Draft, rng: random.Random) -> None:
    draft.host(f"shop.example:{rng.choice((8443, 9000, 4443, 10443))}")


def shuffled_members(draft: Draft, rng: random.Random) -> None:
    """Of a map that keeps no order."""
    members = list(json.loads(draft.body).items())
    draft.body = json.dumps(dict(rng.sample(members, len(members))), separators=(",", ":"), ensure_ascii=False).encode()


def four(style: dict[str, object]) -> Callable[[Draft, random.Random], None]:
    """A JSON body of four members, one of which has members of its own."""

    def step(draft: Draft, rng: random.Random) -> None:
        members = {"type": "paid", "id": rng.randint(1, 999), "data": {"n": rng.randint(1, 99), "a": "x"}, "on": True}
        posted(json.dumps(members, **style).encode())(draft, rng)

    return step


def segments(*parts: str) -> Callable[[Draft, random.Random], None]:
    def step(draft: Draft, rng: random.Random) -> None:
        draft.path = ("/" + "/".join(rng.sample(parts, len(parts)))).encode()

    return step


def in_latin_1(text: bytes) -> bytes:
    return quote(unquote(text.decode()).encode("latin-1")).encode()


def as_json(form: bytes) -> bytes:
    return json.dumps(dict(parse_qsl(form.decode(), keep_blank_values=True))).encode()


MORE_KINDS: Sequence[Kind] = (
    Kind("more: host and port in two fields", "@authority", with_port, at_port),
    Kind("more: index file behind a path without a slash", "@path", nothing, path(lambda p: p + b"/index.html")),
    Kind("more: path in Latin-1", "@path", segments("caf%C3%A9", "a%20b"), path(in_latin_1)),
    Kind("more: one segment encoded", "@path", segments("k%3Dv", "x;v=1", "c++"), path(lambda p: p.replace(b"x;v=1", b"x%3Bv%3D1"))),
    Kind("more: stripped by a gateway", "@path", path(lambda p: b"/gateway" + p), path(lambda p: p.removeprefix(b"/gateway"))),
    Kind("more: path quoted once more by a framework", "@path", segments("a%20b", "50%25"), path(lambda p: quote(p.decode()).encode())),
    Kind("more: query parsed and written by Python", "@query", params(b"t=10:30", b"name=x%20y", b"flag"), query(
        lambda q: urlencode(parse_qsl(q.decode(), keep_blank_values=True)).encode())),
    Kind("more: query decoded, a plus among it", "@query", params(b"a=c%2Bd", b"b=1%2C2"), query(unquote_to_bytes)),
    Kind("more: a click id appended", "@query", params(*QUERY), query(lambda q: q + b"&gclid=Cj0KCQ")),
    Kind("more: members between lines, re-ordered", f"header {TAGS}", field(TAGS, "one, two"), field(TAGS, "two", "one")),
    Kind("more: a member put first", f"header {TAGS}", nothing, refield(TAGS, lambda v: b"edge, " + v)),
    Kind("more: JSON of a map, compact", "body", four(COMPACT), shuffled_members),
    Kind("more: JSON of a map, indented", "body", four({"indent": 2}), shuffled_members),
    Kind("more: JSON of a map, Python's", "body", four({}), shuffled_members),
    Kind("more: JSON in reverse, escapes taken out", "body", posting({}, "Zoë", many=4), body(
        lambda b: json.dumps(dict(reversed(json.loads(b).items())), separators=(",", ":"), ensure_ascii=False).encode())),
    Kind("more: JSON written by PHP", "body", posting(JAVASCRIPT, "Zoë", "a/b"), body(
        lambda b: json.dumps(json.loads(b), separators=(",", ":")).replace("/", "\\/").encode())),
    Kind("more: JSON sorted, indented, ended", "body", four(JAVASCRIPT), both(anew(sort_keys=True, indent=4), body(lambda b: b + b"\n"))),
    Kind("more: decomposed characters", "body", NAMED, body(lambda b: normalize("NFD", b.decode()).encode())),
    Kind("more: composed characters", "body", both(NAMED, body(lambda b: normalize("NFD", b.decode()).encode())), body(
        lambda b: normalize("NFC", b.decode()).encode())),
    Kind("more: a NUL at its end", "body", JSON, body(lambda b: b + b"\0")),
    Kind("more: in UTF-16", "body", JSON, body(lambda b: b.decode().encode("utf-16"))),
    Kind("more: in base64", "body", JSON, body(b64encode)),
    Kind("more: a form made JSON", "body", posted(*FLAT), body(as_json)),
    Kind("more: the printed dictionary was signed", "body", both(four({}), body(lambda b: str(json.loads(b)).encode())), body(
        lambda b: json.dumps(literal_eval(b.decode())).encode())),
)  # fmt: skip


class _Presigning:
    """Presigns; other than `SigV4Auth.flow` it puts the credentials into the query."""

    def __init__(self, auth: SigV4Auth, expires: int = 600) -> None:
        self._auth, self._expires = auth, expires

    def flow(self, request: Request, context: Context) -> Flow:
        origin = f"{request.scheme}://{request.authority}"
        url = self._auth.presign(
            request.method,
            origin + request.target.decode(),
            now=context.now(),
            expires=self._expires,
            body=context.body(),
        )
        yield Send(
            Request(request.method, request.scheme, request.authority, url.removeprefix(origin), request.headers)
        )

    def canonical(self, request: Request, body: bytes = b"") -> str:
        return self._auth.canonical(request, body)


def _queried(pattern: bytes, text: bytes) -> Callable[[World, random.Random], tuple[Request, bytes]]:
    """Something in the query is changed after signing."""

    def make(world: World, rng: random.Random) -> tuple[Request, bytes]:
        unsigned = draft(rng)
        signed = Draft(world.sign(unsigned, rng), unsigned.body)
        assert signed.query is not None
        assert pattern in signed.query
        signed.query = signed.query.replace(pattern, text, 1)
        return signed.request(), unsigned.body

    return make


def presigned_world(rng: random.Random) -> World:
    secret, other = (b64encode(rng.randbytes(30)).decode() for _ in range(2))

    def auth(octets: str = secret, region: str = "eu-central-1", service: str = "orders") -> _Presigning:
        return _Presigning(SigV4Auth("AKIDROBOT", octets, region=region, service=service))

    spellings = [(what, octets.decode()) for what, octets in spelled(secret.encode())]
    world = World(
        "sigv4, presigned", (TARGET - {"@query"}) | {"body"}, SigV4Verifier(region="eu-central-1", service="orders"), auth(),
        secrets=[secret.encode(), other.encode()],
        faults=[
            *(Fault(f"key: {what}", "key", by(auth(text))) for what, text in spellings if text == text.strip()),
            Fault("key: of another client", "key", by(auth(other))),
            Fault("scope: another region", "region", by(auth(region="us-east-1"))),
            Fault("scope: another service", "service", by(auth(service="billing"))),
            Fault("life: made longer", "query X-Amz-Expires", _queried(b"X-Amz-Expires=600", b"X-Amz-Expires=86400")),
            Fault("query: tracking appended", "@query", _queried(b"X-Amz-Algorithm=", b"utm_source=mail&X-Amz-Algorithm=")),
        ],
    )  # fmt: skip
    world.slow = True
    world.store.add_access_key("robot", "AKIDROBOT", secret)
    world.store.add_access_key("billing", "AKIDBILLING", other)
    return world


def oauth1_query_world(rng: random.Random) -> World:
    client, token, other = (rng.randbytes(20).hex() for _ in range(3))

    def auth(client: str = client, token: str = token, key: str = "robot") -> OAuth1Auth:
        return OAuth1Auth(key, client, token="alices-token", token_secret=token, placement="query")

    world = World(
        "oauth1, query", (TARGET - {"@query"}) | {"@scheme", "body"}, OAuth1Verifier(placements=("query",)), auth(),
        secrets=[client.encode(), token.encode(), other.encode()], digests=True,
        faults=[
            Fault("key: token secret left out", "key", by(auth(token=""))),
            Fault("key: of another client", "key", by(auth(other))),
            Fault("key id: misspelled", "key id", by(auth(key="Robot"))),
            Fault("query: tracking appended", "@query", _queried(b"oauth_consumer_key=", b"utm_source=mail&oauth_consumer_key=")),
            Fault("replay", "replay", replay),
            *CLOCK,
        ],
    )  # fmt: skip
    world.slow = True
    world.store.add_oauth1_client("robot", secret=client)
    world.store.add_oauth1_client("billing", secret=other)
    world.store.add_oauth1_token("alices-token", token, client_key="robot", subject="alice")
    return world


def ed25519_webhook_world(rng: random.Random) -> World:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    seed = rng.randbytes(32)
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    stranger = WebhookAuth("whsk_" + b64encode(rng.randbytes(32)).decode())
    field = b"webhook-signature"
    world = World(
        "webhook, standard v1a", frozenset({"body"}), WebhookVerifier("whpk_" + b64encode(public).decode(), subject="sender"),
        WebhookAuth("whsk_" + b64encode(seed).decode()), secrets=[seed],
        faults=[
            Fault("key: nobody knows whose", "key", by(stranger), recoverable=False),
            Fault("algorithm: v1 alone", "algorithm|signature", by(WebhookAuth("whsec_" + b64encode(rng.randbytes(24)).decode()))),
            Fault("credentials: a character of the proof replaced", "signature", rewritten(field, rb"(v1a,)(.+)", one_character)),
            Fault("credentials: label of v1", "algorithm|signature", rewritten(field, rb"v1a,", to(b"v1,"))),
            Fault("replay", "replay", replay),
            *CLOCK,
        ],
    )  # fmt: skip
    world.slow = True
    return world


class _Calling:
    """What Twilio sends: the digest of a body that is no form goes into the URL before that is signed."""

    def __init__(self, auth: WebhookAuth) -> None:
        self._auth = auth

    def flow(self, request: Request, context: Context) -> Flow:
        if not any(value.startswith(b"application/x-www-form") for value in request.values(b"content-type")):
            mark = b"&" if request.query else b"" if request.query is not None else b"?"
            target = request.target + mark + b"bodySHA256=" + sha256(context.body()).hexdigest().encode()
            request = Request(request.method, request.scheme, request.authority, target, request.headers)
        return self._auth.flow(request, context)

    def canonical(self, request: Request, body: bytes = b"") -> str:
        return self._auth.canonical(request, body)


def twilio_world(rng: random.Random) -> World:
    secret = rng.randbytes(16).hex()
    spellings = [(what, octets.decode()) for what, octets in spelled(secret.encode())]
    return World(
        "webhook, twilio", frozenset({"@authority", "@scheme", "@path", "body"}), WebhookVerifier(secret, "twilio", subject="sender"),
        _Calling(WebhookAuth(secret, "twilio")), secrets=[secret.encode()], digests=True,
        faults=[
            *(Fault(f"key: {what}", "key", by(_Calling(WebhookAuth(text, "twilio")))) for what, text in spellings if text == text.strip()),
            Fault("credentials: a character of the proof replaced", "signature", rewritten(b"x-twilio-signature", rb"()(.+)", one_character)),
        ],
    )  # fmt: skip


MORE_WORLDS: Sequence[Callable[[random.Random], World]] = (
    presigned_world, oauth1_query_world, ed25519_webhook_world, twilio_world,
)  # fmt: skip

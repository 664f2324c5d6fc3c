"""The one exit of an explanation: what could admit a request never leaves, in whatever encoding and wherever it stood."""

from __future__ import annotations

import asyncio
import random
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import watchword.schemes.explaining
from bench.explain import DESCRIBED, broken, described_in
from bench.explain_worlds import WORLDS, Draft, Maker, draft, ed25519_webhook_world
from bench.unlisted.cases import drawn
from bench.unlisted.figures import SCHEMES, kinds
from tests.examples_of import examples
from tests.hash_costs import cheap_password
from watchword import (
    AsyncGuard, BasicAuth, BasicVerifier, DigestAuth, DigestVerifier, Guard, HMACAuth, HMACVerifier, Key, OAuth1Auth,
    OAuth1Verifier, Password, Rejected, Request, Response, SignatureAuth, SignatureVerifier, SigV4Auth, SigV4Verifier, explain, explain_async,
)  # fmt: skip
from watchword.transport.flow import ClientContext, run
from watchword.core.records import Put, Ref
from watchword.core.scheme import Verifier
from watchword.effects import Auth, Received, Send
from watchword.schemes.oauth1.credentials import OAuth1Client
from watchword.schemes.explaining.computation import Computation
from watchword.schemes.explaining.masking import _WORD, MASK, MAX_VALUES, Mask
from watchword.schemes.explaining.report import Explanation
from watchword.schemes.webhooks import PROFILES
from watchword.stores import AsyncSQLStore, MemoryStore

pytestmark = pytest.mark.sweep

ENCODINGS: dict[str, Callable[[bytes], str]] = {
    "raw": lambda secret: secret.decode("latin-1"),
    "base64": lambda secret: b64encode(secret).decode(),
    "base64url": lambda secret: urlsafe_b64encode(secret).decode().rstrip("="),
    "base64 within more": lambda secret: b64encode(b"alice:" + secret + b"!").decode(),
    "hex": lambda secret: secret.hex(),
    "capital hex": lambda secret: secret.hex().upper(),
    "percent": lambda secret: quote(secret, safe=""),
    "form": quote_plus,
    "a bytes literal": repr,
    "three quarters": lambda secret: secret[: -(-len(secret) * 3 // 4)].decode("latin-1"),
    "the last three quarters": lambda secret: secret[len(secret) // 4 :].decode("latin-1"),
}


def _key(name: str, secret: str) -> Key:
    return Key.from_secret(secret, algorithm="HS256", key_id=name)


def _hmac_auth(name: str, secret: str) -> HMACAuth:
    return HMACAuth(_key(name, secret))


REQUEST = Request("GET", "https", "api.example", "/")


def everything(told: Explanation) -> str:
    return "\n".join(
        (str(told), told.to_json(), repr(told), told.canonical, told.detail, told.where, *map(repr, told.checks))
    )


def pieces(value: bytes) -> Iterator[str]:
    """What of a value may stand nowhere: three quarters of it, in each encoding, without regard to case."""
    for text in (
        value.decode("latin-1"),
        value.hex(),
        b64encode(value).decode().rstrip("="),
        urlsafe_b64encode(value).decode().rstrip("="),
        quote(value, safe=""),
    ):
        size = -(-len(text) * 3 // 4)
        for start in range(len(text) - size + 1):
            yield text[start : start + size].lower()


def shows(told: Explanation, value: bytes) -> bool:
    text = everything(told).lower()
    return any(piece in text for piece in pieces(value))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_secret_is_hidden_in_every_encoding(encoding: str) -> None:
    secret = b"pa55/w0rd+with=odd &chars\xc3\xa9"
    shown = ENCODINGS[encoding](secret)
    masked = Mask(REQUEST, b"", [secret]).text(f"before {shown} after")
    assert not any(piece in masked.lower() for piece in pieces(secret))
    assert masked.startswith("before ")
    assert MASK.search(masked)


@examples(60)
@given(
    st.binary(min_size=8, max_size=80), st.sampled_from(sorted(ENCODINGS)), st.text(max_size=20), st.text(max_size=20)
)
def test_any_secret_is_hidden_within_any_text(secret: bytes, encoding: str, before: str, after: str) -> None:
    assume(
        not _WORD.fullmatch(secret)
    )  # our own sentences have such words, so those are hidden in quotes and by their name
    masked = Mask(REQUEST, b"", [secret]).text(f"{before}{ENCODINGS[encoding](secret)}{after}")
    assert secret.decode("latin-1") not in masked
    assert secret.hex() not in masked
    assert MASK.search(masked)


@pytest.mark.parametrize(
    ("request_", "body", "secret"),
    [
        (Request("GET", "https", "h", "/?X-Amz-Signature=0123456789abcdef&X-Amz-Security-Token=to%2Fken%2Btoken"), b"", b"to/ken+token"),
        (Request("GET", "https", "h", "/?oauth_signature=c2lnbmF0dXJlLg%3D%3D"), b"", b"c2lnbmF0dXJlLg=="),
        (Request("GET", "https", "user:open-sesame@h", "/"), b"", b"open-sesame"),
        (Request("GET", "https", "h", "/", {"X-Amz-Security-Token": "session-token-1"}), b"", b"session-token-1"),
        (Request("GET", "https", "h", "/", {"Cookie": "a=b; sid=session-id-1"}), b"", b"session-id-1"),
        (Request("GET", "https", "h", "/", {"Authorization": "Basic YWxpY2U6b3Blbi1zZXNhbWU="}), b"", b"open-sesame"),
        (Request("GET", "https", "h", "/", {"Authorization": "sk-live-0123456789"}), b"", b"sk-live-0123456789"),
        (Request("POST", "https", "h", "/"), b'{"user": "a", "deep": {"password": "open-sesame"}}', b"open-sesame"),
        (Request("POST", "https", "h", "/"), b"user=a&client_secret=open%2Dsesame", b"open-sesame"),
        (REQUEST, b"", b"ww_000000000000_000000000000000000000000000000004a0jIj"),
        (REQUEST, b"", b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"),
    ],
)  # fmt: skip
def test_what_a_request_presents_is_hidden(request_: Request, body: bytes, secret: bytes) -> None:
    text = f"canonical: {secret.decode()}\nquery: {quote(secret, safe='')}"
    masked = Mask(request_, body, []).text(text)
    assert not any(piece in masked.lower() for piece in pieces(secret))


@pytest.mark.parametrize(
    "name",
    [
        "authorization keyid",
        "alice",
        "X-Amz-Credential=AKALICE/20260101",
        "oauth_token=alices-token",
        "timestamp 1700000000",
    ],
)
def test_what_admits_nobody_is_shown(name: str) -> None:
    fields = {
        "Authorization": 'HMAC keyid="authorization keyid", timestamp=1700000000, mac="0123456789012345678901"',
        "X-User": "alice", "Signature-Input": "timestamp 1700000000",
    }  # fmt: skip
    target = "/?X-Amz-Credential=AKALICE/20260101&oauth_token=alices-token&author=alice"
    assert Mask(Request("GET", "https", "h", target, fields), b"", []).text(name) == name


@pytest.mark.parametrize("make", WORLDS, ids=lambda make: make.__name__)
def test_no_broken_request_of_any_scheme_shows_a_secret_or_what_a_genuine_request_presents(make: Maker) -> None:
    rng = random.Random(f"{make.__name__} masked")
    for case in broken(make(rng), rng, 6):
        told = explain(case.request, case.world.guard, case.body)
        for value in (each for each in (*case.world.secrets, *proofs(case.request)) if len(each) > 6):
            assert not shows(told, value), (case.axis, case.what, str(told))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_mistake_of_any_scheme_shows_a_secret_or_what_a_genuine_request_presents(scheme: str) -> None:
    for kind in kinds(scheme, "a", tail=False)[::2]:
        case = drawn(kind, 1)
        told = explain(case.request, case.guard, case.body) if case is not None else None
        for value in case.secrets if case is not None and told is not None else ():
            assert not shows(told, value), (kind.name, str(told))


@pytest.mark.parametrize("secret", [b"$_00000\t", b"${SECRET}", b"<your-key-here>"])
def test_a_secret_of_the_server_that_looks_like_a_placeholder_is_hidden(secret: bytes) -> None:
    mask = Mask(Request("GET", "https", "h", "/"), b"", [secret])
    assert secret.decode() not in mask.text(f"before {secret.decode()} after")


@pytest.mark.parametrize("make", DESCRIBED, ids=lambda make: make.__name__)
@pytest.mark.parametrize("change", ["path", "body", "nothing but the proof"])
def test_the_signature_that_would_admit_a_request_is_never_shown(make: Maker, change: str) -> None:
    """What the server would have accepted in the place of what came, in no encoding and not in part."""
    rng = random.Random(f"{make} admits {change}")
    world = make(rng)
    unsigned = draft(rng)
    signed = Draft(world.sign(unsigned, rng), unsigned.body)
    if change == "path":
        signed.path += b"-changed-to-something-else"
    elif change == "body":
        signed.body += b"&something=else"
    else:
        signed.headers = [
            (name, re.sub(rb"[A-Za-z0-9]{8}(?==?=?[:\"]*$)", b"00001111", value) if name in PROVING else value)
            for name, value in signed.headers
        ]
    request = signed.request()
    found = described_in(world, request, signed.body)
    told = explain(request, world.guard, signed.body)
    for root in found.roots if found is not None else ():
        assert not shows(told, Computation(root).value(root)), str(told)


PROVING = {b"authorization", b"x-hmac", b"signature", *(profile.signature.encode() for profile in PROFILES.values())}


def proofs(request: Request) -> Iterator[bytes]:
    """What proves something in a request of any of the worlds."""
    named = rb'(?:signature|mac|response|v1|sha256)=:?"?([A-Za-z0-9+/=_%-]{40,})'
    for name, value in request.headers:
        if name == b"authorization" or "signature" in name.decode() or name == b"x-hmac":
            yield from re.findall(named, value, re.IGNORECASE)
        if name in (b"x-hmac", b"x-api-key"):
            yield value
    yield from re.findall(rb"(?i)signature=([A-Za-z0-9%]{40,})", request.target)


@pytest.mark.parametrize("make", WORLDS, ids=lambda make: make.__name__)
def test_no_secret_is_shown_that_stands_in_the_place_of_a_name(make: Maker) -> None:
    """Id and secret exchanged, or the secret pasted into any parameter: the store knows it, so nobody is told."""
    rng = random.Random(f"{make.__name__} exchanged")
    world = make(rng)
    unsigned = draft(rng)
    signed = Draft(world.sign(unsigned, rng), unsigned.body)
    # The private key of a public one is nothing that a server could know.
    secrets = [secret for secret in world.secrets if 6 < len(secret) < 200 and make is not ed25519_webhook_world]
    for secret in secrets:
        for written in (secret.hex().encode(), b64encode(secret), quote(secret, safe="").encode()):
            for name, value in list(signed.headers):
                for match in re.finditer(rb'="?([^",;]+)|^(.+)$', value):
                    start, end = match.span(match.lastindex or 0)
                    changed = Draft(signed.request(), signed.body)
                    changed.field(name, value[:start] + written + value[end:])
                    told = explain(changed.request(), world.guard, changed.body)
                    assert not shows(told, secret), (name, str(told))
        break


def test_a_presigned_url_and_its_session_token_are_not_shown() -> None:
    store = MemoryStore()
    store.add_access_key("alice", "AKALICE", "a-secret-access-key-0123456789")
    target = (
        "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKALICE%2F20260101%2Feu%2Forders%2Faws4_request&X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Security-Token=a-session-token%2F1&X-Amz-Signature="
        + "0123456789abcdef" * 4
    )
    request = Request("GET", "https", "h", target, {"Host": "h"})
    told = explain(request, Guard([SigV4Verifier(region="eu", service="orders")], store))
    assert not told.accepted
    assert not shows(told, b"a-session-token/1")
    assert not shows(told, b"0123456789abcdef" * 4)


class Exchanged(NamedTuple):
    """A client with id and secret exchanged, and the guard that is asked."""

    verifier: Verifier
    auth: Callable[[str, str], Auth]
    enrol: Callable[[MemoryStore, str, str], object]


EXCHANGED = {
    "basic": Exchanged(BasicVerifier(realm="r"), BasicAuth, lambda store, name, secret: store.commit([Put(Ref(Password, (name,)), cheap_password(secret))])),
    "digest": Exchanged(DigestVerifier(realm="r"), DigestAuth, lambda store, name, secret: store.add_user(name, secret, realm="r", digest_algorithms=["SHA-256"])),
    "hmac": Exchanged(HMACVerifier(), _hmac_auth, lambda store, name, secret: store.add_key(name, _key(name, secret))),
    "signature": Exchanged(SignatureVerifier(), lambda name, secret: SignatureAuth(_key(name, secret)), lambda store, name, secret: store.add_key(name, _key(name, secret))),
    "oauth1": Exchanged(OAuth1Verifier(), OAuth1Auth, lambda store, name, secret: store.commit([Put(Ref(OAuth1Client, (name,)), OAuth1Client(name, secret))])),
    "sigv4": Exchanged(SigV4Verifier(region="eu", service="orders"), lambda name, secret: SigV4Auth(name, secret, region="eu", service="orders"), lambda store, name, secret: store.add_access_key(name, name, secret)),
}  # fmt: skip


@pytest.mark.parametrize("scheme", EXCHANGED)
@pytest.mark.parametrize("written", ["raw", "hex", "base64"])
def test_id_and_secret_exchanged_show_no_secret_however_many_records_there_are(scheme: str, written: str) -> None:
    verifier, auth, enrol = EXCHANGED[scheme]
    store, name, secret = (
        MemoryStore(),
        "client-of-the-orders-0123456789abcdef",
        "a5ecret-that-is-long-enough-to-be-one",
    )
    for number in range(3 if scheme in ("basic", "digest") else 200):
        enrol(store, f"a5ecret-that-is-nobodys-{number:06}", f"0ther-{number:040}")
    enrol(store, name, secret)
    guard = Guard([verifier], store)
    sent: list[Request] = []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        try:
            guard.verify(effect.request)
        except Rejected as rejected:
            assert rejected.refusal is not None
            return Received(rejected.refusal.response())
        return Received(Response(200))

    spelled = secret if scheme in ("basic", "digest") else ENCODINGS[written](secret.encode())
    run(
        auth(spelled, name),
        Request("GET", "https", "api.example", "/", {"Host": "api.example"}),
        send,
        ClientContext(bytes),
    )
    told = explain(sent[-1], guard)
    assert not told.accepted
    assert not shows(told, secret.encode()), str(told)


def test_of_a_request_that_presents_too_much_nothing_is_shown() -> None:
    cookies = "; ".join(f"session{number}=value-{number:05}" for number in range(MAX_VALUES + 1))
    mask = Mask(Request("GET", "https", "h", "/", {"Cookie": cookies}), b"", [])
    for text in ("cookie: value-02048", "anything of it"):
        assert mask.value(text) == f"…({len(text)} octets, masked)"


@pytest.mark.parametrize("value", ["dark", "7", "secret", "password"])
def test_a_short_value_or_a_word_is_hidden_beside_its_name_and_nowhere_else(value: str) -> None:
    """Our own sentences have such words: to hide them there would tell what the value is."""
    mask = Mask(Request("GET", "https", "h", f"/?token={value}", {"Cookie": f"theme={value}"}), b"", [])
    assert mask.text(f"the {value} differs") == f"the {value} differs"
    for shown in (f"theme={value}; x", f'"token": "{value}"', f"token: {value}\n"):
        assert value not in mask.text(shown).replace(f"{len(value)} octets", "")


def test_there_is_one_exit() -> None:
    """Explanations are made in one function, of which every text is masked."""
    room = Path(watchword.schemes.explaining.__file__).parent
    makers = {
        path.name: len(re.findall(r"(?<![\w\"\[|])Explanation\(", path.read_text("utf-8")))
        for path in room.glob("*.py")
    }
    assert {name: count for name, count in makers.items() if count} == {"program.py": 2}
    source = (room / "program.py").read_text("utf-8")
    assert "Explanation(" not in source[: source.index("def _leave(")]


@pytest.mark.parametrize("shown", ["{id}:{secret}", "{id}/{secret}", "{secret}"])
def test_a_secret_in_a_credential_that_can_not_be_read_is_masked(shown: str) -> None:
    key_id, secret = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    store = MemoryStore()
    store.add_access_key("robot", key_id, secret)
    guard = Guard([SigV4Verifier(region="eu-central-1", service="s3")], store)
    credential = f"{shown.format(id=key_id, secret=secret)}/20260101/eu-central-1/s3/aws4_request"
    field = (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-amz-date, Signature={'0' * 64}, Key={key_id}"
    )
    explanation = explain(Request("GET", "https", "api.example", "/", {"Authorization": field}), guard)
    said = f"{explanation}{explanation.to_json()}{explanation.canonical}"
    assert not explanation.accepted
    assert not any(secret[at : at + 30] in said for at in range(len(secret) - 29))


@pytest.mark.parametrize("shown", ["{secret}", "x-{secret}-y", "{secret}/{secret}"])
@pytest.mark.parametrize("place", ["authorization keyid", "authorization nonce", "query"])
def test_a_secret_of_a_store_that_can_not_be_listed_is_masked_where_no_record_is_named(shown: str, place: str) -> None:
    """Nobody knows which of its secrets a request holds that names none of its records: what looks like a key is masked."""
    secret = "wJalrXUtnFEMIxK7MDENGxbPxRfiCYEXAMPLEKEY"
    text = shown.format(secret=secret)
    key_id, nonce = (text if place.endswith(name) else "0123456789abcdef01234567" for name in ("keyid", "nonce"))
    field = (
        f'HMAC version=1, keyid="{key_id}", timestamp="1700000000", nonce="{nonce}", digest="47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU", '
        f'mac="{"A" * 43}"'
    )
    target = f"/?q={text}" if place == "query" else "/"
    request = Request("GET", "https", "api.example", target, {"Authorization": field})

    async def told() -> Explanation:
        async with AsyncSQLStore("sqlite://") as store:
            await store.add_key("robot", Key.from_secret(secret, algorithm="HS256", key_id="another"))
            return await explain_async(request, AsyncGuard([HMACVerifier()], store))

    explanation = asyncio.run(told())
    said = f"{explanation}{explanation.to_json()}{explanation.canonical}"
    assert explanation.reason is not None
    assert explanation.reason.value in ("unknown_key", "malformed_credentials")
    assert not any(secret[at : at + 30] in said for at in range(len(secret) - 29))

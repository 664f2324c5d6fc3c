"""What needs no key is judged before anybody is asked for one: no scheme fetches because of credentials that prove nothing."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec
import pytest

import watchword
from tests.schemes.signature_world import base64, with_fields
from watchword import (
    AllOf, APIKeyVerifier, AsyncGuard, Guard, JWTVerifier, Key, KeySet, OAuth2Verifier, Policy, Reason, Rejected, Request,
    SignaturePolicy, SignatureVerifier, StoreUnavailable, WebBotVerifier, explain,
)  # fmt: skip
from watchword.crypto.digests import digest
from watchword.crypto.encoding import b64url_encode
from watchword.fields.structured import parse_dictionary
from watchword.schemes.signatures.agents import WELL_KNOWN
from watchword.schemes.signatures.base import signature_base
from watchword.schemes.signatures.bots import named_by_thumbprint, profile
from watchword.schemes.signatures.components import SignatureInput
from watchword.schemes.signatures.directory import MEDIA_TYPE
from watchword.schemes.signatures.message import Message
from watchword.stores import AgentDirectories, MemoryStore, RemoteKeySet
from watchword.transport.get import Answer, Get, Terms

NOW = 1_700_000_000.0
KEY = named_by_thumbprint(Key.generate("ES256"))
PUBLISHED = json.dumps(KeySet([KEY]).to_jwks()).encode()
BODY = b'{"amount":1}'

DIGEST = "sha-256=:" + base64(digest("sha-256", BODY)) + ":"
OTHER_DIGEST = "sha-256=:" + base64(bytes(32)) + ":"


class Publisher:
    """Publishes KEY, and counts how often it is asked."""

    def __init__(self) -> None:
        self.fetched: list[str] = []

    def fetch(self, get: Get, terms: Terms) -> Answer:
        self.fetched.append(get.url)
        media = MEDIA_TYPE if get.url.endswith(WELL_KNOWN) else "application/jwk-set+json"
        return Answer(200, ((b"content-type", media.encode()),), PUBLISHED, get.url)

    def keys(self, **options: Any) -> RemoteKeySet:
        return RemoteKeySet("https://id.example/jwks", fetch=self.fetch, clock=lambda: NOW, **options)

    def agents(self, **options: Any) -> AgentDirectories:
        return AgentDirectories(fetch=self.fetch, clock=lambda: NOW, **options)


class Tenant(msgspec.Struct):
    tenant: str


class Kind(NamedTuple):
    """A verifier whose keys are fetched, a genuine request for it, and changes that make it garbage.

    Each change gives the request, and why it is refused. The signature is genuine unless the change says otherwise, so that
    nothing else is wrong.
    """

    verifier: Callable[[Publisher], Any]
    make: Callable[..., Request]
    garbage: Mapping[str, tuple[Mapping[str, Any], Reason]]


# ---- HTTP message signatures -----------------------------------------------------------------------------------------


def signature(
    covered: str,
    params: Mapping[str, Any],
    signed_by: Callable[[bytes], bytes] = KEY.sign,
    digest: str = DIGEST,
    taken_off: bytes = b"",
    **changed: Any,
) -> Request:
    """A signed POST of BODY; `changed` are parameters, None takes one away."""
    given = {**params, **changed}
    text = "".join(
        f";{name}={value}" if isinstance(value, int) else f';{name}="{value}"'
        for name, value in given.items()
        if value is not None
    )
    fields = {"content-digest": digest, "signature-agent": 'sig1="https://bot.example"', "x-a": "1"}
    request = Request("POST", "https", "api.example", "/orders?id=7", fields)
    member = parse_dictionary(f"sig1={covered}{text}")["sig1"]
    made = signed_by(signature_base(SignatureInput.of(member, 64), Message(request)))
    signed = with_fields(request, f"sig1={covered}{text}", f"sig1=:{base64(made)}:")
    return Request(
        signed.method, "https", "api.example", "/orders?id=7",
        [line for line in signed.headers if line[0] != taken_off],
    )  # fmt: skip


WHOLE = '"@method" "@authority" "@path" "@query" "content-digest" "x-a"'
USUAL = {"created": int(NOW), "expires": int(NOW) + 60, "nonce": "AAAAAAAAAAAAAAAAAAAAAA", "keyid": KEY.key_id}


def own(covered: str = WHOLE, **changed: Any) -> Request:
    return signature(f"({covered})", USUAL, **changed)


def bot(covered: str = f'{WHOLE} "signature-agent";key="sig1"', **changed: Any) -> Request:
    return signature(f"({covered})", {**USUAL, "tag": "web-bot-auth"}, **changed)


def octets(number: int) -> Callable[[bytes], bytes]:
    return lambda base: bytes(number)


SIGNATURES: dict[str, tuple[Mapping[str, Any], Reason]] = {
    "signed in 1970": ({"created": 1, "expires": None}, Reason.EXPIRED),
    "signed tomorrow": ({"created": int(NOW) + 86_400, "expires": int(NOW) + 90_000}, Reason.NOT_YET_VALID),
    "ended": ({"expires": int(NOW)}, Reason.EXPIRED),
    "without a time": ({"created": None}, Reason.NOT_COVERED),
    "without a nonce": ({"nonce": None}, Reason.NOT_COVERED),
    "a component uncovered": ({"covered": '"@method" "signature-agent";key="sig1"'}, Reason.NOT_COVERED),
    "three octets": ({"signed_by": octets(3)}, Reason.WRONG_SIGNATURE),
    "no octets": ({"signed_by": octets(0)}, Reason.WRONG_SIGNATURE),
    "a MAC's octets": ({"signed_by": octets(32)}, Reason.WRONG_SIGNATURE),
    "of another algorithm's length": ({"alg": "ed25519", "signed_by": octets(96)}, Reason.WRONG_SIGNATURE),
    "an algorithm of secrets": ({"alg": "hmac-sha256", "signed_by": octets(32)}, Reason.WRONG_ALGORITHM),
    "an unknown algorithm": ({"alg": "ES256"}, Reason.WRONG_ALGORITHM),
    "an algorithm without a name": ({"alg": ""}, Reason.WRONG_ALGORITHM),
    "a covered field gone": ({"taken_off": b"x-a"}, Reason.MISSING_COMPONENT),
    "a digest of another body": ({"digest": OTHER_DIGEST}, Reason.WRONG_BODY),
}
BOTS = {
    **{name: case for name, case in SIGNATURES.items() if name != "without a nonce"},
    "signed in 1970": ({"created": 1}, Reason.EXPIRED),
    "without an end": ({"expires": None}, Reason.NOT_COVERED),
    "without its agent": ({"covered": WHOLE}, Reason.NOT_COVERED),
    "without a key id": ({"keyid": None}, Reason.MALFORMED_CREDENTIALS),
    "no thumbprint": ({"keyid": "robot-1"}, Reason.MALFORMED_CREDENTIALS),
    "too long for a thumbprint": ({"keyid": "a" * 44}, Reason.MALFORMED_CREDENTIALS),
}

# ---- JSON Web Tokens -------------------------------------------------------------------------------------------------

CLAIMS = {
    "iss": "https://id.example", "aud": "orders", "sub": "alice", "exp": int(NOW) + 60, "iat": int(NOW), "nbf": int(NOW),
    "jti": "1", "client_id": "c", "tenant": "t",
}  # fmt: skip
HEADER = {"alg": "ES256", "kid": KEY.key_id}


def bearer(token: str) -> Request:
    return Request("POST", "https", "api.example", "/", {"Authorization": f"Bearer {token}", "x-api-key": "k"})


def token(
    header: Mapping[str, Any] | None = None,
    signed_by: Callable[[bytes], bytes] = KEY.sign,
    payload: bytes | None = None,
    typ: str | None = None,
    **changed: Any,
) -> Request:
    members = {**HEADER, **({} if typ is None else {"typ": typ}), **(header or {})}
    claims = {name: value for name, value in {**CLAIMS, **changed}.items() if value is not ...}
    body = json.dumps(claims).encode() if payload is None else payload
    signing_input = b64url_encode(json.dumps(members).encode()) + b"." + b64url_encode(body)
    return bearer((signing_input + b"." + b64url_encode(signed_by(signing_input))).decode())


def access_token(**changed: Any) -> Request:
    return token(**{"typ": "at+jwt", **changed})


TOKENS: dict[str, tuple[Mapping[str, Any], Reason]] = {
    "ended": ({"exp": int(NOW)}, Reason.EXPIRED),
    "an end that is no time": ({"exp": "soon"}, Reason.WRONG_CLAIM),
    "not yet begun": ({"nbf": int(NOW) + 60}, Reason.NOT_YET_VALID),
    "issued tomorrow": ({"iat": int(NOW) + 86_400}, Reason.NOT_YET_VALID),
    "of another issuer": ({"iss": "https://evil.example"}, Reason.UNKNOWN_ISSUER),
    "of no issuer": ({"iss": ...}, Reason.MISSING_CLAIM),
    "for others": ({"aud": "invoices"}, Reason.WRONG_AUDIENCE),
    "for nobody": ({"aud": ...}, Reason.MISSING_CLAIM),
    "about nobody": ({"sub": ...}, Reason.MISSING_CLAIM),
    "about an empty text": ({"sub": ""}, Reason.WRONG_CLAIM),
    "a null id": ({"jti": None}, Reason.WRONG_CLAIM),
    "bound to a key": ({"cnf": {"jkt": "x"}}, Reason.BINDING_MISSING),
    "scopes that are none": ({"scope": 7}, Reason.WRONG_CLAIM),
    "of another kind": ({"header": {"typ": "logout+jwt"}}, Reason.WRONG_TYPE),
    "no object": ({"payload": b"[]"}, Reason.MALFORMED_CREDENTIALS),
    "no JSON": ({"payload": b"x"}, Reason.MALFORMED_CREDENTIALS),
    "three octets": ({"signed_by": octets(3)}, Reason.WRONG_SIGNATURE),
    "of another algorithm's length": ({"signed_by": octets(96)}, Reason.WRONG_SIGNATURE),
    "an algorithm of secrets": ({"header": {"alg": "HS256"}, "signed_by": octets(32)}, Reason.WRONG_ALGORITHM),
    "an unknown algorithm": ({"header": {"alg": "XS256"}}, Reason.WRONG_ALGORITHM),
    "no algorithm": ({"header": {"alg": "none"}, "signed_by": octets(0)}, Reason.WRONG_ALGORITHM),
    "an algorithm that is not permitted": ({"header": {"alg": "PS256"}, "signed_by": octets(256)}, Reason.WRONG_ALGORITHM),
    "an unknown extension": ({"header": {"crit": ["x"], "x": 1}}, Reason.UNKNOWN_CRITICAL),
}  # fmt: skip
JWTS = {**TOKENS, "without a demanded claim": ({"tenant": ...}, Reason.MISSING_CLAIM),
        "issued too long ago": ({"iat": int(NOW) - 3600}, Reason.EXPIRED),
        "a claim of another type": ({"tenant": 7}, Reason.WRONG_CLAIM)}  # fmt: skip
ACCESS_TOKENS = {**TOKENS, "of no client": ({"client_id": ...}, Reason.MISSING_CLAIM),
                 "a bare JWT": ({"typ": "JWT"}, Reason.WRONG_TYPE)}  # fmt: skip


def plain_tokens(publisher: Publisher) -> JWTVerifier[Any]:
    return JWTVerifier(
        publisher.keys(algorithms=["ES256"]), issuer="https://id.example", audience="orders", required=["tenant"],
        claims=Tenant, max_age=600, clock=lambda: NOW,
    )  # fmt: skip


KINDS: dict[str, Kind] = {
    "SignatureVerifier": Kind(lambda publisher: SignatureVerifier(publisher.keys()), own, SIGNATURES),
    "WebBotVerifier": Kind(
        lambda publisher: WebBotVerifier(publisher.agents(allow=["https://bot.example"]), policy=demanding()), bot, BOTS,
    ),
    "WebBotVerifier, any agent": Kind(
        lambda publisher: WebBotVerifier(publisher.agents(any_agent=True), policy=demanding()), bot, BOTS
    ),
    "JWTVerifier": Kind(plain_tokens, token, JWTS),
    "OAuth2Verifier": Kind(
        lambda publisher: OAuth2Verifier(
            publisher.keys(algorithms=["ES256"]), issuer="https://id.example", audience="orders"
        ),
        access_token, ACCESS_TOKENS,
    ),
}  # fmt: skip


def demanding() -> SignaturePolicy:
    return profile(components=("@method", "@authority", "@path"), body=True)


def guard_of(kind: Kind, publisher: Publisher) -> Guard:
    return Guard([kind.verifier(publisher)], MemoryStore(clock=lambda: NOW), policy=Policy(clock=lambda: NOW))


def refused(guard: Guard, request: Request, aio: bool) -> Rejected:
    with pytest.raises(Rejected) as caught:
        if aio:
            asyncio.run(AsyncGuard.of(guard).verify(request, BODY))
        else:
            guard.verify(request, BODY)
    return caught.value


EACH = [(name, change) for name, kind in KINDS.items() for change in kind.garbage]


@pytest.mark.parametrize("aio", [False, True], ids=["threads", "tasks"])
@pytest.mark.parametrize(("name", "change"), EACH, ids=[f"{name}: {change}" for name, change in EACH])
def test_garbage_makes_nobody_fetch_and_the_reason_is_true(name: str, change: str, aio: bool) -> None:
    kind, publisher = KINDS[name], Publisher()
    changed, reason = kind.garbage[change]
    rejected = refused(guard_of(kind, publisher), kind.make(**changed), aio)
    assert (rejected.reason, publisher.fetched) == (reason, [])
    assert not rejected.rejection.genuine  # nobody has looked at the signature
    assert rejected.refusal is not None
    assert rejected.refusal.status == 401


@pytest.mark.parametrize(("name", "change"), EACH, ids=[f"{name}: {change}" for name, change in EACH])
def test_the_reason_is_one_that_is_given_where_the_keys_are_there(name: str, change: str) -> None:
    """Only what is judged first differs: a signature that is no good is said before what it says of itself."""
    kind, publisher = KINDS[name], Publisher()
    guard = guard_of(kind, publisher)
    guard.verify(kind.make(), BODY)
    changed, reason = kind.garbage[change]
    assert refused(guard, kind.make(**changed), False).reason in (
        reason,
        Reason.WRONG_ALGORITHM,
        Reason.WRONG_SIGNATURE,
    )


@pytest.mark.parametrize(("name", "change"), EACH, ids=[f"{name}: {change}" for name, change in EACH])
def test_explain_asks_nobody_either_and_names_the_same(name: str, change: str) -> None:
    kind, publisher = KINDS[name], Publisher()
    changed, reason = kind.garbage[change]
    explanation = explain(kind.make(**changed), guard_of(kind, publisher), BODY)
    assert (explanation.accepted, explanation.reason) == (False, reason)
    assert explanation.causes
    assert not [check for check in explanation.causes if check.name == "key id"]
    assert publisher.fetched == []


@pytest.mark.parametrize("name", KINDS)
def test_what_may_be_genuine_is_asked_for_once(name: str) -> None:
    kind, publisher = KINDS[name], Publisher()
    guard = guard_of(kind, publisher)
    assert guard.verify(kind.make(), BODY).key_id == KEY.key_id
    assert len(publisher.fetched) == 1


@pytest.mark.parametrize("change", JWTS)
def test_a_plain_verify_has_nothing_fetched_for_garbage(change: str) -> None:
    publisher = Publisher()
    verifier = plain_tokens(publisher)
    changed, reason = JWTS[change]
    for verify in (verifier.verify, lambda garbage: verifier.verify_at(garbage, NOW)):
        with pytest.raises(Rejected) as caught:
            verify(token(**changed).values(b"authorization")[0][7:])
        assert (caught.value.reason, verifier.source and verifier.source.keys, publisher.fetched) == (reason, None, [])


def test_the_garbage_of_one_part_makes_no_other_part_ask() -> None:
    publisher = Publisher()
    guard = Guard(
        [AllOf(plain_tokens(publisher), APIKeyVerifier())],
        MemoryStore(clock=lambda: NOW),
        policy=Policy(clock=lambda: NOW),
    )
    for request in (token(exp=1), token()):  # the API key is no good either
        with pytest.raises(Rejected):
            guard.verify(request, BODY)
    assert publisher.fetched == []


def test_of_several_signatures_one_that_may_be_good_is_enough_to_ask() -> None:
    publisher = Publisher()
    guard = Guard(
        [SignatureVerifier(publisher.keys())], MemoryStore(clock=lambda: NOW), policy=Policy(clock=lambda: NOW)
    )
    stranger = Key.generate("ed25519", key_id="stranger")
    old = own(created=1, expires=None, keyid="stranger", signed_by=stranger.sign)
    both = [
        (name, value + b", " + own().values(name)[0].replace(b"sig1=", b"sig2=", 1))
        if name in (b"signature", b"signature-input")
        else (name, value)
        for name, value in old.headers
    ]
    request = Request(old.method, "https", "api.example", "/orders?id=7", both)
    assert guard.verify(request, BODY).key_id == KEY.key_id
    assert len(publisher.fetched) == 1


def sources_of(verifier: type) -> Sequence[str]:
    """The arguments of a verifier that may be keys which somebody publishes."""
    with suppress(ValueError, TypeError):
        parameters = inspect.signature(verifier).parameters.values()
        return [
            each.name for each in parameters if "KeySource" in str(each.annotation) or "Agents" in str(each.annotation)
        ]
    return []


def test_every_verifier_whose_keys_may_be_fetched_is_in_the_table() -> None:
    verifiers = [getattr(watchword, name) for name in watchword.__all__ if name.endswith("Verifier")]
    fetching = {verifier.__name__ for verifier in verifiers if sources_of(verifier)}
    assert fetching == {name.partition(",")[0] for name in KINDS}


def test_a_source_that_is_down_is_said_of_what_may_be_genuine_only() -> None:
    def down(get: Get, terms: Terms) -> Answer:
        raise OSError("down")

    verifier = JWTVerifier(RemoteKeySet("https://id.example/jwks", fetch=down, clock=lambda: NOW), audience="orders")
    guard = Guard([verifier], policy=Policy(clock=lambda: NOW))
    with pytest.raises(StoreUnavailable):
        guard.verify(token())
    with pytest.raises(Rejected):
        guard.verify(token(exp=1))

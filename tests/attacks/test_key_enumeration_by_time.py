"""Which keys exist, and which were used today, is not told by the clock: counted, for a clock shows the noise of the machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tests.counting import calls
from watchword import (
    APIKeyAuth, APIKeyVerifier, BearerAuth, Guard, HMACAuth, HMACVerifier, Key, OAuth1Auth, OAuth1Verifier, Policy, Reason, Rejected,
    Request, Response, SignatureAuth, SignatureVerifier, SigV4Auth, SigV4Verifier, TokenVerifier,
)  # fmt: skip
from watchword.transport.flow import ClientContext, run
from watchword.core.records import Put, Ref
from watchword.core.scheme import Verifier
from watchword.effects import Auth, Received, Send
from watchword.schemes.api_key_text import APIKey, hash_key, make_key
from watchword.schemes.lookups import sha256_of
from watchword.schemes.registered_token import RegisteredToken
from watchword.stores import MemoryStore

NOW = 1_700_000_000.0
ECDSA = "AWS4-ECDSA-P256-SHA256"
SECRET = "the secret of a key that exists, 32+"


def secret(name: str, *, forged: bool = False) -> str:
    return f"{name}: {'some other' if forged else SECRET}, and so many characters"


def hmac_auth(name: str, *, forged: bool) -> Auth:
    return HMACAuth(Key.from_secret(secret(name, forged=forged), algorithm="HS256", key_id=name))


def signature_auth(name: str, *, forged: bool) -> Auth:
    return SignatureAuth(Key.from_secret(secret(name, forged=forged), algorithm="HS256", key_id=name))


def sigv4_auth(algorithm: str) -> Callable[..., Auth]:
    def auth(name: str, *, forged: bool) -> Auth:
        region = "eu-central-1"
        return SigV4Auth(name, secret(name, forged=forged), region=region, service="orders", algorithm=algorithm)

    return auth


def oauth1_auth(name: str, *, forged: bool) -> Auth:
    return OAuth1Auth(name, secret(name, forged=forged))


def api_key_auth(name: str, *, forged: bool) -> Auth:
    return APIKeyAuth(make_key(lambda n: (b"\x02" if forged else b"\x01") * n, name))


def token_auth(name: str, *, forged: bool) -> Auth:
    return BearerAuth(f"{name}.{'b' if forged else 'a'}-long-random-secret")


SCHEMES: dict[str, tuple[Callable[[], Verifier], Callable[..., Auth]]] = {
    "hmac": (HMACVerifier, hmac_auth),
    "signature": (SignatureVerifier, signature_auth),
    "sigv4": (lambda: SigV4Verifier(region="eu-central-1", service="orders"), sigv4_auth("AWS4-HMAC-SHA256")),
    "sigv4a": (lambda: SigV4Verifier(region="eu-central-1", service="orders"), sigv4_auth(ECDSA)),
    "oauth1": (OAuth1Verifier, oauth1_auth),
    "api_key": (APIKeyVerifier, api_key_auth),
    "api_key by an id": (lambda: APIKeyVerifier(by=lambda key: key.split("_")[1]), api_key_auth),
    "token by an id": (lambda: TokenVerifier(by=lambda token: token.partition(".")[0]), token_auth),
}
USED, UNUSED, UNKNOWN = "keyusedtoday", "keyforlater0", "keyofnobody0"


def store() -> MemoryStore:
    found = MemoryStore(clock=lambda: NOW)
    for name in (USED, UNUSED):
        found.add_key("robot", Key.from_secret(secret(name), algorithm="HS256", key_id=name))
        found.add_access_key("robot", name, secret(name))
        found.add_oauth1_client(name, secret=secret(name))
        token = RegisteredToken("robot", digest=sha256_of(f"{name}.a-long-random-secret"))
        found.commit([Put(Ref(RegisteredToken, (name,)), token)])
        key = make_key(lambda n: b"\x01" * n, name)
        found.commit([Put(Ref(APIKey, (name,)), APIKey(hash_key(key), "robot"))])
    return found


def request_of(auth: Auth) -> Request:
    sent: list[Request] = []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    run(auth, Request("GET", "https", "api.example", "/orders?id=7"), send, ClientContext(bytes, now=lambda: NOW))
    return sent[0]


def refused(guard: Guard, request: Request) -> Reason:
    with pytest.raises(Rejected) as caught:
        guard.verify(request)
    return caught.value.reason


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_unknown_key_costs_what_a_known_one_does_used_or_not(scheme: str) -> None:
    verifier, auth = SCHEMES[scheme]
    guard = Guard([verifier()], store(), policy=Policy(clock=lambda: NOW))
    for _ in range(2):
        guard.verify(request_of(auth(USED, forged=False)))
    refused(guard, request_of(auth("keyofothers0", forged=True)))  # the first refusal loads modules
    work: dict[str, Counter[str]] = {}
    for name in (UNUSED, USED, UNKNOWN, UNUSED, USED):  # an earlier refusal tells nothing either
        request = request_of(auth(name, forged=True))
        counted = calls(lambda: refused(guard, request))  # noqa: B023 -- called at once
        if name in work:
            assert abs(counted.total() - work[name].total()) <= 2, counted - work[name]
        work[name] = counted
    for name in (UNUSED, USED):
        more, less = work[name] - work[UNKNOWN], work[UNKNOWN] - work[name]
        assert abs(more.total() - less.total()) <= 10, (name, more, less)  # of 160 and more
        for primitive in (
            "hmac_digest",
            "digest",
            "hexdigest",
            "from_secret",
            "derive_private_key",
            "derive",
            "verify",
        ):
            assert work[name][primitive] == work[UNKNOWN][primitive], (name, primitive)

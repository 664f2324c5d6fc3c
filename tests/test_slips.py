"""Slips that everybody makes get a sentence that mends them, and it holds nothing secret: one table for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests
import urllib3

import watchword
from watchword import (
    AllOf, APIKeyAuth, AsyncGuard, BasicAuth, BasicVerifier, BearerAuth, ConfigurationError, DigestAuth, DigestVerifier, DPoPAuth, Guard,
    HMACAuth, HMACVerifier, JWTAuth, JWTVerifier, Key, OAuth1Auth, OAuth2Auth, OAuth2Verifier, RefreshingSigV4Auth, ReplayableBodyHMACAuth, Rejected,
    Request, Response, SealedAuth, SignatureAuth, SignatureVerifier, SigV4Auth, SigV4Credentials, WebBotAuth, WebhookAuth, WebhookVerifier,
)  # fmt: skip
from watchword.clients import aiohttp as for_aiohttp
from watchword.clients import httpx as for_httpx
from watchword.clients import httpx2 as for_httpx2
from watchword.clients import requests as for_requests
from watchword.clients import urllib3 as for_urllib3
from watchword.clients import urllib_request as for_urllib
from watchword.transport.flow import ClientContext, run
from watchword.effects import Received
from watchword.dropin.http_client import HTTPConnection
from watchword.stores import MemoryStore

TOKENS = Key.from_secret("t" * 32, algorithm="HS256", key_id="k1")
PAIR = Key.generate("ed25519", key_id="k2")
STORE = MemoryStore()
API_KEY = STORE.add_api_key("alice")
HERE = "http://127.0.0.1:9/"
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

AUTHS: dict[str, Callable[[], Any]] = {
    "APIKeyAuth": lambda: APIKeyAuth(API_KEY),
    "BasicAuth": lambda: BasicAuth("alice", "open sesame"),
    "BearerAuth": lambda: BearerAuth("t0ken"),
    "DPoPAuth": lambda: DPoPAuth("t0ken", PAIR),
    "DigestAuth": lambda: DigestAuth("alice", "open sesame"),
    "HMACAuth": lambda: HMACAuth(TOKENS),
    "JWTAuth": lambda: JWTAuth(TOKENS, claims={"sub": "alice"}),
    "OAuth1Auth": lambda: OAuth1Auth("robot", "open sesame"),
    "OAuth2Auth": lambda: OAuth2Auth("https://id.example/token", "robot", "open sesame"),
    "ReplayableBodyHMACAuth": lambda: ReplayableBodyHMACAuth(TOKENS),
    "RefreshingSigV4Auth": lambda: RefreshingSigV4Auth(
        lambda: SigV4Credentials("AKALICE", "open sesame"), region="eu-central-1", service="orders"
    ),
    "SealedAuth": lambda: SealedAuth(PAIR, DigestAuth("alice", "open sesame"), require=False, on_unproven=bool),
    "SigV4Auth": lambda: SigV4Auth("AKALICE", "open sesame", region="eu-central-1", service="orders"),
    "SignatureAuth": lambda: SignatureAuth(PAIR),
    "WebBotAuth": lambda: WebBotAuth(PAIR, agent="https://bot.example"),
    "WebhookAuth": lambda: WebhookAuth(WHSEC),
}


def by_library(library: Any) -> Callable[[Any], object]:
    def get(auth: Any) -> object:
        with library.Client(
            auth=auth, transport=library.MockTransport(lambda request: library.Response(200))
        ) as client:
            return client.get(HERE)

    return get


def by_aiohttp(auth: Any) -> object:
    async def main() -> int:
        async with aiohttp.ClientSession(middlewares=[auth]) as session, session.get(HERE) as response:
            return response.status

    return asyncio.run(main())


LIBRARIES: dict[str, Callable[[Any], object]] = {
    "requests": lambda auth: requests.get(HERE, auth=auth, timeout=30),
    "httpx": by_library(httpx),
    "httpx2": by_library(httpx2),
    "aiohttp": by_aiohttp,
    "urllib3": lambda auth: auth(urllib3.PoolManager()).request("GET", HERE),
}
ADAPTERS: dict[str, Any] = {
    "requests": for_requests, "httpx": for_httpx, "httpx2": for_httpx2, "aiohttp": for_aiohttp, "urllib3": for_urllib3,
    "urllib.request": for_urllib,
}  # fmt: skip


def test_every_client_half_is_in_the_table() -> None:
    assert set(AUTHS) == {name for name in watchword.__all__ if name.endswith("Auth")}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", AUTHS)
def test_an_auth_that_was_not_adapted_says_how(name: str, library: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"import adapt, and pass adapt\({name}\(…\)\)"):
        LIBRARIES[library](AUTHS[name]())


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("adapter", ADAPTERS)
def test_an_auth_that_was_adapted_to_another_library_says_so(adapter: str, library: str) -> None:
    if adapter != library:
        with pytest.raises(ConfigurationError, match=f"adapted to {adapter}:"):
            LIBRARIES[library](ADAPTERS[adapter].adapt(BasicAuth("alice", "open sesame")))


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize(
    ("given", "mend"),
    [
        (BasicAuth, r"adapt\(BasicAuth\(…\)\)"), (BasicVerifier(realm="r"), "the other half"), (("alice", "open sesame"), "not tuple"),
        (None, "not NoneType"), ("alice", "not str"), (AUTHS["BasicAuth"], "takes an Auth"),
    ],
)  # fmt: skip
def test_what_is_no_auth_can_not_be_adapted(adapter: str, given: Any, mend: str) -> None:
    with pytest.raises(ConfigurationError, match=mend):
        ADAPTERS[adapter].adapt(given)


BASIC = BasicVerifier(realm="r")
GUARDED: list[tuple[Any, str]] = [
    (BASIC, r"list of verifiers: Guard\(\[BasicVerifier\(…\)\]\)"), (BasicVerifier, r"Guard\(\[BasicVerifier\(…\)\]\)"),
    ([BasicVerifier], r"BasicVerifier\(…\) instead of BasicVerifier"), ([BASIC, JWTVerifier], r"JWTVerifier\(…\) instead"),
    ([BasicAuth("a", "b")], "client's half"), ([None], "not NoneType"), (["basic"], "not str"), ("basic", "not str"), (7, "not int"),
    (None, "at least one"), ([], "at least one"), ([[BASIC]], "not list"), (HMACVerifier(), r"Guard\(\[HMACVerifier"),
    ({"basic": BASIC}, "not str"), (AllOf(HMACVerifier(), SignatureVerifier()), r"Guard\(\[AllOf"),
]  # fmt: skip


@pytest.mark.parametrize("guard", [Guard, AsyncGuard])
@pytest.mark.parametrize(("given", "mend"), GUARDED)
def test_a_guard_says_what_it_takes(guard: Any, given: Any, mend: str) -> None:
    with pytest.raises(ConfigurationError, match=mend):
        guard(given, STORE)


def test_a_guard_takes_any_iterable_once() -> None:
    assert Guard((one for one in [BASIC]), STORE).plan.verifiers == (BASIC,)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("parts", "mend"),
    [
        ((BasicVerifier, HMACVerifier()), "BasicVerifier"), (([HMACVerifier(), BASIC],), "two parts"),
        ((HMACVerifier(), None), "not NoneType"), ((BASIC,), "two parts"),
    ],
)  # fmt: skip
def test_so_does_all_of(parts: Any, mend: str) -> None:
    with pytest.raises(ConfigurationError, match=mend):
        AllOf(*parts)


def test_a_store_is_made() -> None:
    with pytest.raises(ConfigurationError, match=r"MemoryStore\(…\)"):
        Guard([BASIC], MemoryStore)  # type: ignore[arg-type]


URL = "https://id.example/jwks?key=hidden"
KEYED: dict[str, Callable[[Any], object]] = {
    "JWTVerifier": JWTVerifier,
    "OAuth2Verifier": lambda keys: OAuth2Verifier(keys, issuer="https://id.example", audience="orders"),
    "SignatureVerifier": SignatureVerifier,
    "SealedAuth": SealedAuth,
}


@pytest.mark.parametrize("name", KEYED)
@pytest.mark.parametrize(("given", "mend"), [(URL, "RemoteKeySet"), ("secret", "Key.from_secret"), (b"secret", "not bytes"), (7, "not int")])  # fmt: skip
def test_a_url_for_keys_says_what_fetches_them(name: str, given: Any, mend: str) -> None:
    with pytest.raises(ConfigurationError, match=mend) as told:
        KEYED[name](given)
    assert "hidden" not in str(told.value) and "secret" not in str(told.value).replace("from_secret", "")


NAMED: dict[str, Callable[[Any], object]] = {
    "Basic name": lambda given: BasicAuth(given, "open sesame"),
    "Basic password": lambda given: BasicAuth("alice", given),
    "Digest name": lambda given: DigestAuth(given, "open sesame"),
    "Digest password": lambda given: DigestAuth("alice", given),
    "http.client name": lambda given: HTTPConnection("api.example").set_credentials(given, "open sesame"),
    "http.client password": lambda given: HTTPConnection("api.example").set_credentials("alice", given),
    "Bearer": BearerAuth,
    "API key": APIKeyAuth,
    "OAuth2 URL": lambda given: OAuth2Auth(given, "robot", "open sesame"),
    "OAuth2 id": lambda given: OAuth2Auth("https://id.example/token", given, "open sesame"),
    "OAuth2 secret": lambda given: OAuth2Auth("https://id.example/token", "robot", given),
    "OAuth1 key": lambda given: OAuth1Auth(given, "open sesame"),
    "OAuth1 secret": lambda given: OAuth1Auth("robot", given),
    "OAuth1 token's secret": lambda given: OAuth1Auth("robot", "open sesame", token="t", token_secret=given),
    "SigV4 id": lambda given: SigV4Auth(given, "open sesame", region="r", service="s"),
    "SigV4 secret": lambda given: SigV4Auth("AK", given, region="r", service="s"),
    "SigV4 region": lambda given: SigV4Auth("AK", "open sesame", region=given, service="s"),
    "SigV4 service": lambda given: SigV4Auth("AK", "open sesame", region="r", service=given),
    "HMAC": HMACAuth,
    "JWT": lambda given: JWTAuth(given, claims={"sub": "alice"}),
    "body HMAC": ReplayableBodyHMACAuth,
    "Signature": SignatureAuth,
    "Web Bot Auth key": lambda given: WebBotAuth(given, agent="https://bot.example"),
    "Web Bot Auth agent": lambda given: WebBotAuth(PAIR, agent=given),
    "Sealed": SealedAuth,
    "Basic realm": lambda given: BasicVerifier(realm=given),
    "Digest realm": lambda given: DigestVerifier(realm=given),
}


@pytest.mark.parametrize(
    "given", [None, b"hidden octets", bytearray(b"hidden octets"), 7, ["hidden"], object], ids=repr
)
@pytest.mark.parametrize("name", NAMED)
def test_a_name_a_secret_or_a_key_of_another_type_says_what_it_is_to_be(name: str, given: Any) -> None:
    with pytest.raises(ConfigurationError) as told:
        NAMED[name](given)
    said = str(told.value)
    assert "hidden" not in said
    assert any(word in said for word in ("None", "decode", "text", "Key", "key", "object", "pass it as issued")), said


@pytest.mark.parametrize("place", ["OAuth2 id", "OAuth2 secret", "OAuth1 secret", "SigV4 secret", "Bearer", "API key"])
def test_an_empty_secret_is_none(place: str) -> None:
    with pytest.raises(ConfigurationError):
        NAMED[place]("")


@pytest.mark.parametrize("target", ["/a\\b", "/a b", "/a#b", "/\u00e9", "no path", "/a\x00b", "/a?b\\c"])
@pytest.mark.parametrize("name", AUTHS)
def test_a_target_that_no_server_takes_is_the_developers_error_in_a_client(name: str, target: str) -> None:
    """Which of the schemes look at the target is their own; none raises what a server's verdict would be."""

    def challenged(effect: Any) -> Received:
        answers = {"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth"'}
        return Received(
            Response(401, answers), b'{"access_token": "t0ken", "token_type": "bearer"}' if effect.want else None
        )

    request = Request("GET", "https", "api.example", target)
    try:
        run(AUTHS[name](), request, challenged, ClientContext(lambda: b"body"))
    except ConfigurationError as told:
        assert "target" in str(told) or "signed" in str(told)
    except watchword.CredentialsUnavailable:
        assert name == "OAuth2Auth"


@pytest.mark.parametrize(
    "name",
    [
        "DPoPAuth",
        "DigestAuth",
        "HMACAuth",
        "OAuth1Auth",
        "RefreshingSigV4Auth",
        "SigV4Auth",
        "SignatureAuth",
        "WebBotAuth",
    ],
)
def test_a_backslash_in_a_url_says_how_it_is_written(name: str) -> None:
    request = Request("GET", "https", "api.example", "/a\\b")
    with pytest.raises(ConfigurationError, match="%5C"):
        run(AUTHS[name](), request, lambda effect: Received(Response(200)), ClientContext(bytes))
    with pytest.raises(ConfigurationError, match="target"):
        OAuth1Auth("robot", "open sesame").sign(request, ClientContext(bytes))


VALUES: list[object] = [1, 1.5, True, None, "", "text", [], ["a"], ["a", 1], [None], {}, {"a": 1}]


@pytest.mark.parametrize("name", ["sub", "iss", "aud", "jti", "scope", "scp"])
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_what_jwt_auth_mints_jwt_verifier_takes(name: str, value: object) -> None:
    """Whatever it was made with, it either is refused at once or admitted by the verifier that asks for just that."""
    claims: dict[str, object] = {"sub": "alice", name: value}
    try:
        token = JWTAuth(TOKENS, claims=claims).mint(1_700_000_000)
    except ConfigurationError as told:
        assert name in str(told)
        return
    options: dict[str, Any] = {}
    if name in ("iss", "aud"):
        options[{"iss": "issuer", "aud": "audience"}[name]] = value
    if name == "jti":
        options["single_use"] = True
    verifier = JWTVerifier(TOKENS, clock=lambda: 1_700_000_001.0, **options)
    try:
        assert verifier.verify(token).subject in ("alice", value)
    except ConfigurationError:
        assert name == "jti"  # a single use needs a guard's store
        guard = Guard([verifier], MemoryStore(), policy=watchword.Policy(clock=lambda: 1_700_000_001.0))
        guard.verify(Request("GET", "https", "api.example", "/", {"Authorization": f"Bearer {token}"}))


@pytest.mark.parametrize("prefix", ["v1,", "v1a,"])
@pytest.mark.parametrize("make", [WebhookAuth, lambda secret: WebhookVerifier(secret, subject="sender")])
def test_a_webhook_secret_with_the_name_of_a_signature_before_it_says_what_to_leave_out(prefix: str, make: Any) -> None:
    with pytest.raises(ConfigurationError, match='leave out "v1,"') as told:
        make(prefix + WHSEC)
    assert WHSEC not in str(told.value)


def test_nothing_of_this_is_a_servers_verdict() -> None:
    assert not issubclass(ConfigurationError, Rejected)

"""What holds secrets is neither pickled nor copied, and shows none: every public class is in one of the two tables."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable

import pytest

import watchword
from watchword import (
    AllOf, APIKeyAuth, APIKeyVerifier, AsyncGuard, BasicAuth, BasicVerifier, BearerAuth, ClientSecret, DigestAuth, DigestVerifier, DPoPAuth, DPoPVerifier, Guard,
    HMACAuth, HMACVerifier, JWTAuth, JWTVerifier, Key, KeyDirectory, KeySet, OAuth1Auth, OAuth1Verifier, OAuth2Auth,
    OAuth2Verifier, PasswordCache, PrivateKeyJWT, PublicClient, ReplayableBodyHMACAuth, ReplayableBodyHMACVerifier, Revocations, SealedAuth, SignatureAuth,
    SignatureSeal, SignatureVerifier, RefreshingSigV4Auth, SigV4Auth, SigV4Credentials, SigV4Verifier, TokenCache, TokenFile, TokenMemory, TokenVerifier, WebBotAuth, WebBotVerifier, WebhookAuth,
    WebhookVerifier, stores,
)  # fmt: skip
from watchword.authorization_server.token_endpoint import TokenEndpoint
from watchword.clients import httpx as for_httpx
from watchword.clients import requests as for_requests
from watchword.crypto.sealing import Sealer
from watchword.crypto.sigv4a import derive
from watchword.stores import (
    AgentDirectories,
    AsyncRedisStore,
    AsyncSQLStore,
    MemoryStore,
    RedisStore,
    RemoteKeySet,
    SQLStore,
)

SECRET = "a-secret-that-nothing-may-show-or-keep"
KEY = Key.from_secret(SECRET, algorithm="HS256", key_id="k1")
PAIR = Key.generate("EdDSA", key_id="e1")
STORE = MemoryStore()
STORE.add_key("alice", KEY)
AGENTS = AgentDirectories(["https://bot.example"])
REMOTE = RemoteKeySet("https://id.example/jwks", algorithms=["ES256"])

HOLDING: dict[str, Callable[[], object]] = {
    "APIKeyAuth": lambda: APIKeyAuth(SECRET),
    "APIKeyVerifier": APIKeyVerifier,
    "AllOf": lambda: AllOf(HMACVerifier(), APIKeyVerifier()),
    "AsyncGuard": lambda: AsyncGuard([HMACVerifier()], STORE),
    "BasicAuth": lambda: BasicAuth("alice", SECRET),
    "BasicVerifier": lambda: BasicVerifier(realm="orders"),
    "BearerAuth": lambda: BearerAuth(SECRET),
    "ClientSecret": lambda: ClientSecret("app", SECRET),
    "DigestAuth": lambda: DigestAuth("alice", SECRET),
    "DigestVerifier": lambda: DigestVerifier(realm="orders"),
    "Guard": lambda: Guard([HMACVerifier()], STORE),
    "HMACAuth": lambda: HMACAuth(KEY),
    "HMACVerifier": HMACVerifier,
    "JWTAuth": lambda: JWTAuth(KEY, claims={"sub": "alice"}),
    "JWTVerifier": lambda: JWTVerifier(KEY),
    "Key": lambda: KEY,
    "KeyDirectory": lambda: KeyDirectory([PAIR], agent="https://bot.example"),
    "KeySet": lambda: KeySet([KEY]),
    "OAuth1Auth": lambda: OAuth1Auth("app", SECRET),
    "OAuth1Verifier": OAuth1Verifier,
    "OAuth2Auth": lambda: OAuth2Auth("https://id.example/token", "app", SECRET),
    "OAuth2Verifier": lambda: OAuth2Verifier(KEY, issuer="https://id.example", audience="orders"),
    "PasswordCache": PasswordCache,
    "PrivateKeyJWT": lambda: PrivateKeyJWT("app", PAIR),
    "PublicClient": lambda: PublicClient("app"),
    "RefreshingSigV4Auth": lambda: RefreshingSigV4Auth(
        lambda: SigV4Credentials("AKID", SECRET), region="eu-central-1", service="s3"
    ),
    "DPoPAuth": lambda: DPoPAuth(SECRET, PAIR),
    "DPoPVerifier": lambda: DPoPVerifier(JWTVerifier(KEY)),
    "ReplayableBodyHMACAuth": lambda: ReplayableBodyHMACAuth(KEY),
    "ReplayableBodyHMACVerifier": lambda: ReplayableBodyHMACVerifier(KEY, subject="alice"),
    "Revocations": lambda: Revocations(STORE),
    "SealedAuth": lambda: SealedAuth(KeySet([KEY]), auth=BasicAuth("alice", SECRET)),
    "SigV4Auth": lambda: SigV4Auth("AKID", SECRET, region="eu-central-1", service="s3"),
    "SigV4Credentials": lambda: SigV4Credentials("AKID", SECRET, SECRET),
    "SigV4Verifier": lambda: SigV4Verifier(region="eu-central-1", service="orders"),
    "SignatureAuth": lambda: SignatureAuth(KEY),
    "SignatureSeal": lambda: SignatureSeal(KEY),
    "SignatureVerifier": SignatureVerifier,
    "TokenCache": TokenCache,
    "TokenFile": lambda: TokenFile("tokens.json"),
    "TokenMemory": TokenMemory,
    "TokenVerifier": TokenVerifier,
    "WebBotAuth": lambda: WebBotAuth(PAIR, agent="https://bot.example"),
    "WebBotVerifier": lambda: WebBotVerifier(AGENTS),
    "WebhookAuth": lambda: WebhookAuth(SECRET.encode()),
    "WebhookVerifier": lambda: WebhookVerifier(SECRET.encode(), subject="sender"),
    # Of the stores, and what isn't public by name.
    "MemoryStore": lambda: STORE,
    "SQLStore": lambda: SQLStore("sqlite://", secrets=SECRET.encode()),
    "AsyncSQLStore": lambda: AsyncSQLStore("sqlite://", secrets=SECRET.encode()),
    "RedisStore": lambda: RedisStore(f"redis://app:{SECRET}@127.0.0.1", secrets=SECRET.encode()),
    "AsyncRedisStore": lambda: AsyncRedisStore(f"redis://app:{SECRET}@127.0.0.1", secrets=SECRET.encode()),
    "AgentDirectories": lambda: AGENTS,
    "RemoteKeySet": lambda: REMOTE,
    "TokenEndpoint": lambda: TokenEndpoint(KEY, issuer="https://id.example", audience="orders"),
    "Sealer": lambda: Sealer(SECRET.encode()),
    "SigV4AKey": lambda: derive("AKID", SECRET),
    "BasicAuth for requests": lambda: for_requests.adapt(BasicAuth("alice", SECRET)),
    "BearerAuth for httpx": lambda: for_httpx.adapt(BearerAuth(SECRET)),
}
# No secrets, or what the application has from elsewhere: requests as they came, records that stores keep.
PLAIN = {
    "APIKey", "AttemptPolicy", "AuthorizationCode", "ClaimCheck", "ClientCredentials", "ConfigurationError", "CredentialsUnavailable", "Device", "ExplanationLog", "Identity", "InCookie",
    "InField", "InSubprotocol", "Limits", "OAuth1Endpoints", "Password", "Peer",
    "Policy", "PublicURL", "Reason", "RegisteredToken", "Rejected", "Request", "Response", "ResponsePolicy", "ResponseUnproven", "SignaturePolicy",
    "StoreUnavailable", "Verdict", "WatchwordError", "WebhookProfile", "HtdigestStore", "HtpasswdStore",
}  # fmt: skip


def test_every_public_class_is_in_one_table():
    public = {name for name in watchword.__all__ if inspect.isclass(getattr(watchword, name))}
    public |= {name for name in stores.__all__ if inspect.isclass(getattr(stores, name))}
    assert public - PLAIN <= set(HOLDING)
    assert not PLAIN & set(HOLDING)


@pytest.mark.parametrize("name", HOLDING)
@pytest.mark.parametrize("how", [pickle.dumps, copy.deepcopy], ids=["pickled", "copied"])
def test_what_holds_secrets_is_neither_pickled_nor_copied(name, how):
    with pytest.raises(TypeError) as caught:
        how(HOLDING[name]())
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("name", HOLDING)
def test_it_is_not_pickled_within_something_else_either(name):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises((TypeError, pickle.PicklingError)):  # the latter of locks, by old protocols
            pickle.dumps({"settings": [HOLDING[name]()]}, protocol)


@pytest.mark.parametrize("name", HOLDING)
def test_no_secret_is_shown(name):
    held = HOLDING[name]()
    for text in (repr(held), str(held), f"{held}", repr([held])):
        assert SECRET not in text

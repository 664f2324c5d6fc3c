"""Every scheme as the tests of client rules take it: the client half, and a guard that knows alice."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from tests.clients.origin import Answer, Seen
from watchword import (
    APIKeyAuth, APIKeyVerifier, BasicAuth, BasicVerifier, BearerAuth, DigestAuth, DigestVerifier, Guard, HMACAuth, HMACVerifier,
    JWTAuth, JWTVerifier, Key, OAuth1Auth, OAuth1Verifier, Reason, RegisteredToken, Rejected, Request, SignatureAuth,
    SignatureVerifier, SigV4Auth, SigV4Verifier, TokenVerifier,
)  # fmt: skip
from watchword.stores import MemoryStore, from_callables

SECRET = "a secret of more than 32 letters, for all"
KEY = Key.from_secret(SECRET, algorithm="hmac-sha256", key_id="key-1")
TOKENS = Key.from_secret(SECRET, algorithm="HS256")
SCOPE = {"region": "eu-central-1", "service": "orders"}


class World(NamedTuple):
    auth: Callable[[], object]
    guard: Callable[[], Guard]
    signs: bool = False
    single_use: bool = False  # of SigV4 two requests of one second are alike


@cache
def store() -> MemoryStore:
    store = MemoryStore()
    store.add_user("alice", SECRET, realm="r")
    store.add_key("alice", KEY)
    store.add_access_key("alice", "AKALICE", SECRET)
    store.add_oauth1_client("app", secret=SECRET)
    store.add_oauth1_token("token", SECRET, client_key="app", subject="alice")
    return store


API_KEY = store().add_api_key("alice")


def _oauth1() -> OAuth1Auth:
    return OAuth1Auth("app", SECRET, token="token", token_secret=SECRET)


WORLDS = {
    "basic": World(lambda: BasicAuth("alice", SECRET), lambda: Guard([BasicVerifier(realm="r")], store())),
    "digest": World(lambda: DigestAuth("alice", SECRET), lambda: Guard([DigestVerifier(realm="r")], store())),
    "jwt": World(lambda: JWTAuth(TOKENS, claims={"sub": "alice"}), lambda: Guard([JWTVerifier(TOKENS)])),
    "token": World(
        lambda: BearerAuth("opaque"),
        lambda: Guard([TokenVerifier()], from_callables(token=lambda token: RegisteredToken("alice"))),
    ),
    "api_key": World(lambda: APIKeyAuth(API_KEY), lambda: Guard([APIKeyVerifier()], store())),
    "hmac": World(lambda: HMACAuth(KEY), lambda: Guard([HMACVerifier()], store()), True, True),
    "signature": World(lambda: SignatureAuth(KEY), lambda: Guard([SignatureVerifier()], store()), True, True),
    "oauth1": World(_oauth1, lambda: Guard([OAuth1Verifier()], store()), True, True),
    "sigv4": World(
        lambda: SigV4Auth("AKALICE", SECRET, **SCOPE),
        lambda: Guard([SigV4Verifier(**SCOPE)], store()),
        True,
    ),
}
SIGNING = {name: world for name, world in WORLDS.items() if world.signs}


def request_of(seen: Seen) -> Request:
    return Request(seen.method, "http", seen.field("host") or "", seen.target, seen.lines())


def optional(guard: Guard, before: Callable[[Seen], Answer | None] = lambda seen: None) -> Callable[[Seen], Answer]:
    """A route that strangers may see: says who asked, or that it was nobody; other credentials are refused."""

    def answer(seen: Seen) -> Answer:
        if (first := before(seen)) is not None:
            return first
        try:
            return 200, [], f"{seen.method} by {guard.verify(request_of(seen), seen.body).subject}".encode()
        except Rejected as rejected:
            if rejected.reason is Reason.NO_CREDENTIALS:
                return 200, [], f"{seen.method} by nobody".encode()
            return 401, [], rejected.reason.value.encode()

    return answer

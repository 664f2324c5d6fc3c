"""The schemes of the matrix: both halves of each, as one user of it has them, and what a change on the way is refused as."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal

from watchword import (
    APIKeyAuth, APIKeyVerifier, BasicAuth, BasicVerifier, BearerAuth, DigestAuth, DigestVerifier, DPoPAuth, DPoPVerifier, HMACAuth, HMACVerifier, JWTAuth,
    JWTVerifier, Key, OAuth1Auth, OAuth1Verifier, OAuth2Auth, OAuth2Verifier, Reason, RegisteredToken, ReplayableBodyHMACAuth,
    ReplayableBodyHMACVerifier, SignatureAuth, SignatureVerifier, SigV4Auth, SigV4Verifier, TokenVerifier, WebhookAuth,
    WebhookVerifier,
)  # fmt: skip
from watchword.core.records import Put, Ref
from watchword.core.scheme import Verifier
from watchword.crypto import jose
from watchword.effects import Auth
from watchword.schemes.api_key_text import APIKey, hash_key, make_key
from watchword.schemes.lookups import sha256_of
from watchword.stores import MemoryStore

__all__ = ["ISSUER_OF_TOKENS", "REALM", "SCHEMES", "SENDER", "TOKENS", "Scheme", "User"]

REALM = "matrix"
AUDIENCE = "orders"
ISSUER_OF_USERS, ISSUER_OF_TOKENS = "https://users.example", "https://tokens.example"
SENDER = "the sender"
"""The subject of schemes that know one secret, and so one sender."""


@dataclass(frozen=True)
class User:
    """Who sends the requests of one client, so that no cell has the keys, nonces and counters of another.

    Args:
        name: as the servers know it.
        token_url: where access tokens are to be had.
    """

    name: str
    token_url: str = ""

    def secret(self, use: str) -> str:
        """The secret for one use; servers make the same one."""
        return sha256(f"{use} of {self.name}".encode()).hexdigest()

    def key(self, use: str) -> Key:
        """The key for one use."""
        return Key.from_secret(self.secret(use), algorithm="HS256", key_id=f"{self.name}/{use}")

    @property
    def access_key(self) -> str:
        """The name of the AWS key."""
        return "AK" + self.secret("access key id")[:16].upper()

    @property
    def api_key(self) -> str:
        """The API key."""
        return make_key(lambda n: bytes.fromhex(self.secret("api key"))[:n], self.secret("api key id")[:12])


@dataclass(frozen=True)
class Scheme:
    """One scheme.

    Args:
        name: of its row in `watchword.schemes.SCHEMES`.
        auth: the client half.
        verifier: the server half.
        enrol: tells a server's store about the user.
        proof: finds, in the field lines of a request, the octets that prove: the one group.
        refusals: by what is changed on the way ("proof", and each part that the row says is covered) the reason that the
            operator gets.
        after_401: what the client does about a request that arrived without its credentials. "answers": it has none before it
            is asked. "again": it sends the request again, with credentials. "ends": the 401 is the caller's answer.
        one_sender: one secret, one subject.
        statuses: of refusals that have another one than their reason's.
    """

    name: str
    auth: Callable[[User], Auth]
    verifier: Callable[[], Verifier]
    enrol: Callable[[MemoryStore, User], None]
    proof: re.Pattern[bytes]
    refusals: Mapping[str, Reason]
    after_401: Literal["answers", "again", "ends"] = "ends"
    one_sender: bool = field(default=False, kw_only=True)
    statuses: Mapping[str, int] = field(default_factory=dict, kw_only=True)

    def subject(self, user: User) -> str:
        """Whose requests they are."""
        return SENDER if self.one_sender else user.name


USERS = Key.from_secret("signs the tokens of users, and only those", algorithm="HS256", key_id="users")
TOKENS = Key.from_secret("signs the tokens of the token endpoint..", algorithm="HS256", key_id="tokens")
BODIES = Key.from_secret("signs bodies, which is all that it does.", algorithm="HS256", key_id="bodies")
PROVER = Key.generate("EdDSA")
"""Each client process has its own: the token names it."""
HOOKS = b"signs webhooks, which is all that it does"
REGION, SERVICE = "eu-central-1", "orders"


def _password(store: MemoryStore, user: User) -> None:
    store.add_user(user.name, user.secret("password"), realm=REALM)


def _token(store: MemoryStore, user: User) -> None:
    store.commit([Put(Ref(RegisteredToken, (sha256_of(user.secret("token")),)), RegisteredToken(user.name))])


def _api_key(store: MemoryStore, user: User) -> None:
    store.commit([Put(Ref(APIKey, (user.api_key.split("_")[1],)), APIKey(hash_key(user.api_key), user.name))])


def _oauth1(store: MemoryStore, user: User) -> None:
    client = f"app of {user.name}"
    store.add_oauth1_client(client, secret=user.secret("client"))
    store.add_oauth1_token(f"token of {user.name}", user.secret("oauth1"), client_key=client, subject=user.name)


def _bound_token(user: User) -> str:
    claims = {"iss": ISSUER_OF_USERS, "aud": AUDIENCE, "sub": user.name, "cnf": {"jkt": PROVER.thumbprint()}}
    return jose.sign(json.dumps(claims).encode(), USERS)


def _nothing(_store: MemoryStore, _user: User) -> None:
    """The verifier knows the secret itself."""


def _every(reason: Reason, *parts: str) -> dict[str, Reason]:
    return dict.fromkeys(("proof", *parts), reason)


SCHEMES = (
    Scheme(
        "basic",
        lambda user: BasicAuth(user.name, user.secret("password")),
        lambda: BasicVerifier(realm=REALM),
        _password,
        re.compile(rb"authorization: basic \S+(\S)\S{4}\r", re.IGNORECASE),
        {"proof": Reason.WRONG_SECRET},
    ),
    Scheme(
        "digest",
        lambda user: DigestAuth(user.name, user.secret("password")),
        lambda: DigestVerifier(realm=REALM),
        _password,
        re.compile(rb'response="(\w+)"'),
        {"proof": Reason.WRONG_SECRET, "method": Reason.WRONG_SECRET, "target": Reason.WRONG_TARGET},
        "answers",
    ),
    Scheme(
        "jwt",
        lambda user: JWTAuth(USERS, claims={"iss": ISSUER_OF_USERS, "aud": AUDIENCE, "sub": user.name}),
        lambda: JWTVerifier(USERS, issuer=ISSUER_OF_USERS, audience=AUDIENCE),
        _nothing,
        re.compile(rb"authorization: bearer \S+\.(\S+)", re.IGNORECASE),
        {"proof": Reason.WRONG_SIGNATURE},
    ),
    Scheme(
        "oauth",
        lambda user: OAuth2Auth(user.token_url, user.name, user.secret("client")),
        lambda: OAuth2Verifier(TOKENS, issuer=ISSUER_OF_TOKENS, audience=AUDIENCE),
        _nothing,
        re.compile(rb"authorization: bearer \S+\.(\S+)", re.IGNORECASE),
        {"proof": Reason.WRONG_SIGNATURE},
        "again",
    ),
    Scheme(
        "dpop",
        lambda user: DPoPAuth(_bound_token(user), PROVER),
        lambda: DPoPVerifier(JWTVerifier(USERS, issuer=ISSUER_OF_USERS, audience=AUDIENCE)),
        _nothing,
        re.compile(rb"(?<!authorization: )dpop: \S+\.(\S+)", re.IGNORECASE),
        {"proof": Reason.WRONG_SIGNATURE, "method": Reason.WRONG_CLAIM, "path": Reason.WRONG_TARGET},
        statuses={"path": 401},  # RFC 9449 §7.1
    ),
    Scheme(
        "token",
        lambda user: BearerAuth(user.secret("token")),
        TokenVerifier,
        _token,
        re.compile(rb"authorization: bearer (\S+)", re.IGNORECASE),
        {"proof": Reason.UNKNOWN_KEY},
    ),
    Scheme(
        "hmac",
        lambda user: HMACAuth(user.key("hmac")),
        HMACVerifier,
        lambda store, user: store.add_key(user.name, user.key("hmac")),
        re.compile(rb'mac="(\S+)"'),
        {**_every(Reason.WRONG_SIGNATURE, "method", "target"), "body": Reason.WRONG_BODY},
    ),
    Scheme(
        "oauth1",
        lambda user: OAuth1Auth(
            f"app of {user.name}",
            user.secret("client"),
            token=f"token of {user.name}",
            token_secret=user.secret("oauth1"),
        ),
        OAuth1Verifier,
        _oauth1,
        re.compile(rb'oauth_signature="(?:%\w\w)*([^%"]+)'),
        {**_every(Reason.WRONG_SIGNATURE, "method", "target"), "body": Reason.WRONG_BODY},
    ),
    Scheme(
        "sigv4",
        lambda user: SigV4Auth(user.access_key, user.secret("sigv4"), region=REGION, service=SERVICE),
        lambda: SigV4Verifier(region=REGION, service=SERVICE),
        lambda store, user: store.add_access_key(user.name, user.access_key, user.secret("sigv4")),
        re.compile(rb"Signature=(\w+)"),
        _every(Reason.WRONG_SIGNATURE, "method", "target", "body"),
    ),
    Scheme(
        "api_key",
        lambda user: APIKeyAuth(user.api_key),
        APIKeyVerifier,
        _api_key,
        re.compile(rb"x-api-key: ww_\w{12}_(\w+)", re.IGNORECASE),
        {"proof": Reason.MALFORMED_CREDENTIALS},
    ),
    Scheme(
        "replayable_body_hmac",
        lambda _user: ReplayableBodyHMACAuth(BODIES),
        lambda: ReplayableBodyHMACVerifier(BODIES, subject=SENDER),
        _nothing,
        re.compile(rb"x-hmac: (\w+)", re.IGNORECASE),
        _every(Reason.WRONG_SIGNATURE, "body"),
        one_sender=True,
    ),
    Scheme(
        "webhook",
        lambda _user: WebhookAuth(HOOKS),
        lambda: WebhookVerifier(HOOKS, subject=SENDER),
        _nothing,
        re.compile(rb"webhook-signature: v1,(\S+)", re.IGNORECASE),
        _every(Reason.WRONG_SIGNATURE, "body"),
        one_sender=True,
    ),
    Scheme(
        "signature",
        lambda user: SignatureAuth(user.key("signature")),
        SignatureVerifier,
        lambda store, user: store.add_key(user.name, user.key("signature")),
        re.compile(rb"signature: sig1=:(\S+):", re.IGNORECASE),
        {**_every(Reason.WRONG_SIGNATURE, "method", "target"), "body": Reason.WRONG_BODY},
        "again",
    ),
)  # fmt: skip

"""What is tried on every scheme, and what must come of it by the scheme's row in SCHEMES."""

from __future__ import annotations

import json
import time
from base64 import standard_b64encode
from collections.abc import Callable
from typing import NamedTuple

from examples.api.settings import (
    AUDIENCE, DIGEST_ALGORITHMS, REALM, REGION, SERVICE, TOKEN_ISSUER, Settings, bound_token,
)  # fmt: skip
from examples.api.stores import store
from examples.demo.http_clients import Answer, Client, sign
from watchword import (
    BasicAuth, BearerAuth, DigestAuth, DPoPAuth, HMACAuth, JWTAuth, Key, OAuth1Auth, OAuth2Auth, SignatureAuth, SigV4Auth, WebhookAuth,
)  # fmt: skip
from watchword.effects import Auth
from watchword.schemes import SCHEMES, Scheme
from watchword.schemes.digest.nonces import NONCE_KEY, make_nonce

NAMES = ("basic", "digest", "jwt", "oauth", "dpop", "hmac", "signature", "sigv4", "oauth1", "webhook")
PATHS = {name: f"/{name}" for name in NAMES} | {"signature": "/signed"}
ROWS = {row.name: row for row in SCHEMES}
NOT_COVERED = "accepted: not covered by this scheme"
PROVER = Key.generate("EdDSA")
AGE = 100_000  # seconds, past every lifetime of the API


class Attack(NamedTuple):
    """A case: `promise(row)` is True where the scheme must refuse it."""

    name: str
    promise: Callable[[Scheme], bool]
    run: Callable[[Client, str, Settings, str], Answer]


def auth_of(name: str, settings: Settings, *, wrong: bool = False, lifetime: int = 300) -> Auth:
    """The client half with the right secret, or with a wrong one."""
    spoil = "-wrong" if wrong else ""
    if name == "basic":
        return BasicAuth(settings.username, settings.password + spoil)
    if name == "digest":
        return DigestAuth(settings.username, settings.password + spoil)
    if name in ("hmac", "signature", "sigv4", "oauth1", "webhook"):
        return signer_of(name, settings, wrong=wrong)
    if name == "dpop":
        token = bound_token(settings, PROVER.thumbprint(), lifetime)
        return DPoPAuth(token, Key.generate("EdDSA") if wrong else PROVER)
    if name == "oauth" and not wrong:
        return OAuth2Auth(settings.base_url + "/token", settings.client_id, settings.client_secret, scope=["read"])
    if name == "oauth":
        key = Key.generate("HS256", key_id="tokens")
        return BearerAuth(access_token(key, lifetime))
    key = Key.generate("HS256", key_id="users") if wrong else settings.jwt_key
    claims = {"iss": settings.base_url, "aud": AUDIENCE, "sub": settings.username}
    return BearerAuth(JWTAuth(key, claims=claims, lifetime=lifetime).mint(time.time()))


def signer_of(name: str, settings: Settings, *, wrong: bool) -> Auth:
    """The client half of a scheme that signs the request."""
    if name in ("hmac", "signature"):
        key = settings.hmac_key if name == "hmac" else settings.signature_key
        if wrong:
            key = Key.generate(key.algorithm, key_id=key.key_id)
        return HMACAuth(key) if name == "hmac" else SignatureAuth(key)
    spoil = "-wrong" if wrong else ""
    if name == "sigv4":
        return SigV4Auth(settings.access_key, settings.secret_key + spoil, region=REGION, service=SERVICE)
    if name == "oauth1":
        return OAuth1Auth(
            settings.consumer_key,
            settings.consumer_secret,
            token=settings.token,
            token_secret=settings.token_secret + spoil,
        )
    return WebhookAuth("whsec_" + standard_b64encode(bytes(32)).decode() if wrong else settings.webhook_secret)


def access_token(key: Key, lifetime: int, shift: float = 0) -> str:
    """A token as the token endpoint makes them."""
    from watchword.crypto import jose

    now = int(time.time() + shift)
    claims: dict[str, object] = {"iss": TOKEN_ISSUER, "aud": AUDIENCE, "sub": "reporting", "client_id": "reporting",
                                 "iat": now, "exp": now + lifetime, "jti": str(now)}  # fmt: skip
    return jose.sign(json.dumps(claims).encode(), key, header={"typ": "at+jwt"})


def genuine(client: Client, name: str, settings: Settings, url: str) -> Answer:
    """By the client's own means."""
    return client.genuine(name, auth_of(name, settings), settings, url)


def wrong_secret(client: Client, name: str, settings: Settings, url: str) -> Answer:
    """The same, with another secret."""
    return client.send("GET", url, sign(client, auth_of(name, settings, wrong=True), "GET", url, b""), b"")


def other_method(client: Client, name: str, settings: Settings, url: str) -> Answer:
    """Signed as GET, sent as POST."""
    return client.send("POST", url, sign(client, auth_of(name, settings), "GET", url, b""), b"")


def other_target(client: Client, name: str, settings: Settings, url: str) -> Answer:
    """A query is added."""
    return client.send("GET", url + "?admin=1", sign(client, auth_of(name, settings), "GET", url, b""), b"")


def other_body(client: Client, name: str, settings: Settings, url: str) -> Answer:
    """The body is changed."""
    fields = sign(client, auth_of(name, settings), "POST", url, b"pay 10")
    return client.send("POST", url, fields | {"content-type": "text/plain"}, b"pay 99")


def other_header(client: Client, name: str, settings: Settings, url: str) -> Answer:
    """A field is added."""
    fields = sign(client, auth_of(name, settings), "GET", url, b"")
    return client.send("GET", url, fields | {"x-role": "admin"}, b"")


def replayed(client: Client, name: str, settings: Settings, url: str) -> Answer:
    """Sent twice."""
    fields = sign(client, auth_of(name, settings), "GET", url, b"")
    first = client.send("GET", url, fields, b"")
    assert first.status == 200, first
    return client.send("GET", url, fields, b"")


def expired(client: Client, name: str, settings: Settings, url: str) -> Answer:
    """Made long ago; Basic has no time, so nothing to expire."""
    if name == "digest":
        return client.send("GET", url, old_digest(client, settings, url), b"")
    auth = auth_of(name, settings)
    if name == "jwt":
        auth = JWTAuth(settings.jwt_key, claims={"iss": settings.base_url, "aud": AUDIENCE, "sub": settings.username})
    if name == "oauth":
        auth = BearerAuth(access_token(settings.oauth_key, 300, -AGE))
    return client.send("GET", url, sign(client, auth, "GET", url, b"", shift=-AGE), b"")


def old_digest(client: Client, settings: Settings, url: str) -> dict[str, str]:
    """An answer to a nonce that the server signed long ago."""
    from watchword.core.answer import Challenge, Token
    from watchword.transport.flow import ClientContext, run
    from watchword.core.message import Request, Response
    from watchword.effects import Received, Send

    with store(settings.database) as kept:
        key = kept.fetch((NONCE_KEY,)).get(NONCE_KEY)
    assert key is not None
    nonce = make_nonce(key, REALM, DIGEST_ALGORITHMS[0], time.time() - AGE, bytes(12))
    challenge = Challenge("Digest", (("realm", REALM), ("nonce", nonce), ("qop", "auth"),
                                     ("algorithm", Token(DIGEST_ALGORITHMS[0]))))  # fmt: skip
    sent: list[Request] = []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(401, [(b"www-authenticate", challenge.encode())]) if len(sent) == 1 else Response(200))

    where = url.partition("://")[2].partition("/")
    run(auth_of("digest", settings), Request("GET", "http", where[0], "/" + where[2]), send, ClientContext(bytes))
    return {name.decode(): value.decode() for name, value in sent[-1].headers}


ATTACKS = (
    Attack("genuine", lambda row: False, genuine),
    Attack("wrong secret", lambda row: True, wrong_secret),
    Attack("other method", lambda row: "method" in row.covers, other_method),
    Attack("other target", lambda row: "target" in row.covers, other_target),
    Attack("other body", lambda row: "body" in row.covers, other_body),
    Attack("other header", lambda row: "headers" in row.covers, other_header),
    Attack("replayed", lambda row: row.single_use, replayed),
    Attack("expired", lambda row: row.expires, expired),
)

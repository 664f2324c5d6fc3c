"""Each scheme as the tests of a scheme need it: both halves, an impostor, and what the scheme promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec.json

from watchword.core.records import Put, Ref
from watchword.core.rejection import ConfigurationError
from watchword.core.scheme import Verifier
from watchword.effects import Auth, Received
from watchword.crypto import jose
from watchword.crypto.keys import Key
from watchword.schemes import SCHEMES
from watchword.schemes.api_key import APIKeyAuth, APIKeyVerifier
from watchword.schemes.api_key_text import APIKey, hash_key, make_key
from watchword.schemes.basic import BasicAuth, BasicVerifier
from watchword.schemes.bearer import BearerAuth
from watchword.schemes.body_hmac import ReplayableBodyHMACAuth, ReplayableBodyHMACVerifier
from watchword.schemes.digest import DigestAuth, DigestVerifier
from watchword.schemes.dpop import DPoPAuth, DPoPVerifier
from watchword.schemes.hmac_header import HMACAuth, HMACVerifier
from watchword.schemes.jwt import JWTAuth, JWTVerifier
from watchword.schemes.lookups import sha256_of
from watchword.schemes.oauth1 import OAuth1Auth, OAuth1Verifier
from watchword.oauth.auth import OAuth2Auth
from watchword.schemes.oauth2 import OAuth2Verifier
from watchword.schemes.opaque_token import TokenVerifier
from watchword.schemes.password_cache import PasswordCache
from watchword.schemes.registered_token import RegisteredToken
from watchword.schemes.signatures import SignatureAuth, SignatureVerifier
from watchword.schemes.sigv4 import SigV4Auth, SigV4Verifier
from watchword.schemes.token_cache import TokenCache
from watchword.schemes.webhooks import WebhookAuth, WebhookVerifier
from watchword.stores import MemoryStore
from watchword.testing.clock import Clock
from watchword.testing.signing import Elsewhere

__all__ = ["API_KEY", "CASES", "CLAIMS", "KEY", "SECRET", "TOKEN", "SchemeCase", "case_of"]

SECRET: Final = "a secret that no output may show, 32+"
KEY: Final = Key.from_secret(SECRET, algorithm="HS256", key_id="k1")
_WRONG_KEY: Final = Key.from_secret(SECRET[::-1], algorithm="HS256", key_id="k1")
_ISSUER: Final = "https://id.example"
CLAIMS: Final[Mapping[str, str]] = {"iss": _ISSUER, "aud": "orders", "sub": "alice"}
API_KEY: Final = make_key(lambda n: b"\x07" * n, "alicesapikey")
TOKEN: Final = "alices-opaque-token.of_32-letters"


def _nothing(store: MemoryStore) -> None:
    """Enrols nobody: the verifier knows by itself whom it accepts."""


class SchemeCase(NamedTuple):
    """One scheme, ready to be tried: both halves, an impostor, and what the scheme promises.

    Args:
        name: the scheme's, as `Identity.scheme` has it.
        auth: makes the client half of a genuine client.
        impostor: makes that of somebody who knows every name and no secret.
        verifier: makes the server half.
        enrol: puts the client's records into a store.
        subject: who a genuine request is from.
        covers: which parts of a request can't be changed: "method", "target" (or "path" alone), "headers", "body".
        single_use: the same credentials are never accepted twice.
        expires: credentials end by themselves, a day after they were made at the latest.
        ambient: browsers send them unasked, with the requests of other sites' pages too.
        secrets: texts that no output may show.
        elsewhere: answers the client half's own requests, such as one for a token, by this clock.
        remembering: makes the server half with a cache of what it has accepted; None: it has none.

    >>> case_of("basic").covers
    frozenset()
    """

    name: str
    auth: Callable[[], Auth]
    impostor: Callable[[], Auth]
    verifier: Callable[[], Verifier]
    enrol: Callable[[MemoryStore], None] = _nothing
    subject: str = "alice"
    covers: frozenset[str] = frozenset()
    single_use: bool = False
    expires: bool = False
    ambient: bool = False
    secrets: Sequence[str] = ()
    elsewhere: Callable[[Clock], Elsewhere] | None = None
    remembering: Callable[[], Verifier] | None = None


def _tokens(clock: Clock) -> Elsewhere:
    from watchword.authorization_server.token_endpoint import TokenEndpoint  # noqa: PLC0415 -- one scheme needs it
    from watchword.core.io import Direct, drive, once  # noqa: PLC0415 -- as above

    clients = MemoryStore(clock=clock)
    clients.add_client("alice", SECRET)
    endpoint = TokenEndpoint(KEY, issuer=_ISSUER, audience="orders", clock=clock)

    def answer(request: Any, body: bytes) -> Received:
        answered = drive(endpoint.respond(request, Direct(clients), once(body)))
        return Received(answered.response, answered.body)

    return answer


def _basic() -> SchemeCase:
    return SchemeCase(
        "basic", lambda: BasicAuth("alice", SECRET), lambda: BasicAuth("alice", "guess"),
        lambda: BasicVerifier(realm="orders"), lambda store: store.add_user("alice", SECRET), ambient=True,
        remembering=lambda: BasicVerifier(realm="orders", cache=PasswordCache()),
    )  # fmt: skip


def _digest() -> SchemeCase:
    return SchemeCase(
        "digest", lambda: DigestAuth("alice", SECRET), lambda: DigestAuth("alice", "guess"),
        lambda: DigestVerifier(realm="orders"), lambda store: store.add_user("alice", SECRET, realm="orders"), ambient=True,
    )  # fmt: skip


def _jwt() -> SchemeCase:
    return SchemeCase(
        "jwt", lambda: JWTAuth(KEY, claims=CLAIMS), lambda: JWTAuth(_WRONG_KEY, claims=CLAIMS),
        lambda: JWTVerifier(KEY, issuer=_ISSUER, audience="orders"), remembering=lambda: JWTVerifier(KEY, issuer=_ISSUER, audience="orders", cache=TokenCache()),
    )  # fmt: skip


def _oauth() -> SchemeCase:
    return SchemeCase(
        "oauth", lambda: OAuth2Auth("https://id.example/token", "alice", SECRET), lambda: JWTAuth(_WRONG_KEY, claims=CLAIMS),
        lambda: OAuth2Verifier(KEY, issuer=_ISSUER, audience="orders"), elsewhere=_tokens,
        remembering=lambda: OAuth2Verifier(KEY, issuer=_ISSUER, audience="orders", cache=TokenCache()),
    )  # fmt: skip


def _dpop() -> SchemeCase:
    key = Key.generate("EdDSA")
    token = jose.sign(msgspec.json.encode({**CLAIMS, "cnf": {"jkt": key.thumbprint()}}), KEY)
    return SchemeCase(
        "dpop", lambda: DPoPAuth(token, key), lambda: DPoPAuth(token, Key.generate("EdDSA")),
        lambda: DPoPVerifier(JWTVerifier(KEY, issuer=_ISSUER, audience="orders")), secrets=(token,),
    )  # fmt: skip


def _api_key() -> SchemeCase:
    wrong = make_key(lambda n: b"\x08" * n, "alicesapikey")
    record = APIKey(hash_key(API_KEY), "alice")
    return SchemeCase(
        "api_key", lambda: APIKeyAuth(API_KEY), lambda: APIKeyAuth(wrong), APIKeyVerifier,
        _put(Ref(APIKey, ("alicesapikey",)), record), secrets=(API_KEY,),
    )  # fmt: skip


def _token() -> SchemeCase:
    return SchemeCase(
        "token", lambda: BearerAuth(TOKEN), lambda: BearerAuth(TOKEN[::-1]), TokenVerifier,
        _put(Ref(RegisteredToken, (sha256_of(TOKEN),)), RegisteredToken("alice")), secrets=(TOKEN,),
    )  # fmt: skip


def _hmac() -> SchemeCase:
    return SchemeCase("hmac", lambda: HMACAuth(KEY), lambda: HMACAuth(_WRONG_KEY), HMACVerifier, _add_key)


def _signature() -> SchemeCase:
    return SchemeCase(
        "signature", lambda: SignatureAuth(KEY), lambda: SignatureAuth(_WRONG_KEY), SignatureVerifier, _add_key
    )


def _oauth1() -> SchemeCase:
    def by(token_secret: str) -> OAuth1Auth:
        return OAuth1Auth("orders-app", SECRET, token="alices-token", token_secret=token_secret)  # noqa: S106 -- its name

    def enrol(store: MemoryStore) -> None:
        store.add_oauth1_client("orders-app", secret=SECRET)
        store.add_oauth1_token("alices-token", SECRET, client_key="orders-app", subject="alice")

    return SchemeCase("oauth1", lambda: by(SECRET), lambda: by("guess"), OAuth1Verifier, enrol)


def _sigv4() -> SchemeCase:
    def by(secret: str) -> SigV4Auth:
        return SigV4Auth("AKALICE", secret, region="eu-central-1", service="orders")

    return SchemeCase(
        "sigv4", lambda: by(SECRET), lambda: by("guess"), lambda: SigV4Verifier(region="eu-central-1", service="orders"),
        lambda store: store.add_access_key("alice", "AKALICE", SECRET),
    )  # fmt: skip


def _replayable_body_hmac() -> SchemeCase:
    return SchemeCase(
        "replayable_body_hmac", lambda: ReplayableBodyHMACAuth(KEY), lambda: ReplayableBodyHMACAuth(_WRONG_KEY),
        lambda: ReplayableBodyHMACVerifier(KEY, subject="alice"),
    )  # fmt: skip


def _webhook() -> SchemeCase:
    return SchemeCase(
        "webhook", lambda: WebhookAuth(SECRET.encode()), lambda: WebhookAuth(SECRET[::-1].encode()),
        lambda: WebhookVerifier(SECRET.encode(), subject="alice"),
    )  # fmt: skip


def _add_key(store: MemoryStore) -> None:
    store.add_key("alice", KEY)


def _put(ref: Ref[Any], record: object) -> Callable[[MemoryStore], None]:
    return lambda store: _only(store.commit([Put(ref, record)]))


def _only(_: object) -> None:
    """Drops a result."""


CASES: Final[Mapping[str, Callable[[], SchemeCase]]] = {
    "basic": _basic, "digest": _digest, "jwt": _jwt, "oauth": _oauth, "dpop": _dpop, "api_key": _api_key, "token": _token, "hmac": _hmac,
    "signature": _signature, "oauth1": _oauth1, "sigv4": _sigv4, "replayable_body_hmac": _replayable_body_hmac,
    "webhook": _webhook,
}  # fmt: skip
"""Both halves and an impostor of every row of `SCHEMES`; what the scheme promises is said there."""


def case_of(scheme: str) -> SchemeCase:
    """The case of one of our schemes, with what its row of `watchword.schemes.SCHEMES` promises.

    Args:
        scheme: the scheme's name.

    Raises:
        ConfigurationError: no scheme has that name.

    >>> case_of("hmac").single_use
    True
    """
    row = next((row for row in SCHEMES if row.name == scheme), None)
    if row is None:
        names = ", ".join(row.name for row in SCHEMES)
        raise ConfigurationError(f"there is no scheme {scheme!r}: use one of {names}")
    case = CASES[scheme]()
    return case._replace(
        covers=row.covers, single_use=row.single_use, expires=row.expires, secrets=(SECRET, *case.secrets)
    )

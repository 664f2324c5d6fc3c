"""OAuth 2.0: the client credentials grant (RFC 6749 §4.4) and JWT access tokens (RFC 9068). Both halves."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final
from urllib.parse import quote_plus, urlencode, urlsplit

import msgspec

from watchword.schemes.sending import refuse_cleartext
from watchword.core.message import Request
from watchword.core.records import Put, Ref
from watchword.core.rejection import ConfigurationError, CredentialsUnavailable
from watchword.effects import Context, Effect, Flow, Hold, Load, Received, Release, Save, Send
from watchword.schemes.client_half import ClientHalf, need_text
from watchword.crypto.jose import MAX_TOKEN
from watchword.crypto.keys import Key, KeySet
from watchword.schemes.bearer import bearer_field, is_token
from watchword.schemes.jwt import JWTVerifier
from watchword.schemes.key_source import KeySource
from watchword.schemes.revocation import Revocations
from watchword.schemes.token_places import TokenPlace
from watchword.schemes.token_cache import TokenCache

__all__ = [
    "AccessToken", "Fetching", "OAuth2Auth", "OAuth2Verifier", "RenewingAuth", "error_code", "form_request", "json_object",
    "lifetime_of", "token_until",
]  # fmt: skip

LEASE: Final = 60.0
RENEW_EARLY: Final = 30.0
CENTURY: Final = 100 * 365 * 86400


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token as the token endpoint issued it (RFC 6749 §5.1).

    Args:
        value: the token itself; a bearer secret.
        expires: seconds since the epoch; None if the endpoint did not say.
        renew: when a client asks for the next one, a little before it expires.
        scopes: what it is good for.
    """

    sensitive: ClassVar[bool] = True

    value: str = field(repr=False)
    expires: float | None
    renew: float | None
    scopes: tuple[str, ...]


Fetching = Generator[Effect, Any, AccessToken]


class RenewingAuth(ClientHalf):
    """What client halves with an access token have in common.

    One token serves all threads and tasks. It is got once, kept, renewed before it expires, and once if the API answers 401.
    Whoever derives from this says in `fetched` how a token is got, and in `sending` where it goes.
    """

    __slots__ = ("__weakref__", "_allow_cleartext", "_token")

    def __init__(self, *, allow_cleartext: bool) -> None:
        self._allow_cleartext = allow_cleartext
        self._token: AccessToken | None = None

    @property
    def token(self) -> AccessToken | None:
        """The token in use, None before the first request."""
        return self._token

    @property
    def renewable(self) -> bool:
        """Whether another token can be got where the API refuses this one."""
        return True

    def use(self, token: AccessToken) -> None:
        """Sends this token from now on."""
        self._token = token

    def sending(self, request: Request, token: AccessToken, context: Context) -> Send:
        """The request with the token."""
        return Send(request.with_headers((bearer_field(token.value),)))

    def fetched(self, context: Context) -> Fetching:
        """The effects that get a token from the token endpoint."""
        raise NotImplementedError

    def key(self) -> Ref[AccessToken]:
        """Where the token is in the client's own store."""
        raise NotImplementedError

    def flow(self, request: Request, context: Context) -> Flow:
        """The request with the token; once more with a new one if the answer is 401."""
        refuse_cleartext(request, self._allow_cleartext)
        token = self.token
        if token is None or not _fresh(token, context.now()):
            token = yield from self.obtain(context, None)
        received: Received = yield self.sending(request, token, context)
        if received.response.status == 401 and self.renewable:
            renewed = yield from self.obtain(context, token)
            yield self.sending(request, renewed, context)

    def obtain(self, context: Context, refused: AccessToken | None) -> Fetching:
        """The effects that get a token other than `refused`; one flow fetches, the others wait for it."""
        yield Hold("token", LEASE)
        token = self.token
        if token is None and context.stored:
            found = yield Load((self.key(),))
            token = found.get(self.key())
        if token is None or token == refused or not _fresh(token, context.now()):
            token = yield from self.fetched(context)
            if context.stored:
                yield Save((Put(self.key(), token),))
        self.use(token)
        # If anything above fails, the driver lets the lock go.
        yield Release("token")
        return token


class OAuth2Auth(RenewingAuth):
    """Gets an access token by the client credentials grant and attaches it; one token serves all threads and tasks.

    The token is fetched once, kept, renewed before it expires, and fetched anew once if the API answers 401.

    Args:
        token_url: the token endpoint; https, or loopback.
        client_id: the client's name.
        client_secret: the client's secret.
        scope: the scopes to ask for; none: what the endpoint grants by default.
        in_form: send the client credentials in the form instead of by Basic, for endpoints that demand it.
        allow_cleartext: send secrets over http to hosts other than loopback.

    Raises:
        ConfigurationError: a token URL or a scope that can't be used.

    >>> OAuth2Auth("https://id.example/token", "robot", "s3cret", scope=["read"])
    OAuth2Auth('https://id.example/token', client_id='robot', scope=['read'])
    """

    __slots__ = ("_client", "_in_form", "_scope", "_token_url")

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: str,
        *,
        scope: Sequence[str] = (),
        in_form: bool = False,
        allow_cleartext: bool = False,
    ) -> None:
        if isinstance(scope, str):
            raise ConfigurationError(f"scope is a list: scope={scope.split()!r}")
        for what, value in (("token_url", token_url), ("client_id", client_id), ("client_secret", client_secret)):
            need_text(what, value)
            if not value:
                raise ConfigurationError(f"{what} is empty: is the environment variable or setting that holds it set?")
        super().__init__(allow_cleartext=allow_cleartext)
        self._token_url = token_url
        self._client = (client_id, client_secret)
        self._scope = tuple(scope)
        self._in_form = in_form
        refuse_cleartext(self._token_request()[0], allow_cleartext)

    def __repr__(self) -> str:
        return f"OAuth2Auth({self._token_url!r}, client_id={self._client[0]!r}, scope={list(self._scope)!r})"

    def fetched(self, context: Context) -> Fetching:
        """The effects that get a token by the client credentials grant."""
        asked_at = context.now()
        request, body = self._token_request()
        request = request.seen_as(request.scheme, request.authority, request.target, context.peer(request))
        refuse_cleartext(request, self._allow_cleartext)
        return _read(asked_at, (yield Send(request, body, want=True)), self._scope)

    def key(self) -> Ref[AccessToken]:
        """Where the token is in the client's own store: by endpoint, client and scope."""
        return Ref(AccessToken, (self._token_url, self._client[0], " ".join(self._scope)))

    def _token_request(self) -> tuple[Request, bytes]:
        form = {"grant_type": "client_credentials"}
        if self._scope:
            form["scope"] = " ".join(self._scope)
        headers = [
            (b"accept", b"application/json"),
            (b"content-type", b"application/x-www-form-urlencoded"),
        ]
        client_id, secret = self._client
        if self._in_form:
            form |= {"client_id": client_id, "client_secret": secret}
        else:
            # Both halves are form-encoded inside Basic (RFC 6749 §2.3.1).
            pair = f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()
            headers.append((b"authorization", b"Basic " + b64encode(pair)))
        request = form_request(self._token_url)
        return request.with_headers(tuple(headers)), urlencode(form).encode()


def form_request(token_url: str) -> Request:
    """A POST to a token endpoint (RFC 6749 §3.2), without fields.

    Raises:
        ConfigurationError: this is no URL of one.

    >>> form_request("https://id.example/token?tenant=7").target
    b'/token?tenant=7'
    """
    try:
        parts = urlsplit(token_url)
    except ValueError:  # brackets that hold no address
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment or "@" in parts.netloc:
        raise ConfigurationError("token_url is an http(s) URL without user information and fragment")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Request("POST", parts.scheme, parts.netloc, target)


def _fresh(token: AccessToken, now: float) -> bool:
    return token.renew is None or now < token.renew


def _read(now: float, received: Received, asked: tuple[str, ...]) -> AccessToken:
    """The token of a token response (RFC 6749 §5.1).

    Raises:
        CredentialsUnavailable: an error response (§5.2), or one that is not a bearer token.
    """
    status = received.response.status
    content = json_object(received.body or b"")
    if content is None:
        raise CredentialsUnavailable(f"the token endpoint answered {status} without a JSON object")
    if status != 200:
        code = error_code(content)
        raise CredentialsUnavailable(f"the token endpoint answered {status}: {code or 'no error code'}")
    value, kind = content.get("access_token"), content.get("token_type")
    if not isinstance(value, str) or not is_token(value) or not isinstance(kind, str) or kind.lower() != "bearer":
        raise CredentialsUnavailable("the token endpoint's answer holds no bearer token")
    scope = content.get("scope")
    scopes = tuple(scope.split()) if isinstance(scope, str) else asked
    return token_until(now, value, lifetime_of(content.get("expires_in")), scopes)


def token_until(now: float, value: str, lifetime: float | None, scopes: tuple[str, ...]) -> AccessToken:
    """The token `value` that ends in `lifetime` seconds, and is renewed a little before.

    >>> token_until(1000, "2YotnFZFEjr1zCsicMWpAA", 3600, ()).renew
    4570.0
    """
    if lifetime is None:
        return AccessToken(value, None, None, scopes)
    early = min(RENEW_EARLY, lifetime / 4)
    return AccessToken(value, now + lifetime, now + lifetime - early, scopes)


def error_code(content: Mapping[str, Any]) -> str:
    r"""The `error` of a token response; "" for what RFC 6749 §5.2 has no characters for: it would be repeated into logs.

    >>> error_code({"error": "invalid_client"}), error_code({"error": "two\nlines"})
    ('invalid_client', '')
    """
    code = content.get("error")
    return code[:64] if isinstance(code, str) and code.isascii() and code.isprintable() else ""


def json_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object of an answer; None for what is none. An error of the decoder's own would carry the answer along."""
    try:
        content = msgspec.json.decode(body)
    except (ValueError, RecursionError):  # wrong UTF-8 is a ValueError that is no DecodeError
        return None
    return content if isinstance(content, dict) else None


def lifetime_of(value: object) -> float | None:
    """`expires_in` in seconds, which some endpoints send as text; more than a century is as good as none.

    >>> lifetime_of("3600"), lifetime_of(3600), lifetime_of(-1)
    (3600.0, 3600.0, None)
    """
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:12])
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= CENTURY:
        return None
    return float(value)


class OAuth2Verifier(JWTVerifier):
    """Verifies JWT access tokens by the profile of RFC 9068: typ `at+jwt` and all the claims of its §2.2 are demanded.

    Args:
        keys: the authorization server's key or keys, or a `watchword.stores.RemoteKeySet` of them.
        issuer: the authorization server (`iss`).
        audience: this API (`aud`).
        algorithms: which of the keys' algorithms are accepted; None: those of `keys`.
        leeway: seconds by which clocks may differ.
        scope_lists: take `scope` as a list of texts too, as some authorization servers write it; RFC 9068 §2.2.3 has a
            text.
        revocations, cache, max_token, place: as `JWTVerifier` has them.
        clock: seconds since the epoch, for the plain `verify`.

    >>> OAuth2Verifier(Key.generate("HS256"), issuer="https://id.example", audience="orders").scheme
    'oauth'
    """

    scheme: str = "oauth"

    def __init__(
        self,
        keys: Key | KeySet | KeySource,
        *,
        issuer: str,
        audience: str,
        algorithms: Sequence[str] | None = None,
        leeway: float = 0,
        scope_lists: bool = False,
        revocations: Revocations | None = None,
        cache: TokenCache | None = None,
        max_token: int = MAX_TOKEN,
        place: TokenPlace | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if type(scope_lists) is not bool:
            raise ConfigurationError("scope_lists= is True or False")
        self.scope_lists = scope_lists
        super().__init__(
            keys,
            issuer=issuer,
            audience=audience,
            algorithms=algorithms,
            typ="at+jwt",
            required=("iss", "exp", "aud", "sub", "client_id", "iat", "jti"),
            leeway=leeway,
            revocations=revocations,
            cache=cache,
            max_token=max_token,
            place=place,
            clock=clock,
        )

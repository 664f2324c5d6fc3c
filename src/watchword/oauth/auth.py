"""`OAuth2Auth`: gets access tokens by any grant, keeps them, and attaches them."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, Final

from watchword.core.rejection import ConfigurationError
from watchword.effects import Context
from watchword.oauth.authorization_code import AuthorizationCode, Granted, Login
from watchword.oauth.client_authentication import Client, ClientSecret
from watchword.oauth.client_credentials import ClientCredentials
from watchword.oauth.device import Device
from watchword.oauth.errand import Errand
from watchword.oauth.issuer import Issuer, params_of, scopes_of
from watchword.oauth.keeping import Keeper, OnToken
from watchword.oauth.refresh import refreshing
from watchword.oauth.renewing import Fetching, RenewingAuth
from watchword.oauth.revocation import revoking
from watchword.oauth.token_response import AccessToken
from watchword.oauth.tokens import TokenKey, TokenMemory, TokenStore
from watchword.schemes.client_half import need_text
from watchword.structures.bounded import Bounded

__all__ = ["OAuth2Auth"]

Grant = ClientCredentials | AuthorizationCode | Device

MAX_OWNERS: Final = 4096
"""Owners whose tokens are at hand without a look into the store."""


class OAuth2Auth(RenewingAuth):
    """Gets an access token by one of OAuth 2's grants and attaches it; one token serves all threads and tasks.

    The token is fetched once, kept, renewed before it expires, and got anew once if the API answers 401. Either only the
    token endpoint is known, `OAuth2Auth(token_url, client_id, client_secret)`, which are client credentials. Or the issuer is,
    `OAuth2Auth(issuer=…, client=…, grant=…)`, whose metadata says the rest.

    Args:
        token_url: the token endpoint; https, or loopback.
        client_id: the client's name.
        client_secret: the client's secret.
        scope: the scopes to ask for; none: what the endpoint grants by default.
        in_form: send the client credentials in the form instead of by Basic, for endpoints that demand it.
        allow_cleartext: send secrets over http to hosts other than loopback.
        issuer: the issuer, to the letter as its metadata names it.
        client: `ClientSecret(…)`, `PrivateKeyJWT(…)` or `PublicClient(…)`.
        grant: `ClientCredentials()`, `AuthorizationCode(…)` or `Device()`.
        metadata: the issuer's metadata (RFC 8414 §2), if it publishes none.
        resource: the API that the token is for, as a URL (RFC 8707).
        audience: the same as some issuers want it.
        params: further parameters of the request by which a grant begins.
        tokens: where tokens are kept; None: in this process, for this object. `TokenFile` shares them among processes.
        refresh_retry: the issuer takes a refresh token once more whose answer was lost.
        lenient: take a token without `token_type` for a bearer token.
        on_token: called with each new token and the one before, as soon as it is kept; may be a coroutine function.

    Raises:
        ConfigurationError: a URL, scope or parameter that can't be used, or arguments that don't go together.

    >>> OAuth2Auth("https://id.example/token", "robot", "s3cret", scope=["read"])
    OAuth2Auth('https://id.example/token', client_id='robot', scope=['read'])
    >>> OAuth2Auth(issuer="https://id.example", client=ClientSecret("shop", "s3cret"),
    ...            grant=AuthorizationCode("https://shop.example/callback"), scope=["openid"]).for_owner("alice")
    OAuth2Auth(issuer='https://id.example', client_id='shop', grant=AuthorizationCode('https://shop.example/callback'),
    scope=['openid'], owner='alice')
    """

    __slots__ = ("_grant", "_issuer", "_keeper", "_key", "_known", "_token_url")

    def __init__(
        self,
        token_url: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        *,
        scope: Sequence[str] = (),
        in_form: bool = False,
        allow_cleartext: bool = False,
        issuer: str | None = None,
        client: Client | None = None,
        grant: Grant | None = None,
        metadata: Mapping[str, Any] | None = None,
        resource: str | None = None,
        audience: str | None = None,
        params: Mapping[str, str] | None = None,
        tokens: TokenStore | None = None,
        refresh_retry: bool = False,
        lenient: bool = False,
        on_token: OnToken | None = None,
    ) -> None:
        super().__init__(allow_cleartext=allow_cleartext)
        scopes = scopes_of(scope)
        if issuer is None:
            if client is not None or grant is not None or metadata is not None:
                raise ConfigurationError("client=, grant= and metadata= go with issuer=: whose are they?")
            name, client = _alone(token_url, client_id, client_secret, in_form)
            token_url, grant = name, ClientCredentials()
        else:
            if token_url is not None or client_id is not None or client_secret is not None or in_form:
                raise ConfigurationError(
                    "with issuer=, the client is client=ClientSecret(client_id, client_secret), and its metadata has the rest"
                )
            name = issuer
        if not isinstance(client, Client):
            raise ConfigurationError("client= is ClientSecret(…), PrivateKeyJWT(…) or PublicClient(client_id)")
        if not isinstance(grant, Grant):
            raise ConfigurationError("grant= is ClientCredentials(), AuthorizationCode(redirect_uri) or Device()")
        self._token_url = token_url
        self._grant: Grant = grant
        self._issuer = Issuer(
            name, client, metadata=metadata, token_url=token_url, scopes=scopes, resource=resource, audience=audience,
            params=params_of(params), lenient=lenient, allow_cleartext=allow_cleartext,
        )  # fmt: skip
        self._keeper = Keeper(
            TokenMemory() if tokens is None else tokens, refresh_retry=refresh_retry, on_token=on_token
        )
        self._key = TokenKey(name, client.client_id, self._issuer.target, tuple(sorted(set(scopes))))
        self._known: Bounded[str, AccessToken] = Bounded(MAX_OWNERS)

    def __repr__(self) -> str:
        client, scope = f"client_id={self._key.client!r}", f"scope={list(self._issuer.scopes)!r}"
        owner = f", owner={self._key.owner!r}" if self._key.owner else ""
        if self._token_url is not None:
            return f"OAuth2Auth({self._token_url!r}, {client}, {scope}{owner})"
        return f"OAuth2Auth(issuer={self._key.issuer!r}, {client}, grant={self._grant!r}, {scope}{owner})"

    @property
    def token(self) -> AccessToken | None:
        """The token in use, None before the first request."""
        return self._known.get(self._key.owner)

    def for_owner(self, owner: str) -> OAuth2Auth:
        """The same for somebody else: two owners share no token, no lock and no cache.

        Args:
            owner: the name that the application has for them; none but the application itself may choose it.

        Raises:
            ConfigurationError: no text.
        """
        need_text("owner", owner)
        twin: OAuth2Auth = object.__new__(type(self))
        RenewingAuth.__init__(twin, allow_cleartext=self._allow_cleartext)
        twin._token_url, twin._grant, twin._issuer = self._token_url, self._grant, self._issuer
        twin._keeper, twin._known = self._keeper, self._known
        twin._key = self._key._replace(owner=owner)
        return twin

    def obtain(self, context: Context, refused: AccessToken | None) -> Fetching:
        """The effects that get a token other than `refused`; one flow gets it, the others wait for it."""
        token = yield from self._keeper.obtain(context, self._key, self, refused)
        self._known.put(self._key.owner, token)
        return token

    # ---- the source of tokens, as the keeper asks it -----------------------------------------------------------------

    def begin(self, context: Context) -> Generator[Any, Any, AccessToken]:
        """The effects that get a token by the grant."""
        return self._grant.begin(context, self._issuer)

    def refresh(self, context: Context, token: AccessToken) -> Generator[Any, Any, AccessToken]:
        """The effects that get one by a refresh token."""
        return refreshing(context, self._issuer, token)

    def can_begin(self, context: Context) -> bool:
        """Whether the grant can begin by itself, or has somebody to ask."""
        return self._grant.can_begin(context)

    def asks_somebody(self, context: Context) -> bool:
        """Whether a person is asked."""
        return not isinstance(self._grant, ClientCredentials) and self._grant.can_begin(context)

    # ---- log-in and log-out ------------------------------------------------------------------------------------------

    def begin_login(self) -> Errand[Login]:
        """Begins a log-in: its `url` is where the browser goes, and the rest is kept until it is back.

        Raises:
            ConfigurationError: another grant.
        """
        grant = self._with_browser()
        return Errand("begin a log-in", lambda context: grant.start(context, self._issuer))

    def finish_login(self, login: Login, callback: str, *, owner: str | None = None) -> Errand[Granted]:
        """Finishes a log-in: the token is kept, and the next request has it.

        Args:
            login: what `begin_login` gave. Forget it now: it is good for one answer.
            callback: the URL to which the browser was sent, with its query.
            owner: whose the token is; None: that of `for_owner`, or the client's own.

        Raises:
            ConfigurationError: another grant.
        """
        if owner is not None:
            return self.for_owner(owner).finish_login(login, callback)
        grant = self._with_browser()

        def steps(context: Context) -> Generator[Any, Any, Granted]:
            granted = yield from grant.redeem(context, self._issuer, login, callback)
            yield from self._kept(granted.token)
            return granted

        return Errand("finish a log-in", steps)

    def log_in(self, *, anew: bool = False) -> Errand[AccessToken]:
        """Gets a token now and not with the first request, and asks a person where the grant does so.

        Args:
            anew: begin the grant even if there is a token; what was there stays until it has succeeded.
        """

        def steps(context: Context) -> Generator[Any, Any, AccessToken]:
            if anew:
                return (yield from self._kept((yield from self.begin(context))))
            return (yield from self.obtain(context, self._known.get(self._key.owner)))

        return Errand("log in", steps)

    def revoke(self) -> Errand[None]:
        """Forgets the token, and gives it back to the issuer (RFC 7009)."""

        def steps(context: Context) -> Generator[Any, Any, None]:
            token = yield from self._keeper.put(self._key, None)
            self._known.pop(self._key.owner)
            if token is not None:
                yield from revoking(context, self._issuer, token)

        return Errand("give a token back", steps)

    def _kept(self, token: AccessToken) -> Generator[Any, Any, AccessToken]:
        yield from self._keeper.put(self._key, token)
        self._known.put(self._key.owner, token)
        return token

    def _with_browser(self) -> AuthorizationCode:
        if not isinstance(self._grant, AuthorizationCode):
            raise ConfigurationError(
                "begin_login and finish_login are for grant=AuthorizationCode(…); for others there is log_in"
            )
        return self._grant


def _alone(token_url: object, client_id: object, client_secret: object, in_form: bool) -> tuple[str, ClientSecret]:
    """A token endpoint and the client's credentials there."""
    for what, value in (("token_url", token_url), ("client_id", client_id), ("client_secret", client_secret)):
        need_text(what, value)
    method = "client_secret_post" if in_form else "client_secret_basic"
    return str(token_url), ClientSecret(str(client_id), str(client_secret), method=method)

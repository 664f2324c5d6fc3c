"""`OAuth2Session`: a session of requests with an access token, by the client credentials grant or given (RFC 6749 §4.4)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NoReturn

import requests

from watchword.clients._exchange import waiting
from watchword.dropin.requests_oauthlib._bearer import ClientToken, Secured, TokenSender
from watchword.dropin.requests_oauthlib._grants import (
    NOT_GIVEN, NotGiven, check_client, check_fetch, is_implicit, refuse_implicit, refuse_later,
)  # fmt: skip
from watchword.dropin.requests_oauthlib._token_request import UNFOLLOWED, Auth, TokenRequest, text_of, token_of
from watchword.dropin.requests_oauthlib.errors import TokenUpdated
from watchword.dropin.requests_oauthlib.oauth2_client import BackendApplicationClient
from watchword.core.rejection import ConfigurationError

__all__ = ["OAuth2Session", "TokenUpdated"]

HOOKS: Final = (
    "access_token_response", "refresh_token_response", "protected_request", "refresh_token_request", "access_token_request",
)  # fmt: skip
Hook = Callable[..., Any]
Scope = str | Sequence[str] | None


class OAuth2Session(requests.Session):
    """A session that sends an access token.

    A token that it has fetched is renewed before it expires, and once if the API refuses it.

    Args:
        client_id: the client's name at the authorization server.
        client: a `BackendApplicationClient`, oauthlib's or ours.
        auto_refresh_url: refused, as `auto_refresh_kwargs` and `token_updater` are: refresh tokens are not there yet.
        scope: the scopes to ask for, as a list or as text with spaces between them; else the client's.
        redirect_uri: kept; the grant that sends it is not there yet, and with it nothing is fetched without `client=`.
        token: a token that is there already; its `access_token` is sent until its `expires_at`.
        state: kept, as `redirect_uri` is, and so is `pkce`.
        client_secret: the client's secret, if `fetch_token` shall not be given it.
        allow_cleartext: send secrets over http to hosts other than loopback.

    Raises:
        ConfigurationError: what is passed as `client` is none.
        UnsupportedGrant: an argument is for a grant that is not there yet.

    >>> session = OAuth2Session("robot", client_secret="s3cret", scope="read write")
    >>> session.token, session.authorized
    ({}, False)
    """

    def __init__(
        self,
        client_id: str | None = None,
        client: Any = None,
        auto_refresh_url: str | None = None,
        auto_refresh_kwargs: Mapping[str, Any] | None = None,
        scope: Scope = None,
        redirect_uri: str | None = None,
        token: Mapping[str, Any] | None = None,
        state: str | Callable[[], str] | None = None,
        token_updater: Callable[[Any], Any] | None = None,
        pkce: str | None = None,
        *,
        client_secret: str | None = None,
        allow_cleartext: bool = False,
    ) -> None:
        for name, value in (
            ("auto_refresh_url", auto_refresh_url), ("auto_refresh_kwargs", auto_refresh_kwargs), ("token_updater", token_updater),
        ):  # fmt: skip
            if value:
                refuse_later(name)
        super().__init__()
        if client is not None:
            check_client(client)
        self._chosen = client is not None
        self._client: Any = client or BackendApplicationClient(client_id)
        self._client_secret = client_secret
        self._allow_cleartext = allow_cleartext
        self._sent = ClientToken(self._client, allow_cleartext=allow_cleartext)
        self._sender = TokenSender(self._sent)
        self._scope = scope
        self._pkce = pkce
        self.redirect_uri = redirect_uri
        self.state = state
        self.token = token or {}
        # requests would look into ~/.netrc for a request without auth.
        self.auth = self._send_token
        self.compliance_hook: dict[str, set[Hook]] = {name: set() for name in HOOKS}

    def _send_token(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        return self._sender(r) if self.authorized else r

    @property
    def scope(self) -> Any:
        """The scopes to ask for: the session's, else its client's."""
        return getattr(self._client, "scope", None) if self._scope is None else self._scope

    @scope.setter
    def scope(self, scope: Scope) -> None:
        self._scope = scope

    @property
    def client_id(self) -> str | None:
        """The client's name."""
        return getattr(self._client, "client_id", None)

    @client_id.setter
    def client_id(self, value: str | None) -> None:
        self._client.client_id = value

    @client_id.deleter
    def client_id(self) -> None:
        del self._client.client_id

    @property
    def token(self) -> Any:
        """The token in use, as `fetch_token` gives it; empty before. What is put here is sent until it ends, and not renewed."""
        return self._client.token

    @token.setter
    def token(self, value: Mapping[str, Any]) -> None:
        self._sent.again = None
        self._take(value)

    def _take(self, token: Mapping[str, Any]) -> None:
        self._client.token = token
        self._client.populate_token_attributes(token)
        self._sent.learn(token, time.time())

    @property
    def access_token(self) -> str | None:
        """The token in use, as text."""
        return getattr(self._client, "access_token", None)

    @access_token.setter
    def access_token(self, value: str | None) -> None:
        self._client.access_token = value

    @access_token.deleter
    def access_token(self) -> None:
        del self._client.access_token

    @property
    def authorized(self) -> bool:
        """Whether there is a token."""
        return bool(self.access_token)

    def fetch_token(
        self,
        token_url: str,
        code: str | NotGiven | None = NOT_GIVEN,
        authorization_response: str | NotGiven | None = NOT_GIVEN,
        body: str = "",
        auth: Auth = None,
        username: str | None = None,
        password: str | None = None,
        method: str = "POST",
        force_querystring: bool = False,
        timeout: Any = None,
        headers: Mapping[str, str] | None = None,
        verify: Any = None,
        proxies: Mapping[str, str] | None = None,
        include_client_id: bool | None = None,
        client_secret: str | None = None,
        cert: Any = None,
        client_id: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Gets a token by the client credentials grant, and uses it from now on.

        Args:
            token_url: the token endpoint; https, or loopback. It is sent no request to another URL, should it redirect.
            code: refused: the authorization code grant is not there yet.
            authorization_response: refused, likewise.
            body: further parameters, encoded.
            auth: the client's name and secret, or what requests takes as `auth=`.
            username: refused: the password grant is not to be used.
            password: refused, likewise.
            method: "POST", or "GET", which shows the parameters in the URL.
            force_querystring: the same, by POST.
            timeout: in seconds, as requests has it; None is 30 seconds.
            headers: instead of Accept and Content-Type.
            verify: as requests has it.
            proxies: as requests has them.
            cert: as requests has it; a certificate proves who the client is (RFC 8705).
            include_client_id: True: name and secret go into the form; else into the header.
            client_secret: the client's secret, instead of the session's.
            client_id: the client's name, if the session has none.
            kwargs: further parameters: scope, audience, resource, client_assertion.

        Raises:
            ConfigurationError: nothing proves who the client is, or the token URL can't be used.
            UnsupportedGrant: the arguments are those of another grant.
            InsecureTransportError: secrets would travel in the clear.
            OAuth2Error: the endpoint refuses, or its answer is no token.
            CredentialsUnavailable: the answer is too long, or leads elsewhere.
            ScopeChanged: the token is good for other scopes than were asked for.
        """
        given = {
            "code": code, "authorization_response": authorization_response, "username": username, "password": password,
            "pkce": self._pkce, "redirect_uri": self.redirect_uri, "state": self.state,
        }  # fmt: skip
        check_fetch(self._client, chosen=self._chosen, given=given)
        if self.client_id is None and client_id is not None:
            self.client_id = client_id
        asked = TokenRequest(
            token_url, self.client_id, self._client_secret if client_secret is None else client_secret, auth,
            include_client_id, body, method, force_querystring, headers, kwargs,
            {"timeout": waiting(timeout), "verify": verify, "proxies": proxies, "cert": cert},
        )  # fmt: skip
        asked.check()
        self.token = {}
        self._client.access_token = None
        self._ask(asked)
        self._sent.again = partial(self._ask, asked)
        return self.token

    def _ask(self, asked: TokenRequest) -> None:
        """Sends a token request and takes the token of the answer."""
        hooks = self.compliance_hook["access_token_request"]
        certified = bool(asked.settings.get("cert") or self.cert)
        headers, auth, arguments = asked.sent(self._client, self.scope, certified=certified, hooked=bool(hooks))
        url = asked.url
        for hook in hooks:
            url, headers, arguments = hook(url, headers, arguments)
        secured = Secured(auth, allow_cleartext=self._allow_cleartext)
        response = self.request(
            asked.method,
            url,
            headers=headers,
            auth=secured,
            withhold_token=True,
            **{**asked.settings, **arguments, **UNFOLLOWED},
        )
        text_of(response)
        for hook in self.compliance_hook["access_token_response"]:
            response = hook(response)
        self._take(token_of(response, asked.more.get("scope", self.scope), time.time()))

    def request(  # type: ignore[override]  # the arguments that requests-oauthlib has
        self,
        method: str,
        url: str,
        data: Any = None,
        headers: Any = None,
        withhold_token: bool = False,
        client_id: str | None = None,
        client_secret: str | None = None,
        files: Any = None,
        **kwargs: Any,
    ) -> requests.Response:
        """As in requests, with the token.

        Args:
            method: as in requests.
            url: as in requests.
            data: as in requests.
            headers: as in requests.
            withhold_token: send it without the token.
            client_id: refused: it belongs to refresh tokens.
            client_secret: refused, likewise.
            files: as in requests.
            **kwargs: as in requests; `auth=` goes before the token.

        Raises:
            ConfigurationError: there is no token yet.
            TokenExpiredError: the token has ended, and is not one that `fetch_token` got.
            InsecureTransportError: the token would travel in the clear.
        """
        for name, value in (("request(client_id=)", client_id), ("request(client_secret=)", client_secret)):
            if value is not None:
                refuse_later(name)
        own = kwargs.pop("auth", None)
        if not withhold_token:
            if not self.authorized and own is None:
                raise ConfigurationError(
                    "there is no token yet: call fetch_token(token_url) first, or say withhold_token=True"
                )
            if self.token:
                for hook in self.compliance_hook["protected_request"]:
                    url, headers, data = hook(url, headers, data)
        auth = own or (_bare if withhold_token else self._send_token)
        return super().request(method, url, data=data, headers=headers, files=files, auth=auth, **kwargs)

    def register_compliance_hook(self, hook_type: str, hook: Hook) -> None:
        """Has `hook` change what is sent or was answered, for servers that don't follow RFC 6749.

        Args:
            hook_type: "access_token_request", called with URL, headers and arguments of the token request, which it gives back;
                "access_token_response", called with its answer, which it gives back; "protected_request", called with URL,
                headers and data of each request with the token. The two of refresh tokens are kept.
            hook: the function.

        Raises:
            ConfigurationError: no such type.
        """
        if hook_type not in self.compliance_hook:
            raise ConfigurationError(f"hook_type is one of {', '.join(HOOKS)}")
        self.compliance_hook[hook_type].add(hook)

    # ---- what is not there: see _grants.py ----

    def authorization_url(self, url: str, state: str | None = None, **kwargs: Any) -> NoReturn:
        """Refused: the authorization code grant is not there yet, the implicit grant is not to be used."""
        if is_implicit(self._client):
            refuse_implicit("MobileApplicationClient")
        refuse_later("authorization_url")

    def new_state(self) -> NoReturn:
        """Refused: the authorization code grant is not there yet."""
        refuse_later("new_state")

    def token_from_fragment(self, authorization_response: str) -> NoReturn:
        """Refused: the implicit grant is not to be used."""
        refuse_implicit("token_from_fragment")

    def refresh_token(self, token_url: str, refresh_token: str | None = None, **kwargs: Any) -> NoReturn:
        """Refused: refresh tokens are not there yet."""
        refuse_later("refresh_token")


def _bare(r: requests.PreparedRequest) -> requests.PreparedRequest:
    return r

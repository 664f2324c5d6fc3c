"""The session of requests-oauthlib, for the client credentials grant (RFC 6749 §4.4): change the import."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from watchword.transport.flow import ClientContext, Drive
from watchword.core.message import Request
from watchword.core.rejection import ConfigurationError, not_installed
from watchword.schemes.oauth2 import OAuth2Auth

try:
    import requests
except ImportError:
    raise not_installed("requests") from None

from watchword.clients._exchange import url_of
from watchword.clients._requests_io import advance
from watchword.clients._requests_route import Caller
from watchword.clients.requests import adapt

__all__ = ["OAuth2Session"]


class OAuth2Session(requests.Session):
    """A session that attaches an access token, renews it before it expires and once if the API refuses it.

    Args:
        client_id: the client's name at the authorization server.
        client_secret: the client's secret.
        scope: the scopes to ask for, as a list or as text with spaces between them.

    >>> session = OAuth2Session("robot", client_secret="s3cret", scope="read write")
    >>> session.token, session.authorized
    ({}, False)
    """

    def __init__(
        self, client_id: str, client_secret: str | None = None, *, scope: str | Sequence[str] | None = None
    ) -> None:
        super().__init__()
        self.client_id = client_id
        self.scope = tuple(scope.split() if isinstance(scope, str) else scope or ())
        self._client_secret = client_secret
        self._oauth: OAuth2Auth | None = None

    @property
    def token(self) -> dict[str, Any]:
        """The token in use, as `fetch_token` gives it; empty before."""
        token = None if self._oauth is None else self._oauth.token
        if token is None:
            return {}
        fields: dict[str, Any] = {
            "access_token": token.value, "token_type": "Bearer", "scope": list(token.scopes),
        }  # fmt: skip
        if token.expires is not None:
            fields |= {"expires_at": token.expires, "expires_in": max(0, int(token.expires - time.time()))}
        return fields

    @property
    def authorized(self) -> bool:
        """Whether there is a token."""
        return bool(self.token)

    def fetch_token(self, token_url: str, *, client_secret: str | None = None) -> dict[str, Any]:
        """Gets a token and uses it from now on.

        Args:
            token_url: the token endpoint; https, or loopback.
            client_secret: the client's secret, if it was not given to the session.

        Raises:
            ConfigurationError: there is no secret, or the token URL can't be used.
            CredentialsUnavailable: the endpoint refuses, or its answer is no token.
        """
        secret = client_secret or self._client_secret
        if not secret:
            raise ConfigurationError(
                "the client credentials grant needs a secret: OAuth2Session(client_id, client_secret=…, scope=…)"
            )
        oauth = OAuth2Auth(token_url, self.client_id, secret, scope=self.scope)
        called = Caller(self, {})
        context = ClientContext(bytes, peer=lambda own: called.peer(url_of(own)))
        # The flow fetches before it sends, so it is run up to where it would: this request never goes out.
        drive = Drive(oauth, Request("GET", "https", urlsplit(token_url).netloc, "/"), context)
        try:
            advance(drive, called=called)
        finally:
            drive.close()
        self._oauth = oauth
        self.auth = adapt(oauth)
        return self.token

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """As in requests, with the token.

        Raises:
            ConfigurationError: there is no token yet.
        """
        if self._oauth is None and kwargs.get("auth") is None:
            raise ConfigurationError("there is no token yet: call fetch_token(token_url) first")
        return super().request(method, url, *args, **kwargs)

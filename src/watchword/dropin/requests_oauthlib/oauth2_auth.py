"""`OAuth2`: a token that is there, for requests."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import requests

from watchword.dropin.requests_oauthlib._bearer import ClientToken, TokenSender
from watchword.dropin.requests_oauthlib.oauth2_client import BackendApplicationClient

__all__ = ["OAuth2"]


class OAuth2(TokenSender):
    """Sends a token, for `auth=` of requests.

    Args:
        client_id: the client's name; nothing is made of it.
        client: a client that has a token, or gets the one of `token`.
        token: has `access_token`, and may have `expires_at`.
        allow_cleartext: also send it over plain http to other hosts than this one.

    >>> auth = OAuth2(token={"access_token": "mF_9.B5f-4.1JqM"})
    >>> requests.Request("GET", "https://api.example/", auth=auth).prepare().headers["Authorization"]
    'Bearer mF_9.B5f-4.1JqM'
    """

    def __init__(
        self,
        client_id: str | None = None,
        client: Any = None,
        token: Mapping[str, Any] | None = None,
        *,
        allow_cleartext: bool = False,
    ) -> None:
        self._client = client or BackendApplicationClient(client_id, token=token)
        sent = ClientToken(self._client, allow_cleartext=allow_cleartext)
        if token:
            self._client.token = token
            self._client.populate_token_attributes(token)
            sent.learn(token, time.time())
        super().__init__(sent)

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Puts the token into the request.

        Raises:
            ConfigurationError: there is none.
            TokenExpiredError: it has ended.
            InsecureTransportError: the request goes over plain http.
        """
        return super().__call__(r)

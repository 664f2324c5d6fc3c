"""One token request of a session: its form, who the client is, and what the answer says (RFC 6749 §4.4, §5)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

import requests
import requests.auth

from watchword.clients._exchange import LIMIT
from watchword.clients._requests_answer import content
from watchword.core.rejection import ConfigurationError, CredentialsUnavailable
from watchword.dropin.requests_oauthlib.errors import MissingTokenError, ScopeChanged, error_of, made
from watchword.dropin.requests_oauthlib.oauth2_client import scope_list
from watchword.oauth.own_requests import json_object, own_url
from watchword.oauth.token_response import lifetime_of

__all__ = ["UNFOLLOWED", "Auth", "TokenRequest", "text_of", "token_of"]

REDIRECTS: Final = (301, 302, 303, 307, 308)
UNFOLLOWED: Final[Mapping[str, Any]] = {"allow_redirects": False, "stream": True}
"""How a request with secrets is sent: to its URL alone, and its answer is read as far as it may go."""
FIELDS: Final = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
PROVING: Final = ("client_secret", "client_assertion")
"""Parameters that prove who the client is (RFC 6749 §2.3.1, RFC 7521 §4.2)."""

Auth = tuple[Any, Any] | Callable[..., Any] | None


class Sent(NamedTuple):
    """A token request: its fields, what puts more of them into it, and its form, as `data` or `params`."""

    headers: dict[str, str]
    auth: Callable[..., Any] | None
    arguments: dict[str, Any]


class TokenRequest(NamedTuple):
    """What `fetch_token` was called with."""

    url: str
    client_id: str | None
    client_secret: str | None
    auth: Auth
    include_client_id: bool | None
    body: str
    method: str
    in_query: bool
    headers: Mapping[str, str] | None
    more: Mapping[str, Any]
    settings: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"TokenRequest({self.url!r}, client_id={self.client_id!r})"

    def check(self) -> None:
        """That this is a request that can be made.

        Raises:
            ConfigurationError: no URL of a token endpoint, or another method than POST and GET.
        """
        own_url("token_url", self.url)
        if self.method.upper() not in ("POST", "GET"):
            raise ConfigurationError("The method kwarg must be POST or GET.")

    def authorization(self) -> Callable[..., Any] | None:
        """What puts the client's name and secret into the header; None where they are in the form."""
        if self.auth is not None:
            if isinstance(self.auth, tuple):
                return requests.auth.HTTPBasicAuth(*self.auth)
            if not callable(self.auth):
                raise ConfigurationError("auth= is a pair of name and secret, or what requests takes as auth=")
            return self.auth
        if self.include_client_id is True or not self.client_id or not self.client_secret:
            return None
        # Octets, else requests would encode them as ISO 8859-1; RFC 6749 says UTF-8 (appendix B).
        return requests.auth.HTTPBasicAuth(self.client_id.encode(), self.client_secret.encode())

    def form(self, client: Any, scope: Any) -> dict[str, str]:
        """The parameters, as `client` makes them."""
        named = self.include_client_id if self.auth is None else bool(self.include_client_id)
        more = dict(self.more)
        if named and self.client_secret is not None:
            more["client_secret"] = self.client_secret
        more.setdefault("scope", scope)
        return dict(
            parse_qsl(
                client.prepare_request_body(body=self.body, include_client_id=named, **more), keep_blank_values=True
            )
        )

    def sent(self, client: Any, scope: Any, *, certified: bool, hooked: bool) -> Sent:
        """What `requests.Session.request` takes besides method, URL and settings.

        Args:
            client: makes the form.
            scope: the scopes to ask for.
            certified: whether the client proves by a certificate who it is (RFC 8705).
            hooked: whether a hook of the program's changes the request, so that nobody knows yet what proves it.

        Raises:
            ConfigurationError: nothing proves who the client is, or header and form name two clients.
        """
        form, auth = self.form(client, scope), self.authorization()
        headers = dict(self.headers or FIELDS)
        proven = certified or hooked or any(name.lower() == "authorization" for name in headers)
        _check_proof(form, auth, proven=proven)
        place = "params" if self.in_query or self.method.upper() == "GET" else "data"
        return Sent(headers, auth, {place: form})


def _check_proof(form: Mapping[str, str], auth: object, *, proven: bool) -> None:
    """That something proves who the client is, and nothing says that it is another one."""
    name = auth.username if isinstance(auth, requests.auth.HTTPBasicAuth) else None
    name = name.decode("utf-8", "replace") if isinstance(name, bytes) else name
    if name is not None and form.get("client_id", name) != name:
        # A server that asks the header who it is, and the form what it may, gives one the rights of the other (CVE-2026-118669).
        raise ConfigurationError("auth= and client_id= name two clients, and a request is of one")
    if not proven and auth is None and not any(form.get(parameter) for parameter in PROVING):
        raise ConfigurationError(
            "the client credentials grant needs a secret: fetch_token(token_url, client_secret=…), "
            "OAuth2Session(client_id, client_secret=…), or auth=, cert= or client_assertion="
        )


def text_of(response: requests.Response, limit: int = LIMIT) -> str:
    """The answer as text, if it is not longer than `limit` octets and answers the request itself.

    Raises:
        CredentialsUnavailable: it is longer, or leads elsewhere: what was sent there would be the client's secret.
    """
    if response.status_code in REDIRECTS:
        response.close()
        raise CredentialsUnavailable(
            f"the endpoint answered {response.status_code}: a request with secrets follows no redirect, so name the URL to which "
            "it leads"
        )
    if content(response, limit) is None:
        response.close()
        raise CredentialsUnavailable(f"the answer to a request for credentials has more than {limit} octets")
    return response.text


def token_of(response: requests.Response, asked: Any, now: float) -> dict[str, Any]:
    """The token in the answer (RFC 6749 §5.1), with `expires_at` beside `expires_in`.

    Raises:
        OAuth2Error: the server says why there is none, or there is none.
        ScopeChanged: it is good for other scopes; not with OAUTHLIB_RELAX_TOKEN_SCOPE in the environment.
    """
    text, status = response.text, response.status_code
    said = json_object(text.encode("utf-8", "surrogatepass"))
    token: dict[str, Any] = dict(parse_qsl(text)) if said is None else said  # a form, as old servers write it
    if token.get("error"):
        raise error_of(token, status)
    if not isinstance(token.get("access_token"), str) or not token["access_token"]:
        raise made(MissingTokenError, f"Missing access token parameter. The endpoint answered {status}.")
    if isinstance(token.get("scope"), str):
        token["scope"] = token["scope"].split()
    lifetime = lifetime_of(token.pop("expires_in", None))
    if lifetime is not None:
        token["expires_in"] = int(lifetime)
        token.setdefault("expires_at", now + lifetime)
    granted = token.get("scope")
    if asked and isinstance(granted, list) and granted and not os.environ.get("OAUTHLIB_RELAX_TOKEN_SCOPE"):
        wanted = scope_list(asked)
        if set(granted) != set(wanted):
            raise ScopeChanged(token, sorted(wanted), sorted(granted))
    return token

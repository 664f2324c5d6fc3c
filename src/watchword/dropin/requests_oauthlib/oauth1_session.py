"""`OAuth1Session`: three legs to a token, and requests that are signed with it (RFC 5849 §2, §3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

import requests

from watchword.clients._exchange import waiting
from watchword.core.rejection import ConfigurationError, CredentialsUnavailable
from watchword.dropin.requests_oauthlib._bearer import Secured
from watchword.dropin.requests_oauthlib._token_request import UNFOLLOWED, text_of
from watchword.dropin.requests_oauthlib.oauth1_auth import OAuth1
from watchword.dropin.requests_oauthlib.oauth1_client import SIGNATURE_HMAC, SIGNATURE_TYPE_AUTH_HEADER, is_rsa
from watchword.schemes.oauth1.three_legged import MAX_ANSWER, answer_parameters, callback_parameters
from watchword.oauth.own_requests import json_object

__all__ = ["OAuth1Session", "TokenMissing", "TokenRequestDenied", "VerifierMissing"]

MEMBERS: Final = {
    "oauth_token": "resource_owner_key", "oauth_token_secret": "resource_owner_secret", "oauth_verifier": "verifier",
}  # fmt: skip
"""The parameters of an answer, and the attributes of the client that they become."""


class TokenRequestDenied(CredentialsUnavailable, ValueError):
    """The server did not give credentials; what it said is in `response`."""

    def __init__(self, message: str, response: requests.Response) -> None:
        super().__init__(message)
        self.response = response

    @property
    def status_code(self) -> int:
        """The status of the answer."""
        return self.response.status_code


class TokenMissing(CredentialsUnavailable, ValueError):
    """What the server, or the owner, brought back holds no token; its parameters are in `response`."""

    def __init__(self, message: str, response: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.response = response


class VerifierMissing(ConfigurationError):
    """Nothing proves that the owner agreed."""


class OAuth1Session(requests.Session):
    """A session that signs every request, and gets a token in three legs.

    Args:
        client_key: the client's name, and so on as `OAuth1` has it.
        allow_unconfirmed_callback: take temporary credentials from a server that does not confirm the callback, and so may speak the
            protocol that OAuth 1.0a replaced: an attacker can have the owner finish the attacker's log-in there.
        allow_cleartext: fetch tokens over http from other hosts than loopback: everybody on the way can read their secrets.
        kwargs: as `OAuth1` has them.

    >>> session = OAuth1Session("printer", "kd94hf93k423kf44", callback_uri="https://printer.example/ready")
    >>> session.token, session.authorized
    ({}, False)
    """

    def __init__(
        self,
        client_key: str | bytes,
        client_secret: str | bytes | None = None,
        resource_owner_key: str | bytes | None = None,
        resource_owner_secret: str | bytes | None = None,
        callback_uri: str | bytes | None = None,
        signature_method: str = SIGNATURE_HMAC,
        signature_type: str = SIGNATURE_TYPE_AUTH_HEADER,
        rsa_key: str | bytes | None = None,
        verifier: str | bytes | None = None,
        client_class: Any = None,
        force_include_body: bool = False,
        *,
        allow_unconfirmed_callback: bool = False,
        allow_cleartext: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self._allow_unconfirmed_callback = allow_unconfirmed_callback
        self._allow_cleartext = allow_cleartext
        self._client = OAuth1(
            client_key,
            client_secret=client_secret,
            resource_owner_key=resource_owner_key,
            resource_owner_secret=resource_owner_secret,
            callback_uri=callback_uri,
            signature_method=signature_method,
            signature_type=signature_type,
            rsa_key=rsa_key,
            verifier=verifier,
            client_class=client_class,
            force_include_body=force_include_body,
            allow_cleartext=allow_cleartext,
            **kwargs,
        )
        self.auth = self._client

    @property
    def token(self) -> dict[str, str]:
        """The credentials in use, temporary or not: `oauth_token`, `oauth_token_secret`, `oauth_verifier`, those that there are."""
        found = {name: getattr(self._client.client, attribute, None) for name, attribute in MEMBERS.items()}
        return {name: value for name, value in found.items() if value}

    @token.setter
    def token(self, value: Mapping[str, str]) -> None:
        if "oauth_token" not in value:
            raise TokenMissing("there is no oauth_token", value)  # not even names are shown: they are the server's
        for name, attribute in MEMBERS.items():
            if name in value:
                setattr(self._client.client, attribute, value[name])

    @property
    def authorized(self) -> bool:
        """Whether there is a token, and whatever else a signature needs."""
        client = self._client.client
        if is_rsa(client.signature_method):
            return bool(client.resource_owner_key)
        return bool(client.client_secret and client.resource_owner_key and client.resource_owner_secret)

    def fetch_request_token(
        self, url: str, realm: Sequence[str] | None = None, **request_kwargs: Any
    ) -> dict[str, str]:
        """Gets temporary credentials (RFC 5849 §2.1), and uses them.

        Args:
            url: where the server gives them; https, or loopback. It is sent no request to another URL, should it redirect.
            realm: the realms to ask for.
            request_kwargs: as `requests.Session.post` has them.

        Raises:
            TokenRequestDenied: the server refuses, or does not confirm the callback.
            TokenMissing: its answer holds no token.
            InsecureTransportError: the credentials would travel in the clear.
        """
        client = self._client.client
        client.realm = " ".join(realm) if realm else None
        try:
            token = self._fetch_token(url, client.callback_uri, **request_kwargs)
        finally:
            client.realm = None
        client.callback_uri = None
        return token

    def authorization_url(self, url: str, request_token: str | None = None, **kwargs: Any) -> str:
        """Where to send the owner (RFC 5849 §2.2).

        Args:
            url: the page where the owner agrees.
            request_token: the temporary credentials, if they are not the session's.
            kwargs: further parameters.

        Raises:
            ConfigurationError: there are no temporary credentials yet.
        """
        token = request_token or self._client.client.resource_owner_key
        if not token:
            raise ConfigurationError("there are no temporary credentials yet: call fetch_request_token(url) first")
        base, hash_mark, fragment = url.partition("#")
        return base + ("&" if "?" in base else "?") + urlencode({**kwargs, "oauth_token": token}) + hash_mark + fragment

    def parse_authorization_response(self, url: str) -> dict[str, str]:
        """Takes the verifier out of the URL that the owner was sent back to (RFC 5849 §2.2).

        Args:
            url: all of it.

        Raises:
            TokenMissing: it holds no token, or can't be read, or is about other temporary credentials than this session's, so that
                somebody else may have begun what this owner finishes.
        """
        try:
            token = callback_parameters(url, None)
            if "oauth_token" in token:
                callback_parameters(url, self._client.client.resource_owner_key or None)
        except CredentialsUnavailable as error:
            raise TokenMissing(str(error), {}) from None
        if "oauth_token_secret" in token:
            raise TokenMissing("a callback carries no oauth_token_secret: whoever wrote this URL chose it", token)
        self.token = token
        return token

    def fetch_access_token(self, url: str, verifier: str | None = None, **request_kwargs: Any) -> dict[str, str]:
        """Gets token credentials (RFC 5849 §2.3), and uses them from now on.

        Args:
            url: where the server gives them; https, or loopback. It is sent no request to another URL, should it redirect.
            verifier: the code that proves that the owner agreed, if `parse_authorization_response` did not find it.
            request_kwargs: as `requests.Session.post` has them.

        Raises:
            VerifierMissing: there is none.
            TokenRequestDenied: the server refuses.
            TokenMissing: its answer holds no token.
            InsecureTransportError: the credentials would travel in the clear.
        """
        client = self._client.client
        if verifier:
            client.verifier = verifier
        if not getattr(client, "verifier", None):
            raise VerifierMissing("No client verifier has been set.")
        token = self._fetch_token(url, None, **request_kwargs)
        client.verifier = None
        return token

    def _fetch_token(self, url: str, callback: str | None, **request_kwargs: Any) -> dict[str, str]:
        """The credentials in the answer to a signed POST; with `callback`, of a server that confirms it."""
        request_kwargs.setdefault("auth", Secured(self._client, allow_cleartext=self._allow_cleartext))
        request_kwargs["timeout"] = waiting(request_kwargs.get("timeout"))
        response = self.post(url, **{**request_kwargs, **UNFOLLOWED})
        try:
            text = text_of(response, MAX_ANSWER)
        except CredentialsUnavailable as error:
            raise TokenRequestDenied(str(error), response) from None
        if response.status_code >= 400:
            # What the server says may repeat what it was sent.
            raise TokenRequestDenied(f"Token request failed with code {response.status_code}.", response)
        token = _read(text)
        if callback and token.get("oauth_callback_confirmed") != "true" and not self._allow_unconfirmed_callback:
            raise TokenRequestDenied(
                "the server does not confirm the callback, so it may not speak OAuth 1.0a: "
                "allow_unconfirmed_callback=True, if its documentation says that it wants oauth_verifier",
                response,
            )
        self.token = token
        return token


def _read(text: str) -> dict[str, str]:
    """The parameters of an answer: a form, or as some servers write it a JSON object."""
    try:
        octets = text.strip().encode("utf-8", "surrogatepass")
        members = json_object(octets)
        if members is not None:
            return {name: value for name, value in members.items() if isinstance(value, str)}
        return answer_parameters(octets)
    except CredentialsUnavailable as error:
        raise TokenMissing(str(error), {}) from None

"""An issuer as a client asks it: where its endpoints are, and what every request to them has in common."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from watchword.core.rejection import ConfigurationError
from watchword.effects import Context, Received
from watchword.oauth.client_authentication import Client
from watchword.oauth.metadata import Metadata, discovering, read_metadata
from watchword.oauth.own_requests import Form, own_url, post_form, request_to
from watchword.oauth.token_response import AccessToken, read_token_response
from watchword.schemes.sending import refuse_cleartext

__all__ = ["Issuer", "params_of", "scopes_of"]

METADATA_LIFE: Final = 3600.0
"""Seconds for which metadata is believed."""
_OURS: Final = frozenset({
    "grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type", "code", "code_verifier",
    "code_challenge", "code_challenge_method", "redirect_uri", "refresh_token", "device_code", "scope", "resource",
    "response_type", "state", "nonce", "audience", "max_age", "acr_values",
})  # fmt: skip
"""The parameters that a flow sets itself."""


class Issuer:
    """One issuer, for one client of it.

    Args:
        name: the issuer, or the URL of a token endpoint that is all that is known of it.
        client: who asks.
        metadata: what it says of itself, if it doesn't publish it.
        token_url: the token endpoint, where nothing else is known.
        scopes, resource, audience, params: what is asked for.
        lenient: take a token without `token_type`.
        allow_cleartext: send secrets over http to other hosts than this one.

    Raises:
        ConfigurationError: a URL that can't be asked, metadata of another issuer.
    """

    def __init__(
        self,
        name: str,
        client: Client,
        *,
        metadata: Mapping[str, Any] | None,
        token_url: str | None,
        scopes: tuple[str, ...],
        resource: str | None,
        audience: str | None,
        params: tuple[tuple[str, str], ...],
        lenient: bool,
        allow_cleartext: bool,
    ) -> None:
        self.name, self.client, self.scopes = name, client, scopes
        self.allow_cleartext = allow_cleartext
        self._lenient = lenient
        own_url("token_url" if token_url is not None else "issuer", name)
        if token_url is None and urlsplit(name).query:
            raise ConfigurationError("an issuer has no query (RFC 8414 §2)")
        refuse_cleartext(request_to("POST", name, ()), allow_cleartext)
        self._resource = () if resource is None else (("resource", own_url("resource", resource)),)
        self._audience = () if audience is None else (("audience", audience),)
        self._params = params
        self._fixed: Metadata | None = None
        if token_url is not None:
            self._fixed = Metadata(name, token_endpoint=token_url)
        elif metadata is not None:
            self._fixed = read_metadata(metadata, name)
        self._found: tuple[Metadata, float] | None = None

    @property
    def asked_for(self) -> Form:
        """The parameters by which a grant says what it is to give."""
        scope = (("scope", " ".join(self.scopes)),) if self.scopes else ()
        return (*scope, *self._resource, *self._audience, *self._params)

    @property
    def target(self) -> tuple[str, ...]:
        """The resource and audience, as the token's key has them."""
        return tuple("=".join(pair) for pair in (*self._resource, *self._audience))

    @property
    def is_openid(self) -> bool:
        """Whether it is asked who has logged in."""
        return "openid" in self.scopes

    def metadata(self, context: Context) -> Generator[Any, Any, Metadata]:
        """The effects that give its metadata, fetched once an hour at most."""
        if self._fixed is not None:
            return self._fixed
        now = context.now()
        if self._found is not None and abs(now - self._found[1]) < METADATA_LIFE:
            return self._found[0]
        found = yield from discovering(context, self.name)
        self._found = found, now
        return found

    def token(
        self, context: Context, form: Form, secrets: Collection[str] = ()
    ) -> Generator[Any, Any, tuple[AccessToken, Mapping[str, Any]]]:
        """The effects that get a token, and all that came with it.

        Args:
            context: the flow's.
            form: the grant's own parameters.
            secrets: which of them no error may repeat.

        Raises:
            TokenRefused: the token endpoint answers with an error.
            CredentialsUnavailable: or with something else that is no token.
        """
        asked_at = context.now()
        received, proven = yield from self.post(context, "token_endpoint", form)
        chance = int.from_bytes(context.random(2), "big") / 0xFFFF
        return read_token_response(
            received, asked_at, self.scopes, secrets=(*secrets, *proven), lenient=self._lenient, chance=chance
        )

    def post(
        self, context: Context, endpoint: str, form: Form
    ) -> Generator[Any, Any, tuple[Received, tuple[str, ...]]]:
        """The effects that send a form with the client's proof; the answer, and what of the proof is secret."""
        metadata = yield from self.metadata(context)
        proven = self.client.prove(context, self.name)
        answer = yield from post_form(
            context, metadata.need(endpoint), (*form, *proven.form), proven.headers, self.allow_cleartext, self.name
        )
        return answer, proven.secrets

    def resource_form(self) -> Form:
        """The resource, which is said again when a code or a refresh token is redeemed (RFC 8707 §2.2)."""
        return self._resource


def scopes_of(scope: object) -> tuple[str, ...]:
    """Scopes as they are asked for.

    Raises:
        ConfigurationError: no list of texts without spaces.
    """
    if isinstance(scope, str):
        raise ConfigurationError(f"scope is a list: scope={scope.split()!r}")
    if not isinstance(scope, Sequence) or not all(isinstance(one, str) and one.split() == [one] for one in scope):
        raise ConfigurationError("scope is a list of texts without spaces")
    return tuple(scope)


def params_of(params: Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
    """Further parameters.

    Raises:
        ConfigurationError: one that has an argument of its own, or is no text.
    """
    given: dict[Any, object] = {} if params is None else dict(params)
    for name, value in given.items():
        if name in _OURS:
            raise ConfigurationError(f"params= has {name!r}, which has an argument of its own, or is the flow's to say")
        if not isinstance(name, str) or not isinstance(value, str):
            raise ConfigurationError("params= has texts for names and values")
    return tuple((name, str(value)) for name, value in given.items())

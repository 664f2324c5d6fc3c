"""A token is given back (RFC 7009)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from watchword.effects import Context
from watchword.oauth.issuer import Issuer
from watchword.oauth.own_requests import object_of
from watchword.oauth.token_response import AccessToken, refusal_of

__all__ = ["revoking"]


def revoking(context: Context, issuer: Issuer, token: AccessToken) -> Generator[Any, Any, None]:
    """The effects that give it back: the refresh token, with which the issuer ends the rest (§2.1), or else the access token.

    Raises:
        TokenRefused: the issuer refuses.
        CredentialsUnavailable: it has no such endpoint.
    """
    value, hint = (token.value, "access_token") if token.refresh is None else (token.refresh, "refresh_token")
    received, secrets = yield from issuer.post(
        context, "revocation_endpoint", (("token", value), ("token_type_hint", hint))
    )
    status = received.response.status
    if status not in (200, 204):
        where = f"the revocation endpoint answered {status}"
        raise refusal_of(object_of(received, "the revocation endpoint"), where, (value, *secrets), status)

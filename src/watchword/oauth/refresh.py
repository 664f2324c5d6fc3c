"""The refresh token grant (RFC 6749 §6), which every grant with a person goes on by."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from watchword.effects import Context
from watchword.oauth.id_token import check_same_person
from watchword.oauth.issuer import Issuer
from watchword.oauth.token_response import AccessToken

__all__ = ["refreshing"]


def refreshing(context: Context, issuer: Issuer, token: AccessToken) -> Generator[Any, Any, AccessToken]:
    """The effects that get the next token. It has a refresh token of its own only where the issuer rotates them.

    Raises:
        TokenRefused: the issuer refuses.
        CredentialsUnavailable: its answer is no token, or an ID token in it is somebody else's (OpenID Connect Core 1.0 §12.2).
    """
    refresh = token.refresh or ""
    form = (("grant_type", "refresh_token"), ("refresh_token", refresh), *issuer.resource_form())
    new, members = yield from issuer.token(context, form, (refresh,))
    if token.subject is not None and "id_token" in members:
        check_same_person(members["id_token"], issuer, token.subject)
    scopes = new.scopes if "scope" in members else token.scopes
    return replace(new, subject=token.subject, scopes=scopes)

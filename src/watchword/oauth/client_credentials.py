"""The client credentials grant (RFC 6749 §4.4): a token for the client itself."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from watchword.effects import Context
from watchword.oauth.issuer import Issuer
from watchword.oauth.token_response import AccessToken

__all__ = ["ClientCredentials"]


class ClientCredentials:
    """The grant of programs that act for nobody but themselves: `OAuth2Auth(…, grant=ClientCredentials())`.

    >>> ClientCredentials()
    ClientCredentials()
    """

    __slots__ = ()

    def can_begin(self, context: Context) -> bool:
        """Always: the client has all that it takes."""
        return True

    def begin(self, context: Context, issuer: Issuer) -> Generator[Any, Any, AccessToken]:
        """The effects that get a token."""
        token, _ = yield from issuer.token(context, (("grant_type", "client_credentials"), *issuer.asked_for))
        return token

    def __repr__(self) -> str:
        return "ClientCredentials()"

"""The errors of OAuth 2, under the names that oauthlib gives them (RFC 6749 §5.2).

requests-oauthlib raises oauthlib's. Where a program has imported oauthlib, ours are oauthlib's as well, so that its `except` clauses
catch them; without oauthlib they are our own.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, TypeVar

from watchword.core.rejection import ConfigurationError, CredentialsUnavailable, bounded
from watchword.oauth.token_response import error_code

__all__ = [
    "AccessDeniedError", "CustomOAuth2Error", "InsecureOAuthWarning", "InsecureTransportError", "InvalidClientError",
    "InvalidGrantError", "InvalidRequestError", "InvalidScopeError", "MissingTokenError", "OAuth2Error", "ScopeChanged",
    "ServerError", "TemporarilyUnavailableError", "TokenExpiredError", "TokenUpdated", "UnauthorizedClientError",
    "UnsupportedGrant", "UnsupportedGrantTypeError", "error_of", "made",
]  # fmt: skip

MAX_DESCRIPTION: Final = 256
"""Characters of a server's words that an error repeats."""


class UnsupportedGrant(ConfigurationError):
    """An argument belongs to a grant that this session does not do; the message names both, and what to use.

    Args:
        argument: the name of the argument, method or class.
        message: what it belongs to, and what to do.
    """

    def __init__(self, argument: str, message: str) -> None:
        super().__init__(f"{argument}: {message}")
        self.argument = argument


class InsecureOAuthWarning(UserWarning):
    """The program asks for something that protects less than it seems to."""


class TokenUpdated(Warning):
    """By this requests-oauthlib says that a refresh token renewed a token. There are none here yet, so nothing raises it."""

    def __init__(self, token: Mapping[str, Any]) -> None:
        super().__init__()
        self.token = token


class ScopeChanged(Warning):
    """Raised, as oauthlib does: the server granted other scopes than were asked for (RFC 6749 §3.3).

    Args:
        token: the token, which the session has not taken.
        old_scope: the scopes that were asked for.
        new_scope: those that were granted.
    """

    def __init__(self, token: dict[str, Any], old_scope: list[str], new_scope: list[str]) -> None:
        super().__init__(f'Scope has changed from "{" ".join(old_scope)}" to "{" ".join(new_scope)}".')
        self.token = token
        self.old_scope = old_scope
        self.new_scope = new_scope


class OAuth2Error(CredentialsUnavailable):
    """The ancestor of the errors of OAuth 2.

    Args:
        description: what happened; of a server's words only printable ones, and not many.
        uri: a page about it, as the server names it.
        state: of an authorization response.
        status_code: the status of the answer.
        error: the code, where the class has none.
    """

    error: str = ""
    status_code: int = 400

    def __init__(
        self,
        description: str = "",
        uri: str | None = None,
        state: str | None = None,
        status_code: int | None = None,
        error: str | None = None,
    ) -> None:
        if error is not None:
            self.error = error
        self.description = description
        self.uri = uri
        self.state = state
        if status_code is not None:
            self.status_code = status_code
        # Not by `super`: oauthlib's class may come after this one, and words it once more.
        Exception.__init__(self, f"({self.error}) {description}")


class TokenExpiredError(OAuth2Error):
    """The token has ended, and nothing is known by which another one could be got."""

    error = "token_expired"


class InsecureTransportError(OAuth2Error, ConfigurationError):
    """A secret would travel in the clear."""

    error = "insecure_transport"


class MissingTokenError(OAuth2Error):
    """The answer of the token endpoint holds no access token."""

    error = "missing_token"


class InvalidRequestError(OAuth2Error):
    """A parameter is missing, twice there, or can't be used."""

    error = "invalid_request"


class InvalidClientError(OAuth2Error):
    """The client is not known, or did not prove who it is."""

    error = "invalid_client"
    status_code = 401


class InvalidGrantError(OAuth2Error):
    """The grant is not valid, or somebody else's."""

    error = "invalid_grant"


class UnauthorizedClientError(OAuth2Error):
    """The client may not use this grant."""

    error = "unauthorized_client"


class UnsupportedGrantTypeError(OAuth2Error):
    """The server does not know this grant."""

    error = "unsupported_grant_type"


class InvalidScopeError(OAuth2Error):
    """The scope is not known, or more than the client may have."""

    error = "invalid_scope"


class AccessDeniedError(OAuth2Error):
    """The owner, or the server, said no."""

    error = "access_denied"


class ServerError(OAuth2Error):
    """The server failed."""

    error = "server_error"


class TemporarilyUnavailableError(OAuth2Error):
    """The server can't now."""

    error = "temporarily_unavailable"


class CustomOAuth2Error(OAuth2Error):
    """The server says a code of its own; it is in `error`."""


KNOWN: Final[Mapping[str, type[OAuth2Error]]] = {
    kind.error: kind
    for kind in (
        InvalidRequestError, InvalidClientError, InvalidGrantError, UnauthorizedClientError, UnsupportedGrantTypeError,
        InvalidScopeError, AccessDeniedError, ServerError, TemporarilyUnavailableError,
    )
}  # fmt: skip
"""The errors that a server names."""

E = TypeVar("E", bound=OAuth2Error)


def made(kind: type[E], *args: Any, **more: Any) -> E:
    """An error of that kind, which is oauthlib's too if oauthlib is imported.

    >>> str(made(InvalidClientError, "who is that?"))
    '(invalid_client) who is that?'
    """
    theirs = getattr(sys.modules.get("oauthlib.oauth2.rfc6749.errors"), kind.__name__, None)
    make: Any = kind
    error: E = (make if theirs is None else _both(make, theirs))(*args, **more)
    return error


@cache
def _both(kind: Any, theirs: Any) -> Any:
    make: Any = type
    return make(kind.__name__, (kind, theirs), {"__module__": kind.__module__, "__doc__": kind.__doc__})


def error_of(content: Mapping[str, Any], status: object) -> OAuth2Error:
    """The error that a token response names (RFC 6749 §5.2)."""
    code = error_code(content)
    said = content.get("error_description")
    printable = "".join(character for character in said if character.isprintable()) if isinstance(said, str) else ""
    description = bounded(printable, MAX_DESCRIPTION)
    uri = content.get("error_uri")
    kind = KNOWN.get(code, CustomOAuth2Error)
    return made(
        kind,
        description,
        uri if isinstance(uri, str) else None,
        None,
        status if isinstance(status, int) else None,
        code,
    )

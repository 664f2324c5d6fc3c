"""The client of the client credentials grant, for programs without oauthlib (RFC 6749 §4.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

from watchword.core.rejection import ConfigurationError
from watchword.structures.in_process import InProcess

__all__ = ["BackendApplicationClient", "scope_list", "scope_text"]


def scope_list(scope: str | Sequence[str] | None) -> list[str]:
    """Scopes as a list, given as a list or as text with spaces between them."""
    return scope.split() if isinstance(scope, str) else list(scope or ())


def scope_text(scope: str | Sequence[str] | None) -> str:
    """Scopes as text with spaces between them (RFC 6749 §3.3)."""
    return " ".join(scope_list(scope))


class BackendApplicationClient(InProcess):
    """A client that asks for a token of its own. oauthlib's client of this name is taken as well.

    Args:
        client_id: the client's name at the authorization server.
        scope: the scopes to ask for, as a list or as text with spaces between them.
        token: a token that is there already, as `fetch_token` gives it.
        access_token: the same, as text.
        token_type: its type; only "Bearer" can be sent.
        default_token_placement: where the token goes, "auth_header", "body" (of a form) or "query".

    >>> BackendApplicationClient("robot", scope=["read"]).prepare_request_body()
    'grant_type=client_credentials&scope=read'
    """

    grant_type: ClassVar[str] = "client_credentials"

    def __init__(
        self,
        client_id: str | None = None,
        *,
        scope: str | Sequence[str] | None = None,
        token: Mapping[str, Any] | None = None,
        access_token: str | None = None,
        token_type: str = "Bearer",
        default_token_placement: str = "auth_header",
    ) -> None:
        self.client_id = client_id
        self.scope = scope
        self.access_token = access_token
        self.refresh_token: str | None = None
        self.token_type = token_type
        self.default_token_placement = default_token_placement
        self.token: Mapping[str, Any] = token or {}
        self.populate_token_attributes(self.token)

    def __repr__(self) -> str:
        return f"BackendApplicationClient({self.client_id!r})"

    def populate_token_attributes(self, response: Mapping[str, Any]) -> None:
        """Takes over what a token response says."""
        self.access_token = response.get("access_token", self.access_token)
        self.refresh_token = response.get("refresh_token", self.refresh_token)
        self.token_type = response.get("token_type", self.token_type)

    def prepare_request_body(
        self,
        body: str = "",
        scope: str | Sequence[str] | None = None,
        include_client_id: bool | None = False,
        **kwargs: Any,
    ) -> str:
        """The form of a token request.

        Args:
            body: parameters that are in it already, encoded.
            scope: the scopes to ask for, instead of the client's.
            include_client_id: put the client's name into it.
            kwargs: further parameters; those without a value are left out.

        Raises:
            ConfigurationError: `body` names another grant.
        """
        own = {"grant_type": self.grant_type}
        if include_client_id and self.client_id is not None:
            own["client_id"] = self.client_id
        if asked := scope_text(self.scope if scope is None else scope):
            own["scope"] = asked
        own |= {name: str(value) for name, value in kwargs.items() if value}
        given = parse_qsl(body, keep_blank_values=True)
        if any(name == "grant_type" and value != self.grant_type for name, value in given):
            raise ConfigurationError("body= names another grant_type: this client's is client_credentials")
        return urlencode([*((name, value) for name, value in given if name not in own), *own.items()])

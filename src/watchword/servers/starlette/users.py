"""An identity as Starlette's `request.user`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.authentication import AuthCredentials, BaseUser, UnauthenticatedUser

from watchword.core.identity import Identity

__all__ = ["User", "credentials_of", "user_of"]


class User(BaseUser):
    """Who made the request, as `request.user`: the maker of the request, not a record of your user table.

    `proven` is the `Identity`. `identity` and `display_name` are its subject, as Starlette asks for texts there. A subject is
    a name for its issuer only: look users up by issuer and subject where tokens come from somebody else.
    """

    def __init__(self, proven: Identity[Any]) -> None:
        self.proven = proven

    @property
    def is_authenticated(self) -> bool:
        """Always: nobody else gets one."""
        return True

    @property
    def display_name(self) -> str:
        """The subject."""
        return self.proven.subject

    @property
    def identity(self) -> str:
        """The subject."""
        return self.proven.subject


def user_of(identity: Identity[Any] | None) -> BaseUser:
    """The value of `scope["user"]`."""
    return UnauthenticatedUser() if identity is None else User(identity)


def credentials_of(identity: Identity[Any] | None) -> AuthCredentials:
    """The value of `scope["auth"]`: "authenticated" for an admitted request with an identity, and its scopes."""
    names: Sequence[str] = () if identity is None else ("authenticated", *sorted(identity.scopes))
    return AuthCredentials(names)

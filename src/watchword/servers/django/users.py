"""The users of Django's that an identity stands for; nobody, unless the settings say how they are found."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from watchword.core.admission import Admission
from watchword.core.rejection import Reason, Rejected, not_installed
from watchword.servers.django.configuration import Configuration, kinds_of_django

try:
    from django.contrib.auth import get_user_model
except ImportError:
    raise not_installed("django") from None

__all__ = ["IdentityUser", "maps", "settle"]

ALIKE = 10
"""Rows that a database takes for one name, looked through at most."""


class IdentityUser:
    """Who was admitted, where no user of Django's stands for them: authenticated, and with no rights of Django's.

    Args:
        identity: the guard's.
    """

    is_authenticated = True
    is_anonymous = False
    is_active = True
    is_staff = False
    is_superuser = False
    pk = None
    id = None

    def __init__(self, identity: Any) -> None:
        self.identity = identity

    def __str__(self) -> str:
        return str(self.identity.subject)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IdentityUser) and other.identity is self.identity

    def __hash__(self) -> int:
        return hash(self.identity.subject)

    @property
    def username(self) -> str:
        """The subject, which need not be the name of a user of Django's."""
        return str(self.identity.subject)

    def get_username(self) -> str:
        """As `username`."""
        return self.username

    def has_perm(self, *_: Any, **__: Any) -> bool:
        """None."""
        return False

    has_perms = has_module_perms = has_perm


def maps(configuration: Configuration) -> bool:
    """Whether users are looked up at all."""
    return configuration.by_username or configuration.user_of_token is not None


def settle(configuration: Configuration, admission: Admission, request: Any) -> Any:
    """Gives an admitted request its `identity`, its user if the settings say how that is found, and lifts the CSRF check.

    That is lifted for credentials only that no browser sends by itself.

    Returns:
        The user; None if the identity stands for none.

    Raises:
        Rejected: UNKNOWN_SUBJECT, the identity stands for no user; DISABLED, the user is not active.
    """
    user = _user_of(configuration, admission)
    request.identity = admission.identity
    if user is not None:

        async def auser() -> Any:
            return user

        request.user, request.auser = user, auser
    if admission.identity is not None and not getattr(admission.verifier, "ambient", True):
        request._dont_enforce_csrf_checks = True  # noqa: SLF001 -- what CsrfViewMiddleware looks at
    return user


def _user_of(configuration: Configuration, admission: Admission) -> Any:
    identity, verifier = admission.identity, admission.verifier
    if identity is None or verifier is None:
        return None
    if configuration.by_username and not kinds_of_django(configuration.guard.plan.store).isdisjoint(verifier.kinds):
        user = _named(identity.subject)
    elif configuration.user_of_token is not None and (issuer := _issuer(identity.claims, verifier)) is not None:
        user = configuration.user_of_token(issuer, identity.subject) if identity.subject else None  # nobody's name
    else:
        return None
    if user is None:
        raise Rejected(Reason.UNKNOWN_SUBJECT, "the identity stands for no user", where="subject")
    if not user.is_active:
        raise Rejected(Reason.DISABLED, "the user is not active", where="subject")
    return user


def _named(username: str) -> Any:
    """The user of exactly that name, also where the database takes others for the same, as the store finds it."""
    model: Any = get_user_model()
    alike = model._default_manager.filter(**{str(model.USERNAME_FIELD): username})  # noqa: SLF001 -- documented under this name
    return next((user for user in alike[:ALIKE] if user.get_username() == username), None)


def _issuer(claims: Any, verifier: Any) -> str | None:
    """The issuer that the verifier has checked."""
    routes: Collection[str] = getattr(verifier, "routes", None) or ()
    issuer = claims.get("iss") if hasattr(claims, "get") else getattr(claims, "iss", None)
    if issuer is None and len(routes) == 1:
        issuer = next(iter(routes))
    return issuer if isinstance(issuer, str) and issuer in routes else None

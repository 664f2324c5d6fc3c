"""The setting `WATCHWORD`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from watchword.core.guard import AsyncGuard, Guard
from watchword.core.rejection import ConfigurationError, not_installed

try:
    from django import conf
except ImportError:
    raise not_installed("django") from None
from django.http import HttpRequest
from django.utils.module_loading import import_string

__all__ = ["Configuration", "configured", "kinds_of_django"]

KEYS = ("guard", "login", "problem", "user", "user_of_token")


class Configuration(NamedTuple):
    """What the setting says.

    Args:
        guard: who may pass.
        problem: makes the answer of a refusal, of the request and the status; its fields are added to that. None: problem
            details (RFC 9457).
        by_username: users are those of the guard's store, by their names.
        user_of_token: gives the user of an issuer and a subject.
        login: where tokens are to be had, for documents: a Security Scheme Object of OpenAPI, "oauth2" or "openIdConnect".
    """

    guard: Guard | AsyncGuard
    problem: Callable[[HttpRequest, int], Any] | None
    by_username: bool
    user_of_token: Callable[[str, str], Any] | None
    login: Mapping[str, Any] | None


def configured() -> Configuration:
    """The setting, with what it names imported.

    Raises:
        ConfigurationError: it is missing or wrong; the message says what to write.
    """
    given = getattr(conf.settings, "WATCHWORD", None)
    if not isinstance(given, Mapping) or "guard" not in given:
        raise ConfigurationError('the settings name no guard: WATCHWORD = {"guard": "shop.auth.guard"}')
    if unknown := sorted(set(given) - set(KEYS)):
        raise ConfigurationError(f"WATCHWORD has no {', '.join(map(repr, unknown))}: it has {', '.join(KEYS)}")
    guard = _object(given, "guard")
    if not isinstance(guard, Guard | AsyncGuard):
        raise ConfigurationError(f'WATCHWORD["guard"] is to name a Guard, not {type(guard).__name__}')
    if given.get("user") not in (None, "username"):
        raise ConfigurationError('WATCHWORD["user"] is "username", or left out: request.user is nobody then')
    by_username = given.get("user") == "username"
    if by_username and not kinds_of_django(guard.plan.store):
        raise ConfigurationError(
            'WATCHWORD["user"] is "username", but the names of the guard\'s store need not be those of Django\'s users: '
            "Guard([…], combine(DjangoStore(), MemoryStore()))"
        )
    user_of_token = _object(given, "user_of_token")
    if user_of_token is not None:
        for verifier in guard.plan.verifiers:
            if getattr(verifier, "routes", ()) is None:
                raise ConfigurationError(
                    'WATCHWORD["user_of_token"] finds users by issuer and subject, and no issuer is checked: '
                    f"{type(verifier).__name__}(…, issuer=…)"
                )
    return Configuration(guard, _object(given, "problem"), by_username, user_of_token, given.get("login"))


def kinds_of_django(store: Any) -> frozenset[type]:
    """The kinds of record that a store has of Django's users (`DjangoStore`), alone or as a part of it."""
    covered: frozenset[type] = frozenset()
    for part in getattr(store, "parts", (store,)):
        kinds: frozenset[type] = getattr(part, "kinds", None) or frozenset()
        if getattr(part, "of_django", False):
            return kinds - covered
        covered |= kinds
    return frozenset()


def _object(given: Mapping[str, Any], key: str) -> Any:
    found = given.get(key)
    if not isinstance(found, str):
        return found
    try:
        return import_string(found)
    except ImportError as error:
        raise ConfigurationError(f"WATCHWORD[{key!r}]: {error}") from error

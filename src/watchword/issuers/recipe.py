"""`IssuerRecipe`, and the checks of claims that recipes are made of."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypedDict

from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.schemes.jwt.checks import ClaimCheck
from watchword.schemes.jwt.chosen_claims import ScopesFrom, SubjectFrom
from watchword.schemes.token_places import TokenPlace

__all__ = [
    "IssuerRecipe", "VerifierArguments", "claim_is", "host", "https_url", "named", "no_id_token", "of_client", "texts_of",
]  # fmt: skip

_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?")
_URL: Final = re.compile(r"https?://[^\s?#]+")


class VerifierArguments(TypedDict, total=False):
    """Arguments of `JWTVerifier`; those that are not there are its defaults."""

    issuer: Sequence[str] | None
    audience: Sequence[str] | None
    typ: Sequence[str]
    required: Sequence[str]
    subject: SubjectFrom | None
    scopes: ScopesFrom
    checks: Sequence[ClaimCheck]
    place: TokenPlace
    leeway: float
    max_age: float | None


@dataclass(frozen=True, slots=True)
class IssuerRecipe:
    """How the tokens of one issuer are verified: `JWTVerifier(RemoteKeySet(r.jwks_url, algorithms=r.algorithms), **r.arguments)`.

    Args:
        jwks_url: where the issuer publishes its keys.
        algorithms: those that it signs with.
        arguments: the verifier's; the dict is the caller's own to change.
    """

    jwks_url: str
    algorithms: tuple[str, ...]
    arguments: VerifierArguments


def claim_is(claim: str, values: Collection[str], reason: Reason = Reason.WRONG_CLAIM) -> ClaimCheck:
    """The claim is a text, one of these.

    >>> claim_is("token_use", ["access"]).check({"token_use": "access"}, 0)
    """
    allowed = frozenset(values)

    def check(claims: Mapping[str, Any], now: float) -> None:
        if claim not in claims:
            raise Rejected(Reason.MISSING_CLAIM, f"the token has no {claim}", where=claim)
        value = claims[claim]
        if type(value) is not str or value not in allowed:
            raise Rejected(reason, f"{claim} is none that is accepted", where=claim)

    return ClaimCheck(claim, " or ".join(sorted(allowed)), check)


def of_client(claims_of_clients: Sequence[str], clients: Collection[str] | None) -> ClaimCheck:
    """One of these claims names the client that the token was issued to, as access tokens of the issuer have it and ID tokens don't.

    Args:
        claims_of_clients: the claims that may name it.
        clients: which clients; None: any.
    """
    names = tuple(claims_of_clients)
    allowed = None if clients is None else frozenset(texts_of(clients, "clients"))

    def check(claims: Mapping[str, Any], now: float) -> None:
        found = [claims[name] for name in names if name in claims]
        if not found:
            raise Rejected(Reason.WRONG_TYPE, "no access token: it names no client", where=names[0])
        for value in found:
            if type(value) is not str or not value:
                raise Rejected(Reason.WRONG_CLAIM, "a client is a text, and not an empty one", where=names[0])
            if allowed is not None and value not in allowed:
                raise Rejected(Reason.WRONG_CLAIM, "issued to a client that is not accepted", where=names[0])

    return ClaimCheck(names[0], "a client" if allowed is None else " or ".join(sorted(allowed)), check)


def _no_id_token(claims: Mapping[str, Any], now: float) -> None:
    for name in ("nonce", "at_hash", "c_hash", "s_hash"):
        if name in claims:
            raise Rejected(Reason.WRONG_TYPE, f"an ID token, by its {name}", where=name)


no_id_token: Final = ClaimCheck("nonce", "absent: only ID tokens have it, at_hash and c_hash", _no_id_token)
"""Nothing that OpenID Connect puts into ID tokens alone (OpenID Connect Core 1.0 §2, §3.3.2.11)."""


def host(value: object, name: str) -> str:
    """A host name, without a scheme.

    Raises:
        ConfigurationError: something else.
    """
    if not isinstance(value, str) or not _HOST.fullmatch(value):
        raise ConfigurationError(f"{name} is a host name without https:// and without a path: acme.example")
    return value


def https_url(value: object, name: str) -> str:
    """A URL, without "/" at its end.

    Raises:
        ConfigurationError: something else.
    """
    if not isinstance(value, str) or not _URL.fullmatch(value):
        raise ConfigurationError(f"{name} is a URL: https://id.example")
    return value.rstrip("/")


def named(value: object, name: str, form: str = r"[A-Za-z0-9._~-]+") -> str:
    """A name of the issuer's, by its form.

    Raises:
        ConfigurationError: another form.
    """
    if not isinstance(value, str) or not re.fullmatch(form, value):
        raise ConfigurationError(f"{name} is not of the form that the issuer gives it: {str(value)[:64]!r}")
    return value


def texts_of(value: object, name: str) -> tuple[str, ...]:
    """One text or several.

    Raises:
        ConfigurationError: something else, or none.
    """
    found = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Collection) else ()
    if not found or not all(isinstance(text, str) and text for text in found):
        raise ConfigurationError(f"{name}= is a text or a sequence of texts, none of them empty")
    return found

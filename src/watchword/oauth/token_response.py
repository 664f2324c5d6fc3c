"""What a token endpoint answers (RFC 6749 §5): a token, or an error that the operator can do something about."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final

from watchword.core.rejection import CredentialsUnavailable
from watchword.effects import Received
from watchword.oauth.own_requests import json_object, object_of
from watchword.schemes.bearer import is_token

__all__ = [
    "AccessToken", "TokenRefused", "error_code", "lifetime_of", "read_token_response", "refusal_of", "token_until",
]  # fmt: skip

CENTURY: Final = 100 * 365 * 86400
RENEW_EARLY: Final = 30.0
"""Seconds before its end at which a token is renewed at the latest; a quarter of its life, if that is less."""
JITTER: Final = 0.5
"""The part of that time by which one token is renewed earlier than another, so that not all programs come at once."""

_MEANINGS: Final = {
    "invalid_client": "the client is unknown, its secret or key is wrong, or it has to prove itself in another way: "
    "ClientSecret(…, method=…), PrivateKeyJWT, or encode=False for a secret with special characters",
    "invalid_grant": "the code or refresh token is used up, has expired, was taken back or is another client's",
    "unauthorized_client": "this client may not use this grant: its registration at the issuer says which",
    "unsupported_grant_type": "the token endpoint doesn't know this grant: is its URL right?",
    "invalid_scope": "a scope is unknown or not for this client",
    "invalid_target": "the resource or audience is unknown there, or not for this client (RFC 8707)",
    "invalid_request": "a parameter is missing, wrong, or there twice: params= may be needed",
    "access_denied": "the person, or the issuer, has said no",
    "expired_token": "nobody has entered the code in time (RFC 8628)",
}


class TokenRefused(CredentialsUnavailable):
    """A token endpoint, or an authorization endpoint, answered with an error (RFC 6749 §4.1.2.1, §5.2).

    Args:
        where: who answered.
        error: its code, if it is one that the RFC's grammar allows, else "".
        description: what it says besides, for the operator; without anything secret that was sent there.
        status: that of the answer; 0 for a callback.
    """

    def __init__(self, where: str, error: str, description: str = "", status: int = 0) -> None:
        meaning = _MEANINGS.get(error, "")
        said = f' ("{description}")' if description else ""
        super().__init__(f"{where}: {error or 'no error code'}{said}{': ' if meaning else ''}{meaning}")
        self.error = error
        self.description = description
        self.status = status


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token as the token endpoint issued it (RFC 6749 §5.1), with what came along.

    Args:
        value: the token itself; a bearer secret.
        expires: seconds since the epoch; None if the endpoint did not say.
        renew: when a client asks for the next one, a little before it expires.
        scopes: what it is good for.
        obtained: when it was asked for, in seconds since the epoch.
        refresh: the refresh token that came with it; a secret.
        subject: who has logged in, if an ID token said so.
    """

    sensitive: ClassVar[bool] = True

    value: str = field(repr=False)
    expires: float | None
    renew: float | None
    scopes: tuple[str, ...]
    obtained: float | None = None
    refresh: str | None = field(default=None, repr=False)
    subject: str | None = None

    def is_fresh(self, now: float) -> bool:
        """Whether it is used without asking for another. A clock that went back says nothing, so the token is renewed."""
        back = self.obtained is not None and now < self.obtained - RENEW_EARLY
        return self.renew is None or (now < self.renew and not back)


def read_token_response(
    received: Received, now: float, asked: Sequence[str], *, secrets: Collection[str], lenient: bool, chance: float
) -> tuple[AccessToken, Mapping[str, Any]]:
    """The token of an answer, and all members of it. 200 or 201: servers say either.

    Args:
        received: the answer.
        now: when it was asked for.
        asked: the scopes that were asked for, which it has if the answer names none (§5.1).
        secrets: what was sent, and may not be repeated by an error.
        lenient: take a token whose type isn't said for a bearer token.
        chance: between 0 and 1, by which it is renewed earlier.

    Raises:
        TokenRefused: an error answer, with whatever status; or any of 4xx, by which the server says that it has done nothing.
        CredentialsUnavailable: one that is not a bearer token.
    """
    status = received.response.status
    if 400 <= status < 500 and json_object(received.body or b"") is None:
        raise TokenRefused(f"the token endpoint answered {status} without a JSON object", "", status=status)
    content = object_of(received, "the token endpoint")
    if status not in (200, 201) or "error" in content:
        raise refusal_of(content, f"the token endpoint answered {status}", secrets, status)
    value, kind = content.get("access_token"), content.get("token_type")
    if kind is None and lenient:
        kind = "Bearer"
    if not isinstance(value, str) or not is_token(value) or not isinstance(kind, str) or kind.lower() != "bearer":
        untyped = "; it has no token_type, which lenient=True allows" if kind is None and isinstance(value, str) else ""
        raise CredentialsUnavailable(f"the token endpoint's answer holds no bearer token{untyped}")
    scope, refresh = content.get("scope"), content.get("refresh_token")
    scopes = tuple(scope.split()) if isinstance(scope, str) else tuple(asked)
    refresh = refresh if isinstance(refresh, str) and refresh else None
    token = token_until(now, value, lifetime_of(content.get("expires_in")), scopes, chance)
    return replace(token, obtained=now, refresh=refresh), content


def token_until(
    now: float, value: str, lifetime: float | None, scopes: tuple[str, ...], chance: float = 0.0
) -> AccessToken:
    """The token `value` that ends in `lifetime` seconds, and is renewed a little before, by `chance` a little earlier still.

    >>> token_until(1000, "2YotnFZFEjr1zCsicMWpAA", 3600, ()).renew
    4570.0
    """
    if lifetime is None:
        return AccessToken(value, None, None, scopes)
    early = min(RENEW_EARLY, lifetime / 4) * (1 + JITTER * chance)
    return AccessToken(value, now + lifetime, now + lifetime - early, scopes)


def refusal_of(content: Mapping[str, Any], where: str, secrets: Collection[str], status: int = 0) -> TokenRefused:
    """The error in an answer or a callback: what its grammar allows of it, and nothing that was secret."""
    description = _shown(content.get("error_description"), secrets)
    return TokenRefused(where, error_code(content), description, status)


def error_code(content: Mapping[str, Any]) -> str:
    r"""The `error` of an answer; "" for what RFC 6749 §5.2 has no characters for: it would be repeated into logs.

    >>> error_code({"error": "invalid_client"}), error_code({"error": "two\nlines"})
    ('invalid_client', '')
    """
    code = content.get("error")
    return code if isinstance(code, str) and len(code) <= 64 and _is_plain(code) else ""


def _shown(description: object, secrets: Collection[str]) -> str:
    if not isinstance(description, str) or not _is_plain(description) or len(description) > 1000:
        return ""
    for secret in secrets:
        description = description.replace(secret, "…")
    return description if len(description) <= 300 else description[:300] + "…"


def _is_plain(text: str) -> bool:
    """%x20-21 / %x23-5B / %x5D-7E, as §5.2 has it for both."""
    return text.isascii() and text.isprintable() and '"' not in text and "\\" not in text


def lifetime_of(value: object) -> float | None:
    """`expires_in` in seconds, which some endpoints send as text; more than a century is as good as none.

    >>> lifetime_of("3600"), lifetime_of(3600), lifetime_of(-1)
    (3600.0, 3600.0, None)
    """
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:12])
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= CENTURY:
        return None
    return float(value)

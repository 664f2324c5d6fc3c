"""The device authorization grant (RFC 8628): a person enters a code on another device, where there is a browser."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from watchword.core.rejection import CredentialsUnavailable
from watchword.effects import Ask, Context, Sleep
from watchword.oauth.id_token import Expected, identified
from watchword.oauth.issuer import Issuer
from watchword.oauth.own_requests import object_of
from watchword.oauth.token_response import AccessToken, TokenRefused, refusal_of

__all__ = ["Device"]

INTERVAL: Final = 5.0
"""Seconds between two questions where the issuer doesn't say (§3.2), and by which they grow when it says slow_down (§3.5)."""
LONGEST: Final = 3600.0
"""Seconds for which is asked at most, whatever the issuer says."""
_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"


class Device:
    """The grant of programs without a browser: `adapt(OAuth2Auth(…, grant=Device()), ask=…)`.

    `ask` is given the URL and the code to show. It shows them and returns at once; what it returns doesn't matter.

    >>> Device()
    Device()
    """

    __slots__ = ()

    def can_begin(self, context: Context) -> bool:
        """Whether there is somebody to ask: `adapt(auth, ask=…)`."""
        return context.asks

    def begin(self, context: Context, issuer: Issuer) -> Generator[Any, Any, AccessToken]:
        """The effects that show a code, and wait until somebody has entered it. Time is counted, not read from the clock.

        Raises:
            TokenRefused: the person says no, or nobody comes in time.
            CredentialsUnavailable: nobody is there to be asked, or the issuer has no such grant.
        """
        if not self.can_begin(context):
            raise CredentialsUnavailable(
                "nobody has logged in yet: pass adapt(auth, ask=…), which shows a person the code to enter"
            )
        answer, secrets = yield from issuer.post(context, "device_authorization_endpoint", issuer.asked_for)
        begun = object_of(answer, "the device authorization endpoint")
        if answer.response.status != 200 or "error" in begun:
            raise refusal_of(
                begun,
                f"the device authorization endpoint answered {answer.response.status}",
                secrets,
                answer.response.status,
            )
        code, shown, url = begun.get("device_code"), begun.get("user_code"), _page(begun, issuer)
        if not isinstance(code, str) or not code or not isinstance(shown, str) or not shown.isprintable():
            raise CredentialsUnavailable("the device authorization endpoint's answer has no code to enter")
        yield Ask("device", url, shown)
        return (
            yield from _waiting(
                context, issuer, code, _number(begun, "interval", INTERVAL), _number(begun, "expires_in", LONGEST)
            )
        )

    def __repr__(self) -> str:
        return "Device()"


def _waiting(
    context: Context, issuer: Issuer, code: str, interval: float, lifetime: float
) -> Generator[Any, Any, AccessToken]:
    form = (("grant_type", _GRANT), ("device_code", code))
    waited = 0.0
    while (waited := waited + interval) <= lifetime:
        yield Sleep(interval)
        try:
            token, members = yield from issuer.token(context, form, (code,))
        except TokenRefused as refused:
            if refused.error not in ("authorization_pending", "slow_down"):
                raise
            interval += INTERVAL if refused.error == "slow_down" else 0.0
            continue
        if issuer.is_openid:
            claims = yield from identified(context, issuer, members, Expected())
            token = replace(token, subject=claims["sub"])
        return token
    raise TokenRefused("the device authorization", "expired_token")


def _page(begun: Mapping[str, Any], issuer: Issuer) -> str:
    """The page to open: a person is sent to nothing but a web page, and not out of https."""
    url = begun.get("verification_uri_complete") or begun.get("verification_uri")
    schemes = {"https", urlsplit(issuer.name).scheme}
    if not isinstance(url, str) or not url.isprintable() or url.partition("://")[0] not in schemes:
        raise CredentialsUnavailable("the device authorization endpoint's answer has no https URL to open")
    return url


def _number(begun: Mapping[str, Any], name: str, default: float) -> float:
    value = begun.get(name)
    usable = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= LONGEST
    return max(1.0, float(value)) if usable and value is not None else default

"""Temporary credentials that are renewed while requests are signed with them: of a role, an instance, a container."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from watchword.core.message import Request
from watchword.core.rejection import ConfigurationError, CredentialsUnavailable
from watchword.effects import Call, Context, Flow, Hold, Release
from watchword.schemes.client_half import ClientHalf
from watchword.schemes.sigv4.canonical import PathRules
from watchword.schemes.sigv4.client import Payload, SigV4Auth
from watchword.structures.in_process import InProcess

__all__ = ["RefreshingSigV4Auth", "SigV4Credentials"]

LEASE: Final = 60.0
RENEW_EARLY: Final = 300.0


@dataclass(frozen=True, slots=True)
class SigV4Credentials(InProcess):
    """What a provider gives to `RefreshingSigV4Auth`.

    Args:
        access_key: the access key id.
        secret_key: the secret access key.
        session_token: of temporary credentials.
        expires: seconds since the epoch; None if the provider renews them itself, so that it is asked for each request.

    >>> SigV4Credentials("ASIAEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", expires=1_700_003_600)
    SigV4Credentials(access_key='ASIAEXAMPLE', expires=1700003600)
    """

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    expires: float | None = None


class _Current(NamedTuple):
    """The credentials in use, what signs with them, and when the next ones are asked for."""

    credentials: SigV4Credentials
    auth: SigV4Auth
    renew: float


class RefreshingSigV4Auth(ClientHalf):
    """Signs every request as `SigV4Auth` does, with credentials that a function gives and gives anew before they expire.

    They are asked for by the first request, and five minutes before they expire, or at a quarter of a shorter life. One request
    asks, in any number of threads and tasks; the others wait for it. As long as the old ones are good, a function that fails stops nobody.

    Args:
        provide: a function without arguments, or, for async clients, a coroutine function; an async client calls a plain
            function in a thread.
        region, service, algorithm, payload, paths: as `SigV4Auth` has them.

    Raises:
        ConfigurationError: as of `SigV4Auth`, or `provide` is no function. Of a request: what `provide` gave is no
            `SigV4Credentials`, or a coroutine function was given to a sync client.
        CredentialsUnavailable: of a request: `provide` gave credentials that have expired.

    >>> def assume_role():
    ...     return SigV4Credentials("ASIAEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "token", expires=1_700_003_600)
    >>> RefreshingSigV4Auth(assume_role, region="eu-central-1", service="s3")
    RefreshingSigV4Auth(region='eu-central-1', service='s3')
    """

    __slots__ = ("__weakref__", "_current", "_provide", "_settings")

    def __init__(
        self,
        provide: Callable[[], SigV4Credentials | Awaitable[SigV4Credentials]],
        *,
        region: str,
        service: str,
        algorithm: str = "AWS4-HMAC-SHA256",
        payload: Payload = Payload(),  # noqa: B008 -- an immutable tuple
        paths: PathRules | None = None,
    ) -> None:
        if not callable(provide):
            raise ConfigurationError("provide is a function that gives SigV4Credentials; what stays is for SigV4Auth")
        self._provide = provide
        self._settings: dict[str, Any] = {
            "region": region, "service": service, "algorithm": algorithm, "payload": payload, "paths": paths,
        }  # fmt: skip
        SigV4Auth("unused", "unused", **self._settings)  # says what is wrong with them now, not at the first request
        self._current: _Current | None = None

    def __repr__(self) -> str:
        region, service = self._settings["region"], self._settings["service"]
        return f"RefreshingSigV4Auth(region={region!r}, service={service!r})"

    def flow(self, request: Request, context: Context) -> Flow:
        """One Send, signed with credentials that are good for a while yet."""
        current = self._current
        if current is None or context.now() >= current.renew:
            current = yield from self._renewed(context)
        yield from current.auth.flow(request, context)

    def _renewed(self, context: Context) -> Any:
        """The effects that ask for credentials; one flow asks for those that expire, the others wait for it."""
        current = self._current
        shared = current is None or current.credentials.expires is not None
        if shared:
            yield Hold("credentials", LEASE)
            current = self._current
        if current is None or context.now() >= current.renew:
            current = self._taken((yield Call(self._provide)), context.now())
        if shared:
            # If anything above fails, the driver lets the lock go.
            yield Release("credentials")
        return current

    def _taken(self, given: object, now: float) -> _Current:
        """What is signed with from now on: what was given, or what is good still where that was an error."""
        current = self._current
        if isinstance(given, Exception):
            expires = None if current is None else current.credentials.expires
            if current is None or expires is None or now >= expires:
                raise given
            return current
        if not isinstance(given, SigV4Credentials):
            raise ConfigurationError(f"provide gives SigV4Credentials(…), not {type(given).__name__}")
        expires = given.expires
        if expires is not None and now >= expires:
            raise CredentialsUnavailable("provide gave credentials that have expired")
        renew = now if expires is None else expires - min(RENEW_EARLY, (expires - now) / 4)
        if current is not None and current.credentials == given:
            auth = current.auth
        else:
            auth = SigV4Auth(given.access_key, given.secret_key, session_token=given.session_token, **self._settings)
        self._current = _Current(given, auth, renew)
        return self._current

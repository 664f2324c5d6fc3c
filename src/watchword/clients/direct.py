"""What belongs to no request of yours: beginning and finishing a log-in, getting a token now, giving one back."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import TypeVar

from watchword.effects import Ask
from watchword.transport.alone import Alone, Settings, drive_alone, drive_alone_async

__all__ = ["perform", "perform_async"]

T = TypeVar("T")


def perform(
    flow: Alone[T],
    *,
    ask: Callable[[Ask], str] | None = None,
    timeout: float = 30.0,
    ca_file: str | None = None,
    ssl_context: ssl.SSLContext | None = None,
) -> T:
    """Carries out what `OAuth2Auth.begin_login`, `finish_login`, `log_in` and `revoke` give; its result.

    Requests go out over connections of their own, by urllib3, without a proxy. No redirect is followed, no cookie is kept and
    nothing is sent twice.

    Args:
        flow: what to do.
        ask: shows a person what to do and returns what came back.
        timeout: seconds for each request, from looking up the name to the end of the answer.
        ca_file: a PEM file of the certificate authorities to trust; None: the system's.
        ssl_context: what checks certificates in place of that.

    Raises:
        CredentialsUnavailable: the issuer refuses, or can't be reached.
        ConfigurationError: a person has to be asked and `ask` is not given; or `pip install 'watchword[urllib3]'`.

    >>> from watchword import ClientCredentials, ClientSecret, OAuth2Auth
    >>> from watchword.testing import LoopbackIssuer
    >>> with LoopbackIssuer() as issuer:
    ...     issuer.add_client("robot", "open sesame")
    ...     auth = OAuth2Auth(issuer=issuer.url, client=ClientSecret("robot", "open sesame"), grant=ClientCredentials())
    ...     token = perform(auth.log_in())
    ...     token.value == auth.token.value
    True
    """
    return drive_alone(flow, Settings(timeout, ca_file, ssl_context), ask)


async def perform_async(
    flow: Alone[T],
    *,
    ask: Callable[[Ask], str] | None = None,
    timeout: float = 30.0,  # noqa: ASYNC109 -- of each request, not of the call
    ca_file: str | None = None,
    ssl_context: ssl.SSLContext | None = None,
) -> T:
    """`perform` on an event loop.

    Args:
        flow: what to do.
        ask: shows a person what to do and returns what came back; it is called in a thread.
        timeout: as of `perform`.
        ca_file: as of `perform`.
        ssl_context: as of `perform`.

    Raises:
        CredentialsUnavailable, ConfigurationError: as `perform`.
    """
    return await drive_alone_async(flow, Settings(timeout, ca_file, ssl_context), ask)

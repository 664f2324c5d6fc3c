"""Which grant a session uses, and what is said of those that it does not do.

There is one grant: client credentials (RFC 6749 §4.4). The authorization code and refresh tokens are not there yet: whoever adds
them starts at `LATER`, whose names are refused here and nowhere else. The password grant and the implicit one stay away (RFC 9700
§2.4, §2.1.2).
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, Literal, NoReturn

from watchword.core.rejection import ConfigurationError
from watchword.dropin.requests_oauthlib.errors import UnsupportedGrant

__all__ = ["NOT_GIVEN", "NotGiven", "check_client", "check_fetch", "refuse_implicit", "refuse_later"]


class _Absence(Enum):
    NOT_GIVEN = "not given"


NotGiven = Literal[_Absence.NOT_GIVEN]
NOT_GIVEN: Final = _Absence.NOT_GIVEN
"""The default of `code=`: a `None` that was passed is a code that did not come, and no wish for another grant."""

_CODE: Final = "the authorization code grant"
_REFRESH: Final = "refresh tokens"
LATER: Final = {
    "code": _CODE,
    "authorization_response": _CODE,
    "authorization_url": _CODE,
    "new_state": _CODE,
    "pkce": _CODE,
    "redirect_uri": _CODE,
    "state": _CODE,
    "WebApplicationClient": _CODE,
    "refresh_token": _REFRESH,
    "request(client_id=)": _REFRESH,
    "request(client_secret=)": _REFRESH,
    "auto_refresh_url": _REFRESH,
    "auto_refresh_kwargs": _REFRESH,
    "token_updater": _REFRESH,
    "DeviceClient": "the device grant",
    "ServiceApplicationClient": "the JWT bearer grant",
}
"""What this drop-in doesn't do yet: the arguments, methods and clients, and the grant that each belongs to."""

_CLIENTS: Final = {
    "authorization_code": "WebApplicationClient",
    "urn:ietf:params:oauth:grant-type:device_code": "DeviceClient",
    "urn:ietf:params:oauth:grant-type:jwt-bearer": "ServiceApplicationClient",
}


def refuse_later(argument: str) -> NoReturn:
    """Refuses what belongs to a grant that is not there yet.

    Raises:
        UnsupportedGrant: always.
    """
    raise UnsupportedGrant(
        argument,
        f"this belongs to {LATER[argument]}, which this drop-in does not do yet: get the token elsewhere and pass it as token=, "
        "or use the client credentials grant, OAuth2Session(client=BackendApplicationClient(client_id))",
    )


def refuse_password(argument: str) -> NoReturn:
    """Refuses the password grant.

    Raises:
        UnsupportedGrant: always.
    """
    raise UnsupportedGrant(
        argument,
        "this belongs to the password grant, which hands the user's password to the client and is not to be used (RFC 9700 §2.4): "
        "use the client credentials grant, BackendApplicationClient, for the client itself, and the authorization code grant for a user",
    )


def refuse_implicit(argument: str) -> NoReturn:
    """Refuses the implicit grant.

    Raises:
        UnsupportedGrant: always.
    """
    raise UnsupportedGrant(
        argument,
        "this belongs to the implicit grant, which shows the token in a URL and is not to be used (RFC 9700 §2.1.2): use the "
        "authorization code grant with PKCE for a user, the client credentials grant, BackendApplicationClient, for the client itself",
    )


def is_implicit(client: Any) -> bool:
    """Whether this is oauthlib's client for the implicit grant."""
    return getattr(client, "response_type", None) == "token"


def check_client(client: Any) -> None:
    """That `client=` is a client at all: of which grant, is asked when it shall fetch.

    Raises:
        ConfigurationError: it is something else.
    """
    if not callable(getattr(client, "prepare_request_body", None)):
        raise ConfigurationError(
            "client= is a client object, BackendApplicationClient(client_id); a secret is client_secret=, "
            "OAuth2Session(client_id, client_secret=…)"
        )


def check_fetch(client: Any, *, chosen: bool, given: dict[str, Any]) -> None:
    """That these arguments of `fetch_token` ask for client credentials.

    Args:
        client: the session's client.
        chosen: whether the program has passed it.
        given: the arguments that belong to other grants, those of the session's construction with them.

    Raises:
        UnsupportedGrant: they ask for another grant.
    """
    for name in ("username", "password"):
        if given[name] is not None:
            refuse_password(f"{name}=")
    grant = getattr(client, "grant_type", None)
    if grant == "password":
        refuse_password("LegacyApplicationClient")
    if is_implicit(client):
        refuse_implicit("MobileApplicationClient")
    # Where a client for client credentials was chosen, `code=None` says nothing; else it is a code that did not come.
    nothing = (NOT_GIVEN, None, "") if chosen else (NOT_GIVEN,)
    for name in ("code", "authorization_response"):
        if given[name] not in nothing:
            refuse_later(name)
    # Without `client=`, requests-oauthlib means a log-in of a user's by these: the client's own token is none.
    for name in ("pkce",) if chosen else ("pkce", "redirect_uri", "state"):
        if given[name]:
            refuse_later(name)
    if grant in _CLIENTS:
        refuse_later(_CLIENTS[grant])
    if grant != "client_credentials":
        raise UnsupportedGrant(
            type(client).__name__,
            f"this drop-in knows no grant {str(grant)[:64]!r}: BackendApplicationClient(client_id)",
        )

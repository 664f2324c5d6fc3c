"""`HTTPTokenAuth`: a token in Authorization or in a field of its own, verified by the application."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from watchword.core.limits import Limits
from watchword.core.rejection import not_installed
from watchword.dropin.flask_httpauth._base import HTTPAuth
from watchword.dropin.flask_httpauth._callbacks import Callback, called

try:
    import flask
except ImportError:
    raise not_installed("flask") from None
from werkzeug.datastructures import Authorization

__all__ = ["HTTPTokenAuth"]

# More than RFC 6750 §2.1 calls a token: the callback may take several parameters apart. No octet that is not visible ASCII.
_TOKEN: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
MAX_TOKEN: Final = Limits().field


class HTTPTokenAuth(HTTPAuth):
    """Authentication by tokens.

    Args:
        scheme: the word before the token, and of the challenge.
        realm: what the user is asked to log in to.
        header: a field that holds the token alone, for example "X-API-Key"; None: Authorization.

    >>> HTTPTokenAuth("Token", realm="orders").authenticate_header()
    'Token realm="orders"'
    """

    def __init__(self, scheme: str = "Bearer", realm: str | None = None, header: str | None = None) -> None:
        super().__init__(scheme, realm, header)
        self.verify_token_callback: Callable[..., Any] | None = None

    def verify_token(self, f: Callback) -> Callback:
        """Decorates the function that verifies: `verify_token(token)` gives the user or True, else None or False.

        It is never called without a token (GHSA-p44q-vqpr-4xmg).
        """
        self.verify_token_callback = f
        return f

    def get_auth(self) -> Authorization | None:
        """The token, as `Authorization.token`."""
        header = self.header or "Authorization"
        value = flask.request.headers.get(header)
        if value is None:
            return None
        if header.lower() == "authorization":
            word, _, value = value.partition(" ")
            if not self.speaks(word):
                return None
        token = value.strip(" ")
        if len(token) > MAX_TOKEN or not _TOKEN.fullmatch(token):
            return None
        return Authorization(self.scheme or "", None, token)

    def authenticate(self, auth: Authorization | None, stored_password: Any) -> Any:
        """What `verify_token` says of the token; None without one."""
        token = None if auth is None else auth.token
        if not token or self.verify_token_callback is None:
            return None
        return called(self.verify_token_callback, token)

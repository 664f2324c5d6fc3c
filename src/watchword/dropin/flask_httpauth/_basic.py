"""`HTTPBasicAuth`: read by the engine (`schemes.basic`), verified by the application."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from watchword.core.rejection import Rejected, not_installed
from watchword.crypto.digests import compare
from watchword.dropin.flask_httpauth._base import HTTPAuth
from watchword.dropin.flask_httpauth._callbacks import Callback, called, takes
from watchword.schemes.basic import user_pass

try:
    import flask
except ImportError:
    raise not_installed("flask") from None
from werkzeug.datastructures import Authorization

__all__ = ["HTTPBasicAuth"]


class HTTPBasicAuth(HTTPAuth):
    """Basic authentication (RFC 7617).

    Args:
        scheme: the word of the challenge, if not Basic: browsers then ask for no password. Credentials may come after either word.
        realm: what the user is asked to log in to.

    >>> HTTPBasicAuth(realm="orders").authenticate_header()
    'Basic realm="orders"'
    """

    def __init__(self, scheme: str | None = None, realm: str | None = None) -> None:
        super().__init__(scheme or "Basic", realm)
        self.hash_password_callback: Callable[..., Any] | None = None
        self.verify_password_callback: Callable[..., Any] | None = None

    def hash_password(self, f: Callback) -> Callback:
        """Decorates the function that hashes what was sent, to be compared with what `get_password` gives.

        It is called with the password, or with username and password if it takes two arguments. Flask-HTTPAuth calls it
        deprecated: `verify_password`.
        """
        self.hash_password_callback = f
        return f

    def verify_password(self, f: Callback) -> Callback:
        """Decorates the function that verifies: `verify_password(username, password)` gives the user or True, else None or False.

        Both are "" where the request has no credentials: an application may let it pass. Malformed credentials are refused
        without asking.
        """
        self.verify_password_callback = f
        return f

    def speaks(self, word: str) -> bool:
        """As `HTTPAuth.speaks`; Basic in any case."""
        return word.lower() == "basic" or super().speaks(word)

    def get_auth(self) -> Authorization | None:
        """Username and password as they were sent: UTF-8, or else ISO 8859-1."""
        value = self._sent()
        if value is None:
            return None
        try:
            octets = user_pass(value.encode("latin-1", "replace"))
        except Rejected:
            return None
        try:
            text = octets.decode()
        except UnicodeDecodeError:
            text = octets.decode("latin-1")
        username, _, password = text.partition(":")
        return Authorization("basic", {"username": username, "password": password})

    def authenticate(self, auth: Authorization | None, stored_password: Any) -> Any:
        """What `verify_password` says; without it the username, if the password is the stored one."""
        if auth is None and self._sent() is not None:
            return None  # malformed: that is not the same as none
        username, password = ("", "") if auth is None else (auth.username, auth.password)
        if self.verify_password_callback is not None:
            return called(self.verify_password_callback, username, password)
        if auth is None:
            return None
        if self.hash_password_callback is not None:
            hashing = self.hash_password_callback
            password = called(hashing, password) if takes(hashing, 1) else called(hashing, username, password)
        return username if _same(password, stored_password) else None

    def _sent(self) -> str | None:
        """The value of the field, if credentials for this object are in it."""
        value: str | None = flask.request.headers.get(self.header or "Authorization")
        return value if value is not None and self.speaks(value.partition(" ")[0]) else None


def _same(given: Any, stored: Any) -> bool:
    """Whether both are the same text or octets; an empty stored password is nobody's.

    Where there is none the same work is done, so that its duration does not tell which usernames there are.
    """
    if given is None:
        return False
    mine = _octets(given)
    return compare(mine, _octets(stored) if stored else mine) and bool(stored)


def _octets(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    raise TypeError(f"get_password and hash_password give a text, octets or None, not {type(value).__name__}")

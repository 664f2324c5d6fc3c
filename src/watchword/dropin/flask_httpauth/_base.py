"""What the classes have in common: callbacks, roles, `login_required`, and the answer to who may not pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, overload

from watchword.core.answer import Challenge
from watchword.core.rejection import ConfigurationError, not_installed
from watchword.dropin.flask_httpauth._above import Above
from watchword.dropin.flask_httpauth._callbacks import Callback, View, called, takes

try:
    import flask
except ImportError:
    raise not_installed("flask") from None
from werkzeug.datastructures import Authorization

__all__ = ["HTTPAuth", "checked_view"]

REALM = "Authentication Required"
USER = "flask_httpauth_user"
"""The name in `flask.g` under which Flask-HTTPAuth keeps the user."""


class HTTPAuth:
    """The base of the classes for Basic, Digest and tokens; not used by itself.

    Args:
        scheme: the word of the challenge.
        realm: what the user is asked to log in to.
        header: the field that has the credentials; None: Authorization.
    """

    def __init__(self, scheme: str | None = None, realm: str | None = None, header: str | None = None) -> None:
        self.scheme = scheme
        self.realm = realm or REALM
        self.header = header
        self.get_password_callback: Callable[..., Any] | None = None
        self.get_user_roles_callback: Callable[..., Any] | None = None
        self.auth_error_callback: Callable[..., Any]
        self.error_handler(_unauthorized)
        self._above = Above()

    # ---- what the application says ---------------------------------------------------------------------------------

    def get_password(self, f: Callback) -> Callback:
        """Decorates the function that gives a user's password: `get_password(username)`, None for nobody."""
        self.get_password_callback = f
        return f

    def get_user_roles(self, f: Callback) -> Callback:
        """Decorates the function that gives a user's role, or a list of them: `get_user_roles(user)`.

        `user` is what the verifying callback returned, or werkzeug's `Authorization` if that was True.
        """
        self.get_user_roles_callback = f
        return f

    def error_handler(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """Decorates the function that answers who may not pass: `error(status)`, with 401 or 403, or without an argument.

        It gives whatever a view may give. A text alone goes out with the status 401, and the challenge is added.
        """
        with_status = takes(f, 1)

        @wraps(f)
        def answering(*args: Any, **kwargs: Any) -> Any:
            worded = called(f, *(args if with_status else ()), **kwargs)
            answer = flask.make_response(worded)
            if answer.status_code == 200 and not isinstance(worded, (tuple, flask.Response)):
                answer.status_code = 401
            if "WWW-Authenticate" not in answer.headers:
                answer.headers["WWW-Authenticate"] = self.authenticate_header()
            return answer

        self.auth_error_callback = answering
        return answering

    # ---- what the request says -------------------------------------------------------------------------------------

    def is_compatible_auth(self, headers: Any) -> bool:
        """Whether a request with these fields has credentials for this object, genuine or not: for `MultiAuth`."""
        if self.header is None or self.header.lower() == "authorization":
            return self.speaks(headers.get("Authorization", "").partition(" ")[0])
        return self.header in headers

    def speaks(self, word: str) -> bool:
        """Whether credentials after this word are for this object; case does not matter (RFC 9110 §11.1)."""
        return word.lower() == (self.scheme or "").lower() != ""

    def get_auth(self) -> Authorization | None:
        """The credentials of the request, not verified; None if it has none for this object, or malformed ones.

        For classes of your own they are as Flask reads them; the field that `header` names is a token.
        """
        if self.header is not None and self.header.lower() != "authorization":
            token = flask.request.headers.get(self.header)
            return Authorization(self.scheme or "", None, token) if token else None
        sent = flask.request.authorization
        return sent if sent is not None and self.speaks(sent.type) else None

    def get_auth_password(self, auth: Authorization | None) -> Any:
        """What the application's `get_password` says of the user that was named; None if nobody was."""
        if auth is None or not auth.username or self.get_password_callback is None:
            return None
        return called(self.get_password_callback, auth.username)

    def authenticate(self, auth: Authorization | None, stored_password: Any) -> Any:
        """The user, or True; None or False if these are not the credentials of one."""
        raise NotImplementedError

    def asks_again(self) -> bool:
        """Whether the client only has to send the same credentials anew, which it does by itself: so it is told, on an optional view too."""
        return False

    def authorize(self, role: Any, user: Any, auth: Authorization | None) -> bool:
        """Whether a user has a role.

        Args:
            role: the role, or a list of which one is enough; a list in it is a set of roles that are all demanded.
            user: what `authenticate` returned.
            auth: the credentials.

        Raises:
            ConfigurationError: nobody has said what roles there are.
        """
        if role is None:
            return True
        if self.get_user_roles_callback is None:
            raise ConfigurationError(
                "role= needs to know whose roles are which: decorate a function with get_user_roles"
            )
        had = called(self.get_user_roles_callback, auth if user is True else user)
        roles = set(_listed(had)) if had is not None else set()
        return any(roles.issuperset(_listed(wanted)) for wanted in _listed(role))

    # ---- views -----------------------------------------------------------------------------------------------------

    @overload
    def login_required(self, f: View, role: None = None, optional: None = None) -> View: ...
    @overload
    def login_required(
        self, f: None = None, role: Any = None, optional: bool | None = None
    ) -> Callable[[View], View]: ...
    def login_required(self, f: Any = None, role: Any = None, optional: bool | None = None) -> Any:
        """Decorates a view, plain or async, that only users see: `@auth.login_required`, or with one of the arguments.

        It stands below the route; with one above its route the app answers nothing. A view that takes OPTIONS itself is called for that without credentials, since browsers ask
        so before they send any (CORS).

        Args:
            f: the view.
            role: as in `authorize`; who has another gets 403.
            optional: the view is called for everybody, and `current_user()` is None but for who may pass.

        Raises:
            ConfigurationError: a view and an argument.
        """
        checked_view(f, role, optional)

        def guarding(view: View) -> View:
            @wraps(view)
            def guarded(*args: Any, **kwargs: Any) -> Any:
                if flask.request.method != "OPTIONS":
                    status, user = self._judged(role)
                    if status is not None and (not optional or self.asks_again()):
                        return self.auth_error_callback(status)
                    setattr(flask.g, USER, user)
                return called(view, *args, **kwargs)

            self._above.note(view, guarded)
            return guarded  # type: ignore[return-value] # an async view is awaited by Flask's own means

        return guarding if f is None else guarding(f)

    def _judged(self, role: Any) -> tuple[int | None, Any]:
        """The status of the refusal, and None; or None, and the user."""
        auth = self.get_auth()
        user = self.authenticate(auth, self.get_auth_password(auth))
        if user in (False, None):  # 0 as well, the number of rows that were found
            return 401, None
        if not self.authorize(role, user, auth):
            return 403, None
        if user is not True:
            return None, user
        return None, None if auth is None else auth.username

    def authenticate_header(self) -> str:
        """The challenge."""
        return text_of(Challenge(self.scheme or "", (("realm", self.realm),)).encode())

    def username(self) -> str | None:
        """The name that the request gives, "" if it gives none. Flask-HTTPAuth calls it deprecated: `current_user()`."""
        auth = self.get_auth()
        return "" if auth is None else auth.username

    def current_user(self) -> Any:
        """The user that the verifying callback returned, or the username if that was True; None if nobody is logged in."""
        return getattr(flask.g, USER, None)

    def ensure_sync(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """The function, or for a coroutine function one that waits for it."""
        ensured: Callable[..., Any] = flask.current_app.ensure_sync(f)
        return ensured


def checked_view(f: Any, role: Any, optional: Any) -> None:
    """Takes a view, or arguments, not both.

    Raises:
        ConfigurationError: both, or no view where one should be.
    """
    if f is not None and (role is not None or optional is not None):
        raise ConfigurationError(
            "login_required takes a view, or role= and optional=: @auth.login_required(role='admin')"
        )
    if f is not None and not callable(f):
        raise ConfigurationError("role= and optional= have names: @auth.login_required(role='admin')")


def text_of(octets: bytes) -> str:
    """Octets of a field as WSGI has them (PEP 3333)."""
    return octets.decode("latin-1")


def _unauthorized(status: int) -> tuple[str, int]:
    return "Unauthorized Access", status


def _listed(roles: Any) -> Iterable[Any]:
    return roles if isinstance(roles, (list, tuple, set, frozenset)) else (roles,)

"""`MultiAuth`: several ways to authenticate, of which the request chooses one by its credentials."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, overload

from watchword.core.rejection import not_installed
from watchword.dropin.flask_httpauth._above import Above
from watchword.dropin.flask_httpauth._base import USER, HTTPAuth, checked_view
from watchword.dropin.flask_httpauth._callbacks import View

try:
    import flask
except ImportError:
    raise not_installed("flask") from None

__all__ = ["MultiAuth"]


class MultiAuth:
    """The first of several objects that the credentials of a request are for judges it; the first of all if there is none.

    Args:
        main_auth: the one whose challenge a request without credentials gets.
        additional_auths: the others.
    """

    def __init__(self, main_auth: HTTPAuth, *additional_auths: HTTPAuth) -> None:
        self.main_auth = main_auth
        self.additional_auths = additional_auths
        self._above = Above()

    @overload
    def login_required(self, f: View, role: None = None, optional: None = None) -> View: ...
    @overload
    def login_required(
        self, f: None = None, role: Any = None, optional: bool | None = None
    ) -> Callable[[View], View]: ...
    def login_required(self, f: Any = None, role: Any = None, optional: bool | None = None) -> Any:
        """As `HTTPAuth.login_required`, by the object that is chosen."""
        checked_view(f, role, optional)

        def guarding(view: View) -> View:
            @wraps(view)
            def guarded(*args: Any, **kwargs: Any) -> Any:
                return self._chosen().login_required(role=role, optional=optional)(view)(*args, **kwargs)

            self._above.note(view, guarded)
            return guarded  # type: ignore[return-value] # an async view is awaited by Flask's own means

        return guarding if f is None else guarding(f)

    def current_user(self) -> Any:
        """As `HTTPAuth.current_user`."""
        return getattr(flask.g, USER, None)

    def _chosen(self) -> HTTPAuth:
        headers = flask.request.headers
        every = (self.main_auth, *self.additional_auths)
        return next((auth for auth in every if auth.is_compatible_auth(headers)), self.main_auth)

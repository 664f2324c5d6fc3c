"""`Authenticate`: guards routes of Flask applications."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from watchword.core.admission import Admission
from watchword.core.guard import Guard
from watchword.core.identity import Identity
from watchword.core.rejection import ConfigurationError, Rejected, not_installed
from watchword.servers.decorated import Bare, check_handler, check_scopes
from watchword.servers.judgement import kept
from watchword.servers.wsgi.judging import check_guard
from watchword.servers.wsgi.on_demand import Judge, on_demand

try:
    import flask
except ImportError:
    raise not_installed("flask") from None
from watchword.servers.flask.problem import problem_of, refused

__all__ = ["Authenticate"]

View = TypeVar("View", bound=Callable[..., Any])


class Authenticate:
    """Guards routes of Flask applications.

    Args:
        guard: who may pass.
        app: as `init_app`.

    Raises:
        ConfigurationError: `guard` is not a `Guard`.

    >>> from watchword import Guard, JWTVerifier, Key
    >>> app = flask.Flask("orders")
    >>> auth = Authenticate(Guard([JWTVerifier(Key.generate("HS256"))]), app)
    >>> @app.get("/orders")
    ... @auth.required("orders:read")
    ... def orders():
    ...     return {"of": auth.identity.subject}
    >>> app.test_client().get("/orders").status_code
    401
    """

    def __init__(self, guard: Guard, app: flask.Flask | None = None) -> None:
        check_guard(guard)
        self._guard = guard
        self._bare = Bare()
        # For every app: one without init_app must not answer what `required` stands above either.
        flask.request_started.connect(self._before_request)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: flask.Flask) -> None:
        """Lets `app` ask this guard; called once for each app."""
        app.wsgi_app = on_demand(app.wsgi_app, self._guard)  # type: ignore[method-assign, assignment]
        app.register_error_handler(Rejected, refused)

    def required(self, *scopes: str) -> Callable[[View], View]:
        """A decorator for views, methods of view classes, and functions for `before_request`: requests that are admitted.

        It stands below the route; above it, it guards all the same. A view class has `decorators = [auth.required()]`.

        Args:
            scopes: all of them are demanded; without one of them the client gets 403.

        Raises:
            ConfigurationError: the parentheses are missing, or it stands above a class.
        """
        return self._asking(check_scopes(scopes, "@auth.required"), optional=False)

    @property
    def optional(self) -> Callable[[View], View]:
        """A decorator for views that answer requests without credentials too. Wrong credentials never pass."""
        return self._asking((), optional=True)

    @property
    def identity(self) -> Identity[Any]:
        """Who makes the request, which is `g.identity` too.

        Raises:
            ConfigurationError: no decorator has asked, or the request is anonymous.
        """
        return self._admission.known()

    @property
    def identity_or_none(self) -> Identity[Any] | None:
        """`identity`, or None for a request without credentials, which `optional` lets through."""
        return self._admission.identity

    def demand(self, *scopes: str) -> None:
        """What `required` does, for code that finds out as it runs which scopes to demand; it raises `Problem`."""
        self._demand(scopes, optional=False)

    def _asking(self, scopes: tuple[str, ...], *, optional: bool) -> Callable[[View], View]:
        def above(view: View) -> View:
            check_handler(view, ": write decorators = [auth.required()] in a view class")
            self._bare.note(view, scopes, optional)
            waits = iscoroutinefunction(view)

            @wraps(view)
            def asking(*args: Any, **kwargs: Any) -> Any:
                self._demand(scopes, optional=optional)
                return (flask.current_app.ensure_sync(view) if waits else view)(*args, **kwargs)

            return asking  # type: ignore[return-value] # an async view is awaited by Flask's own means

        return above

    def _before_request(self, app: flask.Flask, **_: Any) -> None:
        """Asks for a view that was registered bare: `required` stands above its route, where it wraps in vain."""
        request = _current(flask.request)
        rule = request.url_rule
        asked = () if rule is None else self._bare.asked_above(app.view_functions[rule.endpoint])
        if asked and request.method == "OPTIONS" and getattr(rule, "provide_automatic_options", False):
            return  # no view is called
        for scopes, optional in asked:
            self._demand(scopes, optional=optional)

    def _demand(self, scopes: tuple[str, ...], *, optional: bool) -> None:
        if refusal := self._judge.demand(scopes, optional=optional):
            raise problem_of(refusal)
        flask.g.identity = self._admission.identity

    @property
    def _judge(self) -> Judge:
        judge: Judge | None = kept(_current(flask.request).environ, self._guard.plan)
        if judge is None:
            raise ConfigurationError("no guard sees the requests of this app: write auth.init_app(app)")
        return judge

    @property
    def _admission(self) -> Admission:
        judgement = self._judge.judgement
        if judgement is None or judgement.admission is None:
            raise ConfigurationError("nobody has asked who makes this request: write @auth.required() above the view")
        return judgement.admission


def _current(proxy: Any) -> Any:
    """What a proxy of Flask's stands for: it is asked several things, and each would cost a look-up."""
    return proxy._get_current_object()  # noqa: SLF001 -- documented under this name

"""`Authenticate`: guards routes of Flask applications."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from watchword.core.admission import Admission
from watchword.core.answer import Refusal
from watchword.core.guard import Guard
from watchword.core.identity import Identity
from watchword.core.rejection import ConfigurationError, Rejected, not_installed
from watchword.servers.decorated import Bare, check_handler, check_scopes
from watchword.servers.judgement import JUDGEMENTS
from watchword.servers.wsgi.judging import check_guard
from watchword.servers.wsgi.on_demand import Judge, on_demand

try:
    import flask
except ImportError:
    raise not_installed("flask") from None
from watchword.servers.flask.asking import View, asking_first, globals_now, request_now
from watchword.servers.flask.missed import MISSING, Missed
from watchword.servers.flask.problem import problem_of, refused
from watchword.servers.flask.registered import cover

__all__ = ["Authenticate"]


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
        self._missed = Missed(self._bare, guard.plan)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: flask.Flask) -> None:
        """Lets `app` ask this guard; called once for each app."""
        inside, covered = on_demand(app.wsgi_app, self._guard), -1

        def wsgi_app(environ: Any, start_response: Any) -> Any:
            nonlocal covered
            if covered != (noted := self._bare.noted):  # at the first request, when all views are there
                self._missed.found_in(app)
                cover(self._bare, app, self._demand)
                covered = noted  # and not before: another thread must not pass meanwhile
            return inside(environ, start_response)

        app.wsgi_app = wsgi_app  # type: ignore[method-assign]
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
        """Who makes the request, which is `g.identity` too; `ConfigurationError` if nobody asked, or it is anonymous."""
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
            result = asking_first(view, partial(self._demand, scopes, optional=optional))
            self._bare.note(view, scopes, optional, result)
            self._missed.note(view, result)
            return result

        return above

    def _demand(self, scopes: tuple[str, ...], *, optional: bool) -> None:
        request = request_now()
        judge = self._judge(request)
        judge.environ, judge.taken = request.environ, "stream" in request.__dict__  # where werkzeug keeps the body
        asked = judge.demand(scopes, optional=optional)
        if isinstance(asked, Refusal):
            raise problem_of(asked)
        globals_now().identity = asked.identity

    def _judge(self, request: flask.Request) -> Judge:
        judge: Judge | None = request.environ.get(JUDGEMENTS, {}).get(self._guard.plan)
        if judge is None:
            raise ConfigurationError(MISSING)
        return judge

    @property
    def _admission(self) -> Admission:
        judgement = self._judge(request_now()).judgement
        if judgement is None or judgement.admission is None:
            raise ConfigurationError("nobody has asked who makes this request: write @auth.required() above the view")
        return judgement.admission

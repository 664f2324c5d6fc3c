"""Flask apps that nobody has called `init_app` for, though their views ask: noticed before any of them answers."""

from __future__ import annotations

from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary, ref

from watchword.core.plan import Plan
from watchword.core.rejection import ConfigurationError, not_installed
from watchword.servers.decorated import Bare
from watchword.servers.judgement import kept

try:
    import flask
except ImportError:
    raise not_installed("flask") from None
from watchword.servers.flask.asking import request_now
from watchword.servers.flask.registered import asks_anywhere, registered

__all__ = ["MISSING", "Missed"]

MISSING = "no guard sees the requests of this app: write auth.init_app(app)"
ASKED = "watchword_asked"


class Missed:
    """Listens to Flask's signal for requests of such apps, as long as there may be any.

    That costs each request some microseconds. So it is over once what every decorator made has been found among the views of
    an app that is guarded: in any other app it refuses by itself. Where a decorator stands above its route, it is in no app,
    and what is below it may be in others as well.

    Args:
        bare: what the decorators noted.
        plan: the guard's.
    """

    def __init__(self, bare: Bare, plan: Plan) -> None:
        self._bare = bare
        self._plan = plan
        self._lock = Lock()
        self._nowhere: WeakKeyDictionary[Any, list[ref[Any]]] = WeakKeyDictionary()
        self._silent: WeakKeyDictionary[flask.Flask, int] = WeakKeyDictionary()

    def note(self, view: Any, result: object) -> None:
        """Called for each decorated view, with what the decorator made of it."""
        # The signal holds no receiver, and where the decorator stands above the route nothing else does.
        getattr(view, "__func__", view).__dict__.setdefault(ASKED, []).append(self)
        with self._lock:
            self._nowhere.setdefault(view, []).append(ref(result))
            flask.request_started.connect(self._before_request)

    def found_in(self, app: flask.Flask) -> None:
        """Called for each app that is guarded, when its views are there.

        Raises:
            ConfigurationError: as `Bare.check_hidden`.
        """
        functions = registered(app)
        self._bare.check_hidden(functions)
        there = {id(each) for each in functions}
        with self._lock:
            for view, results in [*self._nowhere.items()]:
                results[:] = [each for each in results if id(each()) not in there]
                if not results:
                    del self._nowhere[view]
            if not self._nowhere:
                flask.request_started.disconnect(self._before_request)

    def _before_request(self, app: flask.Flask, **_: Any) -> None:
        if self._silent.get(app) == self._bare.noted or kept(request_now().environ, self._plan) is not None:
            return
        if asks_anywhere(self._bare, app):
            raise ConfigurationError(MISSING)
        self._silent[app] = self._bare.noted

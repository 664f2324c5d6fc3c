"""A decorator above what registers a function wraps in vain: the function is called bare. In Flask it guards all the same."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import flask
import pytest
from flask.testing import FlaskClient

from tests.core.fakes import FakeVerifier
from watchword import ConfigurationError, Guard
from watchword.servers.flask import Authenticate


@pytest.fixture(autouse=True)
def collected_quickly() -> Iterator[None]:
    """What is collected here was made here, so nothing else is looked through."""
    gc.freeze()
    yield
    gc.unfreeze()


def made(register: Callable[[flask.Flask, Any], None], *, installed: bool = True) -> flask.Flask:
    """An application as a factory makes it, which holds nothing but what the application holds."""
    app = flask.Flask("orders")
    guard = Guard([FakeVerifier(), FakeVerifier("writer", scopes=frozenset({"write"}))])
    register(app, Authenticate(guard, app if installed else None))
    gc.collect()
    return app


def above_a_route(app: flask.Flask, auth: Authenticate) -> None:
    @auth.required("write")
    @app.get("/x")
    def view() -> str:
        return "done"


def above_before_request(app: flask.Flask, auth: Authenticate) -> None:
    @auth.required("write")
    @app.before_request
    def check() -> None: ...

    app.add_url_rule("/x", "x", lambda: "done")


def above_before_request_of_a_blueprint(app: flask.Flask, auth: Authenticate) -> None:
    outer, inner = flask.Blueprint("outer", __name__), flask.Blueprint("inner", __name__)

    @auth.required("write")
    @outer.before_request
    def check() -> None: ...

    inner.add_url_rule("/x", "x", lambda: "done")
    outer.register_blueprint(inner)
    app.register_blueprint(outer)


def above_before_app_request(app: flask.Flask, auth: Authenticate) -> None:
    blueprint = flask.Blueprint("b", __name__)

    @auth.required("write")
    @blueprint.before_app_request
    def check() -> None: ...

    app.register_blueprint(blueprint)
    app.add_url_rule("/x", "x", lambda: "done")


@pytest.mark.parametrize(
    "register", [above_a_route, above_before_request, above_before_request_of_a_blueprint, above_before_app_request]
)
def test_nobody_passes_without_the_scope(register: Callable[[flask.Flask, Any], None]) -> None:
    client = made(register).test_client()
    headers: list[dict[str, str]] = [{}, {"Authorization": "fake alice"}, {"Authorization": "writer alice"}]
    assert [client.get("/x", headers=each).status_code for each in headers] == [401, 403, 200]


@pytest.mark.parametrize("register", [above_a_route, above_before_request])
def test_an_application_that_no_guard_sees_answers_nobody(register: Callable[[flask.Flask, Any], None]) -> None:
    assert made(register, installed=False).test_client().get("/x").status_code == 500


# ---- beside an application that a guard sees ----------------------------------------------------------------------------


def below_a_route(app: flask.Flask, auth: Authenticate) -> None:
    @app.get("/y")
    @auth.required("write")
    def below() -> str:
        return "done"


def two(register: Callable[[flask.Flask, Any], None]) -> tuple[FlaskClient, FlaskClient]:
    """An application that the guard sees, which has answered, and one that it does not."""
    seen, unseen = flask.Flask("seen"), flask.Flask("unseen")
    auth = Authenticate(Guard([FakeVerifier()]), seen)
    below_a_route(seen, auth)
    register(unseen, auth)
    gc.collect()
    assert seen.test_client().get("/y").status_code == 401
    return seen.test_client(), unseen.test_client()


@pytest.mark.parametrize("register", [above_a_route, above_before_request, above_before_request_of_a_blueprint])
def test_an_application_that_no_guard_sees_answers_nobody_though_another_has_the_guard(
    register: Callable[[flask.Flask, Any], None],
) -> None:
    seen, unseen = two(register)
    assert [unseen.get("/x").status_code for _ in range(2)] == [500, 500]
    assert seen.get("/y").status_code == 401
    assert unseen.get("/x").status_code == 500


def test_a_blueprint_of_both_is_guarded_in_the_one_and_answers_nobody_in_the_other() -> None:
    blueprint = flask.Blueprint("b", __name__)
    seen, unseen = flask.Flask("seen"), flask.Flask("unseen")
    auth = Authenticate(Guard([FakeVerifier()]), seen)
    auth.required()(blueprint.get("/x")(lambda: "done"))
    for app in (seen, unseen):
        app.register_blueprint(blueprint, name=app.name)
    assert [seen.test_client().get("/x").status_code for _ in range(2)] == [401, 401]
    assert unseen.test_client().get("/x").status_code == 500


def test_once_all_decorators_stand_below_their_routes_no_request_is_listened_to() -> None:
    gc.collect()
    of_others = len(flask.request_started.receivers)
    app = made(below_a_route)
    assert len(flask.request_started.receivers) > of_others
    assert app.test_client().get("/y").status_code == 401
    assert len(flask.request_started.receivers) <= of_others


# ---- behind a decorator that does not say what it wraps -----------------------------------------------------------------------


def closing_over(view: Any) -> Any:
    return lambda: [view()][0]


def closing_over_twice(view: Any) -> Any:
    return closing_over(closing_over(view))


class Holding:
    def __init__(self, view: Any) -> None:
        self.view = view

    def __call__(self) -> Any:
        return self.view()


HIDING = [closing_over, closing_over_twice, Holding, partial]


@pytest.mark.parametrize("hiding", HIDING)
@pytest.mark.parametrize("inner", [False, True])
def test_an_application_answers_nobody_where_a_decorator_hides_a_view_from_one_above_it(
    hiding: Any, inner: bool
) -> None:
    def register(app: flask.Flask, auth: Authenticate) -> None:
        app.get("/public", endpoint="public")(lambda: "everybody")

        def view() -> str:
            return "done"

        auth.required("write")(hiding(app.get("/x")(auth.required()(view) if inner else view)))

    app = made(register)
    app.testing = True
    for path in ("/x", "/public"):
        with pytest.raises(ConfigurationError, match="view and its route hides it"):
            app.test_client().get(path, headers={"Authorization": "fake alice"})


@pytest.mark.parametrize("hiding", HIDING)
def test_what_a_guarded_view_calls_itself_may_be_public(hiding: Any) -> None:
    def register(app: flask.Flask, auth: Authenticate) -> None:
        login = app.get("/login", endpoint="login")(lambda: "everybody")
        hidden = hiding(login)
        app.get("/x", endpoint="x")(auth.required()(lambda: [hidden()][0]))
        app.get("/y", endpoint="y")(auth.required("write")(hiding(lambda: "done")))

    client = made(register).test_client()
    assert [client.get(path).status_code for path in ("/login", "/x", "/y")] == [200, 401, 401]

"""`login_required` above a route guards nothing: the app of such a view answers nothing, and every other app goes on working."""

from __future__ import annotations

import gc
from functools import wraps
from typing import Any

import flask
import pytest
from flask.views import MethodView

from tests.attacks.flask_httpauth.programs import basic
from watchword import ConfigurationError
from watchword.dropin.flask_httpauth import HTTPBasicAuth, HTTPTokenAuth, MultiAuth
from watchword.dropin.flask_httpauth._above import NOTED


def by_password() -> HTTPBasicAuth:
    auth = HTTPBasicAuth()
    auth.get_password({"alice": "x"}.get)
    return auth


@pytest.fixture(params=[by_password, lambda: MultiAuth(by_password(), HTTPTokenAuth())], ids=["one", "many"])
def auth(request: pytest.FixtureRequest) -> Any:
    return request.param()


def app() -> flask.Flask:
    made = flask.Flask("orders")
    made.testing = True
    return made


def loud(view: Any) -> Any:
    @wraps(view)
    def shouting(*args: Any, **kwargs: Any) -> Any:
        answer = view(*args, **kwargs)
        return answer.upper() if isinstance(answer, str) else answer

    return shouting


MODULE_LEVEL = app()


@MODULE_LEVEL.get("/")
def of_the_module() -> str:
    return "orders"


def assert_refused(served: flask.Flask, name: str) -> None:
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=rf"above the route of .*{name}"):
            served.test_client().get("/", headers=basic("alice", "x"))


def test_an_app_with_such_a_view_answers_nothing(auth: Any) -> None:
    served = app()

    @auth.login_required
    @served.get("/orders")
    def orders() -> str:
        return "orders"

    served.add_url_rule("/", view_func=lambda: "home", endpoint="home")
    assert_refused(served, "orders")


def test_it_is_noticed_through_decorators_and_when_nothing_else_holds_the_object(auth: Any) -> None:
    served = app()

    def make() -> None:
        mine = by_password()

        @loud
        @mine.login_required
        @loud
        @served.get("/")
        def orders() -> str:
            return "orders"

    make()
    gc.collect()
    assert_refused(served, "orders")


def test_it_is_noticed_for_a_function_of_a_module(auth: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(of_the_module.__dict__, NOTED, raising=False)
    monkeypatch.setitem(globals(), "of_the_module", auth.login_required(of_the_module))
    assert_refused(MODULE_LEVEL, "of_the_module")


def test_a_program_may_show_the_same_function_bare_and_guarded(auth: Any) -> None:
    """Both in one app, or, for a function of a module, in two apps."""
    served = app()

    def orders() -> str:
        return f"orders {auth.current_user()}"

    served.add_url_rule("/", view_func=orders, endpoint="public")
    served.add_url_rule("/private", view_func=auth.login_required(orders), endpoint="private")
    assert served.test_client().get("/").text == "orders None"
    assert served.test_client().get("/private").status_code == 401
    other = app()
    other.add_url_rule("/", view_func=auth.login_required(of_the_module))
    assert other.test_client().get("/").status_code == 401
    assert MODULE_LEVEL.test_client().get("/").text == "orders"


def test_every_place_below_the_route_is_taken(auth: Any) -> None:
    served = app()

    @served.get("/")
    @loud
    @auth.login_required
    @loud
    def orders() -> str:
        return "orders"

    class Class(MethodView):
        @auth.login_required
        def get(self) -> str:
            return "got"

        def post(self) -> str:
            return "posted"

    class Decorated(MethodView):
        decorators = (auth.login_required,)

        def get(self) -> str:
            return "got"

    served.add_url_rule("/class", view_func=Class.as_view("class"))
    served.add_url_rule("/decorated", view_func=Decorated.as_view("decorated"))
    hooked = flask.Blueprint("hooked", __name__)

    @hooked.before_request
    @auth.login_required
    def hook() -> None:
        return None

    @hooked.get("/hooked")
    def inside() -> str:
        return "inside"

    served.register_blueprint(hooked)
    client = served.test_client()
    assert client.get("/", headers=basic("alice", "x")).text == "ORDERS"
    assert client.post("/class").text == "posted"
    for path in ("/", "/class", "/decorated", "/hooked"):
        assert client.get(path).status_code == 401
        assert client.get(path, headers=basic("alice", "x")).status_code == 200


def test_views_that_are_decorated_for_each_request_leave_nothing_behind(auth: Any) -> None:
    served = app()

    def orders() -> str:
        return "orders"

    @served.get("/")
    def dispatching() -> Any:
        return auth.login_required(orders)()

    for _ in range(3):
        assert served.test_client().get("/", headers=basic("alice", "x")).text == "orders"
    assert NOTED not in orders.__dict__
    assert served.test_client().get("/").status_code == 401

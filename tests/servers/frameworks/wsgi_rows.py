"""One small app, in each framework that WSGI servers run: public and guarded routes, nested ones, and one that fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import flask

from watchword.core.guard import Guard
from watchword.servers.flask import Authenticate


class Broken(Exception):
    """What a handler raises."""


class Made(NamedTuple):
    """The app, and the names of the handlers that ran."""

    app: Any
    ran: list[str]


def of_flask(guard: Guard) -> Made:
    app, ran = flask.Flask("orders"), []
    auth = Authenticate(guard, app)

    @app.route("/public", methods=["GET", "POST"])
    def public():
        ran.append("public")
        return "everybody"

    @app.route("/whoami", methods=["GET", "OPTIONS"])
    @auth.required()
    def whoami():
        ran.append("whoami")
        return auth.identity.subject

    @app.post("/orders")
    @auth.required("orders:write")
    def orders():
        ran.append("orders")
        return {"size": len(flask.request.get_json())}

    @app.post("/upload")
    @auth.required()
    def upload():
        ran.append("upload")
        return {"fields": sorted([*flask.request.form, *flask.request.files])}

    @app.route("/maybe")
    @auth.optional
    def maybe():
        ran.append("maybe")
        found = auth.identity_or_none
        return "nobody" if found is None else found.subject

    @app.post("/stream")
    @auth.required()
    def stream():
        ran.append("stream")

        def chunks(source):
            while chunk := source.read(5):
                yield chunk

        return app.response_class(chunks(flask.request.stream))

    @app.post("/ignore")
    @auth.required()
    def ignore():
        ran.append("ignore")
        return "ignored"

    @app.route("/fail", methods=["GET", "POST"])
    @auth.required()
    def fail():
        ran.append("fail")
        raise Broken

    @app.route("/nested")
    @auth.optional
    @auth.required("orders:read")
    @auth.required("orders:write")
    @auth.required()
    def nested():
        ran.append("nested")
        return auth.identity.subject

    return Made(app, ran)


ROWS: dict[str, Callable[[Guard], Made]] = {"flask": of_flask}

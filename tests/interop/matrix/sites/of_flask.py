"""Flask: decorators of views."""

from __future__ import annotations

import flask

from tests.interop.matrix.sites.answers import HOPS, METHODS, Arrived, guard
from watchword.servers.flask import Authenticate

app = flask.Flask("matrix")
auth = Authenticate(guard(), app)


def answer() -> flask.Response:
    arrived = Arrived()
    while chunk := flask.request.stream.read(65536):
        arrived.add(chunk)
    to = HOPS.get(flask.request.path)
    return flask.Response(arrived.told(auth.identity_or_none), 307 if to else 200, {"Location": to} if to else {})


@auth.required()
def somebody() -> flask.Response:
    return answer()


@app.route("/maybe", methods=METHODS)
@auth.optional
def maybe() -> flask.Response:
    return answer()


for path in ("/who", *HOPS):
    app.add_url_rule(path, view_func=somebody, methods=METHODS)

"""One small app, in each framework but those of ASGI alone: public and guarded routes, nested ones, and one that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import flask
from django.core.handlers.asgi import ASGIHandler

from tests.servers.frameworks import django_project
from tests.servers.frameworks.aiohttp_row import of_aiohttp
from tests.servers.frameworks.made import Broken, Made
from watchword.core.guard import Guard
from watchword.servers.flask import Authenticate
from watchword.servers.wsgi.request import request_of


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

    @app.post("/form")
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

    @app.post("/upload")
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


def of_django(guard: Guard) -> Made:
    django_project.RAN.clear()
    return Made(django_project.handler(guard), django_project.RAN)


def of_django_asgi(guard: Guard) -> Made:
    django_project.RAN.clear()
    return Made(as_wsgi(django_project.handler(guard, ASGIHandler)), django_project.RAN)


def as_wsgi(app: Any) -> Any:
    """An ASGI application, so that it can be asked like the others: the body is sent at once."""

    def application(environ, start_response):
        request = request_of(environ)
        scope = {
            "type": "http", "method": request.method, "scheme": request.scheme, "path": unquote(request.target.decode()),
            "raw_path": request.target, "query_string": b"", "headers": list(request.headers),
            "client": (request.peer.address, 1),
        }  # fmt: skip
        messages = [{"type": "http.request", "body": environ["wsgi.input"].read(), "more_body": False}]
        sent = []

        async def receive():
            return messages.pop() if messages else await asyncio.Future()

        async def send(message):
            sent.append(message)

        asyncio.run(app(scope, receive, send))
        start, *bodies = sent
        text = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
        start_response(f"{start['status']} Said", text)
        return [body.get("body", b"") for body in bodies]

    return application


ROWS: dict[str, Callable[[Guard], Made]] = {
    "flask": of_flask, "django": of_django, "django asgi": of_django_asgi, "aiohttp": of_aiohttp,
}  # fmt: skip
RECEIVES_FIRST = {"django asgi"}
"""Rows whose framework receives all of the body before anything of ours runs: there protect(…) goes round the application."""

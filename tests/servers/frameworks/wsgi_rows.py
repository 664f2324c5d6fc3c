"""One small app, in Flask, in WSGI and in http.server: public and guarded routes, nested ones, and one that fails."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import Any

import flask

from tests.servers.frameworks import made
from tests.servers.frameworks.made import Made, by_http_server, by_wsgi
from watchword.servers import http_server, wsgi
from watchword.servers.flask import Authenticate
from watchword.servers.http_server import requires


def of_flask(guard: Any) -> Made:
    app, ran = flask.Flask("orders"), []
    auth = Authenticate(guard, app)

    def public():
        return made.everybody(ran, flask.request.headers)

    @auth.required()
    def whoami():
        ran.append("whoami")
        return auth.identity.subject

    @auth.required("orders:write")
    def orders():
        sent = flask.request.get_json()
        ran.append("orders")
        return {"size": len(sent)}

    @auth.required()
    def upload():
        ran.append("upload")
        return {"fields": sorted([*flask.request.form, *flask.request.files])}

    @auth.optional
    def maybe():
        ran.append("maybe")
        found = auth.identity_or_none
        return "nobody" if found is None else found.subject

    @auth.required()
    def stream():
        ran.append("stream")
        return app.response_class(made.chunks(flask.request.stream))

    @auth.required()
    def ignore():
        ran.append("ignore")
        answer = app.response_class("ignored")
        answer.call_on_close(lambda: ran.append("later"))
        return answer

    @auth.required()
    def ticks():
        return app.response_class(made.ticking(ran))

    @auth.required()
    def fail():
        made.fail(ran, flask.request.headers)

    @auth.optional
    @auth.required("orders:read")
    @auth.required("orders:write")
    @auth.required()
    def nested():
        ran.append("nested")
        return auth.identity.subject

    for prefix in (app, flask.Blueprint("below", "below", url_prefix="/below")):
        prefix.route("/public", methods=["GET", "POST"])(public)
        prefix.route("/whoami", methods=["GET", "OPTIONS"])(whoami)
        prefix.route("/fail", methods=["GET", "POST"])(fail)
        for name, view in {
            "orders": orders,
            "form": upload,
            "stream": stream,
            "upload": stream,
            "ignore": ignore,
        }.items():
            prefix.post(f"/{name}")(view)
        for name, view in {"maybe": maybe, "nested": nested, "ticks": ticks}.items():
            prefix.get(f"/{name}")(view)
    app.register_blueprint(prefix)
    return Made(app, ran, by_wsgi)


def of_wsgi(guard: Any) -> Made:
    ran: list[str] = []

    def answering(content, status="200 OK"):
        def app(environ, start_response):
            made_of = content(environ)
            start_response(status, [("Content-Type", "text/plain")])
            return made_of

        return app

    def whoami(environ):
        ran.append(environ["PATH_INFO"].rpartition("/")[2])
        who = wsgi.identity_or_none(environ)
        return [b"nobody" if who is None else who.subject.encode()]

    @wsgi.requires("orders:write")
    def orders(environ, start_response):
        try:
            sent = json.loads(environ["wsgi.input"].read())
        except ValueError:
            start_response("400 Bad Request", [])
            return []
        ran.append("orders")
        start_response("200 OK", [])
        return [b'{"size":%d}' % len(sent)]

    def stream(environ):
        ran.append("stream")
        return made.chunks(environ["wsgi.input"])

    def fields(environ):
        return {
            name[5:].lower().replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")
        }

    def ignore(environ):
        ran.append("ignore")
        return [b"ignored"]

    nested = wsgi.requires("orders:read")(wsgi.protect(wsgi.requires("orders:write")(answering(whoami)), guard))
    guarded = {
        "whoami": answering(whoami), "orders": orders, "form": answering(stream), "stream": answering(stream),
        "upload": answering(stream), "ignore": answering(ignore), "ticks": answering(lambda _: made.ticking(ran)),
        "fail": answering(lambda environ: made.fail(ran, fields(environ))), "nested": nested,
    }  # fmt: skip
    parts = {name: wsgi.protect(part, guard) for name, part in guarded.items()}
    parts["maybe"] = wsgi.protect(answering(whoami), guard, optional=True)
    parts["public"] = answering(lambda environ: [made.everybody(ran, fields(environ)).encode()])
    nowhere = answering(lambda _: [], "404 Not Found")

    def app(environ, start_response):
        name = environ["PATH_INFO"].removeprefix("/below").removeprefix("/")
        return parts.get(name, nowhere)(environ, start_response)

    return Made(app, ran, by_wsgi)


def of_http_server(guard: Any) -> Made:
    ran: list[str] = []

    class Orders(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, content, status=200):
            self.send_response(status)
            self.send_header("Connection", "close")
            self.end_headers()
            for chunk in content:
                self.wfile.write(chunk)
                self.wfile.flush()

        def log_message(self, *_):
            pass

        def do_GET(self):
            getattr(self, self.path.removeprefix("/"), self.nowhere)()

        do_POST = do_OPTIONS = do_GET

        def nowhere(self):
            self.answer([], 404)

        def public(self):
            self.answer([made.everybody(ran, self.headers).encode()])

        def maybe(self):
            ran.append(self.path[1:])
            self.answer([self.identity.subject.encode() if self.identity else b"nobody"])

        whoami = requires()(maybe)
        nested = requires("orders:read")(requires("orders:write")(maybe))

        @requires("orders:write")
        def orders(self):
            try:
                sent = json.loads(self.rfile.read())
            except ValueError:
                self.answer([], 400)
                return
            ran.append("orders")
            self.answer([b'{"size":%d}' % len(sent)])

        @requires()
        def stream(self):
            ran.append("stream")
            self.answer(made.chunks(self.rfile))

        form = upload = stream

        @requires()
        def ignore(self):
            ran.append("ignore")
            self.answer([b"ignored"])

        @requires()
        def ticks(self):
            self.answer(made.ticking(ran, wait=True))

        @requires()
        def fail(self):
            made.fail(ran, self.headers)

    return Made(http_server.protect(Orders, guard, optional=True), ran, by_http_server)

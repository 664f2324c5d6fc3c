"""Somebody in between puts another body in place of the signed one, and the application has read it before the guard is asked.

The guard would prove what is left of the body: nothing, as if an empty body had been sent; or it would find out after the handler.
"""

from __future__ import annotations

from tests.servers.frameworks import django_project as _  # noqa: F401 -- first: views need its settings

import asyncio
import io
from typing import Any

import flask
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import path
from werkzeug.test import EnvironBuilder, run_wsgi_app

from tests.servers.apps import SIGNING
from watchword import ConfigurationError, Guard, HMACAuth, HMACVerifier, Request
from watchword.effects import Send
from watchword.servers.aiohttp import Authenticate as AiohttpAuthenticate
from watchword.servers.django import required
from watchword.servers.flask import Authenticate as FlaskAuthenticate
from watchword.stores import MemoryStore
from watchword.transport.flow import ClientContext, Drive

FORGED = b'--b\r\nContent-Disposition: form-data; name="to"\r\n\r\nmallory\r\n--b--\r\n'
FORM = "multipart/form-data; boundary=b"
SIGNED = {"empty": b"", "of the same length": FORGED.replace(b"mallory", b"charlie")}
WORLDS = [(stream, body) for stream in (False, True) for body in SIGNED.values()]


def guard(stream: bool) -> Guard:
    store = MemoryStore()
    store.add_key("robot", SIGNING)
    return Guard([HMACVerifier(stream=stream)], store)


def authorization(body: bytes) -> str:
    send = Drive(HMACAuth(SIGNING), Request("POST", "http", "api.example", "/x"), ClientContext(lambda: body)).advance()
    assert isinstance(send, Send)
    return send.request.values(b"authorization")[0].decode()


FLASK_READS = {
    "form": lambda: flask.request.form, "stream": lambda: flask.request.stream, "data": lambda: flask.request.data,
}  # fmt: skip


@pytest.mark.parametrize("framing", [{"wsgi.input_terminated": True}, {"CONTENT_LENGTH": str(len(FORGED))}], ids=str)
@pytest.mark.parametrize("read", FLASK_READS)
@pytest.mark.parametrize(("stream", "signed"), WORLDS)
def test_flask(stream: bool, signed: bytes, read: str, framing: dict[str, Any]) -> None:
    app, ran = flask.Flask("x"), []
    auth = FlaskAuthenticate(guard(stream), app)
    app.before_request(lambda: print(FLASK_READS[read]()))

    @app.post("/x")
    @auth.required()
    def view() -> str:
        ran.append(flask.request.form.get("to"))
        return "done"

    environ = EnvironBuilder("/x", method="POST", base_url="http://api.example").get_environ()
    environ |= {"wsgi.input": io.BytesIO(FORGED), "CONTENT_TYPE": FORM, "RAW_URI": "/x", "CONTENT_LENGTH": ""} | framing
    environ["HTTP_AUTHORIZATION"] = authorization(signed)
    assert (run_wsgi_app(app, environ)[1][:3], ran) == ("500", [])


@pytest.mark.parametrize("stream", [False, True])
def test_where_there_is_no_body_flask_may_look_for_one(stream: bool) -> None:
    app = flask.Flask("x")
    auth = FlaskAuthenticate(guard(stream), app)
    app.before_request(lambda: print(flask.request.form))
    app.post("/x")(auth.required()(lambda: "done"))
    answer = app.test_client().post("http://api.example/x", headers={"Authorization": authorization(b"")})
    assert (answer.status_code, answer.data) == (200, b"done")


def reading_the_form(get_response: Any) -> Any:
    def middleware(request: Any) -> Any:
        assert request.POST is not None
        return get_response(request)

    return middleware


@pytest.mark.parametrize(("stream", "signed"), WORLDS)
def test_django(stream: bool, signed: bytes) -> None:
    ran = []

    @required()
    def view(request: Any) -> HttpResponse:
        ran.append(request.POST.get("to"))
        return HttpResponse("done")

    middleware = ["watchword.servers.django.Authenticate", f"{__name__}.reading_the_form"]
    with (
        override_settings(WATCHWORD={"guard": guard(stream)}, MIDDLEWARE=middleware, ROOT_URLCONF=(path("x", view),)),
        pytest.raises(ConfigurationError, match="read before the guard"),
    ):
        Client().post(
            "/x", FORGED, content_type=FORM, headers={"Host": "api.example", "Authorization": authorization(signed)}
        )
    assert ran == []


async def post(request: web.Request) -> web.Request:
    await request.post()
    return request


async def content(request: web.Request) -> web.Request:
    await request.content.read()
    return request


async def clone(request: web.Request) -> web.Request:
    return request.clone()


@pytest.mark.parametrize(("before", "status"), [(post, 500), (content, 500), (clone, 401)])
@pytest.mark.parametrize(("stream", "signed"), WORLDS)
def test_aiohttp(stream: bool, signed: bytes, before: Any, status: int) -> None:
    ran = []
    auth = AiohttpAuthenticate(guard(stream))

    @web.middleware
    async def inside(request: web.Request, handler: Any) -> Any:
        return await handler(await before(request))

    @auth.required()
    async def view(request: web.Request) -> web.Response:
        ran.append((await request.post()).get("to"))
        return web.Response(text="done")

    app = web.Application(middlewares=[inside])
    auth.install(app)
    app.router.add_post("/x", view)

    async def asked() -> int:
        headers = {"Content-Type": FORM, "Host": "api.example", "Authorization": authorization(signed)}
        async with TestClient(TestServer(app)) as client, client.post("/x", data=FORGED, headers=headers) as answer:
            return answer.status

    assert (asyncio.run(asked()), ran) == (status, [])

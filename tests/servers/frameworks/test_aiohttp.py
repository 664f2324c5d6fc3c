"""What is aiohttp's own: where a decorator stands, middlewares, view classes, mounted apps, WebSockets, seals over streams."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from aiohttp import ClientError, FormData, web
from aiohttp.test_utils import TestClient, TestServer

from tests.core.fakes import FakeVerifier
from tests.servers.frameworks.credentials import SIGNING, signed, signing
from watchword import ConfigurationError, Guard, HMACAuth, Key, Request, SignatureSeal
from watchword.core.limits import Limits
from watchword.core.plan import Policy
from watchword.effects import Send
from watchword.servers.aiohttp import Authenticate, Problem
from watchword.transport.flow import ClientContext, Drive

SEALING = Key.from_secret(b"a secret that seals the answers.", algorithm="HS256", key_id="seal-1")
GOOD, WRITER = {"Authorization": "fake alice"}, {"Authorization": "writer alice"}


def fakes(**options: Any) -> Guard:
    return Guard([FakeVerifier(), FakeVerifier("writer", scopes=frozenset({"write"}))], **options)


def ask(app: web.Application, do: Callable[[TestClient[Any, Any]], Awaitable[Any]]) -> Any:
    async def asked() -> Any:
        async with TestClient(TestServer(app)) as client:
            return await do(client)

    return asyncio.run(asked())


def statuses(app: web.Application, path: str = "/x", method: str = "GET") -> list[int]:
    """Of no credentials, of too few rights, and of enough."""

    async def do(client: Any) -> list[int]:
        found = []
        for headers in ({}, GOOD, WRITER):
            async with client.request(method, path, headers=headers) as answer:
                found.append(answer.status)
        return found

    return ask(app, do)  # type: ignore[no-any-return]


@pytest.fixture
def auth():
    return Authenticate(fakes())


@pytest.fixture
def app(auth):
    made = web.Application()
    auth.install(made)
    return made


async def done(request):
    return web.Response(text="done")


def test_in_an_app_that_nobody_guards_what_asks_answers_nobody(auth, caplog):
    app = web.Application()
    app.router.add_get("/x", auth.required("write")(done))
    with caplog.at_level(logging.ERROR):
        assert statuses(app) == [500, 500, 500]
    assert "auth.install(app)" in caplog.text


def starts(app: web.Application) -> None:
    async def start() -> None:
        runner = web.AppRunner(app)
        try:
            await runner.setup()
        finally:
            await runner.cleanup()

    asyncio.run(start())


class Holding:
    def __init__(self, handler: Any) -> None:
        self.handler = handler

    async def __call__(self, request: Any) -> Any:
        return await self.handler(request)


def closing_over(handler: Any) -> Any:
    async def called(request: Any) -> Any:
        return await handler(request)

    return called


@pytest.mark.parametrize("hiding", [closing_over, Holding, partial])
@pytest.mark.parametrize("mounted", [False, True])
def test_an_app_does_not_start_where_a_decorator_hides_a_handler_from_one_above_it(app, auth, hiding, mounted):
    inner = web.Application()
    inner.router.add_get("/x", done)
    inner.router.add_get("/y", auth.required()(closing_over(done)))
    app.add_subapp("/inner", inner)
    assert statuses(app, "/inner/x") == [200, 200, 200]
    app = web.Application()
    auth.install(app)
    auth.required()(hiding(done))
    inner = web.Application()
    (inner if mounted else app).router.add_get("/x", done)
    app.add_subapp("/inner", inner)
    with pytest.raises(ConfigurationError, match="done and its route hides it"):
        starts(app)


def a_view(auth):
    class Orders(web.View):
        get = auth.required()(done)

    return Orders


@pytest.mark.parametrize("asking", [lambda auth: auth.required()(done), lambda auth: auth.optional(done), a_view])
@pytest.mark.parametrize("mounted", [False, True])
def test_an_app_does_not_start_whose_handlers_ask_a_guard_that_is_not_installed_beside_one_that_is(
    app, asking, mounted
):
    other, inner = Authenticate(fakes()), web.Application()
    (inner if mounted else app).router.add_route("*", "/x", asking(other))
    app.add_subapp("/inner", inner)
    with pytest.raises(ConfigurationError, match="asks a guard that no app knows"):
        starts(app)


@pytest.mark.parametrize(("method", "expected"), [("GET", [200, 200, 200]), ("POST", [401, 403, 200])])
def test_a_view_class_is_guarded_by_its_methods(app, auth, method, expected):
    class Orders(web.View):
        async def get(self):
            return web.Response(text="everybody")

        @auth.required("write")
        async def post(self):
            return web.Response(text=auth.identity(self.request).subject)

    app.router.add_view("/x", Orders)
    assert statuses(app, method=method) == expected


def test_what_is_mounted_is_guarded_too_and_by_one_judgement():
    seen: list[Any] = []
    auth = Authenticate(fakes(observe=seen.append))
    app, inner = web.Application(), web.Application()
    auth.install(app)
    auth.install(inner)
    inner.router.add_get("/x", auth.required("write")(done))
    app.add_subapp("/inner", inner)
    assert statuses(app, "/inner/x") == [401, 403, 200]
    assert len(seen) == 3


def test_a_middleware_of_the_apps_words_the_refusal_and_its_fields_go_out_all_the_same(app, auth):
    @web.middleware
    async def wording(request, handler):
        try:
            return await handler(request)
        except Problem as problem:
            return web.json_response({"sorry": problem.reason}, status=problem.status)

    app.middlewares.append(wording)
    app.router.add_get("/x", auth.required()(done))

    async def do(client):
        async with client.get("/x") as answer:
            return (
                answer.status,
                await answer.json(),
                answer.headers.getall("WWW-Authenticate"),
                answer.headers["Cache-Control"],
            )

    assert ask(app, do) == (
        401, {"sorry": "Unauthorized"}, ['Fake realm="protected"', 'Writer realm="protected"'], "no-store",
    )  # fmt: skip


@pytest.mark.parametrize(("status", "kind"), [(401, web.HTTPUnauthorized), (403, web.HTTPForbidden)])
def test_a_refusal_is_aiohttps_exception_of_its_status(app, auth, status, kind):
    seen = []

    @web.middleware
    async def watching(request, handler):
        try:
            return await handler(request)
        except kind as error:
            seen.append(error.status)
            raise

    app.middlewares.append(watching)
    app.router.add_get("/x", auth.required("write")(done))
    assert statuses(app) == [401, 403, 200]
    assert seen == [status]


def test_a_websocket_is_refused_before_it_is_accepted(app, auth):
    async def echo(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(auth.identity(request).subject)
        await socket.close()
        return socket

    app.router.add_get("/x", auth.required()(echo))

    async def do(client):
        async with client.ws_connect("/x", headers=GOOD) as socket:
            said = await socket.receive_str()
        with pytest.raises(ClientError):
            await client.ws_connect("/x")
        return said

    assert ask(app, do) == "alice"


def test_a_scope_that_is_found_out_late_is_demanded_by_a_call(app, auth):
    async def late(request):
        await auth.demand(request, "write")
        return web.Response(text=auth.identity(request).subject)

    app.router.add_get("/x", late)
    assert statuses(app) == [401, 403, 200]


def test_what_asks_after_the_answer_has_begun_or_where_nobody_asked_is_told_so(app, auth, caplog):
    async def begun(request):
        answer = web.StreamResponse()
        await answer.prepare(request)
        with pytest.raises(ConfigurationError, match="has begun"):
            await auth.demand(request)
        await answer.write_eof()
        return answer

    async def unasked(request):
        return web.Response(text=auth.identity(request).subject)

    app.router.add_get("/x", begun)
    app.router.add_get("/y", unasked)
    with caplog.at_level(logging.ERROR):
        assert (statuses(app)[0], statuses(app_with(auth, unasked))[0]) == (200, 500)
    assert "@auth.required" in caplog.text


def app_with(auth, handler, method="GET"):
    app = web.Application()
    auth.install(app)
    app.router.add_route(method, "/x", handler)
    return app


# ---- bodies and seals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("first", [True, False])
def test_a_multipart_form_is_parsed_of_the_body_that_was_proven(stream, first):
    auth = Authenticate(signing(stream=stream))

    async def upload(request):
        form = await request.post()
        return web.json_response({"name": form["name"], "file": form["file"].file.read().decode()})

    @web.middleware
    async def nosy(request, handler):
        if first:
            assert request.content is not None
        return await handler(request)

    app = app_with(auth, auth.required()(upload), "POST")
    app.middlewares.insert(0, nosy)

    async def do(client):
        form = FormData({"name": "order"})
        form.add_field("file", b"an order of seven", filename="order.txt")
        payload = form()
        parts: list[bytes] = []

        class Sink:
            async def write(self, chunk):
                parts.append(bytes(chunk))

        await payload.write(Sink())
        body = b"".join(parts)
        request = Request("POST", "http", f"{client.host}:{client.port}", "/x")
        send = Drive(HMACAuth(SIGNING), request, ClientContext(lambda: body)).advance()
        assert isinstance(send, Send)
        headers = {
            "Authorization": send.request.values(b"authorization")[0].decode(),
            "Content-Type": payload.content_type,
        }
        async with client.post("/x", data=body, headers={**headers, **dict(payload.headers)}) as answer:
            return answer.status, await answer.json()

    assert ask(app, do) == (200, {"name": "order", "file": "an order of seven"})


def test_no_answer_begins_before_all_of_the_body_is_proven():
    auth = Authenticate(signing(stream=True))

    async def echo(request):
        answer = web.StreamResponse()
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        raise AssertionError("it began")

    async def do(client):
        async with client.post("/x", data=b"another order", headers={**signed("/x"), "Host": "api.example"}) as answer:
            return answer.status, answer.content_type

    assert ask(app_with(auth, auth.required()(echo), "POST"), do) == (401, "application/problem+json")


def sealed(handler: Any, **limits: Any) -> web.Application:
    auth = Authenticate(fakes(seal=SignatureSeal(SEALING), policy=Policy(limits=Limits(**limits))))
    return app_with(auth, auth.required()(handler))


def answered(app: web.Application) -> Any:
    async def do(client):
        async with client.get(
            "/x", headers={**GOOD, "Accept-Signature": 'sig=("@status" "content-digest");nonce="n"'}
        ) as answer:
            return answer.status, "Signature" in answer.headers, await answer.read()

    return ask(app, do)


def test_a_stream_is_held_back_until_all_of_it_is_sealed():
    async def stream(request):
        answer = web.StreamResponse()
        await answer.prepare(request)
        for chunk in (b"an order", b" of seven"):
            await answer.write(chunk)
        await answer.write_eof()
        return answer

    assert answered(sealed(stream)) == (200, True, b"an order of seven")


def test_an_answer_that_is_too_long_to_be_sealed_is_a_sealed_500(caplog):
    async def long(request):
        answer = web.StreamResponse()
        await answer.prepare(request)
        for _ in range(3):
            await answer.write(b"x" * 100)
        return answer

    with caplog.at_level(logging.ERROR):
        assert answered(sealed(long, body=250)) == (500, True, b"")
    assert "Limits(body=" in caplog.text


def test_a_file_is_no_answer_that_could_be_sealed_and_neither_is_what_is_compressed_as_it_is_written(tmp_path, caplog):
    (tmp_path / "file").write_bytes(b"octets")

    async def file(request):
        answer = web.FileResponse(tmp_path / "file")
        await answer.prepare(request)
        return answer

    async def compressed(request):
        answer = web.StreamResponse()
        answer.enable_compression(web.ContentCoding.deflate)
        await answer.prepare(request)
        return answer

    with caplog.at_level(logging.ERROR):
        for handler in (file, compressed):
            status, signed, _ = answered(sealed(handler))
            assert (status, signed) == (500, True)
    assert "web.Response(body=…)" in caplog.text
    assert "is not compressed as it is written" in caplog.text

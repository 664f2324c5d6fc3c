"""The small app in aiohttp, asked over a loopback socket."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from http.client import HTTPResponse
from types import SimpleNamespace
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.servers.frameworks.made import Broken, Made
from watchword.core.guard import AsyncGuard, Guard
from watchword.servers.aiohttp import Authenticate
from watchword.servers.wsgi.request import request_of


def of_aiohttp(guard: Guard | AsyncGuard) -> Made:
    auth, ran = Authenticate(guard), []
    return Made(over_a_socket(lambda: application(auth, ran)), ran)


def application(auth: Authenticate, ran: list[str]) -> web.Application:
    routes = web.RouteTableDef()

    @routes.view("/public")
    class Public(web.View):
        async def get(self):
            ran.append("public")
            return web.Response(text="everybody")

        post = get

    @routes.route("GET", "/whoami")
    @routes.route("OPTIONS", "/whoami")
    @auth.required()
    async def whoami(request):
        ran.append("whoami")
        return web.Response(text=auth.identity(request).subject)

    @routes.post("/orders")
    @auth.required("orders:write")
    async def orders(request):
        ran.append("orders")
        try:
            return web.json_response({"size": len(await request.json())})
        except ValueError:
            raise web.HTTPBadRequest from None

    @routes.post("/form")
    @auth.required()
    async def upload(request):
        ran.append("upload")
        return web.json_response({"fields": sorted(await request.post())})

    @routes.get("/maybe")
    @auth.optional
    async def maybe(request):
        ran.append("maybe")
        found = auth.identity_or_none(request)
        return web.Response(text="nobody" if found is None else found.subject)

    @routes.post("/upload")
    @routes.post("/stream")
    @auth.required()
    async def stream(request):
        ran.append("stream")
        answer = web.StreamResponse()
        await answer.prepare(request)
        async for chunk in request.content.iter_chunked(5):
            await answer.write(chunk)
        await answer.write_eof()
        return answer

    @routes.post("/ignore")
    @auth.required()
    async def ignore(request):
        ran.append("ignore")
        return web.Response(text="ignored")

    @routes.route("GET", "/fail")
    @routes.route("POST", "/fail")
    @auth.required()
    async def fail(request):
        ran.append("fail")
        raise Broken

    @routes.get("/nested")
    @auth.optional
    @auth.required("orders:read")
    @auth.required("orders:write")
    @auth.required()
    async def nested(request):
        ran.append("nested")
        return web.Response(text=auth.identity(request).subject)

    app = web.Application()
    app.add_routes(routes)
    auth.install(app)
    app.middlewares.append(behind_tls)
    return app


@web.middleware
async def behind_tls(request, handler):
    """As middlewares for proxies do it: the handler gets another request."""
    secure = request.headers.get("X-Scheme") == "https"
    return await handler(request.clone(scheme="https") if secure else request)


def over_a_socket(make: Callable[[], web.Application]) -> Any:
    """The app, so that it can be asked like those of WSGI; a body that can't be read is announced and never sent."""

    def application(environ, start_response):
        request = request_of(environ)
        body = environ["wsgi.input"].read() if isinstance(environ["wsgi.input"], io.BytesIO) else b""
        lines = [b"%s %s HTTP/1.1" % (request.method.encode(), request.target), b"Connection: close"]
        if request.scheme == "https":
            lines += [b"X-Scheme: https"]
        lines += [name + b": " + value for name, value in request.headers]
        answer = asyncio.run(asked(make(), b"\r\n".join([*lines, b"", b""]) + body))
        said = HTTPResponse(SimpleNamespace(makefile=lambda *_: io.BytesIO(answer)), method=request.method)
        said.begin()
        start_response(f"{said.status} {said.reason}", said.getheaders())
        return [said.read()]

    return application


async def asked(app: web.Application, octets: bytes) -> bytes:
    async with TestServer(app) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(octets)
        answer = b""
        while chunk := await reader.read(65536):
            answer += chunk
            if b"\r\n\r\n" in answer and answer.startswith(b"HTTP/1.1 4"):
                break  # a refusal is there; the server would wait for the rest of the body
        writer.close()
        return answer

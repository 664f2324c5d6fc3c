"""The small app in aiohttp."""

from __future__ import annotations

from functools import partial
from typing import Any

from aiohttp import web

from tests.servers.frameworks import made
from tests.servers.frameworks.made import Made, by_aiohttp
from watchword.servers.aiohttp import Authenticate


def of_aiohttp(guard: Any) -> Made:
    auth, ran = Authenticate(guard), []
    return Made(partial(application, auth, ran), ran, by_aiohttp)


def application(auth: Authenticate, ran: list[str]) -> web.Application:
    routes = web.RouteTableDef()

    @routes.view("/public")
    class Public(web.View):
        async def get(self):
            return web.Response(text=made.everybody(ran, self.request.headers))

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
        try:
            sent = await request.json()
        except ValueError:
            raise web.HTTPBadRequest from None
        ran.append("orders")
        return web.json_response({"size": len(sent)})

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
        made.fail(ran, request.headers)

    @routes.get("/ticks")
    @auth.required()
    async def ticks(request):
        answer = web.StreamResponse()
        await answer.prepare(request)
        async for chunk in made.ticking_later(ran):
            await answer.write(chunk)
        return answer

    @routes.get("/nested")
    @auth.optional
    @auth.required("orders:read")
    @auth.required("orders:write")
    @auth.required()
    async def nested(request):
        ran.append("nested")
        return web.Response(text=auth.identity(request).subject)

    app, below = web.Application(middlewares=[made.behind_tls]), web.Application()
    for each in (app, below):
        each.add_routes(routes)
        auth.install(each)
    app.add_subapp("/below", below)
    return app

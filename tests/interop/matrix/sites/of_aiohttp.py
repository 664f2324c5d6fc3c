"""aiohttp, which is its own server."""

from __future__ import annotations

import sys

from aiohttp import web

from tests.interop.matrix.sites.answers import HOPS, METHODS, Arrived, guard
from watchword.servers.aiohttp import Authenticate

auth = Authenticate(guard())


async def answer(request: web.Request) -> web.Response:
    arrived = Arrived()
    async for chunk in request.content.iter_any():
        arrived.add(chunk)
    to = HOPS.get(request.path)
    headers = {"Location": to} if to else {}
    return web.Response(body=arrived.told(auth.identity_or_none(request)), status=307 if to else 200, headers=headers)


@auth.required()
async def somebody(request: web.Request) -> web.Response:
    return await answer(request)


@auth.optional
async def maybe(request: web.Request) -> web.Response:
    return await answer(request)


if __name__ == "__main__":
    app = web.Application()
    for method in METHODS:
        app.add_routes([web.route(method, path, somebody) for path in ("/who", *HOPS)])
        app.router.add_route(method, "/maybe", maybe)
    auth.install(app)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)

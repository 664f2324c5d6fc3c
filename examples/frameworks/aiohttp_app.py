"""aiohttp: `python -m aiohttp.web examples.frameworks.aiohttp_app:make_app`."""

from __future__ import annotations

from aiohttp import web

from watchword import BasicVerifier, Guard
from watchword.servers.aiohttp import Authenticate
from watchword.stores import MemoryStore

store = MemoryStore()
store.add_user("alice", "open sesame", scopes=("orders:read",))
auth = Authenticate(Guard([BasicVerifier(realm="orders")], store))
routes = web.RouteTableDef()


@routes.get("/orders")
@auth.required("orders:read")
async def orders(request: web.Request) -> web.StreamResponse:
    """Those of whoever asks."""
    return web.json_response({"of": auth.identity(request).subject})


@routes.post("/orders")
@auth.required("orders:write")
async def order(request: web.Request) -> web.StreamResponse:
    """A new one."""
    return web.json_response({"by": auth.identity(request).subject})


def make_app(arguments: list[str] | None = None) -> web.Application:
    """The application; `arguments` are those of the command line."""
    app = web.Application()
    auth.install(app)
    app.add_routes(routes)
    return app

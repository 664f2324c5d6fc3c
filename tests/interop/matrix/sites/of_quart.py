"""Quart: the application as a whole, where one route asks for somebody."""

from __future__ import annotations

from quart import Quart, Response, request

from tests.interop.matrix.sites.answers import HOPS, METHODS, Arrived, guard
from watchword.servers.asgi import identity_or_none, protect

app = Quart("matrix")


async def answer() -> Response:
    arrived = Arrived()
    async for chunk in request.body:
        arrived.add(chunk)
    to = HOPS.get(request.path)
    return Response(arrived.told(identity_or_none(request)), 307 if to else 200, {"Location": to} if to else {})


for path in ("/who", "/maybe", *HOPS):
    app.add_url_rule(path, path, view_func=answer, methods=METHODS)

_inside, _guard = app.asgi_app, guard()
_guarded, _optional = protect(_inside, _guard), protect(_inside, _guard, optional=True)


async def choose(scope, receive, send):
    await (_optional if scope.get("path") == "/maybe" else _guarded)(scope, receive, send)


app.asgi_app = choose

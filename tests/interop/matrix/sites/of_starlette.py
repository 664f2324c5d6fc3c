"""Starlette: decorators of endpoints."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.interop.matrix.sites.answers import HOPS, METHODS, Arrived, guard
from watchword.servers.starlette import Authenticate

auth = Authenticate(guard())


async def answer(request: Request) -> Response:
    arrived = Arrived()
    async for chunk in request.stream():
        arrived.add(chunk)
    to = HOPS.get(request.url.path)
    return Response(arrived.told(auth.identity_or_none(request)), 307 if to else 200, {"Location": to} if to else {})


@auth.required()
async def somebody(request: Request) -> Response:
    return await answer(request)


@auth.optional
async def maybe(request: Request) -> Response:
    return await answer(request)


routes = [Route(path, somebody, methods=METHODS) for path in ("/who", *HOPS)]
app = Starlette(routes=[*routes, Route("/maybe", maybe, methods=METHODS)])
auth.install(app)

"""FastAPI: dependencies."""

# No `from __future__ import annotations`: FastAPI reads annotations.

from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response

from tests.interop.matrix.sites.answers import HOPS, METHODS, Arrived, guard
from watchword import Identity
from watchword.servers.fastapi import Authenticate

auth = Authenticate(guard())
app = FastAPI()
auth.install(app)


async def answer(request: Request, who: Identity | None) -> Response:
    arrived = Arrived()
    async for chunk in request.stream():
        arrived.add(chunk)
    to = HOPS.get(request.url.path)
    return Response(arrived.told(who), 307 if to else 200, {"Location": to} if to else {})


async def somebody(request: Request, who: Annotated[Identity, Depends(auth)]) -> Response:
    return await answer(request, who)


@app.api_route("/maybe", methods=METHODS)
async def maybe(request: Request, who: Annotated[Identity | None, Depends(auth.optional)]) -> Response:
    return await answer(request, who)


for path in ("/who", *HOPS):
    app.add_api_route(path, somebody, methods=METHODS)

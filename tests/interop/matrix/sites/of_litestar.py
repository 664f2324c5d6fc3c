"""Litestar: guards of handlers."""

from __future__ import annotations

from typing import Any

import litestar
from litestar import Response

from tests.interop.matrix.sites.answers import HOPS, METHODS, Arrived, guard
from watchword.servers.litestar import Authenticate

auth = Authenticate(guard())


async def answer(request: litestar.Request[Any, Any, Any]) -> Response[bytes]:
    arrived = Arrived()
    async for chunk in request.stream():
        arrived.add(chunk)
    to = HOPS.get(request.url.path)
    return Response(arrived.told(request.user), status_code=307 if to else 200, headers={"Location": to} if to else {})


@litestar.route(["/who", *HOPS], http_method=METHODS, guards=[auth.required()], status_code=200)
async def somebody(request: litestar.Request[Any, Any, Any]) -> Response[bytes]:
    return await answer(request)


@litestar.route("/maybe", http_method=METHODS, guards=[auth.optional], status_code=200)
async def maybe(request: litestar.Request[Any, Any, Any]) -> Response[bytes]:
    return await answer(request)


app = litestar.Litestar([somebody, maybe], plugins=[auth], logging_config=None)

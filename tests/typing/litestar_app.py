"""A Litestar app: a program of a user's, which type-checks, and which a test runs."""

from typing import Any

from litestar import Litestar, MediaType, Request, get, post

from watchword import BasicVerifier, Guard
from watchword.servers.litestar import Authenticate
from watchword.stores import MemoryStore

store = MemoryStore()
auth = Authenticate(Guard([BasicVerifier(realm="orders")], store))


@get("/orders", guards=[auth.required("orders:read")], media_type=MediaType.JSON)
async def orders(request: Request[Any, Any, Any]) -> str:
    return auth.identity(request).subject


@post("/orders", guards=[auth.required("orders:write")], media_type=MediaType.JSON)
async def order(request: Request[Any, Any, Any]) -> str:
    return auth.identity(request).subject


@get("/", guards=[auth.optional], media_type=MediaType.JSON)
async def home(request: Request[Any, Any, Any]) -> str:
    return "stranger" if request.user is None else auth.identity(request).subject


app = Litestar([orders, order, home], plugins=[auth], logging_config=None)

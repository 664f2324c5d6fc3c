"""A Starlette app: a program of a user's, which type-checks, and which a test runs."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from watchword import BasicVerifier, Guard
from watchword.servers.starlette import Authenticate
from watchword.stores import MemoryStore

store = MemoryStore()
auth = Authenticate(Guard([BasicVerifier(realm="orders")], store))


@auth.required("orders:read")
async def orders(request: Request) -> JSONResponse:
    return JSONResponse(auth.identity(request).subject)


@auth.required("orders:write")
async def order(request: Request) -> JSONResponse:
    return JSONResponse(auth.identity(request).subject)


@auth.optional
async def home(request: Request) -> JSONResponse:
    who = auth.identity_or_none(request)
    return JSONResponse("stranger" if who is None else who.subject)


app = Starlette(routes=[Route("/orders", orders), Route("/orders", order, methods=["POST"]), Route("/", home)])
auth.install(app)

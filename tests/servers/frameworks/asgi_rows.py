"""One small app, in each framework that ASGI servers run, and in none: public and guarded routes, nested ones, and one that fails."""

# No `from __future__ import annotations`: FastAPI reads annotations, which name what is local here.

from collections.abc import Sequence
from typing import Annotated, Any

import litestar
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Request, Security, WebSocket
from fastapi.responses import StreamingResponse
from litestar.background_tasks import BackgroundTask as LitestarsTask
from litestar.params import JSONBody
from litestar.response import Response, Stream
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute

from tests.servers.frameworks import made
from tests.servers.frameworks.made import Made
from watchword import Identity
from watchword.servers import asgi
from watchword.servers import fastapi as of_fastapi
from watchword.servers import litestar as of_litestar
from watchword.servers import starlette as of_starlette

# ---- Starlette --------------------------------------------------------------------------------------------------------


def starlette_app(guard: Any) -> Made:
    auth, ran = of_starlette.Authenticate(guard), []

    async def public(request):
        return PlainTextResponse(made.everybody(ran, request.headers))

    class WhoAmI(HTTPEndpoint):
        @auth.required()
        async def get(self, request):
            ran.append("whoami")
            assert request.user.is_authenticated
            assert "authenticated" in request.auth.scopes
            return PlainTextResponse(auth.identity(request).subject)

        options = get

    @auth.required("orders:write")
    async def orders(request):
        try:
            sent = await request.json()
        except ValueError:
            raise HTTPException(422) from None
        ran.append("orders")
        return JSONResponse({"size": len(sent)})

    @auth.required()
    async def upload(request):
        ran.append("upload")
        async with request.form() as form:
            return JSONResponse({"fields": sorted(form)})

    @auth.optional
    def maybe(request):  # in a thread
        ran.append("maybe")
        assert request.user.is_authenticated == ("authenticated" in request.auth.scopes)
        who = auth.identity_or_none(request)
        return PlainTextResponse("nobody" if who is None else who.subject)

    @auth.required()
    async def stream(request):
        ran.append("stream")
        return StreamingResponse(request.stream())

    @auth.required()
    async def ignore(request):
        ran.append("ignore")
        return PlainTextResponse("ignored", background=BackgroundTask(ran.append, "later"))

    @auth.required()
    async def ticks(request):
        return StreamingResponse(made.ticking_later(ran))

    @auth.required()
    async def fail(request):
        made.fail(ran, request.headers)

    @auth.optional
    @auth.required("orders:read")
    @auth.required("orders:write")
    @auth.required()
    async def nested(request):
        ran.append("nested")
        return PlainTextResponse(auth.identity(request).subject)

    @auth.required()
    async def socket(websocket):
        ran.append("socket")
        await websocket.accept()
        await websocket.send_text(auth.identity(websocket).subject)
        await websocket.close()

    routes = [
        Route("/public", public, methods=["GET", "POST"]), Route("/whoami", WhoAmI), Route("/orders", orders, methods=["POST"]),
        Route("/form", upload, methods=["POST"]), Route("/maybe", maybe), Route("/stream", stream, methods=["POST"]),
        Route("/upload", stream, methods=["POST"]), Route("/ticks", ticks),
        Route("/ignore", ignore, methods=["POST"]), Route("/fail", fail, methods=["GET", "POST"]), Route("/nested", nested),
        WebSocketRoute("/socket", socket),
    ]  # fmt: skip
    app = Starlette(routes=[*routes, Mount("/below", routes=routes)])
    auth.install(app)
    return Made(app, ran)


# ---- FastAPI ----------------------------------------------------------------------------------------------------------


def routes_of(router: APIRouter | FastAPI, auth: of_fastapi.Authenticate, ran: list[str]) -> None:
    def reader(who: Annotated[Identity, Security(auth, scopes=["orders:read"])]) -> Identity:
        return who

    def writer(who: Annotated[Identity, Security(reader, scopes=["orders:write"])]) -> Identity:
        return who

    @router.api_route("/public", methods=["GET", "POST"])
    async def public(request: Request):
        return PlainTextResponse(made.everybody(ran, request.headers))

    @router.api_route("/whoami", methods=["GET", "OPTIONS"])
    def whoami(who: Annotated[Identity, Depends(auth)]):  # in a thread
        ran.append("whoami")
        return PlainTextResponse(who.subject)

    @router.post("/orders")
    async def orders(body: list[int], who: Annotated[Identity, Security(auth, scopes=["orders:write"])]):
        ran.append("orders")
        return {"size": len(body)}

    @router.post("/form", dependencies=[Depends(auth)])
    async def upload(request: Request):
        ran.append("upload")
        async with request.form() as form:
            return {"fields": sorted(form)}

    @router.get("/maybe")
    async def maybe(who: Annotated[Identity | None, Depends(auth.optional)]):
        ran.append("maybe")
        return PlainTextResponse("nobody" if who is None else who.subject)

    @router.post("/upload", dependencies=[Depends(auth)])
    @router.post("/stream", dependencies=[Depends(auth)])
    async def stream(request: Request):
        ran.append("stream")
        return StreamingResponse(request.stream())

    @router.post("/ignore", dependencies=[Depends(auth)])
    async def ignore(tasks: BackgroundTasks):
        ran.append("ignore")
        tasks.add_task(ran.append, "later")
        return "ignored"

    @router.get("/ticks", dependencies=[Depends(auth)])
    async def ticks():
        return StreamingResponse(made.ticking_later(ran))

    @router.api_route("/fail", methods=["GET", "POST"], dependencies=[Depends(auth)])
    async def fail(request: Request):
        made.fail(ran, request.headers)

    @router.get("/nested", dependencies=[Depends(auth.optional), Depends(writer), Depends(auth)])
    async def nested(who: Annotated[Identity, Depends(writer)]):
        ran.append("nested")
        return PlainTextResponse(who.subject)

    @router.websocket("/socket")
    async def socket(websocket: WebSocket, who: Annotated[Identity, Depends(auth)]):
        ran.append("socket")
        await websocket.accept()
        await websocket.send_text(who.subject)
        await websocket.close()


def fastapi_app(guard: Any) -> Made:
    auth, ran = of_fastapi.Authenticate(guard), []
    app = FastAPI()
    auth.install(app)
    routes_of(app, auth, ran)
    below = FastAPI()
    auth.install(below)  # for its own documentation, and its own words for refusals
    routes_of(below, auth, ran)
    app.mount("/below", below)
    return Made(app, ran)


def fastapi_app_of_routers(guard: Any, before: Sequence[Middleware] = (), after: Sequence[Middleware] = ()) -> Made:
    """Routers that know no app, in one another; with middleware that was added before the guard, or after it."""
    auth, ran = of_fastapi.Authenticate(guard), []
    inner, outer = APIRouter(), APIRouter()
    routes_of(inner, auth, ran)
    outer.include_router(inner, prefix="/below")
    outer.include_router(inner)
    app = FastAPI(middleware=[*before])
    app.include_router(outer)
    auth.install(app)
    for each in after:
        app.add_middleware(each.cls, *each.args, **each.kwargs)
    return Made(app, ran)


# ---- Litestar ---------------------------------------------------------------------------------------------------------


def litestar_app(guard: Any) -> Made:
    auth, ran = of_litestar.Authenticate(guard), []

    @litestar.route("/public", http_method=["GET", "POST"], status_code=200)
    async def public(request: litestar.Request[Any, Any, Any]) -> str:
        return made.everybody(ran, request.headers)

    @litestar.route("/whoami", http_method=["GET", "OPTIONS"], guards=[auth.required()])
    async def whoami(request: litestar.Request[Any, Any, Any]) -> str:
        ran.append("whoami")
        assert request.user is auth.identity(request)
        return auth.identity(request).subject

    @litestar.post("/orders", guards=[auth.required("orders:write")], status_code=200)
    async def orders(data: JSONBody[list[int]]) -> dict[str, int]:
        ran.append("orders")
        return {"size": len(data)}

    @litestar.post("/form", guards=[auth.required()], status_code=200)
    async def upload(request: litestar.Request[Any, Any, Any]) -> dict[str, list[str]]:
        ran.append("upload")
        return {"fields": sorted(await request.form())}

    @litestar.get("/maybe", guards=[auth.optional])
    async def maybe(request: litestar.Request[Any, Any, Any]) -> str:
        ran.append("maybe")
        return "nobody" if request.user is None else request.user.subject

    @litestar.post(["/stream", "/upload"], guards=[auth.required()], status_code=200)
    async def stream(request: litestar.Request[Any, Any, Any]) -> Stream:
        ran.append("stream")
        # Litestar's answer takes messages of the body, as it listens for the client's leaving.
        return Stream([chunk async for chunk in request.stream()])

    @litestar.post("/ignore", guards=[auth.required()], status_code=200)
    async def ignore() -> Response[str]:
        ran.append("ignore")
        return Response("ignored", background=LitestarsTask(ran.append, "later"))

    @litestar.get("/ticks", guards=[auth.required()])
    async def ticks() -> Stream:
        return Stream(made.ticking_later(ran))

    @litestar.route("/fail", http_method=["GET", "POST"], guards=[auth.required()])
    async def fail(request: litestar.Request[Any, Any, Any]) -> None:
        made.fail(ran, request.headers)

    @litestar.get("/nested", guards=[auth.required("orders:write"), auth.required()])
    async def nested(request: litestar.Request[Any, Any, Any]) -> str:
        ran.append("nested")
        return auth.identity(request).subject

    @litestar.websocket("/socket", guards=[auth.required()])
    async def socket(socket: litestar.WebSocket[Any, Any, Any]) -> None:
        ran.append("socket")
        await socket.accept()
        await socket.send_text(auth.identity(socket).subject)
        await socket.close()

    router = litestar.Router("/", route_handlers=[nested], guards=[auth.optional, auth.required("orders:read")])
    handlers = [public, whoami, orders, upload, maybe, stream, ignore, ticks, fail, socket, router]
    below = litestar.Router("/below", route_handlers=handlers)
    return Made(litestar.Litestar([*handlers, below], plugins=[auth], logging_config=None), ran)


# ---- no framework ----------------------------------------------------------------------------------------------------


def raw_app(guard: Any) -> Made:
    """The answers are Starlette's, which are applications."""
    ran: list[str] = []

    async def public(scope, receive, send):
        await PlainTextResponse(made.everybody(ran, HTTPConnection(scope).headers))(scope, receive, send)

    async def whoami(scope, receive, send):
        ran.append(scope["path"].rpartition("/")[2])
        who = asgi.identity_or_none(scope)
        await PlainTextResponse("nobody" if who is None else who.subject)(scope, receive, send)

    async def orders(scope, receive, send):
        try:
            answer: Any = JSONResponse({"size": len(await Request(scope, receive).json())})
            ran.append("orders")
        except ValueError:
            answer = PlainTextResponse("", 400)
        await answer(scope, receive, send)

    async def stream(scope, receive, send):
        ran.append("stream")
        await StreamingResponse(Request(scope, receive).stream())(scope, receive, send)

    async def ignore(scope, receive, send):
        ran.append("ignore")
        await PlainTextResponse("ignored")(scope, receive, send)
        ran.append("later")

    async def ticks(scope, receive, send):
        await StreamingResponse(made.ticking_later(ran))(scope, receive, send)

    async def fail(scope, receive, send):
        made.fail(ran, HTTPConnection(scope).headers)

    async def socket(scope, receive, send):
        ran.append("socket")
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        await websocket.send_text(asgi.identity(scope).subject)
        await websocket.close()

    nested = asgi.requires("orders:read")(asgi.protect(asgi.requires("orders:write")(whoami), guard))
    guarded = {
        "whoami": whoami, "orders": asgi.requires("orders:write")(orders), "form": stream, "stream": stream, "upload": stream,
        "ignore": ignore, "ticks": ticks, "fail": fail, "nested": nested, "socket": socket,
    }  # fmt: skip
    parts = {name: asgi.protect(part, guard) for name, part in guarded.items()}
    parts |= {"public": public, "maybe": asgi.protect(whoami, guard, optional=True)}

    async def app(scope, receive, send):
        name = scope["path"].removeprefix("/below").removeprefix("/")
        await parts.get(name, PlainTextResponse("", 404))(scope, receive, send)

    return Made(app, ran)

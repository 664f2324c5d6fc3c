"""One small app, in each framework that ASGI servers run: public and guarded routes, nested ones, and one that fails."""

# No `from __future__ import annotations`: FastAPI reads annotations, which name what is local here.

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, NamedTuple

import litestar
from fastapi import APIRouter, Depends, FastAPI, Request, Security, WebSocket
from fastapi.responses import StreamingResponse
from litestar.params import JSONBody
from litestar.response import Stream
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute

from watchword import Identity
from watchword.servers import fastapi as of_fastapi
from watchword.servers import litestar as of_litestar
from watchword.servers import starlette as of_starlette

READ_AND_WRITE = ("orders:read", "orders:write")


VERSION = {"version": "3.0", "spec_version": "2.4"}
"""Below 2.4 Starlette listens for the client's leaving by `receive`, and takes messages from a handler that streams the body."""


class Broken(Exception):
    """What a handler raises."""


class Unread(Exception):
    """The body was asked for."""


class Got(NamedTuple):
    """An answer."""

    status: int
    headers: Sequence[tuple[str, str]]
    content: bytes

    def values(self, name: str) -> list[str]:
        return [value for each, value in self.headers if each == name]


class Made(NamedTuple):
    """The app, and the names of the handlers that ran."""

    app: Any
    ran: list[str]

    def ask(
        self,
        path: str,
        body: bytes | None = b"",
        headers: Mapping[str, str] | None = None,
        method: str = "",
        **parts: Any,
    ) -> Got:
        """The answer; a body of None is announced and never sent."""
        return asyncio.run(self.answer(path, body, headers or {}, method or ("POST" if body != b"" else "GET"), parts))

    async def answer(
        self, path: str, body: bytes | None, headers: Mapping[str, str], method: str, parts: Mapping[str, Any]
    ) -> Got:
        """As `ask`, on a loop that runs."""
        named = {"host": "api.example", **headers}
        if body is None or body:
            named = {
                "content-type": "application/json",
                "content-length": str(50_000_000 if body is None else len(body)),
            } | named
        scope = {
            "type": "http", "asgi": VERSION, "http_version": "1.1", "method": method, "scheme": "http", "path": path,
            "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": ("192.0.2.1", 1), "server": ("api.example", 80),
            "headers": [(name.encode(), value.encode()) for name, value in named.items()], "extensions": {}, **parts,
        }  # fmt: skip
        half = len(body or b"") // 2
        chunks = [] if body is None else [body[:half], body[half:]]
        sent: list[Any] = []
        answered = asyncio.Event()

        async def receive() -> Any:
            if chunks:
                return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}
            if body is None:
                raise Unread
            await answered.wait()  # the client stays
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                answered.set()

        try:
            await self.app(scope, receive, send)
        except Broken:
            assert sent  # the frameworks answer before they raise it again
        assert not sent[-1].get("more_body")
        headers_sent = [(name.decode().lower(), value.decode()) for name, value in sent[0]["headers"]]
        return Got(sent[0]["status"], headers_sent, b"".join(it.get("body", b"") for it in sent))


# ---- Starlette --------------------------------------------------------------------------------------------------------


def starlette_app(guard: Any) -> Made:
    auth, ran = of_starlette.Authenticate(guard), []

    async def public(request):
        ran.append("public")
        return PlainTextResponse("everybody")

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
        return PlainTextResponse("ignored")

    @auth.required()
    async def fail(request):
        ran.append("fail")
        raise Broken

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
        Route("/upload", upload, methods=["POST"]), Route("/maybe", maybe), Route("/stream", stream, methods=["POST"]),
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
    async def public():
        ran.append("public")
        return PlainTextResponse("everybody")

    @router.api_route("/whoami", methods=["GET", "OPTIONS"])
    def whoami(who: Annotated[Identity, Depends(auth)]):  # in a thread
        ran.append("whoami")
        return PlainTextResponse(who.subject)

    @router.post("/orders")
    async def orders(body: list[int], who: Annotated[Identity, Security(auth, scopes=["orders:write"])]):
        ran.append("orders")
        return {"size": len(body)}

    @router.post("/upload", dependencies=[Depends(auth)])
    async def upload(request: Request):
        ran.append("upload")
        async with request.form() as form:
            return {"fields": sorted(form)}

    @router.get("/maybe")
    async def maybe(who: Annotated[Identity | None, Depends(auth.optional)]):
        ran.append("maybe")
        return PlainTextResponse("nobody" if who is None else who.subject)

    @router.post("/stream", dependencies=[Depends(auth)])
    async def stream(request: Request):
        ran.append("stream")
        return StreamingResponse(request.stream())

    @router.post("/ignore", dependencies=[Depends(auth)])
    async def ignore():
        ran.append("ignore")
        return PlainTextResponse("ignored")

    @router.api_route("/fail", methods=["GET", "POST"], dependencies=[Depends(auth)])
    async def fail():
        ran.append("fail")
        raise Broken

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


async def passed_on(request: Any, call_next: Any) -> Any:
    return await call_next(request)


def copying(app: Any) -> Any:
    """A middleware that hands on another scope."""

    async def copied(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope}, receive, send)

    return copied


OUTSIDE = (Middleware(BaseHTTPMiddleware, dispatch=passed_on), Middleware(copying))
INSIDE = (*OUTSIDE, Middleware(GZipMiddleware))  # outside it would change what is sealed


# ---- Litestar ---------------------------------------------------------------------------------------------------------


def litestar_app(guard: Any) -> Made:
    auth, ran = of_litestar.Authenticate(guard), []

    @litestar.route("/public", http_method=["GET", "POST"], status_code=200)
    async def public() -> str:
        ran.append("public")
        return "everybody"

    @litestar.route("/whoami", http_method=["GET", "OPTIONS"], guards=[auth.required()])
    async def whoami(request: litestar.Request[Any, Any, Any]) -> str:
        ran.append("whoami")
        assert request.user is auth.identity(request)
        return auth.identity(request).subject

    @litestar.post("/orders", guards=[auth.required("orders:write")], status_code=200)
    async def orders(data: JSONBody[list[int]]) -> dict[str, int]:
        ran.append("orders")
        return {"size": len(data)}

    @litestar.post("/upload", guards=[auth.required()], status_code=200)
    async def upload(request: litestar.Request[Any, Any, Any]) -> dict[str, list[str]]:
        ran.append("upload")
        return {"fields": sorted(await request.form())}

    @litestar.get("/maybe", guards=[auth.optional])
    async def maybe(request: litestar.Request[Any, Any, Any]) -> str:
        ran.append("maybe")
        return "nobody" if request.user is None else request.user.subject

    @litestar.post("/stream", guards=[auth.required()], status_code=200)
    async def stream(request: litestar.Request[Any, Any, Any]) -> Stream:
        ran.append("stream")
        # Litestar's answer takes messages of the body, as it listens for the client's leaving.
        return Stream([chunk async for chunk in request.stream()])

    @litestar.post("/ignore", guards=[auth.required()], status_code=200)
    async def ignore() -> str:
        ran.append("ignore")
        return "ignored"

    @litestar.route("/fail", http_method=["GET", "POST"], guards=[auth.required()])
    async def fail() -> None:
        ran.append("fail")
        raise Broken

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
    handlers = [public, whoami, orders, upload, maybe, stream, ignore, fail, socket, router]
    below = litestar.Router("/below", route_handlers=handlers)
    return Made(litestar.Litestar([*handlers, below], plugins=[auth], logging_config=None), ran)


ROWS: dict[str, Callable[[Any], Made]] = {
    "starlette": starlette_app,
    "fastapi": fastapi_app,
    "fastapi, routers": fastapi_app_of_routers,
    "fastapi, middleware inside": partial(fastapi_app_of_routers, before=INSIDE),
    "fastapi, middleware outside": partial(fastapi_app_of_routers, after=OUTSIDE),
    "litestar": litestar_app,
}

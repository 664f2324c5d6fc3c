"""Small guarded applications, one for each kind of server: each says who asks and how long the body was."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from watchword.core.guard import Guard
from watchword.core.identity import Identity
from watchword.servers.wsgi.request import Environ

__all__ = ["aiohttp_app", "asgi_app", "fastapi_app", "flask_app", "litestar_app", "starlette_app", "wsgi_app"]

METHODS: Final[list[Literal["GET", "POST", "PUT", "PATCH", "DELETE"]]] = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def wsgi_app(guard: Guard) -> Any:
    """By `servers.wsgi`."""
    from watchword.servers.wsgi import identity, protect  # noqa: PLC0415 -- one pair needs one kind of server

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        size = len(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{identity(environ).subject} {size}".encode()]

    return protect(app, guard)


def asgi_app(guard: Guard) -> Any:
    """By `servers.asgi`."""
    from watchword.servers.asgi import identity, protect  # noqa: PLC0415 -- as above

    async def app(scope: Any, receive: Any, send: Any) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            size, more = size + len(message.get("body", b"")), message.get("more_body", False)
        answer = f"{identity(scope).subject} {size}".encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": answer})

    return protect(app, guard)


def starlette_app(guard: Guard) -> Any:
    """By `servers.starlette`."""
    from watchword.servers.starlette import Authenticate  # noqa: PLC0415 -- as above; first, since it says what to install

    from starlette.applications import Starlette  # noqa: PLC0415
    from starlette.requests import Request  # noqa: PLC0415
    from starlette.responses import PlainTextResponse  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    auth = Authenticate(guard)

    @auth.required()
    async def whoever(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"{auth.identity(request).subject} {len(await request.body())}")

    app = Starlette(routes=[Route("/{path:path}", whoever, methods=[*METHODS])])
    auth.install(app)
    return app


def fastapi_app(guard: Guard) -> Any:
    """By `servers.fastapi`."""
    from watchword.servers.fastapi import Authenticate  # noqa: PLC0415 -- as above

    from fastapi import Depends, FastAPI, Request  # noqa: PLC0415
    from fastapi.responses import PlainTextResponse  # noqa: PLC0415

    auth = Authenticate(guard)
    app = FastAPI(openapi_url=None)
    auth.install(app)

    async def whoever(request: Request, who: Identity[Any]) -> PlainTextResponse:
        return PlainTextResponse(f"{who.subject} {len(await request.body())}")

    # FastAPI reads annotations, which name what is local here.
    whoever.__annotations__ = {
        "request": Request,
        "who": Annotated[Identity, Depends(auth)],
        "return": PlainTextResponse,
    }
    app.api_route("/{path:path}", methods=[*METHODS], response_class=PlainTextResponse)(whoever)
    return app


def litestar_app(guard: Guard) -> Any:
    """By `servers.litestar`."""
    from watchword.servers.litestar import Authenticate  # noqa: PLC0415 -- as above

    import litestar  # noqa: PLC0415

    auth = Authenticate(guard)

    async def whoever(request: litestar.Request[Any, Any, Any]) -> str:
        return f"{auth.identity(request).subject} {len(await request.body())}"

    # Litestar reads annotations, which name what is local here.
    whoever.__annotations__ = {"request": litestar.Request[Any, Any, Any], "return": str}
    route = litestar.route(
        ["/", "/{rest:path}"], http_method=METHODS, guards=[auth.required()], status_code=200, media_type="text/plain"
    )
    return litestar.Litestar([route(whoever)], plugins=[auth], logging_config=None, openapi_config=None)


def flask_app(guard: Guard) -> Any:
    """By `servers.flask`."""
    from watchword.servers.flask import Authenticate  # noqa: PLC0415 -- as above

    import flask  # noqa: PLC0415

    app = flask.Flask(__name__)
    auth = Authenticate(guard, app)

    @app.route("/", defaults={"path": ""}, methods=[*METHODS])
    @app.route("/<path:path>", methods=[*METHODS])
    @auth.required()
    def whoever(path: str) -> str:
        return f"{auth.identity.subject} {len(flask.request.get_data())}"

    return app


def aiohttp_app(guard: Guard) -> Any:
    """By `servers.aiohttp`."""
    from watchword.servers.aiohttp import Authenticate  # noqa: PLC0415 -- as above

    from aiohttp import web  # noqa: PLC0415

    auth = Authenticate(guard)

    @auth.required()
    async def whoever(request: web.Request) -> web.Response:
        return web.Response(text=f"{auth.identity(request).subject} {len(await request.read())}")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", whoever)
    auth.install(app)
    return app

"""FastAPI apps whose routes ask a guard that nobody has installed: refused when they start, as far as anything of ours can tell."""

# No `from __future__ import annotations`: FastAPI reads annotations, which name what is local here.

import asyncio
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Security, WebSocket
from fastapi.testclient import TestClient

from tests.servers.frameworks.made import Made
from tests.servers.frameworks.test_fastapi import FAKE, an_app, fake
from watchword import ConfigurationError, Identity
from watchword.servers.fastapi import Authenticate


def test_without_install_every_request_of_a_guarded_route_fails_and_says_what_to_write():
    """No other does: nothing of ours is in such an app, neither at its start nor in its public routes."""
    app, made = an_app()
    auth = Authenticate(fake())
    app.get("/orders", dependencies=[Depends(auth)])(lambda: None)
    app.get("/maybe", dependencies=[Depends(auth.optional)])(lambda: None)
    app.get("/public")(lambda: None)
    for path in ("/orders", "/maybe"):
        with pytest.raises(ConfigurationError, match=r"auth\.install\(app\)"):
            made.ask(path, headers=FAKE)
    assert started(app) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert made.ask("/public").status == 200


def started(app: Any, says: str = "") -> list[str]:
    """What a server hears that starts the app and ends it; `says` is in why the app can't start."""
    sent: list[Any] = []

    async def serve() -> None:
        messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

        async def receive() -> Any:
            return messages.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)

    try:
        asyncio.run(serve())
    except ConfigurationError:
        assert says in sent[-1]["message"]
    return [message["type"] for message in sent]


def with_two_guards(where: str) -> tuple[FastAPI, Authenticate, Authenticate]:
    """An app that a guard is installed in, whose routes ask a second one too."""
    app, known, other = FastAPI(), Authenticate(fake()), Authenticate(fake(), name="other.")
    app.get("/public")(lambda: None)
    app.get("/known", dependencies=[Depends(known)])(lambda: None)
    if where == "first":
        known.install(app)
    ASKED[where](app, other)
    if where != "first":
        known.install(app)
    return app, known, other


def nested(app: FastAPI, auth: Authenticate) -> None:
    def reader(who: Annotated[Identity, Security(auth, scopes=["read"])]) -> Identity:
        return who

    app.get("/asked", dependencies=[Depends(reader)])(lambda: None)


def included(app: FastAPI, auth: Authenticate) -> None:
    inner, outer = APIRouter(), APIRouter()
    inner.get("/asked", dependencies=[Depends(auth)])(lambda: None)
    outer.include_router(inner)
    app.include_router(outer)


def included_with(app: FastAPI, auth: Authenticate) -> None:
    router = APIRouter()
    router.get("/asked")(lambda: None)
    app.include_router(router, dependencies=[Depends(auth)])


def by_a_socket(app: FastAPI, auth: Authenticate) -> None:
    @app.websocket("/asked")
    async def socket(websocket: WebSocket, who: Annotated[Identity, Depends(auth)]) -> None: ...


ASKED: dict[str, Any] = {
    "first": lambda app, auth: app.get("/asked", dependencies=[Depends(auth)])(lambda: None),
    "a route": lambda app, auth: app.get("/asked", dependencies=[Depends(auth)])(lambda: None),
    "optional": lambda app, auth: app.get("/asked", dependencies=[Depends(auth.optional)])(lambda: None),
    "nested": nested, "an included router": included, "where it is included": included_with, "a socket": by_a_socket,
}  # fmt: skip


@pytest.mark.parametrize("where", ASKED)
def test_an_app_whose_routes_ask_a_guard_that_nobody_installed_does_not_start(where: str):
    app, _, _ = with_two_guards(where)
    assert started(app, "/asked asks a guard, and nothing") == ["lifespan.startup.failed"]
    with pytest.raises(ConfigurationError, match=r"write auth\.install\(app\)"), TestClient(app):
        pass


@pytest.mark.parametrize("where", ASKED)
def test_where_no_server_starts_it_each_request_of_such_an_app_fails(where: str):
    app, _, _ = with_two_guards(where)
    for path in ("/public", "/known", "/nowhere"):
        with pytest.raises(ConfigurationError, match="/asked asks a guard"):
            Made(app, []).ask(path, headers=FAKE)


@pytest.mark.parametrize("where", ASKED)
def test_an_app_starts_whose_guards_are_installed_whenever_that_was(where: str):
    app, _, other = with_two_guards(where)
    other.install(app)
    assert started(app) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert Made(app, []).ask("/public").status == 200
    assert Made(app, []).ask("/known", headers=FAKE).status == 200
    if where != "a socket":
        assert Made(app, []).ask("/asked").status == (200 if where == "optional" else 401)


@pytest.mark.parametrize("where", ASKED)
def test_a_mounted_app_may_ask_a_guard_that_is_installed_around_it(where: str):
    inner, _, other = with_two_guards(where)
    app, made = an_app()
    app.mount("/below", inner)
    other.install(app)
    assert started(inner) == started(app) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert made.ask("/below/public").status == 200


def test_a_guard_that_is_installed_in_another_app_is_missed_by_the_first_request():
    app, _, other = with_two_guards("a route")
    other.install(FastAPI())
    assert started(app) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    with pytest.raises(ConfigurationError, match="/asked asks a guard"):
        Made(app, []).ask("/public")


def test_what_takes_the_place_of_a_guard_in_tests_needs_no_guard():
    app, _, other = with_two_guards("an included router")
    app.dependency_overrides[other] = lambda: Identity("tester", "test")
    assert started(app) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert Made(app, []).ask("/asked").status == 200

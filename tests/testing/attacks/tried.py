"""One attack on one route of an app that a test has made: what the plugin does for each of its tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route as Path

from watchword.testing.attacks import Credentials
from watchword.testing.attacks.application import driver_for
from watchword.testing.attacks.discovery import discover
from watchword.testing.attacks.listed import ATTACKS, PUBLIC
from watchword.testing.attacks.outcome import Hole, NotTried, Weakness
from watchword.testing.attacks.samples import samples_of
from watchword.testing.attacks.target import Target
from watchword.testing.attacks.trial import Trial

TOKEN = "alice-has-a-long-token"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
REFUSED = None


@contextmanager
def attacked(app: Any, source: str = "") -> Iterator[Target]:
    """The app, started; closed again at the end."""
    target = Target(driver_for(app), discover(app) or [], source, samples_of(app))
    target.start()
    try:
        yield target
    finally:
        target.close()


def outcome(
    attack: str, app: Any, credentials: Credentials, route: str = "GET /orders", source: str = ""
) -> Hole | NotTried | None:
    """What came of an attack: a finding, the reason why it was not tried, or None if all was refused."""
    run = next(one.run for one in (*ATTACKS, *PUBLIC) if one.name == attack)
    with attacked(app, source) as target:
        chosen = next(one for one in target.routes if one.id == route)
        return Trial(target, chosen, credentials).run(run)


def is_hole(found: object) -> bool:
    return isinstance(found, Hole) and not isinstance(found, Weakness)


def app_that(
    checks: Callable[[Request], Any], *, method: str = "GET", path: str = "/orders", answer: Any = None
) -> Starlette:
    """A Starlette app with one route, whose handler asks `checks` first: False or None refuses."""

    async def orders(request: Request) -> JSONResponse:
        found = checks(request)
        found = await found if hasattr(found, "__await__") else found
        if not found:
            return JSONResponse({"error": "unauthorized"}, 401)
        return JSONResponse({"orders": []} if answer is None else answer(request))

    return Starlette(routes=[Path(path, orders, methods=[method])])


def has_token(request: Request) -> bool:
    return request.headers.get("authorization") == f"Bearer {TOKEN}"

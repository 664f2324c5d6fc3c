"""`protect(refusal_body=)` is the one hook for the content of refusals: those that `requires` makes inside have it too."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import httpx2
import pytest

from watchword import BearerAuth, Guard, Key, SealedAuth, SignatureSeal
from tests.servers.frameworks.credentials import SEALING
from watchword.clients.httpx2 import adapt
from watchword.crypto import jose
from watchword.schemes.jwt import JWTVerifier
from watchword.servers import asgi, wsgi
from watchword.servers.problem import no_body, problem_body

KEY = Key.generate("HS256")
TOKEN = jose.sign(b'{"sub":"alice","scope":"read"}', KEY)


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("it has not the scope")


def wsgi_app(environ: Any, start_response: Any) -> Any:
    raise AssertionError("it has not the scope")


def ask_asgi(app: Any, auth: Any) -> httpx2.Response:
    async def ask() -> httpx2.Response:
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app), base_url="https://api.example"
        ) as client:
            return await client.get("/orders", auth=auth)

    return asyncio.run(ask())


def ask_wsgi(app: Any, auth: Any) -> httpx2.Response:
    with httpx2.Client(transport=httpx2.WSGITransport(app=app), base_url="https://api.example") as client:
        return client.get("/orders", auth=auth)


class Kind(NamedTuple):
    """The module, an application that must not be reached, and how it is asked."""

    module: ModuleType
    app: Any
    ask: Callable[[Any, Any], httpx2.Response]


KINDS = {"asgi": Kind(asgi, asgi_app, ask_asgi), "wsgi": Kind(wsgi, wsgi_app, ask_wsgi)}


@pytest.fixture(params=KINDS)
def kind(request) -> Kind:
    return KINDS[request.param]


def needing_write(kind: Kind, *, guard: Guard | None = None, **options: Any) -> Any:
    return kind.module.protect(kind.module.requires("write")(kind.app), guard or Guard([JWTVerifier(KEY)]), **options)


@pytest.mark.parametrize(("token", "status"), [(TOKEN, 403), (None, 401)], ids=["without the scope", "anonymous"])
def test_what_requires_refuses_has_the_content_of_the_guard_around_it(kind, token, status):
    app = needing_write(kind, optional=True, refusal_body=problem_body)
    got = kind.ask(app, None if token is None else adapt(BearerAuth(token)))
    assert (got.status_code, got.headers["content-type"]) == (status, "application/problem+json")
    assert json.loads(got.content)["status"] == status


@pytest.mark.parametrize("options", [{}, {"refusal_body": no_body}], ids=["no hook", "the hook that gives none"])
def test_without_the_hook_what_requires_refuses_has_no_content(kind, options):
    got = kind.ask(needing_write(kind, **options), adapt(BearerAuth(TOKEN)))
    assert (got.status_code, got.content) == (403, b"")


def test_a_hook_of_ones_own_is_told_the_status_and_no_more(kind):
    told: list[object] = []

    def words(*given: object) -> tuple[str, bytes]:
        told.append(given)
        return "text/plain", b"no"

    got = kind.ask(needing_write(kind, refusal_body=words), adapt(BearerAuth(TOKEN)))
    assert (got.status_code, got.content, told) == (403, b"no", [(403,)])


@pytest.mark.parametrize("optional", [False, True])
@pytest.mark.parametrize("same", [True, False], ids=["the same guard", "two guards"])
@pytest.mark.parametrize("nearest", [problem_body, no_body])
def test_the_nearest_of_nested_protects_decides(kind, optional, same, nearest):
    farther = no_body if nearest is problem_body else problem_body
    guard = Guard([JWTVerifier(KEY)])
    inner = needing_write(kind, guard=guard, optional=optional, refusal_body=nearest)
    outer = guard if same else Guard([JWTVerifier(KEY)])
    got = kind.ask(kind.module.protect(inner, outer, refusal_body=farther), adapt(BearerAuth(TOKEN)))
    assert (got.status_code, got.content) == (403, nearest(403)[1])


def test_a_seal_covers_the_content(kind):
    app = needing_write(kind, guard=Guard([JWTVerifier(KEY)], seal=SignatureSeal(SEALING)), refusal_body=problem_body)
    got = kind.ask(
        app, adapt(SealedAuth(SEALING, BearerAuth(TOKEN)))
    )  # which refuses an answer that the seal doesn't fit
    assert (got.status_code, got.content) == (403, problem_body(403)[1])
    assert "content-digest" in got.headers

"""`protect(refusal_body=)` is the one hook for the content of refusals: those that `requires` makes inside have it too."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
import pytest

from watchword import BearerAuth, Guard, Key
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


KINDS = {"asgi": (asgi, asgi_app, ask_asgi), "wsgi": (wsgi, wsgi_app, ask_wsgi)}


def guarded(kind: str, **options: Any) -> Any:
    module, app, _ = KINDS[kind]
    return module.protect(module.requires("write")(app), Guard([JWTVerifier(KEY)]), **options)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("token", "status"), [(TOKEN, 403), (None, 401)], ids=["without the scope", "anonymous"])
def test_what_requires_refuses_has_the_content_of_the_guard_around_it(kind, token, status):
    app = guarded(kind, optional=True, refusal_body=problem_body)
    got = KINDS[kind][2](app, None if token is None else adapt(BearerAuth(token)))
    assert (got.status_code, got.headers["content-type"]) == (status, "application/problem+json")
    assert json.loads(got.content)["status"] == status


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, {"refusal_body": no_body}], ids=["no hook", "the hook that gives none"])
def test_without_the_hook_what_requires_refuses_has_no_content(kind, options):
    got = KINDS[kind][2](guarded(kind, **options), adapt(BearerAuth(TOKEN)))
    assert (got.status_code, got.content) == (403, b"")


@pytest.mark.parametrize("kind", KINDS)
def test_a_hook_of_ones_own_is_told_the_status_and_no_more(kind):
    told: list[object] = []

    def words(*given: object) -> tuple[str, bytes]:
        told.append(given)
        return "text/plain", b"no"

    got = KINDS[kind][2](guarded(kind, refusal_body=words), adapt(BearerAuth(TOKEN)))
    assert (got.status_code, got.content, told) == (403, b"no", [(403,)])

"""`Policy(explain="development")` in each framework: the account is the body of a refusal that the app doesn't word."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple

import pytest
from django.test import Client, override_settings
from django.urls import path
from fastapi import FastAPI
from litestar import Litestar, Request as Asked, Response as Answer, get
from litestar.exceptions import HTTPException as Litestars
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.servers.frameworks import asgi_rows, wsgi_rows
from tests.servers.frameworks.asgi_rows import Made
from tests.servers.frameworks.test_rest_framework import ME, PROBLEMS, Who
from tests.servers.frameworks.test_wsgi_rows import ask as ask_wsgi
from watchword import Guard, JWTVerifier, Key, Policy, SignatureSeal
from watchword.servers import fastapi as of_fastapi, litestar as of_litestar, starlette as of_starlette
from watchword.servers.problem import PROBLEM_JSON, problem

HERE = "127.0.0.1:8000"
KEY = Key.from_secret(b"a secret that signs the tokens..", algorithm="HS256", key_id="id-1")
SEALING = Key.from_secret(b"a secret that seals the answers.", algorithm="HS256", key_id="seal-1")
WRONG = {"authorization": "Bearer x"}
TOLD = b"what can be told without any secret:\n  FAIL format: token\n"
TEXT = "text/plain; charset=utf-8"


class Refusal(NamedTuple):
    status: int
    fields: dict[str, str]
    content: bytes


def by_asgi(make: Callable[[Guard], Made], guard: Guard, host: str) -> Refusal:
    got = make(guard).ask("/whoami", headers={"host": host, **WRONG}, client=("127.0.0.1", 1))
    return Refusal(got.status, dict(got.headers), got.content)


def by_wsgi(make: Callable[[Guard], Any], guard: Guard, host: str) -> Refusal:
    return Refusal(
        *ask_wsgi(make(guard), "/whoami", HTTP_HOST=host, REMOTE_ADDR="127.0.0.1", HTTP_AUTHORIZATION="Bearer x")
    )


def protected(guard: Guard) -> Made:
    app = Starlette(routes=[Route("/whoami", PlainTextResponse(""))])
    app.add_middleware(of_starlette.protect, guard=guard)
    return Made(app, [])


def by_rest_framework(guard: Guard, host: str) -> Refusal:
    with override_settings(
        WATCHWORD={"guard": guard}, MIDDLEWARE=[ME], ROOT_URLCONF=(path("x", Who.as_view()),), REST_FRAMEWORK=PROBLEMS, ALLOWED_HOSTS=["*"]
    ):  # fmt: skip
        got = Client().get("/x", headers={"host": host, **WRONG})
    return Refusal(got.status_code, {name.lower(): value for name, value in got.headers.items()}, got.content)


ADAPTERS: dict[str, Callable[[Guard, str], Refusal]] = {
    **{name: partial(by_asgi, make) for name, make in asgi_rows.ROWS.items()},
    **{name: partial(by_wsgi, make) for name, make in wsgi_rows.ROWS.items()},
    "starlette protect": partial(by_asgi, protected),
    "rest framework": by_rest_framework,
}


@pytest.fixture(autouse=True)
def development(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHWORD_ENV", "development")


def guard(**more: Any) -> Guard:
    return Guard([JWTVerifier(KEY)], policy=Policy(explain="development"), **more)


@pytest.mark.parametrize("refused", ADAPTERS.values(), ids=ADAPTERS)
def test_a_program_on_this_machine_reads_why(refused: Callable[[Guard, str], Refusal]) -> None:
    status, fields, content = refused(guard(), HERE)
    assert (status, fields["content-type"]) == (401, TEXT)
    assert 'error="invalid_token"' in fields["www-authenticate"]
    assert content.count(TOLD) == 1
    assert int(fields.get("content-length", len(content))) == len(content)


@pytest.mark.parametrize("refused", ADAPTERS.values(), ids=ADAPTERS)
def test_whoever_may_be_elsewhere_reads_the_status(refused: Callable[[Guard, str], Refusal]) -> None:
    status, fields, content = refused(guard(), "attacker.example")
    assert (status, fields["content-type"], content) == (401, PROBLEM_JSON, problem(401))


@pytest.mark.parametrize("refused", ADAPTERS.values(), ids=ADAPTERS)
def test_a_seal_covers_the_account(refused: Callable[[Guard, str], Refusal]) -> None:
    _, fields, content = refused(guard(seal=SignatureSeal(SEALING)), HERE)
    assert content.count(TOLD) == 1
    assert b64encode(sha256(content).digest()).decode() in fields["content-digest"]


# ---- an app that words refusals by itself -----------------------------------------------------------------------------


async def worded(request: Any, refused: Any) -> PlainTextResponse:
    return PlainTextResponse("mine", refused.status_code)


def starlette_that_words(guard: Guard) -> Made:
    made = asgi_rows.starlette_app(guard)
    made.app.add_exception_handler(HTTPException, worded)
    return made


def fastapi_that_words(guard: Guard) -> Made:
    made = asgi_rows.fastapi_app(guard)
    made.app.add_exception_handler(401, worded)
    return made


def litestar_that_words(guard: Guard) -> Made:
    auth = of_litestar.Authenticate(guard)

    def mine(request: Asked[Any, Any, Any], refused: Litestars) -> Answer[bytes]:
        return Answer(b"mine", status_code=refused.status_code, media_type="text/plain")

    @get("/whoami", guards=[auth.required()])
    async def whoami() -> None: ...

    return Made(Litestar([whoami], plugins=[auth], exception_handlers={Litestars: mine}, openapi_config=None), [])


def flask_that_words(guard: Guard) -> Any:
    made = wsgi_rows.of_flask(guard)
    made.app.register_error_handler(401, lambda refused: ("mine", refused.code))
    return made


WORDED: dict[str, Callable[[Guard, str], Refusal]] = {
    "starlette": partial(by_asgi, starlette_that_words),
    "fastapi": partial(by_asgi, fastapi_that_words),
    "litestar": partial(by_asgi, litestar_that_words),
    "flask": partial(by_wsgi, flask_that_words),
}


@pytest.mark.parametrize("refused", WORDED.values(), ids=WORDED)
def test_an_app_that_words_refusals_has_its_own_words(refused: Callable[[Guard, str], Refusal]) -> None:
    status, fields, content = refused(guard(), HERE)
    assert (status, content) == (401, b"mine")
    assert 'error="invalid_token"' in fields["www-authenticate"]


@pytest.mark.parametrize("kind", [of_starlette.Refused, of_fastapi.Refused])
def test_a_refusal_that_an_app_raises_by_itself_is_a_problem(kind: Any) -> None:
    async def whoami(request: Any) -> None:
        raise kind(403)

    made = asgi_rows.starlette_app(guard())
    made.app.router.routes.insert(0, Route("/mine", whoami))
    auth = of_fastapi.Authenticate(guard())
    app = FastAPI(routes=[Route("/mine", whoami)])
    auth.install(app)
    chosen = made if kind is of_starlette.Refused else Made(app, [])
    got = chosen.ask("/mine", headers={"host": HERE}, client=("127.0.0.1", 1))
    assert (got.status, got.content, got.values("content-type")) == (403, problem(403), [PROBLEM_JSON])

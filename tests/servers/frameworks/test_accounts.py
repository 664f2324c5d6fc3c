"""`Policy(explain="development")` in each framework: the account is the body of a refusal that the app doesn't word."""

from __future__ import annotations

from tests.servers.frameworks.adapters import ADAPTERS, Adapter  # first: Django's views need its settings

from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from fastapi import FastAPI
from litestar import Litestar, Request as Asked, Response as Answer, get
from litestar.exceptions import HTTPException as Litestars
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.servers.frameworks import asgi_rows, wsgi_rows
from tests.servers.frameworks.credentials import KEY, SEALING, WRONG
from tests.servers.frameworks.made import Got, Made
from watchword import Guard, JWTVerifier, Policy, SignatureSeal
from watchword.servers import fastapi as of_fastapi, litestar as of_litestar, starlette as of_starlette
from watchword.servers.problem import PROBLEM_JSON, problem

HERE = "127.0.0.1:8000"
TOLD = b"what can be told without any secret:\n  FAIL format: token\n"
TEXT = "text/plain; charset=utf-8"


def asked(row: Adapter, guard: Guard, host: str = HERE) -> Got:
    path = row.prefixes[0] + "/whoami"
    return row.make(guard).ask(path, headers={"host": host, **WRONG}, client=("127.0.0.1", 1))


def protected(guard: Guard) -> Made:
    app = Starlette(routes=[Route("/whoami", PlainTextResponse(""))])
    app.add_middleware(of_starlette.protect, guard=guard)
    return Made(app, [])


@pytest.fixture(autouse=True)
def development(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHWORD_ENV", "development")


def guard(**more: Any) -> Guard:
    return Guard([JWTVerifier(KEY)], policy=Policy(explain="development"), **more)


@pytest.fixture(params=[*ADAPTERS.values(), Adapter(protected, {}, [""])], ids=[*ADAPTERS, "starlette protect"])
def row(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_a_program_on_this_machine_reads_why(row: Adapter) -> None:
    got = asked(row, guard())
    assert (got.status, got.values("content-type")) == (401, [TEXT])
    assert 'error="invalid_token"' in got.values("www-authenticate")[0]
    assert got.content.count(TOLD) == 1
    assert got.values("content-length") in ([], [str(len(got.content))])


def test_whoever_may_be_elsewhere_reads_the_status(row: Adapter) -> None:
    got = asked(row, guard(), "attacker.example")
    told = ([PROBLEM_JSON], problem(401)) if row.problem else ([], b"")
    assert (got.status, got.values("content-type"), got.content) == (401, *told)


def test_a_seal_covers_the_account(row: Adapter) -> None:
    got = asked(row, guard(seal=SignatureSeal(SEALING)))
    assert got.content.count(TOLD) == 1
    assert b64encode(sha256(got.content).digest()).decode() in got.values("content-digest")[0]


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


def flask_that_words(guard: Guard) -> Made:
    made = wsgi_rows.of_flask(guard)
    made.app.register_error_handler(401, lambda refused: ("mine", refused.code))
    return made


@pytest.mark.parametrize("make", [starlette_that_words, fastapi_that_words, litestar_that_words, flask_that_words])
def test_an_app_that_words_refusals_has_its_own_words(make: Callable[[Guard], Made]) -> None:
    got = asked(Adapter(make, {}, [""]), guard())
    assert (got.status, got.content) == (401, b"mine")
    assert 'error="invalid_token"' in got.values("www-authenticate")[0]


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

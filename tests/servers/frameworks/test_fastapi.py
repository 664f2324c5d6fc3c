"""FastAPI alone: what its OpenAPI document says of guards, several guards in one app, and what an app may change."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, HTTPException, Request, Security
from fastapi.responses import JSONResponse
from fastapi.security import SecurityScopes
from starlette.exceptions import HTTPException as Starlettes

from tests.core.fakes import FakeVerifier
from tests.servers.frameworks.made import Made
from tests.servers.frameworks.credentials import signed, signing
from watchword import (
    AllOf, APIKeyVerifier, BasicVerifier, ConfigurationError, DigestVerifier, Guard, HMACVerifier, Identity, InCookie, InField,
    JWTVerifier, Key, Reason, Rejected, Request as Asked, SigV4Verifier, TokenVerifier,
)  # fmt: skip
from watchword.core.scheme import Decision
from watchword.servers.fastapi import Authenticate, Refused
from watchword.stores import MemoryStore

KEY = Key.from_secret(b"a secret that signs the tokens..", algorithm="HS256", key_id="id-1")
BOTH = {"x-partner": "partner alice", "x-user": "user bob"}
FAKE = {"authorization": "fake alice"}
LOGIN = {"type": "openIdConnect", "openIdConnectUrl": "https://id.example/.well-known/openid-configuration"}


def fake(*scopes: str, **parts: Any) -> Guard:
    return Guard([FakeVerifier(scopes=frozenset(scopes), **parts)])


def an_app(**parts: Any) -> tuple[FastAPI, Made]:
    app = FastAPI(**parts)
    return app, Made(app, [])


def described(*auths: Authenticate, **parts: Any) -> dict[str, Any]:
    """The document of an app whose /orders demands each of `auths`, with a scope, and whose /maybe demands none of them."""
    app, _ = an_app(**parts)
    for auth in auths:
        auth.install(app)
    app.get("/orders", dependencies=[Security(auth, scopes=["orders:read"]) for auth in auths])(lambda: None)
    app.get("/maybe", dependencies=[Depends(auth.optional) for auth in auths])(lambda: None)
    app.get("/public")(lambda: None)
    return app.openapi()


def schemes(document: dict[str, Any]) -> dict[str, Any]:
    return document["components"]["securitySchemes"]


def security(document: dict[str, Any], path: str) -> Any:
    return document["paths"][path]["get"].get("security")


# ---- OpenAPI ----------------------------------------------------------------------------------------------------------


def test_alternatives_are_separate_requirements_and_optional_adds_the_empty_one():
    document = described(Authenticate(Guard([JWTVerifier(KEY), BasicVerifier(realm="r")], MemoryStore())))
    assert security(document, "/orders") == [{"Bearer": ["orders:read"]}, {"Basic": ["orders:read"]}]
    assert security(document, "/maybe") == [{"Bearer": []}, {"Basic": []}, {}]
    assert security(document, "/public") is None
    assert set(schemes(document)) == {"Bearer", "Basic"}


def test_what_is_needed_together_is_one_requirement():
    together = AllOf(JWTVerifier(KEY), APIKeyVerifier(), bind=lambda _: None)
    document = described(Authenticate(Guard([together], MemoryStore())))
    assert security(document, "/orders") == [{"Bearer": ["orders:read"], "X-API-Key": ["orders:read"]}]


def test_two_guards_of_one_route_are_needed_together_each_in_any_of_its_ways():
    users = Authenticate(Guard([JWTVerifier(KEY), BasicVerifier(realm="r")], MemoryStore()))
    machines = Authenticate(Guard([APIKeyVerifier()], MemoryStore()))
    document = described(users, machines)
    assert [sorted(way) for way in security(document, "/orders")] == [["Bearer", "X-API-Key"], ["Basic", "X-API-Key"]]
    assert security(document, "/maybe")[-1] == {}


def test_each_verifier_is_described_by_what_it_is():
    store = MemoryStore()
    verifiers = [
        DigestVerifier(realm="r"), BasicVerifier(realm="r"), JWTVerifier(KEY), APIKeyVerifier(), HMACVerifier(),
        SigV4Verifier(region="eu-west-1", service="orders"),
    ]  # fmt: skip
    told = schemes(described(Authenticate(Guard(verifiers, store))))
    kinds = {
        name: (scheme["type"], scheme.get("scheme") or (scheme["in"], scheme["name"])) for name, scheme in told.items()
    }
    assert kinds == {
        "Digest": ("http", "digest"), "Basic": ("http", "basic"), "Bearer": ("http", "bearer"),
        "X-API-Key": ("apiKey", ("header", "X-API-Key")), "hmac": ("apiKey", ("header", "Authorization")),
        "aws4-hmac-sha256": ("apiKey", ("header", "Authorization")),
    }  # fmt: skip
    assert "Swagger UI can't" in told["hmac"]["description"]
    assert told["Bearer"]["bearerFormat"] == "JWT"


def test_a_token_elsewhere_than_in_authorization_is_described_by_its_place():
    verifiers = [JWTVerifier(KEY, place=place) for place in (InCookie(), InField("X-Ticket"))]
    told = schemes(described(Authenticate(Guard([*verifiers, TokenVerifier(lambda _: None, word="Token")]))))
    assert {name: (scheme["type"], scheme["in"], scheme["name"]) for name, scheme in told.items()} == {
        "__Host-token": ("apiKey", "cookie", "__Host-token"), "X-Ticket": ("apiKey", "header", "X-Ticket"),
        "token": ("apiKey", "header", "Authorization"),
    }  # fmt: skip


def test_scopes_stand_under_openapi_3_0_only_where_it_wants_them():
    guard = Guard([JWTVerifier(KEY), BasicVerifier(realm="r")], MemoryStore())
    app, _ = an_app()
    app.openapi_version = "3.0.3"
    auth = Authenticate(guard, login=LOGIN)
    auth.install(app)
    app.get("/orders", dependencies=[Security(auth, scopes=["orders:read"])])(lambda: None)
    assert security(app.openapi(), "/orders") == [{"Bearer": ["orders:read"]}, {"Basic": []}]
    assert schemes(app.openapi())["Bearer"] == LOGIN


def test_the_document_is_made_anew_with_a_route_that_is_added_later_and_is_stable_otherwise():
    app, _ = an_app()
    auth = Authenticate(Guard([JWTVerifier(KEY), BasicVerifier(realm="r")], MemoryStore()))
    auth.install(app)
    app.get("/orders", dependencies=[Depends(auth)])(lambda: None)
    first = json.dumps(app.openapi())
    assert json.dumps(app.openapi()) == first
    app.get("/maybe", dependencies=[Depends(auth.optional)])(lambda: None)
    assert security(app.openapi(), "/maybe") == [{"Bearer": []}, {"Basic": []}, {}]
    assert security(app.openapi(), "/orders") == [{"Bearer": []}, {"Basic": []}]


def test_guards_whose_schemes_differ_under_one_name_have_to_be_told_apart():
    plain, named = (Guard([JWTVerifier(KEY)]) for _ in range(2))
    with pytest.raises(ConfigurationError, match="name="):
        described(Authenticate(plain), Authenticate(named, login=LOGIN))
    document = described(Authenticate(plain), Authenticate(named, login=LOGIN, name="partners."))
    assert set(schemes(document)) == {"Bearer", "partners.Bearer"}


def test_login_is_a_scheme_object():
    with pytest.raises(ConfigurationError, match="openIdConnect"):
        Authenticate(fake(), login={"type": "http"})


# ---- several guards, and none ----------------------------------------------------------------------------------------------


def test_each_guard_of_an_app_judges_for_itself_and_each_body_is_read_once():
    seen: list[str] = []
    partners = Authenticate(
        Guard([FakeVerifier("partner", field=b"x-partner")], observe=lambda _: seen.append("partners"))
    )
    users = Authenticate(Guard([FakeVerifier("user", field=b"x-user")], observe=lambda _: seen.append("users")))
    app, made = an_app()
    for auth in (partners, users):
        auth.install(app)

    @app.post("/orders")
    def orders(
        body: list[int], by: Annotated[Identity, Depends(partners)], of: Annotated[Identity, Depends(users)]
    ) -> str:
        return f"{by.subject} {of.subject} {len(body)}"

    @app.get("/of")
    def only(of: Annotated[Identity, Depends(users)]) -> str:
        return of.subject

    assert made.ask("/orders", b"[1]", BOTH).content == b'"alice bob 1"'
    assert sorted(seen) == ["partners", "users"]
    assert made.ask("/orders", b"{", {"x-partner": "partner alice"}).status == 401
    assert made.ask("/of", headers={"x-user": "user bob"}).content == b'"bob"'


def test_an_app_that_is_served_already_takes_no_guard():
    app, made = an_app()
    made.ask("/")
    with pytest.raises(RuntimeError, match="started"):
        Authenticate(fake()).install(app)


# ---- what an app may change ------------------------------------------------------------------------------------------------


def overridden() -> Any:
    app, made = an_app()
    auth = Authenticate(fake())
    auth.install(app)
    router = APIRouter()

    def reader(who: Annotated[Identity, Security(auth, scopes=["orders:read"])]) -> str:
        return who.subject

    @router.post("/orders")
    def orders(body: list[int], who: Annotated[str, Depends(reader)]) -> str:
        return who

    app.include_router(router)
    return app, made, auth, reader


def test_dependency_overrides_take_the_place_of_the_guard():
    app, made, auth, _ = overridden()
    assert made.ask("/orders", b"[1]").status == 401
    app.dependency_overrides[auth] = lambda: Identity("tester", "test")
    assert made.ask("/orders", b"[1]").content == b'"tester"'
    app.dependency_overrides.clear()
    assert made.ask("/orders", b"[1]").status == 401


def test_dependency_overrides_take_the_place_of_what_asks_the_guard():
    app, made, auth, reader = overridden()
    app.dependency_overrides[reader] = lambda: "tester"
    assert made.ask("/orders", b"{").status == 422

    def other(who: Annotated[Identity, Depends(auth)]) -> str:
        return who.subject

    app.dependency_overrides[reader] = other
    assert made.ask("/orders", b"{").status == 401
    assert made.ask("/orders", b"[1]", FAKE).content == b'"alice"'


@pytest.mark.parametrize("key", [HTTPException, Starlettes, 401, Refused])
@pytest.mark.parametrize("waits", [True, False])
def test_an_apps_own_handler_words_refusals_and_the_challenges_go_out_all_the_same(key, waits):
    app, made = an_app()
    auth = Authenticate(Guard([BasicVerifier(realm="r")], MemoryStore()))
    auth.install(app)
    app.get("/orders", dependencies=[Depends(auth)])(lambda: None)

    def worded(request: Request, error: Any) -> JSONResponse:
        return JSONResponse({"own": error.detail}, error.status_code)

    async def worded_later(request: Request, error: Any) -> JSONResponse:
        return worded(request, error)

    app.add_exception_handler(key, worded_later if waits else worded)
    refused = made.ask("/orders")
    assert (refused.status, refused.content) == (401, b'{"own":"Unauthorized"}')
    assert refused.values("www-authenticate") == ['Basic realm="r", charset="UTF-8"']


def test_a_handler_that_answers_otherwise_has_no_challenge():
    app, made = an_app()
    auth = Authenticate(Guard([BasicVerifier(realm="r")], MemoryStore()))
    auth.install(app)
    app.get("/orders", dependencies=[Depends(auth)])(lambda: None)
    app.add_exception_handler(401, lambda *_: JSONResponse(None, 404))
    refused = made.ask("/orders")
    assert (refused.status, refused.values("www-authenticate")) == (404, [])


def test_many_tasks_of_a_handler_ask_at_once_and_the_guard_judges_once():
    seen: list[Any] = []
    app, made = an_app()
    auth = Authenticate(Guard([FakeVerifier()], observe=seen.append))
    auth.install(app)

    @app.get("/orders")
    async def orders(request: Request) -> list[str]:
        who = await asyncio.gather(*(auth(request, SecurityScopes()) for _ in range(5)))
        return [it.subject for it in who]

    assert made.ask("/orders", headers=FAKE).content == b'["alice","alice","alice","alice","alice"]'
    assert len(seen) == 1


def test_a_body_that_was_read_before_anybody_asked_is_never_taken_for_the_signed_one():
    app, made = an_app()
    auth = Authenticate(signing())
    auth.install(app)

    @app.post("/orders")
    async def orders(request: Request) -> None:
        await request.body()
        await auth(request, SecurityScopes())

    with pytest.raises(ConfigurationError, match="read before"):
        made.ask("/orders", b"[1]", signed("/orders", b"[1]"))


def test_the_reason_of_a_refusal_stays_inside():
    app, made = an_app()
    auth = Authenticate(fake())
    auth.install(app)
    app.get("/orders", dependencies=[Depends(auth)])(lambda: None)
    with pytest.raises(Rejected) as rejected:
        fake().verify(Asked("GET", "http", "api.example", "/orders", {"authorization": "fake wrong"}))
    assert rejected.value.reason is Reason.WRONG_SECRET
    assert b"wrong" not in made.ask("/orders", headers={"authorization": "fake wrong"}).content


# ---- what happens round a handler, as without the guard ----------------------------------------------------------------------


def test_background_tasks_and_what_follows_a_yield_run_as_without_the_guard():
    app, made = an_app()
    auth = Authenticate(
        fake(decision=lambda *_: Decision(Identity("alice", "fake"), response_headers=[(b"x-info", b"1")]))
    )
    auth.install(app)

    async def opened(who: Annotated[Identity, Depends(auth)]) -> AsyncIterator[str]:
        made.ran.append("opened")
        yield who.subject
        made.ran.append("closed")

    @app.get("/orders")
    async def orders(name: Annotated[str, Depends(opened)], later: BackgroundTasks) -> str:
        later.add_task(made.ran.append, "background")
        return name

    got = made.ask("/orders", headers=FAKE)
    assert (got.content, got.values("x-info")) == (b'"alice"', ["1"])
    assert sorted(made.ran) == ["background", "closed", "opened"]
    assert made.ask("/orders").status == 401
    assert len(made.ran) == 3

"""What is Django's own: where the middleware and the decorators stand, CSRF, both colours, users, its checks and its test client."""

from __future__ import annotations

from tests.servers.frameworks import django_project  # first: models and views need its settings

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.checks import run_checks
from django.http import HttpResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import path

from tests.core.fakes import FakeVerifier
from tests.servers.frameworks.orders import VIEWS
from tests.servers.frameworks.credentials import KEY, bearer
from watchword import AsyncGuard, BasicVerifier, ConfigurationError, Guard, JWTVerifier
from watchword.servers.django import Authenticate, IdentityUser, demand, optional, required
from watchword.stores import MemoryStore

ME = "watchword.servers.django.Authenticate"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"
PLAIN: dict[str, Any] = {}


def fakes(guard: Any = Guard, **options: Any) -> Any:
    return guard([FakeVerifier(), FakeVerifier("writer", scopes=frozenset({"write"}))], **options)


def fields(who: str) -> dict[str, str]:
    return {"Authorization": f"{who} alice"} if who else {}


def with_(urls: Any = None, guard: Any = None, middleware: Any = (ME,), **more: Any) -> Any:
    settings = {"WATCHWORD": {"guard": guard or fakes(), **more}, "MIDDLEWARE": list(middleware)}
    if urls is not None:
        settings["ROOT_URLCONF"] = (path("x", urls),)
    return override_settings(**settings)


def statuses(name: str, method: str = "get") -> list[int]:
    """Of no credentials, of too few rights, and of enough; both clients say the same."""
    answers = [getattr(Client(), method)(name, headers=fields(who)).status_code for who in ("", "fake", "writer")]

    async def ask() -> list[int]:
        client = AsyncClient()
        return [
            (await getattr(client, method)(name, headers=fields(who))).status_code for who in ("", "fake", "writer")
        ]

    assert asyncio.run(ask()) == answers
    return answers


@pytest.mark.parametrize("guard", [Guard, AsyncGuard])
@pytest.mark.parametrize("name", ["whole", "whole-awaited", "dispatched", "awaited"])
def test_views_and_view_classes_of_either_colour_ask_guards_of_either(name, guard):
    with with_(guard=fakes(guard)):
        assert statuses(f"/{name}") == [401, 403, 200]
        assert Client().get(f"/{name}", headers=fields("writer")).content == b"alice"


def test_a_method_of_a_view_class_asks_for_itself():
    with with_():
        assert statuses("/part") == [200, 200, 200]
        assert statuses("/part", "post") == [401, 403, 200]


def view(request):
    return HttpResponse("done")


@pytest.mark.parametrize("urls", VIEWS["d"].values(), ids=VIEWS["d"])
def test_without_the_middleware_what_asks_answers_nobody(urls):
    with with_(urls, middleware=()), pytest.raises(ConfigurationError, match="MIDDLEWARE = "):
        Client().get("/x", headers=fields("writer"))


def test_a_view_may_find_out_late_what_to_demand():
    def late(request):
        return demand(request, "write") or HttpResponse(request.identity.subject)

    with with_(late):
        assert statuses("/x") == [401, 403, 200]


# ---- CSRF ---------------------------------------------------------------------------------------------------------------


def test_a_refused_or_anonymous_request_lifts_no_csrf_check():
    verifier = FakeVerifier()
    verifier.ambient = False
    with with_(optional(view), Guard([verifier]), (ME, CSRF)):
        assert Client(enforce_csrf_checks=True).post("/x").status_code == 403


def test_basic_credentials_are_ambient_and_tokens_are_not():
    store = MemoryStore()
    store.add_user("alice", "open sesame")
    guard = Guard([BasicVerifier(realm="r"), JWTVerifier(KEY)], store)
    with with_(required()(view), guard, (ME, CSRF)):
        asking = Client(enforce_csrf_checks=True)
        assert asking.post("/x", headers={"Authorization": "Basic YWxpY2U6b3BlbiBzZXNhbWU="}).status_code == 403
        assert asking.post("/x", headers=bearer()).status_code == 200


# ---- places and settings ------------------------------------------------------------------------------------------------

WRONG = {
    "no setting": ({"WATCHWORD": None}, "WATCHWORD = "),
    "no guard": ({"WATCHWORD": {}}, "shop.auth.guard"),
    "not there": ({"WATCHWORD": {"guard": "tests.nowhere.guard"}}, "nowhere"),
    "no guard at all": ({"WATCHWORD": {"guard": 7}}, "not int"),
    "unknown key": ({"WATCHWORD": {"guard": fakes(), "guards": 1}}, "has no 'guards'"),
    "behind the CSRF check": ({"MIDDLEWARE": [CSRF, ME]}, "before it in MIDDLEWARE"),
    "users by any name": ({"WATCHWORD": {"guard": fakes(), "user": "email"}}, '"username"'),
    "users of another table": ({"WATCHWORD": {"guard": fakes(), "user": "username"}}, "DjangoStore"),
    "subjects of any issuer": ({"WATCHWORD": {"guard": Guard([JWTVerifier(KEY)]), "user_of_token": print}}, "issuer="),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_manage_py_check_and_the_start_say_what_to_write(wrong):
    settings, message = WRONG[wrong]
    with override_settings(**{"WATCHWORD": {"guard": fakes()}, **settings}):
        (found,) = [error for error in run_checks() if error.id.startswith("watchword")]
        assert found.is_serious()
        assert message in found.msg
        with pytest.raises(ConfigurationError) as raised:
            Authenticate(view)
        assert str(raised.value) == found.msg


def test_manage_py_check_misses_the_middleware_and_is_content_with_it():
    with override_settings(WATCHWORD={"guard": "tests.servers.frameworks.test_django.GUARD"}, MIDDLEWARE=[]):
        assert [found.id for found in run_checks() if "watchword" in found.id] == ["watchword.W001"]
    with override_settings(WATCHWORD={"guard": "tests.servers.frameworks.test_django.GUARD"}):
        assert not [found.id for found in run_checks() if "watchword" in found.id]


GUARD = fakes()


def test_a_middleware_that_reads_the_body_first_leaves_it_for_the_guard():
    def reading(get_response):
        def middleware(request):
            assert request.body == b"hello"
            return get_response(request)

        return middleware

    from watchword.core.scheme import WHOLE

    def echo(request):
        return HttpResponse(request.body)

    verifier = FakeVerifier(body=WHOLE)
    django_project.reading = reading
    with with_(required()(echo), Guard([verifier]), (f"{django_project.__name__}.reading", ME)):
        answer = Client().post("/x", b"hello", "text/plain", headers=fields("fake"))
        assert (answer.content, verifier.bodies[-1].data) == (b"hello", b"hello")


# ---- as without the guard -----------------------------------------------------------------------------------------------


def test_the_projects_own_answer_to_a_refusal_gets_its_fields():
    def sorry(request, status):
        return HttpResponse("sorry", status=status)

    with with_(required()(view), problem=sorry):
        answer = Client().get("/x")
        assert (answer.status_code, answer.content) == (401, b"sorry")
        assert answer["WWW-Authenticate"] == 'Fake realm="protected", Writer realm="protected"'
        assert answer["Cache-Control"] == "no-store"


# ---- users --------------------------------------------------------------------------------------------------------------


def test_without_a_setting_an_identity_stands_for_no_user():
    def who(request):
        return HttpResponse(str(hasattr(request, "user")))

    with with_(required()(who)):
        assert Client().get("/x", headers=fields("fake")).content == b"False"


def test_who_was_admitted_has_no_rights_of_djangos():
    user = IdentityUser(SimpleNamespace(subject="admin"))
    assert (user.is_authenticated, user.is_staff, user.is_superuser, user.has_perm("x.y"), str(user)) == (
        True, False, False, False, "admin",
    )  # fmt: skip

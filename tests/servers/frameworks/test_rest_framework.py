"""Django REST framework: challenges, permissions, problem details, CSRF, and one judgement for all that ask."""

from __future__ import annotations

from tests.servers.frameworks import django_project as _  # noqa: F401 -- first: models and views need its settings

from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import path

from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import AllowAny, IsAdminUser, IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from tests.core.fakes import FakeVerifier
from watchword import BasicVerifier, ConfigurationError, DigestVerifier, Guard, JWTVerifier
from watchword.servers.django import IdentityUser
from watchword.servers.django import required as required_view
from watchword.servers.django.rest_framework import GuardAuthentication, required
from watchword.stores import MemoryStore
from tests.servers.frameworks.credentials import KEY, bearer

ME = "watchword.servers.django.Authenticate"
PROBLEMS = {"EXCEPTION_HANDLER": "watchword.servers.django.rest_framework.exception_handler"}


class Who(APIView):
    authentication_classes = (GuardAuthentication,)
    renderer_classes = (JSONRenderer,)
    permission_classes: Any = (IsAuthenticated,)

    def get(self, request):
        return Response({"user": str(request.user), "by": getattr(request.auth, "scheme", None)})

    def post(self, request):
        return Response({"size": len(request.data)})


def view(*permissions: Any) -> Any:
    return Who.as_view(permission_classes=permissions)


def fakes(**options: Any) -> Guard:
    return Guard([FakeVerifier(), FakeVerifier("writer", scopes=frozenset({"write"}))], **options)


@pytest.fixture(params=[{}, PROBLEMS], ids=["REST framework's", "problem details"])
def handler(request):
    return request.param


def project(urls: Any, guard: Any = None, middleware: Any = (ME,), framework: Any = PROBLEMS) -> Any:
    return override_settings(
        WATCHWORD={"guard": guard or fakes()}, MIDDLEWARE=list(middleware), ROOT_URLCONF=(path("x", urls),), REST_FRAMEWORK=framework
    )  # fmt: skip


def ask(who: str = "", method: str = "get", **options: Any) -> Any:
    return getattr(Client(enforce_csrf_checks=True), method)(
        "/x", headers={"Authorization": f"{who} alice"} if who else {}, **options
    )


PERMISSIONS = {
    "required": ([required("write")], [401, 403, 200]),
    "required of anybody": ([required()], [401, 200, 200]),
    "IsAuthenticated": ([IsAuthenticated], [401, 200, 200]),
    "both": ([IsAuthenticated, required("write")], [401, 403, 200]),
    "and": ([required() & required("write")], [401, 403, 200]),
    "or": ([required("write") | IsAdminUser], [401, 403, 200]),
    "or, the other way": ([IsAdminUser | required("write")], [401, 403, 200]),
    "or anybody": ([required("write") | AllowAny], [200, 200, 200]),
    "nobody is asked": ([AllowAny], [200, 200, 200]),
}


@pytest.mark.parametrize("name", PERMISSIONS)
def test_permissions_say_401_or_403_and_refuse_as_the_guard_does(name, handler):
    permissions, expected = PERMISSIONS[name]
    with project(view(*permissions), framework=handler):
        assert [ask(who).status_code for who in ("", "fake", "writer")] == expected
        assert ask("fake", "get").get("WWW-Authenticate") is None or expected[1] == 403


def test_wrong_credentials_are_refused_even_where_anybody_may_ask(handler):
    with project(view(AllowAny), framework=handler):
        assert Client().get("/x", headers={"Authorization": "fake wrong"}).status_code == 401


@pytest.mark.parametrize("credentials", ["", "Basic YWxpY2U6d3Jvbmc="])
def test_all_challenges_are_in_one_line_once(credentials, handler):
    guard = Guard([DigestVerifier(realm="r"), BasicVerifier(realm="r")], MemoryStore())
    with project(view(IsAuthenticated), guard, framework=handler):
        answer = Client().get("/x", headers={"Authorization": credentials} if credentials else {})
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Digest ")
    assert answer["WWW-Authenticate"].endswith(', Basic realm="r"')
    assert answer["WWW-Authenticate"].count("Digest ") == 1
    assert answer["Cache-Control"] == "no-store"


def test_insufficient_scopes_are_challenged_by_name():
    with project(view(required("orders:write")), Guard([JWTVerifier(KEY)])):
        answer = Client().get("/x", headers=bearer(scope="orders:read"))
    assert answer.status_code == 403
    assert 'error="insufficient_scope", scope="orders:write"' in answer["WWW-Authenticate"]


def test_with_the_exception_handler_refusals_are_problem_details_equal_for_equal_status():
    with project(view(required("write"))):
        bodies = [ask(), Client().get("/x", headers={"Authorization": "fake wrong"}), ask("fake")]
    assert [answer["Content-Type"] for answer in bodies] == ["application/problem+json"] * 3
    assert bodies[0].content == bodies[1].content == b'{"type":"about:blank","title":"Unauthorized","status":401}'
    assert bodies[2].json() == {"type": "about:blank", "title": "Forbidden", "status": 403}


def test_without_it_they_say_no_more_either():
    with project(view(required("write")), framework={}):
        assert Client().get("/x", headers={"Authorization": "fake wrong"}).json() == {"detail": "Unauthorized"}


def test_an_exception_of_the_projects_own_is_left_to_it():
    class Missing(Who):
        permission_classes = (required(),)

        def get(self, request):
            from django.http import Http404

            raise Http404

    with project(Missing.as_view()):
        assert ask("fake").json() == {"detail": "Not found."}


def test_who_asks_is_the_user_without_any_rights_of_djangos_and_the_identity():
    with project(view(required())):
        assert ask("fake").json() == {"user": "alice", "by": "fake"}
    with project(view(IsAdminUser)):
        assert ask("fake").status_code == 403
    assert not IdentityUser(None).is_staff


def test_middleware_authentication_permissions_and_decorator_are_one_judgement():
    seen: list[Any] = []

    @required_view()
    @api_view(["GET"])
    @authentication_classes([GuardAuthentication])
    @permission_classes([required("write"), required()])
    @required_view("write")
    def orders(request):
        return Response({"by": request._request.identity.subject})

    with project(orders, fakes(observe=seen.append)):
        answer = Client().get("/x?format=json", headers={"Authorization": "writer alice", "Accept": "application/json"})
        assert answer.json() == {"by": "alice"}
        assert (
            Client()
            .get("/x?format=json", headers={"Authorization": "fake alice", "Accept": "application/json"})
            .status_code
            == 403
        )
    assert len(seen) == 2


def test_without_the_middleware_nobody_is_answered():
    with project(view(AllowAny), middleware=()), pytest.raises(ConfigurationError, match="MIDDLEWARE = "):
        ask("writer")

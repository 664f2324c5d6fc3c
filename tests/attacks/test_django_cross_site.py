"""Another site's page has a browser make requests to views of Django REST framework, with credentials that browsers send by themselves.

Those views are exempt from the check of Django's middleware, so whatever lets somebody in by such credentials has to make it.
"""

from __future__ import annotations

from tests.servers.frameworks import django_project as _  # noqa: F401 -- first: models and views need its settings

import base64
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client, override_settings
from django.test.client import AsyncClient
from django.urls import path
from django.utils.decorators import method_decorator
from rest_framework.authentication import SessionAuthentication
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from tests.core.fakes import FakeVerifier
from watchword import BasicVerifier, Guard, Password
from watchword.servers.django import RequiredMixin, required
from watchword.servers.django.rest_framework import GuardAuthentication
from watchword.servers.django.rest_framework import required as permission
from watchword.stores import from_callables

RAN: list[str] = []
MIDDLEWARE = ["watchword.servers.django.Authenticate", "django.middleware.csrf.CsrfViewMiddleware"]


class Plain(APIView):
    authentication_classes: Any = ()
    permission_classes: Any = (AllowAny,)

    def post(self, request: Any) -> Response:
        RAN.append("post")
        return Response({})


class Mixed(RequiredMixin, Plain):
    pass


class MixedSet(RequiredMixin, ViewSet):
    authentication_classes = ()
    permission_classes = ()

    def create(self, request: Any) -> Response:
        RAN.append("post")
        return Response({})


class Method(Plain):
    post = method_decorator(required())(Plain.post)


@api_view(["POST"])
@authentication_classes([])
@permission_classes([permission()])
def function(request: Any) -> Response:
    RAN.append("post")
    return Response({})


VIEWS = {
    "permission alone": Plain.as_view(permission_classes=(permission(),)),
    "permission beside sessions": Plain.as_view(
        authentication_classes=(SessionAuthentication,), permission_classes=(permission(),)
    ),
    "permission of a function": function,
    "authentication": Plain.as_view(authentication_classes=(GuardAuthentication,), permission_classes=(permission(),)),
    "decorator": required()(Plain.as_view()),
    "decorator of a method": Method.as_view(),
    "mixin": Mixed.as_view(),
    "mixin of a view set": MixedSet.as_view({"post": "create"}),
}


@pytest.fixture(scope="module")
def guard() -> Guard:
    password = Password.hash("open sesame")
    return Guard([BasicVerifier(realm="r")], from_callables(password={"alice": password}.get))


def headers(**more: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(b"alice:open sesame").decode(), **more}


@pytest.mark.parametrize("name", VIEWS)
def test_no_view_takes_ambient_credentials_from_another_site(guard: Guard, name: str) -> None:
    RAN.clear()
    with override_settings(WATCHWORD={"guard": guard}, MIDDLEWARE=MIDDLEWARE, ROOT_URLCONF=(path("x", VIEWS[name]),)):
        client = Client(enforce_csrf_checks=True)
        assert (client.post("/x", headers=headers()).status_code, RAN) == (403, [])
        client.cookies["csrftoken"] = token = "a" * 32
        assert (client.post("/x", headers=headers(**{"X-CSRFToken": token})).status_code, RAN) == (200, ["post"])


def test_neither_does_one_under_asgi(guard: Guard) -> None:
    RAN.clear()
    with override_settings(
        WATCHWORD={"guard": guard}, MIDDLEWARE=MIDDLEWARE, ROOT_URLCONF=(path("x", Mixed.as_view()),)
    ):
        answer = async_to_sync(AsyncClient(enforce_csrf_checks=True).post)("/x", headers=headers())
        assert (answer.status_code, RAN) == (403, [])


@pytest.mark.parametrize("name", VIEWS)
def test_what_no_browser_sends_by_itself_needs_no_token(name: str) -> None:
    RAN.clear()
    with override_settings(
        WATCHWORD={"guard": Guard([FakeVerifier()])}, MIDDLEWARE=MIDDLEWARE, ROOT_URLCONF=(path("x", VIEWS[name]),)
    ):
        answer = Client(enforce_csrf_checks=True).post("/x", headers={"Authorization": "fake alice"})
        assert (answer.status_code, RAN) == (200, ["post"])

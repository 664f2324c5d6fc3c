"""Scopes that a view of Django's demands hold wherever they are written, and wherever the mixin stands among the bases."""

from __future__ import annotations

from tests.servers.frameworks import django_project as _  # noqa: F401 -- first: models and views need its settings

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import include, path
from django.views import View
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.viewsets import ViewSet

from tests.core.fakes import FakeVerifier
from watchword import Guard
from watchword.servers.django import RequiredMixin


class First(RequiredMixin, View):
    def get(self, request: Any) -> HttpResponse:
        return HttpResponse("done")


class Last(View, RequiredMixin):
    get = First.get


class Awaited(RequiredMixin, View):
    async def get(self, request: Any) -> HttpResponse:
        return HttpResponse("done")


class Open(RequiredMixin, View):
    required_scopes = ("write",)
    optional_identity = True
    get = First.get


class FirstSet(RequiredMixin, ViewSet):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def list(self, request: Any) -> Response:
        return Response({})

    @action(detail=False, required_scopes=("write",))
    def special(self, request: Any) -> Response:
        return Response({})


class LastSet(ViewSet, RequiredMixin):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    list = FirstSet.list
    special = FirstSet.special


def routed(view_set: Any) -> Any:
    router = SimpleRouter(trailing_slash=False)
    router.register("", view_set, basename="x")
    return path("", include(router.urls))


SCOPES: Any = {"required_scopes": ("write",)}
ROUTES = {
    "as_view": path("special", First.as_view(**SCOPES)),
    "as_view, the mixin last": path("special", Last.as_view(**SCOPES)),
    "as_view, awaited": path("special", Awaited.as_view(**SCOPES)),
    "as_view, no longer optional": path("special", Open.as_view(optional_identity=False)),
    "as_view of a view set": path("special", FirstSet.as_view({"get": "list"}, **SCOPES)),
    "as_view of a view set, the mixin last": path("special", LastSet.as_view({"get": "list"}, **SCOPES)),
    "an action": routed(FirstSet),
    "an action, the mixin last": routed(LastSet),
}


@pytest.mark.parametrize("name", ROUTES)
def test_nobody_passes_without_the_scope(name: str) -> None:
    guard = Guard([FakeVerifier(), FakeVerifier("writer", scopes=frozenset({"write"}))])
    middleware = ["watchword.servers.django.Authenticate"]
    with override_settings(WATCHWORD={"guard": guard}, MIDDLEWARE=middleware, ROOT_URLCONF=(ROUTES[name],)):
        asked: list[dict[str, str]] = [{}, {"Authorization": "fake alice"}, {"Authorization": "writer alice"}]
        assert [Client().get("/special", headers=each).status_code for each in asked] == [401, 403, 200]

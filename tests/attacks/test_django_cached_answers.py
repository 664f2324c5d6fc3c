"""Django's cache holds no answer that was made for somebody: it would give it to whoever comes, and no view would be asked."""

from __future__ import annotations

from tests.servers.frameworks import django_project as _  # noqa: F401 -- first: models and views need its settings

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import path
from django.views.decorators.cache import cache_page
from rest_framework.views import APIView

from watchword import Guard, InCookie, InField, RegisteredToken, TokenVerifier
from watchword.servers.django import identity, optional, required
from watchword.servers.django.rest_framework import GuardAuthentication
from watchword.servers.django.rest_framework import required as permission

ME = "watchword.servers.django.Authenticate"
CACHE = ["django.middleware.cache.UpdateCacheMiddleware", "django.middleware.cache.FetchFromCacheMiddleware"]
PLACES: dict[str, tuple[Any, Callable[[str], dict[str, str]]]] = {
    "Authorization": (None, lambda name: {"Authorization": f"Bearer {name}"}),
    "a field": (InField("X-Token"), lambda name: {"X-Token": name}),
    "a cookie": (InCookie(), lambda name: {"Cookie": f"__Host-token={name}"}),
}


def who(request: Any) -> HttpResponse:
    return HttpResponse(identity(request).subject)


class Who(APIView):
    authentication_classes: Any = (GuardAuthentication,)
    permission_classes = (permission(),)

    def get(self, request: Any) -> HttpResponse:
        return who(request)


VIEWS = {
    "of a view": (required()(who), [ME, *CACHE]),
    "of an optional view": (optional(lambda request: who(request) if request.identity else HttpResponse(status=401)), [ME, *CACHE]),
    "of a page": (cache_page(60)(required()(who)), [ME]),
    "of REST framework's view": (Who.as_view(), [ME, *CACHE]),
    "of REST framework's page": (cache_page(60)(Who.as_view()), [ME]),
    "of REST framework's page by permission": (cache_page(60)(Who.as_view(authentication_classes=())), [ME]),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", VIEWS)
def test_nobody_gets_the_answer_of_somebody_else(name: str, place: str) -> None:
    cache.clear()
    view, middleware = VIEWS[name]
    where, sent = PLACES[place]
    guard = Guard([TokenVerifier(RegisteredToken, by="plain", place=where)])
    with override_settings(WATCHWORD={"guard": guard}, MIDDLEWARE=middleware, ROOT_URLCONF=(path("x", view),)):
        answers = [Client().get("/x", headers=headers) for headers in (sent("alice"), sent("bob"), {})]
    assert [(answer.status_code, answer.content) for answer in answers[:2]] == [(200, b"alice"), (200, b"bob")]
    assert answers[2].status_code in (401, 403), "whatever REST framework makes of a refusal without a challenge"


def test_answers_that_nobody_was_asked_for_are_cached() -> None:
    cache.clear()
    made = []

    def public(request: Any) -> HttpResponse:
        made.append("x")
        return HttpResponse("public")

    urls = (path("x", public),)
    guard = Guard([TokenVerifier(RegisteredToken)])
    with override_settings(WATCHWORD={"guard": guard}, MIDDLEWARE=[ME, *CACHE], ROOT_URLCONF=urls):
        assert [Client().get("/x").content for _ in range(2)] == [b"public"] * 2
    assert made == ["x"]

"""The views of the small app in Django REST framework, below /rest of the project."""

from __future__ import annotations

from tests.servers.frameworks import django_project as project  # first: REST framework needs its settings

from typing import Any

from django.http import HttpResponse, JsonResponse
from django.urls import path
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import AllowAny

from watchword.servers.django.rest_framework import GuardAuthentication, required


def orders(request: Any) -> HttpResponse:
    size = len(request.data)
    project.RAN.append("orders")
    return JsonResponse({"size": size})


def rest(view: Any, *permissions: Any, by: tuple[Any, ...] = (GuardAuthentication,)) -> Any:
    """`view` as REST framework's; Django's decorators have left what they wrap, which asks nobody."""
    while hasattr(view, "__wrapped__"):
        view = view.__wrapped__

    def called(request: Any) -> Any:
        return view(request)

    made = permission_classes(permissions or [AllowAny])(authentication_classes(by)(called))
    return api_view(["GET", "POST", "OPTIONS"])(made)


asks = required()
urlpatterns = [
    path("public", rest(project.public, by=())),
    path("maybe", rest(project.maybe)),
    path("orders", rest(orders, required("orders:write"))),
    path("nested", rest(project.nested, required("orders:read"), required("orders:write"), asks)),
    path("form", rest(project.upload, asks)),
    path("upload", rest(project.stream, asks)),
    *(path(name, rest(project.VIEWS[name], asks)) for name in ("whoami", "stream", "ignore", "ticks", "fail")),
]

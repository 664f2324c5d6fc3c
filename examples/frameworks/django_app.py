"""Django and Django REST framework: the views and URLs of a project, whose settings are in `django_settings`.

Run it by `DJANGO_SETTINGS_MODULE=examples.frameworks.django_settings python -m django runserver`.
"""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.urls import path
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from watchword import BasicVerifier, Guard
from watchword.servers.django import identity, required
from watchword.servers.django.rest_framework import GuardAuthentication
from watchword.servers.django.rest_framework import required as permitted
from watchword.stores import MemoryStore

store = MemoryStore()
store.add_user("alice", "open sesame", scopes=("orders:read",))
guard = Guard([BasicVerifier(realm="orders")], store)


@required("orders:read")
def orders(request: HttpRequest) -> JsonResponse:
    """Those of whoever asks."""
    return JsonResponse({"of": identity(request).subject})


@required("orders:write")
async def order(request: HttpRequest) -> JsonResponse:
    """A new one."""
    return JsonResponse({"by": identity(request).subject})


class Orders(APIView):
    """Both, in Django REST framework."""

    authentication_classes = (GuardAuthentication,)

    def get_permissions(self) -> list[BasePermission]:
        """What a request must be allowed to do."""
        return [permitted("orders:read" if self.request.method == "GET" else "orders:write")()]

    def get(self, request: Request) -> Response:
        """Those of whoever asks."""
        return Response({"of": request.user.get_username()})

    def post(self, request: Request) -> Response:
        """A new one."""
        return Response({"by": request.user.get_username()})


urlpatterns = [path("orders", orders), path("order", order), path("api/orders", Orders.as_view())]

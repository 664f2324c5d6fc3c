"""Django REST framework: an authentication class, permissions, and a parser that reads a body of any type."""

from __future__ import annotations

from tests.interop.matrix.sites.django_settings import settings  # first: REST framework needs them

from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.urls import path
from rest_framework.decorators import api_view, authentication_classes, parser_classes, permission_classes
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from tests.interop.matrix.sites.answers import HOPS, METHODS, Arrived
from watchword.servers.django.rest_framework import GuardAuthentication, required

settings.ROOT_URLCONF = __name__


class OfAnyType(BaseParser):
    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Arrived:
        arrived = Arrived()
        while chunk := stream.read(65536):
            arrived.add(chunk)
        return arrived


def answering(permission: Any) -> Any:
    @api_view(METHODS)
    @authentication_classes([GuardAuthentication])
    @permission_classes([permission])
    @parser_classes([OfAnyType])
    def answer(request: Request) -> HttpResponse:
        arrived = request.data if isinstance(request.data, Arrived) else Arrived()
        to = HOPS.get(request.path)
        headers = {"Location": to} if to else {}
        return HttpResponse(arrived.told(request.auth), status=307 if to else 200, headers=headers)

    return answer


urlpatterns = [path(each[1:], answering(required())) for each in ("/who", *HOPS)] + [path("maybe", answering(AllowAny))]
wsgi = WSGIHandler()

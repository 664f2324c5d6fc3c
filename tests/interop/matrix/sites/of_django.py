"""Django, by WSGI and by ASGI: decorators of views."""

from __future__ import annotations

from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path

from tests.interop.matrix.sites.answers import HOPS, Arrived
from tests.interop.matrix.sites.django_settings import settings
from watchword.servers.django import identity_or_none, optional, required

settings.ROOT_URLCONF = __name__


def answer(request: HttpRequest) -> HttpResponse:
    arrived = Arrived()
    while chunk := request.read(65536):
        arrived.add(chunk)
    to = HOPS.get(request.path)
    headers = {"Location": to} if to else {}
    return HttpResponse(arrived.told(identity_or_none(request)), status=307 if to else 200, headers=headers)


urlpatterns = [path(each[1:], required()(answer)) for each in ("/who", *HOPS)] + [path("maybe", optional(answer))]
wsgi, asgi = WSGIHandler(), ASGIHandler()

"""A Django project: its settings, views and URLs."""

from __future__ import annotations

import json
from typing import Any

import django
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import include, path
from django.utils.decorators import method_decorator
from django.views import View

from tests.servers.frameworks import made
from tests.servers.frameworks.made import Made
from watchword.servers.django import RequiredMixin, optional, required

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["*"],
        # Shared by all threads, under the name that Django's own test database has: tests/stores makes one of it.
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": "file:memorydb_default?mode=memory&cache=shared",
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "rest_framework",
            "drf_spectacular",
            "watchword.servers.django",
        ],
        REST_FRAMEWORK={
            "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
            "EXCEPTION_HANDLER": "watchword.servers.django.rest_framework.exception_handler",
        },
        LOGGING_CONFIG=None,
        MIDDLEWARE=["watchword.servers.django.Authenticate"],
        ROOT_URLCONF=__name__,
        SECRET_KEY="a secret of the tests alone",
        USE_TZ=True,
    )
    django.setup()

RAN: list[str] = []


def public(request):
    assert request.identity is None
    return HttpResponse(made.everybody(RAN, {name.lower(): value for name, value in request.headers.items()}))


@required()
def whoami(request):
    RAN.append("whoami")
    return HttpResponse(request.identity.subject)


@required("orders:write")
def orders(request):
    try:
        sent = json.loads(request.body)
    except ValueError:
        return HttpResponse(status=400)
    RAN.append("orders")
    return JsonResponse({"size": len(sent)})


@required()
def upload(request):
    RAN.append("upload")
    return JsonResponse({"fields": sorted([*request.POST, *request.FILES])})


@optional
def maybe(request):
    RAN.append("maybe")
    return HttpResponse("nobody" if request.identity is None else request.identity.subject)


@required()
def stream(request):
    RAN.append("stream")

    async def awaited():
        for chunk in made.chunks(request):
            yield chunk

    return StreamingHttpResponse(awaited() if hasattr(request, "scope") else made.chunks(request))


@required()
def ticks(request):
    return StreamingHttpResponse((made.ticking_later if hasattr(request, "scope") else made.ticking)(RAN))


@required()
def ignore(request):
    RAN.append("ignore")
    return HttpResponse("ignored")


@required()
def fail(request):
    made.fail(RAN, request.headers)


@optional
@required("orders:read")
@required("orders:write")
@required()
def nested(request):
    RAN.append("nested")
    return HttpResponse(request.identity.subject)


class Whole(RequiredMixin, View):
    required_scopes = ("write",)

    def get(self, request):
        return HttpResponse(request.identity.subject)


class WholeAwaited(RequiredMixin, View):
    required_scopes = ("write",)

    async def get(self, request):
        return HttpResponse(request.identity.subject)


@method_decorator(required("write"), name="dispatch")
class Dispatched(View):
    def get(self, request):
        return HttpResponse(request.identity.subject)


class Part(View):
    def get(self, request):
        return HttpResponse("everybody")

    @method_decorator(required("write"))
    def post(self, request):
        return HttpResponse(request.identity.subject)


@required("write")
async def awaited(request):
    return HttpResponse(request.identity.subject)


NAMES = ("public", "whoami", "orders", "maybe", "stream", "ignore", "fail", "nested", "ticks", "awaited")
VIEWS: dict[str, Any] = {name: globals()[name] for name in NAMES} | {"form": upload, "upload": stream}
CLASSES = {"whole": Whole, "whole-awaited": WholeAwaited, "dispatched": Dispatched, "part": Part}
routes = [path(name, view) for name, view in VIEWS.items()]
urlpatterns = [
    *routes,
    path("below/", include(routes)),
    path("rest/", include("tests.servers.frameworks.rest_views")),
    *(path(name, view.as_view()) for name, view in CLASSES.items()),
]


def handler(guard: Any, handler_class: Any = WSGIHandler, **given: Any) -> Any:
    """The project's application, with that guard."""
    with override_settings(WATCHWORD={"guard": guard}, **given):
        return handler_class()


def of_django(guard: Any, **given: Any) -> Made:
    RAN.clear()
    return Made(handler(guard, **given), RAN, made.by_wsgi)


def of_django_asgi(guard: Any, **given: Any) -> Made:
    RAN.clear()
    return Made(handler(guard, ASGIHandler, **given), RAN)


TOKEN = {"cookie": f"csrftoken={'a' * 32}", "x-csrftoken": "a" * 32, "referer": "https://api.example/"}


def of_this_site(make: Any, guard: Any) -> Made:
    """Asked by pages that REST framework takes for the site's own, whatever browsers send by themselves."""
    return make(guard)._replace(fields=TOKEN)

"""What a guard adds to a view of Flask and of Django, against what Flask-HTTPAuth and REST framework's tokens add to it."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterable
from typing import Any

from bench.frameworks import AUDIENCE, ISSUER, SECRET, TOKEN, Added, guard
from bench.production import FORWARDED, HOST, PROXY
from watchword import TokenCache

Call = Callable[[bool], int]


def rows() -> Iterable[Added]:
    """A row for each framework."""
    title = "Flask: @auth.required against Flask-HTTPAuth's HTTPTokenAuth and PyJWT"
    yield Added(title, flask_apps)
    yield Added(f"{title}; watchword with a TokenCache", lambda: flask_apps(TokenCache()))
    yield Added(
        "Django REST framework: GuardAuthentication against TokenAuthentication on SQLite in memory", django_apps
    )


def wsgi_call(app: Any, authorization: str) -> Call:
    """Calls a WSGI app."""
    fields = {f"HTTP_{name.decode().upper().replace('-', '_')}": value.decode("latin-1") for name, value in FORWARDED}
    common = {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/orders", "QUERY_STRING": "", "RAW_URI": "/orders",
        "SERVER_NAME": HOST, "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": PROXY, "HTTP_HOST": HOST,
        "HTTP_ACCEPT": "*/*", "HTTP_USER_AGENT": "bench", "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(), "wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False, **fields,
    }  # fmt: skip
    said = ""

    def start_response(status: str, headers: Any, exc_info: Any = None) -> None:
        nonlocal said
        said = status

    def call(with_token: bool) -> int:
        chunks = app({**common, "HTTP_AUTHORIZATION": authorization} if with_token else dict(common), start_response)
        for _ in chunks:
            pass
        if hasattr(chunks, "close"):
            chunks.close()
        return int(said[:3])

    return call


def flask_apps(cache: TokenCache | None = None) -> tuple[Call, ...]:
    """The same view: bare, behind Flask-HTTPAuth that verifies by PyJWT, and behind the guard."""
    import jwt
    from flask import Flask
    from flask_httpauth import HTTPTokenAuth

    from watchword.servers.flask import Authenticate

    bare, usual, guarded = Flask("bare"), Flask("usual"), Flask("guarded")
    auth = Authenticate(guard(cache), guarded)
    tokens = HTTPTokenAuth()

    @tokens.verify_token
    def verified(token: str) -> Any:
        try:
            return jwt.decode(
                token, SECRET, algorithms=["HS256"], issuer=ISSUER, audience=AUDIENCE,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )  # fmt: skip
        except jwt.InvalidTokenError:
            return None

    @tokens.get_user_roles
    def roles(claims: Any) -> list[str]:
        return str(claims["scope"]).split()

    @bare.get("/orders")
    def orders() -> dict[str, str]:
        return {"for": "alice"}

    @usual.get("/orders")
    @tokens.login_required(role="orders:read")
    def usual_orders() -> dict[str, str]:
        return {"for": tokens.current_user()["sub"]}

    @guarded.get("/orders")
    @auth.required("orders:read")
    def guarded_orders() -> dict[str, str]:
        return {"for": auth.identity.subject}

    bearer = f"Bearer {TOKEN}"
    return wsgi_call(bare, bearer), wsgi_call(usual, bearer), wsgi_call(guarded, bearer)


def django_apps() -> tuple[Call, ...]:
    """The same view of REST framework: bare, with its tokens in SQLite, and behind the guard; each project has what it needs."""
    import django
    from django.conf import settings

    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "rest_framework",
            "rest_framework.authtoken",
        ],
        LOGGING_CONFIG=None,
        REST_FRAMEWORK={"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]},
        ROOT_URLCONF=(),
        SECRET_KEY="a secret of the benchmark alone",
        USE_TZ=True,
        WATCHWORD={"guard": guard()},
    )
    django.setup()
    logging.getLogger("django.request").setLevel(logging.CRITICAL)
    from django.contrib.auth.models import User
    from django.core.handlers.wsgi import WSGIHandler
    from django.core.management import call_command
    from django.test import override_settings
    from django.urls import path
    from rest_framework.authentication import TokenAuthentication
    from rest_framework.authtoken.models import Token
    from rest_framework.permissions import AllowAny, IsAuthenticated
    from rest_framework.response import Response
    from rest_framework.views import APIView

    from watchword.servers.django.rest_framework import GuardAuthentication, required

    call_command("migrate", verbosity=0)
    token = Token.objects.create(user=User.objects.create_user("alice"))

    class Orders(APIView):
        def get(self, request: Any) -> Response:
            return Response({"for": str(request.user)})

    def call(middleware: list[str], authorization: str, *authentication: Any, permission: Any) -> Call:
        view = Orders.as_view(authentication_classes=authentication, permission_classes=[permission])
        urls = (path("orders", view),)
        with override_settings(MIDDLEWARE=middleware):
            handler = WSGIHandler()

        def application(environ: Any, start_response: Any) -> Any:
            settings.ROOT_URLCONF = urls
            return handler(environ, start_response)

        return wsgi_call(application, authorization)

    return (
        call([], "", permission=AllowAny),
        call([], f"Token {token.key}", TokenAuthentication, permission=IsAuthenticated),
        call(
            ["watchword.servers.django.Authenticate"],
            f"Bearer {TOKEN}",
            GuardAuthentication,
            permission=required("orders:read"),
        ),
    )

"""Which users of Django's an identity stands for: by name for those of Django's own table only, and by issuer and subject."""

from __future__ import annotations

from tests.servers.frameworks import django_project as _  # noqa: F401 -- first: models need its settings

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import path

from tests.servers.frameworks.credentials import KEY, bearer
from watchword import BasicVerifier, ConfigurationError, Guard, JWTVerifier, Password, RegisteredToken, TokenVerifier
from watchword.servers.django import required
from watchword.stores import MemoryStore, combine, from_callables
from watchword.stores.django import DjangoStore


@pytest.fixture(autouse=True)
def users() -> Iterator[None]:
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        call_command("migrate", verbosity=0)
        User.objects.all().delete()
        User.objects.create_superuser("admin", password="open sesame")
        User.objects.create_user("alice-7", password="open sesame")
        User.objects.create_user("gone", password="open sesame", is_active=False)
        yield


@required()
def who(request: Any) -> HttpResponse:
    return HttpResponse(request.user.get_username() if hasattr(request, "user") else "nobody of Django's")


def basic(username: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:open sesame".encode()).decode()}


def token(**claims: Any) -> dict[str, str]:
    return bearer(**claims)


def project(store: Any, *, issuer: str | None = None, subject: str | None = "sub", **setting: Any) -> Any:
    tokens = JWTVerifier(KEY, issuer=issuer, subject=subject)
    guard = Guard([BasicVerifier(realm="r", cache=None), tokens], store)
    return override_settings(
        WATCHWORD={"guard": guard, **setting}, ROOT_URLCONF=(path("x", who),), MIDDLEWARE=["watchword.servers.django.Authenticate"]
    )  # fmt: skip


def mine() -> Any:
    return combine(DjangoStore(), MemoryStore())


def test_by_name_a_user_is_found_for_schemes_only_whose_users_are_in_that_table():
    with project(mine(), user="username"):
        assert Client().get("/x", headers=basic("admin")).content == b"admin"
        assert Client().get("/x", headers=token(sub="admin")).content == b"nobody of Django's"
        assert Client().get("/x", headers=basic("gone")).status_code == 401


def test_without_a_setting_nobody_is_found_by_name():
    with project(mine()):
        assert Client().get("/x", headers=basic("admin")).content == b"nobody of Django's"


@pytest.mark.parametrize(
    "store",
    [
        MemoryStore(),
        combine(MemoryStore()),
        combine(from_callables(password=lambda name: Password.hash("open sesame")), MemoryStore()),
    ],
)
def test_names_of_another_table_are_no_names_of_djangos_users(store):
    with project(store, user="username"), pytest.raises(ConfigurationError, match="DjangoStore"):
        Client().get("/x")


def test_names_of_a_table_that_is_asked_before_djangos_are_no_names_of_its_users():
    first = from_callables(password=lambda name: Password.hash("open sesame"))
    with project(combine(first, DjangoStore(), MemoryStore()), user="username"):
        assert Client().get("/x", headers=basic("admin")).content == b"nobody of Django's"


def test_a_user_who_is_gone_or_not_active_any_more_by_then_is_refused(monkeypatch):
    found = DjangoStore._password_of

    def changed_meanwhile(store, username):
        record = found(store, username)
        User.objects.filter(username=username).update(**change)
        return record

    monkeypatch.setattr(DjangoStore, "_password_of", changed_meanwhile)
    for change in ({"is_active": False}, {"username": "renamed"}):  # noqa: B007 -- changed_meanwhile reads it
        with project(mine(), user="username"):
            assert Client().get("/x", headers=basic("alice-7")).status_code == 401
        User.objects.filter(username="alice-7").update(is_active=True)


def test_a_token_stands_for_whom_the_function_of_issuer_and_subject_finds():
    def user_of(issuer: str, subject: str) -> User | None:
        assert issuer == "https://id.example"
        return User.objects.filter(username={"alice": "alice-7", "bob": "gone"}.get(subject)).first()

    with project(mine(), issuer="https://id.example", user_of_token=user_of):
        for subject, status in (("alice", 200), ("admin", 401), ("bob", 401)):
            assert Client().get("/x", headers=token(sub=subject, iss="https://id.example")).status_code == status
        assert (
            'Bearer realm="r"'
            in Client().get("/x", headers=token(sub="bob", iss="https://id.example"))["WWW-Authenticate"]
        )
        assert Client().get("/x", headers=basic("admin")).content == b"nobody of Django's"


def test_a_token_without_a_subject_stands_for_nobody():
    def anybody(issuer: str, subject: str) -> User | None:
        return User.objects.filter(username__startswith=subject).first()

    with project(mine(), issuer="https://id.example", subject=None, user_of_token=anybody):
        assert Client().get("/x", headers=token(sub="alice", iss="https://id.example")).status_code == 401


def test_without_an_issuer_a_subject_is_nobody():
    with project(mine(), user_of_token=print), pytest.raises(ConfigurationError, match=r"JWTVerifier\(…, issuer=…\)"):
        Client().get("/x")


def test_an_opaque_token_has_no_issuer_and_is_nobody_whatever_its_record_claims():
    admin = RegisteredToken("admin", claims={"iss": "https://id.example"})
    guard = Guard(
        [
            JWTVerifier(KEY, issuer="https://id.example"),
            TokenVerifier({hashlib.sha256(b"opaque").hexdigest(): admin}.get),
        ]
    )
    setting = {"guard": guard, "user_of_token": lambda issuer, subject: User.objects.get(username=subject)}
    with override_settings(
        WATCHWORD=setting, ROOT_URLCONF=(path("x", who),), MIDDLEWARE=["watchword.servers.django.Authenticate"]
    ):
        assert Client().get("/x", headers={"Authorization": "Bearer opaque"}).content == b"nobody of Django's"
        assert Client().get("/x", headers=token(sub="admin", iss="https://id.example")).content == b"admin"


def test_a_token_without_a_subject_is_nobody_whatever_the_function_finds():
    """Users that no token belongs to may have an empty subject in the table."""
    guard = Guard([JWTVerifier(KEY, issuer="https://id.example", subject=None)], MemoryStore())
    setting = {"guard": guard, "user_of_token": lambda issuer, subject: User.objects.get(username="admin")}
    with override_settings(
        WATCHWORD=setting,
        ROOT_URLCONF=(path("x", who),),
        MIDDLEWARE=["watchword.servers.django.Authenticate"],
    ):
        assert Client().get("/x", headers=token(sub="alice", iss="https://id.example")).status_code == 401

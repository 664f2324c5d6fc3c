"""drf-spectacular's documents: the guard's schemes, alternatives as such, scopes where they may stand."""

from __future__ import annotations

from tests.servers.frameworks import django_project as _  # noqa: F401 -- first: REST framework needs its settings

from typing import Any

import pytest
from django.test import override_settings
from django.urls import path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import spectacular_settings
from drf_spectacular.validation import validate_schema
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from tests.servers.frameworks.credentials import KEY, SIGNING
from watchword import AllOf, APIKeyVerifier, BasicVerifier, DigestVerifier, Guard, HMACVerifier, JWTVerifier
from watchword.servers.django.rest_framework import GuardAuthentication, required
from watchword.stores import MemoryStore

LOGIN = {
    "type": "oauth2",
    "flows": {"clientCredentials": {"tokenUrl": "https://id.example/token", "scopes": {"orders:read": "read"}}},
}


class Orders(APIView):
    authentication_classes = (GuardAuthentication,)
    serializer_class = None

    def get(self, request):
        """Those of whoever asks."""
        return Response({})


def document(guard: Guard, *permissions: Any, version: str = "3.1.0", **setting: Any) -> Any:
    urls = [path("orders", Orders.as_view(permission_classes=permissions))]
    with override_settings(WATCHWORD={"guard": guard, **setting}), pytest.MonkeyPatch.context() as patch:
        patch.setattr(spectacular_settings, "OAS_VERSION", version)
        made = SchemaGenerator(patterns=urls).get_schema(request=None, public=True)
        validate_schema(made)
    return made["components"]["securitySchemes"], made["paths"]["/orders"]["get"]["security"]


def store() -> MemoryStore:
    made = MemoryStore()
    made.add_key("robot", SIGNING)
    return made


def several() -> Guard:
    return Guard([DigestVerifier(realm="r"), JWTVerifier(KEY), BasicVerifier(realm="r"), APIKeyVerifier()], store())


def test_each_scheme_of_the_guard_is_an_alternative_and_scopes_stand_as_roles_under_3_1():
    schemes, security = document(several(), required("orders:read"))
    assert {name: scheme["type"] for name, scheme in schemes.items()} == {
        "Digest": "http", "Bearer": "http", "Basic": "http", "X-API-Key": "apiKey",
    }  # fmt: skip
    assert schemes["Digest"]["scheme"] == "digest"
    assert sorted(security, key=str) == sorted(({name: ["orders:read"]} for name in schemes), key=str)


def test_under_3_0_scopes_stand_under_oauth2_only():
    schemes, security = document(several(), required("orders:read"), version="3.0.3", login=LOGIN)
    assert schemes["Bearer"]["type"] == "oauth2"
    assert {"Bearer": ["orders:read"]} in security
    assert {"Basic": []} in security


def test_what_is_demanded_together_is_one_requirement():
    guard = Guard([AllOf(HMACVerifier(), APIKeyVerifier())], store())
    security = document(guard, required("a") & required("b"), required("c"))[1]
    assert security == [{"hmac": ["a", "b", "c"], "X-API-Key": ["a", "b", "c"]}]


@pytest.mark.parametrize(
    ("permission", "expected"),
    [
        (IsAuthenticated, [{"Basic": []}]),
        (AllowAny, [{"Basic": []}, {}]),
        (required("a") | IsAuthenticated, [{"Basic": []}]),
    ],
)
def test_without_scopes_none_are_named_and_who_need_not_log_in_is_told_so(permission, expected):
    assert document(Guard([BasicVerifier(realm="r")], store()), permission)[1] == expected

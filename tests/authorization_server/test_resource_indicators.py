"""RFC 8707: a client that asks for a token for another API than the endpoint's gets none, and none for the wrong one."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from watchword import Key, OAuth2Verifier, Request
from watchword.authorization_server.token_endpoint import TokenEndpoint, TokenVerdict
from watchword.core.io import Direct, drive, once
from watchword.stores import MemoryStore

NOW = 1_700_000_000.0
KEY = Key.generate("HS256", key_id="k1")
API = "https://api.example/orders"
OTHER = "https://api.example/billing"
STORE = MemoryStore()
STORE.add_client("robot", "s3cret")


def asked(*resources: str, secret: str = "s3cret") -> tuple[int, dict[str, object], TokenVerdict]:
    seen: list[TokenVerdict] = []
    endpoint = TokenEndpoint(KEY, issuer="https://id.example", audience=API, observe=seen.append, clock=lambda: NOW)
    form = [("grant_type", "client_credentials"), ("client_id", "robot"), ("client_secret", secret)]
    body = urlencode([*form, *(("resource", resource) for resource in resources)]).encode()
    fields = {"Content-Type": "application/x-www-form-urlencoded"}
    request = Request("POST", "https", "id.example", "/token", fields)
    answer = drive(endpoint.respond(request, Direct(STORE), once(body)))
    return answer.response.status, json.loads(answer.body), seen[0]


@pytest.mark.parametrize("resources", [(), (API,), (API, API)])
def test_the_audience_itself_may_be_named(resources):
    status, answer, _ = asked(*resources)
    assert status == 200
    verifier = OAuth2Verifier(KEY, issuer="https://id.example", audience=API, clock=lambda: NOW)
    assert verifier.verify(answer["access_token"]).subject == "robot"


@pytest.mark.parametrize("resources", [(OTHER,), (API, OTHER), (OTHER, API), ("",), (API + "/",), ("x" * 5000,)])
def test_another_resource_is_an_error(resources):
    status, answer, verdict = asked(*resources)
    assert (status, answer, verdict.error) == (400, {"error": "invalid_target"}, "invalid_target")


def test_only_a_client_that_proved_itself_is_told():
    assert asked(OTHER, secret="wrong")[1] == {"error": "invalid_client"}

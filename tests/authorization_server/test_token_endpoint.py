"""The token endpoint: RFC 6749 §4.4 and §5, in a thread and on an event loop."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import ConfigurationError, Key, OAuth2Verifier, Request
from watchword.authorization_server.token_endpoint import Answer, TokenEndpoint, TokenVerdict
from watchword.core.io import Awaited, Direct, drive, once, once_async
from watchword.core.rejection import StoreUnavailable
from watchword.stores import MemoryStore

NOW = 1_700_000_000.0
KEY = Key.generate("HS256", key_id="tokens")
FORM = "application/x-www-form-urlencoded"
Ask = Callable[..., Answer]


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    store = MemoryStore()
    store.add_client("robot", "s3cret +%:", scopes=("read", "write"))
    store.add_client("bare", "plain", scopes=(), subject="service:bare")
    return store


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, store: MemoryStore) -> Ask:
    seen: list[TokenVerdict] = []
    endpoint = TokenEndpoint(
        KEY, issuer="https://id.example", audience="orders", observe=seen.append, clock=lambda: NOW, random=bytes
    )

    def ask(
        body: str | bytes, *, headers: dict[str, str] | None = None, method: str = "POST", store: object = store
    ) -> Answer:
        asked = Request(method, "https", "id.example", "/token", {"Content-Type": FORM, **(headers or {})})
        octets = body.encode() if isinstance(body, str) else body
        if request.param == "sync":
            answer = drive(endpoint.respond(asked, Direct(store), once(octets)))  # type: ignore[arg-type]
        else:
            answer = asyncio.run(endpoint.respond(asked, Awaited(store), once_async(octets)))  # type: ignore[arg-type]
        ask.verdict = seen[-1]  # type: ignore[attr-defined]
        return answer

    return ask


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()}


def content(answer: Answer) -> dict[str, object]:
    decoded: dict[str, object] = json.loads(answer.body)
    return decoded


def test_a_client_gets_a_token_that_the_verifier_accepts(ask: Ask) -> None:
    answer = ask("grant_type=client_credentials&scope=read", headers=basic("robot", "s3cret+%2B%25%3A"))
    assert answer.response.status == 200
    assert answer.response.values(b"cache-control") == [b"no-store"]
    got = content(answer)
    assert got | {"access_token": ""} == {
        "access_token": "",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "read",
    }
    verifier = OAuth2Verifier(KEY, issuer="https://id.example", audience="orders", clock=lambda: NOW + 299)
    who = verifier.verify(str(got["access_token"]))
    assert (who.subject, who.scheme, who.scopes, who.claims["client_id"]) == ("robot", "oauth", {"read"}, "robot")
    assert ask.verdict == TokenVerdict(None, "robot", "")  # type: ignore[attr-defined]


def test_the_secret_may_come_in_the_form_or_unencoded_in_basic(ask: Ask) -> None:
    in_form = ask("grant_type=client_credentials&client_id=robot&client_secret=s3cret+%2B%25%3A")
    assert in_form.response.status == 200
    assert content(in_form)["scope"] == "read write"
    assert ask("grant_type=client_credentials", headers=basic("robot", "s3cret +%:")).response.status == 200


def test_a_client_without_scopes_gets_a_token_without_scope(ask: Ask) -> None:
    got = content(ask("grant_type=client_credentials", headers=basic("bare", "plain")))
    verifier = OAuth2Verifier(KEY, issuer="https://id.example", audience="orders", clock=lambda: NOW)
    who = verifier.verify(str(got["access_token"]))
    assert (who.subject, who.scopes) == ("service:bare", frozenset())


GRANT = "grant_type=client_credentials"
GOOD = basic("bare", "plain")


@pytest.mark.parametrize(
    ("body", "headers", "method", "status", "error"),
    [
        (GRANT, GOOD, "GET", 405, "invalid_request"),
        (GRANT, GOOD | {"Content-Type": "application/json"}, "POST", 400, "invalid_request"),
        ("", GOOD, "POST", 400, "invalid_request"),
        ("scope=read", GOOD, "POST", 400, "invalid_request"),
        (f"{GRANT}&{GRANT}", GOOD, "POST", 400, "invalid_request"),
        (b"grant_type=\xff\xfe", GOOD, "POST", 400, "invalid_request"),
        ("&".join(f"a{n}=1" for n in range(40)), GOOD, "POST", 400, "invalid_request"),
        ("grant_type=" + "x" * 20_000, GOOD, "POST", 413, "invalid_request"),
        ("grant_type=password", GOOD, "POST", 400, "unsupported_grant_type"),
        (GRANT, {}, "POST", 401, "invalid_client"),
        (GRANT, {"Authorization": "Bearer x"}, "POST", 401, "invalid_client"),
        (GRANT, {"Authorization": "Basic ???"}, "POST", 401, "invalid_client"),
        (GRANT, {"Authorization": "Basic " + b64encode(b"nocolon").decode()}, "POST", 401, "invalid_client"),
        (GRANT, basic("bare", "wrong"), "POST", 401, "invalid_client"),
        (GRANT, basic("nobody", "plain"), "POST", 401, "invalid_client"),
        (f"{GRANT}&client_secret=plain", GOOD, "POST", 400, "invalid_request"),
        (f"{GRANT}&client_id=other", GOOD, "POST", 400, "invalid_request"),
        (f"{GRANT}&scope=read", GOOD, "POST", 400, "invalid_scope"),
    ],
)
def test_refusals_speak_rfc_6749(
    ask: Ask, body: str, headers: dict[str, str], method: str, status: int, error: str
) -> None:
    answer = ask(body, headers=headers, method=method)
    assert (answer.response.status, content(answer)) == (status, {"error": error})
    assert bool(answer.response.values(b"www-authenticate")) is (status == 401)
    assert answer.response.values(b"cache-control") == [b"no-store"]


def test_unknown_clients_and_wrong_secrets_look_alike(ask: Ask) -> None:
    unknown = ask(GRANT, headers=basic("nobody", "plain"))
    wrong = ask(GRANT, headers=basic("bare", "wrong"))
    assert (unknown.response.headers, unknown.body) == (wrong.response.headers, wrong.body)


@pytest.mark.parametrize(("client_id", "secret"), [("i" * 256, "s" * 512), ("robot-2", "é%+ " * 128)])
def test_the_longest_id_and_secret_that_can_be_added_get_a_token(ask: Ask, client_id: str, secret: str) -> None:
    store = MemoryStore()
    store.add_client(client_id, secret)
    form = urlencode({"client_id": client_id, "client_secret": secret})
    for headers, more in ((basic(client_id, secret), ""), (basic(client_id, quote(secret)), ""), ({}, "&" + form)):
        answer = ask("grant_type=client_credentials" + more, headers=headers, store=store)
        assert answer.response.status == 200, content(answer)
    for longer in (basic("i" * 257, secret), basic(client_id, "s" * 513), basic(client_id, "%41" * 513)):
        answer = ask("grant_type=client_credentials", headers=longer, store=store)
        assert content(answer) == {"error": "invalid_client"}
    for add in (("i" * 257, "s"), (client_id, "s" * 513), (client_id, "é" * 513)):
        with pytest.raises(ConfigurationError, match="characters"):
            store.add_client(*add)


def test_more_than_is_read_is_refused_before_it_is_decoded(ask: Ask) -> None:
    huge = {"Authorization": "Basic " + "A" * 16_384}
    assert content(ask("grant_type=client_credentials", headers=huge)) == {"error": "invalid_request"}
    many = "grant_type=client_credentials" + "".join(f"&a{number}=" for number in range(32))
    assert content(ask(many, headers=basic("bare", "plain"))) == {"error": "invalid_request"}
    assert ask(many.rpartition("&")[0], headers=basic("bare", "plain")).response.status == 200


def test_two_authorization_lines_are_refused(store: MemoryStore) -> None:
    endpoint = TokenEndpoint(KEY, issuer="https://id.example", audience="orders")
    lines = [("Content-Type", FORM), *GOOD.items(), *GOOD.items()]
    asked = Request("POST", "https", "id.example", "/token", lines)
    assert content(drive(endpoint.respond(asked, Direct(store), once(GRANT.encode())))) == {"error": "invalid_request"}


def test_a_store_that_is_down_gives_503_and_no_token(ask: Ask) -> None:
    class Down:
        kinds = None
        blocking = False

        def fetch(self, refs: object) -> object:
            raise StoreUnavailable

        commit = fetch

    answer = ask(GRANT, headers=GOOD, store=Down())
    assert (answer.response.status, content(answer)) == (503, {"error": "temporarily_unavailable"})


@given(st.binary(max_size=120), st.binary(max_size=60))
def test_any_octets_are_answered(body: bytes, authorization: bytes) -> None:
    endpoint = TokenEndpoint(KEY, issuer="https://id.example", audience="orders")
    asked = Request("POST", "https", "id.example", "/token", [("content-type", FORM), ("authorization", authorization)])
    answer = drive(endpoint.respond(asked, Direct(MemoryStore()), once(body)))
    assert answer.response.status in (400, 401)


def test_what_cannot_issue_is_refused_at_construction() -> None:
    with pytest.raises(ConfigurationError, match="positive"):
        TokenEndpoint(KEY, issuer="https://id.example", audience="orders", lifetime=0)
    public = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    with pytest.raises(ConfigurationError, match="sign"):
        TokenEndpoint(Key.from_jwk(public, algorithm="EdDSA"), issuer="https://id.example", audience="orders")

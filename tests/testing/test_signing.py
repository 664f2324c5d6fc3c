"""Requests with credentials in one line: by every scheme, against guards of either kind."""

from __future__ import annotations

import asyncio

import pytest

from watchword import (
    AsyncGuard, BasicAuth, BasicVerifier, ConfigurationError, CredentialsUnavailable, DigestAuth, DigestVerifier, Guard, HMACAuth, Key,
    OAuth2Auth, Policy, Response,
)  # fmt: skip
from watchword.effects import Received
from watchword.schemes import SCHEMES
from watchword.stores import AsyncSQLStore, MemoryStore
from watchword.testing import Clock, SchemeSetup, assert_accepted, assert_accepted_async, case_of, signed, signed_async

NAMES = [row.name for row in SCHEMES]


@pytest.mark.parametrize("name", NAMES)
def test_every_row_of_the_table_signs_in_one_line(name: str) -> None:
    setup = SchemeSetup.of(name)
    who = assert_accepted(setup.guard, *setup.genuine("POST", body=b"pay 10"), scheme=name)
    assert who.subject == setup.case.subject == "alice"


@pytest.mark.parametrize("name", NAMES)
def test_an_event_loop_gets_the_same_request(name: str) -> None:
    setup = SchemeSetup.of(name)

    async def main() -> None:
        elsewhere = setup.case.elsewhere and setup.case.elsewhere(setup.clock)
        guard = AsyncGuard.of(setup.guard)
        request = await signed_async(setup.case.auth(), "POST", body=b"pay 10", guard=guard, elsewhere=elsewhere)
        await assert_accepted_async(guard, *request, subject="alice", scheme=name)

    asyncio.run(main())


def test_a_client_that_waits_for_a_challenge_gets_that_of_an_async_store_too() -> None:
    async def main() -> None:
        store = AsyncSQLStore("sqlite://")
        await store.add_user("alice", "open sesame", realm="r")
        guard = AsyncGuard([DigestVerifier(realm="r")], store)
        auth = DigestAuth("alice", "open sesame")
        await assert_accepted_async(guard, *await signed_async(auth, guard=guard), subject="alice")
        await store.close()

    asyncio.run(main())


def test_a_guard_of_a_proxy_challenges_what_has_no_credentials_for_it() -> None:
    store = MemoryStore()
    store.add_user("alice", "open sesame", realm="r")
    guard = Guard([DigestVerifier(realm="r")], store, proxy=True)
    request = signed(BasicAuth("alice", "open sesame"), guard=guard).request
    assert [name for name, _ in request.headers] == [b"authorization"]  # an answer to nobody's challenge


def test_the_target_goes_out_octet_for_octet() -> None:
    targets = {
        "https://a.example": b"/",
        "https://a.example?b=c": b"/?b=c",
        "https://a.example/%2e/ü?": "/%2e/ü?".encode(),
    }
    for url, target in targets.items():
        request = signed(BasicAuth("a", "b"), "DELETE", url, headers={"Accept": "*/*"}).request
        assert (request.method, request.scheme, request.authority, request.target) == (
            "DELETE",
            "https",
            "a.example",
            target,
        )
        assert request.values(b"accept") == [b"*/*"]


@pytest.mark.parametrize("url", ["/orders", "api.example/orders", "https://a@api.example/", "https://api.example/#x"])
def test_what_is_no_url_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError, match="url has a scheme"):
        signed(BasicAuth("a", "b"), url=url)


def test_an_async_guard_is_for_the_awaited_twin() -> None:
    guard = AsyncGuard([BasicVerifier(realm="r")], MemoryStore())
    with pytest.raises(ConfigurationError, match="signed_async"):
        signed(BasicAuth("a", "b"), guard=guard)  # type: ignore[arg-type]


def test_a_request_for_a_token_needs_somebody_who_answers_it() -> None:
    auth = OAuth2Auth("https://id.example/token", "robot", "a secret")
    with pytest.raises(ConfigurationError, match="elsewhere="):
        signed(auth)
    with pytest.raises(CredentialsUnavailable):
        signed(auth, elsewhere=lambda request, body: Received(Response(401), b'{"error": "invalid_client"}'))


def test_the_guards_clock_is_the_clients_unless_it_has_one_of_its_own() -> None:
    key = Key.generate("HS256", key_id="k")
    store = MemoryStore()
    guard = Guard([DigestVerifier(realm="r")], store, policy=Policy(clock=Clock(5_000_000.0)))
    times = [
        signed(HMACAuth(key), guard=guard).request.values(b"authorization")[0],
        signed(HMACAuth(key), clock=Clock(6_000_000.0), guard=guard).request.values(b"authorization")[0],
    ]
    assert b"5000000" in times[0]
    assert b"6000000" in times[1]


def test_no_body_is_in_the_repr() -> None:
    made = signed(BasicAuth("alice", "open sesame"), body=b"token=secret")
    assert "secret" not in repr(made)
    assert "12 octets" in repr(made)


def test_no_other_scheme_has_a_case() -> None:
    with pytest.raises(ConfigurationError, match="there is no scheme 'kerberos': use one of basic, "):
        case_of("kerberos")

"""Whose credentials a request presents, where one verifier has to read the body to know whether any are its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.schemes.oauth1_world import FORM, GET, NOW, auth, changed, signed, store
from watchword import APIKeyVerifier, AsyncGuard, Guard, JWTAuth, JWTVerifier, Key, OAuth1Verifier, Policy, Reason
from watchword import Rejected, Request
from watchword.core.admission import Admission
from watchword.core.io import once, once_async
from watchword.transport.flow import ClientContext, run
from watchword.effects import Received
from watchword.core.message import Response

KEY = Key.generate("HS256")
POST = changed(GET, method="POST", headers=FORM)
Admit = Callable[..., Admission]


@pytest.fixture(params=["Guard", "AsyncGuard"])
def admit(request: pytest.FixtureRequest) -> Admit:
    records = store()
    api_key = records.add_api_key("billing")
    verifiers = [OAuth1Verifier(placements=("header", "form")), APIKeyVerifier(), JWTVerifier(KEY)]
    guard = Guard(verifiers, records, policy=Policy(clock=lambda: NOW))

    def call(asked: Request, body: bytes = b"", *, optional: bool = False) -> Admission:
        if request.param == "Guard":
            return guard.admit(asked, once(body), optional=optional)

        async def main() -> Admission:
            return await AsyncGuard.of(guard).admit(asked, once_async(body), optional=optional)

        return asyncio.run(main())

    call.api_key = api_key  # type: ignore[attr-defined]
    return call


def subject(admitted: Admission) -> str | None:
    return None if admitted.identity is None else admitted.identity.subject


def test_credentials_in_a_form_are_found(admit: Admit) -> None:
    request, body = signed(auth(placement="form"), POST, b"a=1")
    admitted = admit(request, body)
    assert (subject(admitted), admitted.body) == ("alice", body)


def test_a_form_without_credentials_has_none(admit: Admit) -> None:
    with pytest.raises(Rejected) as caught:
        admit(POST, b"a=1")
    assert caught.value.reason is Reason.NO_CREDENTIALS
    assert caught.value.refusal is not None
    challenges = [line.partition(b" ")[0] for line in caught.value.refusal.response().values(b"www-authenticate")]
    assert {b"Bearer", b"OAuth"} <= set(challenges)


def test_a_form_without_credentials_may_pass_as_anonymous_and_is_read_again(admit: Admit) -> None:
    admitted = admit(POST, b"a=1", optional=True)
    assert (subject(admitted), admitted.body) == (None, b"a=1")


def test_a_form_with_wrong_credentials_never_passes_as_anonymous(admit: Admit) -> None:
    request, body = signed(auth("guess", placement="form"), POST, b"a=1")
    with pytest.raises(Rejected) as caught:
        admit(request, body, optional=True)
    assert caught.value.reason is Reason.WRONG_SIGNATURE
    with pytest.raises(Rejected) as caught:
        admit(POST, b"oauth_signature=", optional=True)
    assert caught.value.reason is Reason.MALFORMED_CREDENTIALS


def test_other_credentials_go_before_a_form_that_may_have_none(admit: Admit) -> None:
    by_key = changed(POST, headers={**FORM, "X-API-Key": admit.api_key})  # type: ignore[attr-defined]
    assert subject(admit(by_key, b"a=1")) == "billing"
    sent: list[Request] = []

    def send(effect: object) -> Received:
        sent.append(effect.request)  # type: ignore[attr-defined]
        return Received(Response(200))

    run(JWTAuth(KEY, claims={"sub": "carol"}), POST, send, ClientContext(bytes, now=lambda: NOW))
    assert subject(admit(sent[0], b"a=1")) == "carol"


def test_two_certain_claims_are_still_ambiguous(admit: Admit) -> None:
    request, body = signed(auth(), POST, b"a=1")
    both = request.with_headers(((b"x-api-key", admit.api_key.encode()),))  # type: ignore[attr-defined]
    with pytest.raises(Rejected) as caught:
        admit(both, body)
    assert caught.value.reason is Reason.AMBIGUOUS

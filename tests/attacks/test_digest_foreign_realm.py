"""The client names a realm of its own choice: the server's look-up and hash use the server's (RFC 7616 §3.3)."""

from __future__ import annotations

import pytest

from tests.schemes.digest_world import GUARDS, PASSWORD, USER, World, changed, params, request
from watchword import DigestAuth, Reason, Rejected, Response
from watchword.transport.flow import ClientContext, run
from watchword.effects import Received, Send


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("realm", ["theirs", "", "Orders", "orders ", "orders\x00"])
def test_another_realm_is_refused(guard: str, realm: str) -> None:
    world = World(guard)
    verdict = world.judge(changed(world.signed(), realm=realm))
    assert isinstance(verdict, Rejected)
    assert verdict.reason in (Reason.WRONG_REALM, Reason.MALFORMED_CREDENTIALS)


@pytest.mark.parametrize("guard", GUARDS)
def test_a_response_that_is_right_for_the_foreign_realm_is_refused(guard: str) -> None:
    """The user has an account with the same name and password elsewhere, and a server there hands on our nonce."""
    world = World(guard)
    nonce = params(world.signed())["nonce"]
    sent = []

    def elsewhere(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(
            Response(
                401, {"WWW-Authenticate": f'Digest realm="theirs", nonce="{nonce}", algorithm=SHA-256, qop="auth"'}
            )
        )

    run(DigestAuth(USER, PASSWORD), request(), elsewhere, ClientContext(bytes))
    for relayed in (sent[1], changed(sent[1], realm="orders")):
        verdict = world.judge(relayed)
        assert isinstance(verdict, Rejected)
        assert verdict.reason in (Reason.WRONG_REALM, Reason.WRONG_SECRET)

"""qop is removed, so that the response covers neither count nor client nonce, as in RFC 2069 (RFC 7616 §3.3)."""

from __future__ import annotations

import pytest

from tests.schemes.digest_world import GUARDS, PASSWORD, REALM, USER, World, ask, changed, params, request
from watchword import DigestAuth, Reason, Rejected, Response
from watchword.effects import Received, Send
from watchword.crypto.digests import digest
from watchword.schemes.digest import ha1


def rfc2069_response(nonce: str) -> str:
    a2 = digest("sha-256", b"GET:/").hex()
    return digest("sha-256", f"{ha1('SHA-256', USER, REALM, PASSWORD)}:{nonce}:{a2}".encode()).hex()


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("rest", [{}, {"nc": None}, {"cnonce": None}, {"nc": None, "cnonce": None}])
def test_the_server_refuses_even_the_right_response_of_rfc_2069(guard: str, rest: dict[str, None]) -> None:
    world = World(guard)
    signed = world.signed()
    verdict = world.judge(changed(signed, qop=None, response=rfc2069_response(params(signed)["nonce"]), **rest))
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.MALFORMED_CREDENTIALS
    assert verdict.rejection.where == "authorization qop"


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("qop", ["auth-int", "AUTH", "auth,auth-int", " auth", "none"])
def test_the_server_takes_no_qop_that_it_did_not_offer(guard: str, qop: str) -> None:
    world = World(guard)
    verdict = world.judge(changed(world.signed(), qop=qop))
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.MALFORMED_CREDENTIALS


def test_the_client_answers_no_challenge_without_qop() -> None:
    sent = []

    def stripped(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(401, {"WWW-Authenticate": 'Digest realm="orders", nonce="chosen", algorithm=SHA-256'}))

    assert ask(DigestAuth(USER, PASSWORD), stripped, request()).status == 401
    assert len(sent) == 1

"""An attacker makes one side use a weaker algorithm than both know (RFC 7616 §5.8)."""

from __future__ import annotations

import pytest

from tests.schemes.digest_world import GUARDS, PASSWORD, USER, World, ask, changed, request
from watchword import DigestAuth, Reason, Rejected, Response
from watchword.effects import Received, Send


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("algorithm", ["MD5", "md5", "MD5-sess", "SHA-256-sess", "SHA-512-256", "SHA-1", "none", None])
def test_the_server_takes_no_algorithm_that_it_does_not_offer(guard: str, algorithm: str | None) -> None:
    world = World(guard)
    verdict = world.judge(changed(world.signed(), algorithm=algorithm))
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.WRONG_ALGORITHM


def test_the_server_offers_no_md5_unless_it_is_asked_for() -> None:
    verdict = World("Guard").judge(request())
    assert isinstance(verdict, Rejected) and verdict.refusal is not None
    assert b"MD5" not in b"".join(verdict.refusal.response().values(b"www-authenticate"))


@pytest.mark.parametrize("replacement", ["MD5", "MD5-sess", "SHA-256", None])
def test_a_client_that_answered_a_realm_goes_no_lower_when_its_challenges_are_thinned_out(
    replacement: str | None,
) -> None:
    world = World("Guard", algorithms=["SHA-512-256", "SHA-256", "MD5"])
    auth = DigestAuth(USER, PASSWORD)
    assert world.get(auth) == 200
    world.now += 301
    seen = []

    def attacker(effect: Send) -> Received:
        seen.append(effect.request)
        named = "" if replacement is None else f", algorithm={replacement}"
        return Received(
            Response(401, {"WWW-Authenticate": f'Digest realm="orders", nonce="chosen", qop="auth", stale=true{named}'})
        )

    assert ask(auth, attacker, request()).status == 401
    assert len(seen) == 1, "no answer was made for the weaker algorithm"
    assert world.get(auth) == 200, "the genuine server is answered as before"

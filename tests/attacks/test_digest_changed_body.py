"""Under auth-int a body that was changed on the way, or a response that covers none, is refused before it is read."""

from __future__ import annotations

import pytest

from tests.schemes.digest_world import GUARDS, PASSWORD, USER, World, changed
from watchword import DigestAuth, Reason, Rejected


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("body", [b"", b"pay 10 ", b"pay 100", b"pay 10\n"])
def test_another_body_is_refused_and_uses_nothing_up(guard: str, body: bytes) -> None:
    world = World(guard, qop=["auth-int"])
    signed = world.signed("/", "POST", body=b"pay 10")
    verdict = world.judge(signed, body)
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.WRONG_SECRET
    world.verify(signed, b"pay 10")


@pytest.mark.parametrize("guard", GUARDS)
def test_calling_it_auth_does_not_take_the_body_out(guard: str) -> None:
    strict, both = World(guard, qop=["auth-int"]), World(guard, qop=["auth", "auth-int"])
    for world, expected in ((strict, Reason.MALFORMED_CREDENTIALS), (both, Reason.WRONG_SECRET)):
        signed = world.signed("/", "POST", auth=DigestAuth(USER, PASSWORD, auth_int=True), body=b"pay 10")
        verdict = world.judge(changed(signed, qop="auth"), b"pay 100")
        assert isinstance(verdict, Rejected) and verdict.reason is expected
    signed = both.signed("/", "POST")
    verdict = both.judge(changed(signed, qop="auth-int"), b"")
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.WRONG_SECRET

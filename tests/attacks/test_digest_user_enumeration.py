"""Who exists is not told: an unknown user costs the same work as a known one and gets the same octets."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.schemes.digest_world import GUARDS, USER, World, params
from watchword import DigestAuth, Rejected
from watchword.schemes.digest import computation, nonces, server


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("age", [0, 1000])
def test_the_same_primitives_run_for_both(guard: str, age: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed: a clock would only show the noise of the machine."""
    calls: Counter[Any] = Counter()

    def counted(module: Any, name: str) -> None:
        function = getattr(module, name)

        def call(*arguments: Any) -> Any:
            calls[(name, *(len(argument) for argument in arguments))] += 1
            return function(*arguments)

        monkeypatch.setattr(module, name, call)

    world = World(guard)
    signed = [world.signed(auth=DigestAuth(name, "guess")) for name in (USER, "Nobody")]
    world.now += age
    for module, name in (
        (computation, "hex_digest"),
        (nonces, "hmac_sha256"),
        (server, "compare"),
        (nonces, "compare"),
    ):
        counted(module, name)
    work = []
    for asked in signed:
        calls.clear()
        assert isinstance(world.judge(asked), Rejected)
        work.append(dict(calls))
    assert work[0] == work[1]
    assert sum(work[0].values()) >= 5


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("age", [0, 1000])
def test_the_same_octets_go_out_for_both(guard: str, age: float) -> None:
    world = World(guard, algorithms=["SHA-256", "MD5"])
    signed = [world.signed(auth=DigestAuth(name, "guess")) for name in (USER, "Nobody")]
    world.now += age
    answers = []
    for asked in signed:
        verdict = world.judge(asked)
        assert isinstance(verdict, Rejected) and verdict.refusal is not None
        response = verdict.refusal.response()
        nonces_of = [params_of(value)["nonce"] for value in response.values(b"www-authenticate")]
        answers.append((response.status, [(name, blank(value, nonces_of)) for name, value in response.headers]))
    assert answers[0] == answers[1]


def params_of(challenge: bytes) -> dict[str, str]:
    from tests.schemes.digest_world import request

    return params(request(headers=[(b"authorization", challenge)]))


def blank(value: bytes, nonces_of: list[str]) -> bytes:
    for nonce in nonces_of:
        value = value.replace(nonce.encode(), b"-" * len(nonce))
    return value

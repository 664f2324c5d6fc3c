"""The request is changed on the way: every octet of the credentials and the method are covered or without meaning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.schemes.digest_world import GUARDS, World, params, to
from watchword import Identity, Reason, Rejected, Request

WORLDS = {guard: World(guard) for guard in GUARDS}


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("method", ["POST", "DELETE", "get", "GET ", "", "HEAD"])
def test_another_method_is_refused(guard: str, method: str) -> None:
    world = World(guard)
    signed = world.signed()
    verdict = world.judge(Request.raw(method, "https", "api.example", b"/", signed.headers, signed.peer, True))
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.WRONG_SECRET


@pytest.mark.parametrize("guard", GUARDS)
def test_every_flipped_bit_is_refused_or_means_the_same(guard: str) -> None:
    """The credentials that a changed header stands for are refused unless they are the same parameters."""
    world = World(guard)
    signed = world.signed("/a?b=c")
    (value,) = signed.values(b"authorization")
    for place in range(len(value)):
        for bit in range(8):
            spoilt = bytearray(value)
            spoilt[place] ^= 1 << bit
            asked = signed.with_headers(((b"authorization", bytes(spoilt)),))
            verdict = world.judge(asked)
            if isinstance(verdict, Identity):
                assert meaning(asked) == meaning(signed), bytes(spoilt)
                world, signed = _again(guard)
                (value,) = signed.values(b"authorization")


def _again(guard: str) -> tuple[World, Request]:
    """A fresh genuine request: the last one is used up."""
    world = World(guard)
    return world, world.signed("/a?b=c")


def meaning(asked: Request) -> dict[str, str]:
    """The parameters, without case where the RFC has none: names and the algorithm."""
    return {name: value.lower() if name == "algorithm" else value for name, value in params(asked).items()}


@given(st.data())
def test_no_two_changes_make_up_for_each_other(data: st.DataObject) -> None:
    for guard, world in WORLDS.items():
        signed = world.signed("/a?b=c")
        value = bytearray(signed.values(b"authorization")[0])
        for _ in range(2):
            value[data.draw(st.integers(0, len(value) - 1), guard)] = data.draw(st.integers(0, 255))
        asked = signed.with_headers(((b"authorization", bytes(value)),))
        verdict = world.judge(asked)
        assert isinstance(verdict, Rejected) or meaning(asked) == meaning(signed)


@pytest.mark.parametrize("guard", GUARDS)
def test_authority_and_scheme_are_not_covered_by_a_uri_in_origin_form(guard: str) -> None:
    """As RFC 7616 §3.4.3 has it: A2 is method and uri. Realm and nonce key are what keeps servers apart."""
    world = World(guard)
    assert isinstance(world.judge(to(world.signed(), authority="other.example")), Identity)

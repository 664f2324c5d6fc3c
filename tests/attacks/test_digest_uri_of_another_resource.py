"""A header captured for one resource is sent with the request for another (RFC 7616 §3.4.6).

Servers that compute A2 from the `uri` parameter and never compare it with the request accept that.
"""

from __future__ import annotations

import pytest

from tests.schemes.digest_world import GUARDS, World, changed, to
from watchword import Reason, Rejected


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize(
    "target",
    ["/admin", "/public?", "/public?a=1", "/public/", "/publi%63", "//public", "/./public", "/PUBLIC", "/public;x", "*", "",
     "https://api.example/admin", "http://api.example/public", "https://evil.example/public", "https://u@api.example/public"],
)  # fmt: skip
def test_it_is_refused_before_the_secret_is_looked_at(guard: str, target: str) -> None:
    world = World(guard)
    verdict = world.judge(to(world.signed("/public"), target))
    assert isinstance(verdict, Rejected)
    assert verdict.reason in (Reason.WRONG_TARGET, Reason.TARGET_REFUSED)
    assert verdict.refusal and (verdict.refusal.status, list(verdict.refusal.challenges)) == (400, [])


@pytest.mark.parametrize("guard", GUARDS)
def test_changing_the_parameter_as_well_breaks_the_digest(guard: str) -> None:
    world = World(guard)
    verdict = world.judge(changed(to(world.signed("/public"), "/admin"), uri="/admin"))
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.WRONG_SECRET


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize(
    "uri", ["https://u@api.example/", "https://api.example@evil.example/", "https://api.example:x/"]
)
def test_a_uri_whose_authority_is_none_names_no_resource_of_ours(guard: str, uri: str) -> None:
    world = World(guard)
    verdict = world.judge(changed(world.signed("/"), uri=uri))
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.WRONG_TARGET


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("target", ["/a\\b", "/a#b", "/a b", "/\xe4"])
def test_a_target_that_programs_disagree_on_is_refused_though_it_was_signed(guard: str, target: str) -> None:
    world = World(guard)
    verdict = world.judge(changed(to(world.signed("/"), target), uri=target))
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.TARGET_REFUSED

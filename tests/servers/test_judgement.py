"""A judgement is kept with its request, one for each guard."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.fakes import FakeVerifier
from tests.servers.apps import SEALING
from watchword import AsyncGuard, Guard, Reason, Rejected, Request, StoreUnavailable
from watchword.core.admission import Admission
from watchword.core.identity import Identity
from watchword.core.message import Response
from watchword.schemes.signatures.seal import SignatureSeal
from watchword.servers.judgement import JUDGEMENTS, kept, refused

REQUEST = Request("GET", "https", "api.example", "/")


def test_it_is_found_by_a_copy_of_the_scope_and_by_the_other_guard_of_the_same_plan():
    guard, other = Guard([FakeVerifier()]), Guard([FakeVerifier()])
    scope: dict[str, Any] = {}
    assert kept(scope, guard.plan) is None
    scope[JUDGEMENTS] = {other.plan: "other"}
    copied = dict(scope)
    copied[JUDGEMENTS][guard.plan] = "mine"
    assert kept(scope, AsyncGuard.of(guard).plan) == "mine"
    assert kept(scope, other.plan) == "other"


@pytest.mark.parametrize(
    ("scopes", "demanded", "optional", "reason"),
    [
        (None, (), False, Reason.NO_CREDENTIALS),
        (None, ("write",), False, Reason.NO_CREDENTIALS),
        (None, (), True, None),
        (None, ("write",), True, None),
        ({"read"}, (), False, None),
        ({"read"}, ("read",), False, None),
        ({"read"}, ("write",), False, Reason.INSUFFICIENT_SCOPE),
        ({"read"}, ("read", "write"), True, Reason.INSUFFICIENT_SCOPE),
    ],
)
def test_whoever_asks_again_only_compares_scopes(scopes, demanded, optional, reason):
    identity = None if scopes is None else Identity("alice", "fake", scopes=frozenset(scopes))
    rejected = Admission(identity).missing_scopes(demanded, optional=optional)
    assert (rejected and rejected.reason) == reason


@pytest.mark.parametrize("error", [Rejected(Reason.WRONG_SECRET), StoreUnavailable()])
@pytest.mark.parametrize("sealed", [False, True])
def test_the_answer_of_a_refusal_is_sealed_with_the_content_that_the_framework_gives_it(error, sealed):
    guard = Guard([FakeVerifier()], seal=SignatureSeal(SEALING) if sealed else None)
    judgement = refused(guard.plan, REQUEST, error)
    assert judgement.refusal is not None
    assert judgement.refusal.sealing is None
    assert judgement.admission is None
    assert judgement.additions.holds_back == sealed
    lines = judgement.additions.answer_headers(guard.plan, Response(401, ()), b"{}" if sealed else None)
    assert (b"signature" in dict(lines)) == (b"content-digest" in dict(lines)) == sealed

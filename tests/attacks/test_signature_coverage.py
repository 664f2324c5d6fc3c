"""A signature over too little: whoever has it can put anything into what it leaves open."""

from __future__ import annotations

import pytest

from tests.schemes.signature_world import COVERED, KEY, URL, guard_at, hand_signed, params, rejected, signed
from watchword import Reason, Request, SignaturePolicy

ALL = ('"@method"', '"@authority"', '"@path"', '"@query"')


def test_a_signature_that_covers_nothing_is_refused() -> None:
    failed = rejected(guard_at(), hand_signed(f"(){params()}"))
    assert (failed.reason, failed.rejection.where) == (Reason.NOT_COVERED, '"@method"')


@pytest.mark.parametrize("missing", ALL)
def test_every_component_of_the_default_policy_is_demanded(missing: str) -> None:
    kept = " ".join(each for each in ALL if each != missing)
    failed = rejected(guard_at(), hand_signed(f"({kept}){params()}"))
    assert (failed.reason, failed.rejection.where) == (Reason.NOT_COVERED, missing)


@pytest.mark.parametrize("missing", ["created", "nonce"])
def test_created_and_nonce_are_demanded(missing: str) -> None:
    failed = rejected(guard_at(), hand_signed(f"{COVERED}{params(**{missing: None})}"))
    assert (failed.reason, failed.rejection.where) == (Reason.NOT_COVERED, missing)


@pytest.mark.parametrize(
    "covered",
    ['"@method" "@target-uri"', '"@method" "@authority" "@request-target"', '"@query" "@path" "@method" "@target-uri"'],
)
def test_what_implies_the_parts_counts_as_them(covered: str) -> None:
    assert guard_at().verify(hand_signed(f"({covered}){params()}")).subject == "robot"


def test_one_parameter_of_the_query_is_not_the_query() -> None:
    covered = '("@method" "@authority" "@path" "@query-param";name="id")'
    assert rejected(guard_at(), hand_signed(f"{covered}{params()}")).rejection.where == '"@query"'


def test_one_member_of_a_field_is_not_the_field() -> None:
    policy = SignaturePolicy(components=(*map(str, ("@method", "@target-uri")), "priority"))
    request = Request("POST", *URL, {"Priority": "u=1, i"})
    part = hand_signed(f'("@method" "@target-uri" "priority";key="u"){params()}', request)
    assert rejected(guard_at(policy=policy), part).reason is Reason.NOT_COVERED
    for spelling in ('"priority"', '"priority";sf', '"priority";bs'):
        whole = hand_signed(f'("@method" "@target-uri" {spelling}){params()}', request)
        assert guard_at(policy=policy).verify(whole).subject == "robot"


def test_what_a_method_demands_is_not_met_by_another_methods_signature() -> None:
    policy = SignaturePolicy(methods={"POST": ("content-type",)})
    plain = Request("POST", *URL, {"Content-Type": "text/plain"})
    assert rejected(guard_at(policy=policy), hand_signed(f"{COVERED}{params()}", plain)).reason is Reason.NOT_COVERED
    more = hand_signed(f'{COVERED[:-1]} "content-type"){params()}', plain)
    assert guard_at(policy=policy).verify(more).subject == "robot"
    get = hand_signed(f"{COVERED}{params()}", Request("GET", *URL))
    assert guard_at(policy=policy).verify(get).subject == "robot"


def test_a_plan_that_was_learnt_grants_nothing_to_other_requests() -> None:
    """The short way knows the covered list of a good signature; what a request lacks it lacks there too."""
    guard = guard_at()
    for _ in range(2):
        assert guard.verify(signed("POST", b"body", KEY), b"body").subject == "robot"
    genuine = signed("POST", b"body", KEY)
    without = Request("POST", *URL, [pair for pair in genuine.headers if pair[0] != b"content-digest"])
    assert rejected(guard, without, b"body").reason is Reason.MISSING_COMPONENT
    assert rejected(guard, genuine, b"other").reason is Reason.WRONG_BODY
    assert rejected(guard, Request("PUT", *URL, genuine.headers), b"body").reason is Reason.WRONG_SIGNATURE
    assert guard.verify(genuine, b"body").subject == "robot"
    assert rejected(guard, genuine, b"body").reason is Reason.REPLAYED

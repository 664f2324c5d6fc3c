"""Who explains which claim: the verifier itself, the explanation of the claim's scheme, or the rejection alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.core.fakes import FakeClaim, FakeVerifier, get
from watchword import AllOf, APIKeyVerifier, BasicVerifier, Guard, JWTVerifier, Key, Reason, Request, explain
from watchword.core.records import Found
from watchword.core.scheme import Address, Body, Check, Claim
from watchword.schemes.explaining import explainer_of
from watchword.stores import MemoryStore

KEY = Key.from_secret(bytes(range(32)), algorithm="HS256", key_id="k1")
BASIC = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


class Silent(FakeVerifier):
    """A verifier of somebody's own that explains nothing."""

    explain = None  # type: ignore[assignment]


class Renamed(JWTVerifier):
    """A verifier of our claims under a name that is not in SCHEMES."""

    scheme = "corporate"


def names(checks: Sequence[Check]) -> list[str]:
    return [check.name for check in checks]


def test_a_verifier_that_explains_its_claims_is_asked() -> None:
    explanation = explain(get(authorization="fake alice"), Guard([FakeVerifier()]))
    assert (explanation.accepted, explanation.canonical, names(explanation.checks)) == (True, "alice", ["fake"])


def test_the_explanation_of_a_scheme_without_one_is_the_rejection() -> None:
    guard = Guard([Silent()])
    refused = explain(get(authorization="fake wrong"), guard)
    assert (refused.reason, names(refused.causes), refused.canonical) == (
        Reason.WRONG_SECRET, ["wrong_secret"], "",
    )  # fmt: skip
    accepted = explain(get(authorization="fake alice"), guard)
    assert accepted.accepted and not accepted.checks


def test_a_claim_of_no_scheme_of_ours_has_no_explainer_even_under_the_name_of_one() -> None:
    verifier = Silent("basic")
    assert explainer_of(verifier, FakeClaim(verifier, "x")) is None  # type: ignore[arg-type]
    assert explain(get(authorization="basic wrong"), Guard([verifier])).causes[0].name == "wrong_secret"


def test_a_verifier_of_ours_explains_under_any_name() -> None:
    explanation = explain(get(authorization="Bearer a.b.c"), Guard([Renamed(KEY)]))
    assert explanation.scheme == "corporate"
    assert "signature" in names(explanation.checks)


def test_a_verifier_that_gives_our_claims_explains_them() -> None:
    class Wrapping(FakeVerifier):
        explain = None  # type: ignore[assignment]
        addresses = (Address(word="basic"),)  # type: ignore[assignment]
        inner = BasicVerifier(realm="r")

        def read(self, request: Request) -> Any:
            return self.inner.read(request)

    explanation = explain(get(authorization=BASIC), Guard([Wrapping()], MemoryStore()))
    assert names(explanation.checks) == ["format", "user", "password"]


def test_a_verifiers_own_account_of_our_claims_is_taken_before_ours() -> None:
    class Own(BasicVerifier):
        def explain(self, claim: Claim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
            return "", [Check("own", False, "here")]

    explanation = explain(get(authorization=BASIC), Guard([Own(realm="r")], MemoryStore()))
    assert names(explanation.checks) == ["own"]


def test_all_of_has_the_account_of_every_part() -> None:
    parts = FakeVerifier("token"), FakeVerifier("proof", field=b"x-proof")
    both = get(("X-Proof", "alice"), authorization="token alice")
    explanation = explain(both, Guard([AllOf(*parts)]))
    assert (explanation.canonical, names(explanation.checks)) == ("alice\nalice", ["token", "proof"])


def test_a_part_that_explains_nothing_leaves_the_others_their_account() -> None:
    verifier = AllOf(BasicVerifier(realm="r"), APIKeyVerifier(), Silent("proof", field=b"x-proof"))
    key = "ww_000000000000_000000000000000000000000000000004a0jIj"
    fields = get(("X-Proof", "wrong"), ("X-API-Key", key), authorization=BASIC)
    explanation = explain(fields, Guard([verifier], MemoryStore()))
    assert names(explanation.checks) == ["format", "user", "password", "format", "key id", "secret", "revoked", "time"]

"""Every row of SCHEMES keeps the promises of `watchword.testing.conformance`, and is what it says."""

from __future__ import annotations

import importlib

import pytest

import watchword
from watchword import Guard, JWTAuth, JWTVerifier, explain
from watchword.schemes import SCHEMES, Scheme
from watchword.core.verdict import Verdict
from watchword.testing import SchemeSetup, signed
from watchword.testing.cases import CASES, CLAIMS, KEY
from watchword.testing.conformance import SchemeConformance


class TestEveryScheme(SchemeConformance):
    @pytest.fixture(params=[row.name for row in SCHEMES])
    def scheme(self, request: pytest.FixtureRequest) -> SchemeSetup:
        return SchemeSetup.of(request.param)


def test_every_row_has_a_case_and_no_other_has() -> None:
    assert sorted(CASES) == sorted(row.name for row in SCHEMES)


@pytest.mark.parametrize("row", SCHEMES, ids=lambda row: row.name)
def test_a_row_names_what_exists(row: Scheme) -> None:
    module = importlib.import_module(f"watchword.schemes.{row.module}")
    setup = SchemeSetup.of(row.name)
    assert hasattr(watchword, row.auth)
    assert type(setup.verifier) is getattr(module, row.verifier)


@pytest.mark.parametrize("row", SCHEMES, ids=lambda row: row.name)
def test_every_explanation_of_a_request_has_its_checks(row: Scheme) -> None:
    setup = SchemeSetup.of(row.name)
    request, body = setup.genuine()
    assert explain(request, setup.guard, body).checks


def test_only_passwords_are_sent_by_browsers_unasked() -> None:
    """For whoever else a request of another site's page has no credentials (`Verifier.ambient`)."""
    assert {row.name for row in SCHEMES if SchemeSetup.of(row.name).verifier.ambient} == {"basic", "digest"}


def test_a_long_subject_is_shown_in_part() -> None:
    verdicts: list[Verdict] = []
    guard = Guard([JWTVerifier(KEY, issuer="https://id.example", audience="orders")], observe=verdicts.append)
    subject = "a" * 4000
    request = signed(JWTAuth(KEY, claims={**CLAIMS, "sub": subject}), guard=guard).request
    assert guard.verify(request).subject == subject
    assert verdicts[0].subject is not None
    assert len(verdicts[0].subject) == 512
    assert verdicts[0].subject[-1] == "…"

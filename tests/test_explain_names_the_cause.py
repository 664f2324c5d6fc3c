"""A sample of `python -m bench explain`: every axis of the grammar, every scheme, and the same bar."""

from __future__ import annotations

import random
from base64 import urlsafe_b64encode

import pytest

from bench.explain import AXES, Outcome, leaks, run
from bench.explain_worlds import UNSIGNED, WORLDS, Maker, draft
from bench.unlisted.figures import kinds
from bench.unlisted.figures import run as draw
from watchword import explain
from watchword.core.scheme import Check
from watchword.schemes.explaining.program import Explanation

pytestmark = pytest.mark.sweep

SEED = 7


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    return run(SEED, 1, most=4)


def test_the_sample_is_of_all_axes_and_schemes_and_large_enough(outcomes: list[Outcome]) -> None:
    assert len({outcome.case.axis for outcome in outcomes}) == len(AXES)
    assert len({outcome.case.world.name for outcome in outcomes}) == len(WORLDS)
    assert len(outcomes) >= 240


def test_the_first_cause_is_the_true_one(outcomes: list[Outcome]) -> None:
    wrong = [(each.case.world.name, each.case.axis, each.case.what, each.named) for each in outcomes if not each.true]
    assert len(wrong) <= len(outcomes) / 25, wrong


def test_one_wrong_step_of_a_computation_is_always_found(outcomes: list[Outcome]) -> None:
    of_one = [each for each in outcomes if each.case.axis == "computed otherwise"]
    assert of_one
    assert not [(each.case.world.name, each.case.what, each.named) for each in of_one if not each.true]


def test_no_explanation_contradicts_the_guard(outcomes: list[Outcome]) -> None:
    assert not [outcome for outcome in outcomes if outcome.contradiction]


def test_no_explanation_shows_a_secret(outcomes: list[Outcome]) -> None:
    assert not [outcome for outcome in outcomes if outcome.leak]


def test_mistakes_that_the_grammar_does_not_generate_are_explained_as_the_guard_judges_them() -> None:
    """What was written without sight of the grammar: the common mistakes, and those of them that were seen since."""
    told = draw(kinds(half="a", tail=False)[::3], SEED)
    assert len(told) > 100
    assert not [(each.kind.name, each.error or each.contradiction) for each in told if each.error or each.contradiction]
    assert not [(each.kind.name, each.leaks) for each in told if each.leaks]
    decidable = [each for each in told if not each.kind.undecidable]
    assert sum(each.true for each in decidable) >= 0.8 * len(decidable)


@pytest.mark.parametrize(
    "shown", ["a secret/text", b"a secret/text".hex(), "a%20secret/text", urlsafe_b64encode(b"a secret/text").decode()]
)
def test_the_search_for_secrets_finds_them(shown: str) -> None:
    told = Explanation(False, checks=[Check("x", False, "y", shown, "", "")])
    assert leaks(told, [b"a secret/text"])
    assert not leaks(told, [b"another secret"])


@pytest.mark.parametrize("make", [make for make in WORLDS if make not in UNSIGNED], ids=lambda make: make.__name__)
def test_the_clients_canonical_string_is_the_servers(make: Maker) -> None:
    rng = random.Random(SEED)
    world = make(rng)
    for _ in range(5):
        unsigned = draft(rng)
        request = world.sign(unsigned, rng)
        explanation = explain(request, world.guard, unsigned.body)
        assert explanation.accepted
        assert world.auth.canonical(request, unsigned.body) == explanation.canonical
        assert explanation.compare(world.auth.canonical(request, unsigned.body)) is None

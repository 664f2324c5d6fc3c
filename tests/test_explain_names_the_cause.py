"""A sample of `python -m bench explain`: every kind of mutation, every scheme, and the same bar."""

from __future__ import annotations

import random
from base64 import urlsafe_b64encode
from collections.abc import Callable

import pytest

from bench.explain import Tally, leaks, sample
from bench.explain_mutations import KINDS, draft
from bench.explain_signed import SIGNED
from bench.explain_worlds import OWN, World
from watchword import explain
from watchword.schemes.explaining.program import Explanation
from watchword.core.scheme import Check

pytestmark = pytest.mark.sweep

SEED = 7


@pytest.fixture(scope="module")
def tally() -> Tally:
    return sample(SEED)


def test_the_sample_is_of_all_kinds_and_large_enough(tally: Tally) -> None:
    assert {kind.name for kind in KINDS} <= {outcome.kind for outcome in tally.outcomes}
    assert len(KINDS) >= 40
    assert len(tally.of("named", "said so", "wrong")) >= 300


def test_the_first_cause_is_the_true_one(tally: Tally) -> None:
    wrong = [(outcome.scheme, outcome.kind, outcome.truth, outcome.named) for outcome in tally.of("wrong")]
    assert tally.share >= 99, wrong


def test_what_can_be_found_again_is_found_again(tally: Tally) -> None:
    """To say that no usual change explains it is right only where nothing could."""
    lost = {kind.name for kind in KINDS if not kind.recoverable}
    assert not [outcome.kind for outcome in tally.of("said so") if outcome.kind in {kind.name for kind in KINDS} - lost]


def test_no_explanation_contradicts_the_guard(tally: Tally) -> None:
    assert not [outcome for outcome in tally.outcomes if outcome.contradiction]


def test_no_explanation_shows_a_secret(tally: Tally) -> None:
    assert not [outcome for outcome in tally.outcomes if outcome.leak]


@pytest.mark.parametrize(
    "shown", ["a secret/text", b"a secret/text".hex(), "a%20secret/text", urlsafe_b64encode(b"a secret/text").decode()]
)
def test_the_search_for_secrets_finds_them(shown: str) -> None:
    told = Explanation(False, checks=[Check("x", False, "y", shown, "", "")])
    assert leaks(told, [b"a secret/text"])
    assert not leaks(told, [b"another secret"])


@pytest.mark.parametrize("make", [*OWN, *SIGNED], ids=lambda make: make.__name__)
def test_the_clients_canonical_string_is_the_servers(make: Callable[[random.Random], World]) -> None:
    rng = random.Random(SEED)
    world = make(rng)
    for _ in range(5):
        unsigned = draft(rng)
        request = world.sign(unsigned, rng)
        explanation = explain(request, world.guard, unsigned.body)
        assert explanation.accepted
        assert world.auth.canonical(request, unsigned.body) == explanation.canonical
        assert explanation.compare(world.auth.canonical(request, unsigned.body)) is None

"""How long what was signed is good, and remembered: the one rule, and every scheme at both of its edges."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import pytest

from tests.attacks.signed_worlds import MAC, NOW, SECRET, WORLDS
from tests.webhook_senders import SENDERS
from tests.schemes.digest_world import START, World
from watchword import (
    ConfigurationError, Guard, HMACVerifier, JWTVerifier, Key, OAuth1Verifier, Policy, Reason, Rejected, Request, Response,
    SignatureVerifier, SigV4Auth, SigV4Verifier, WebhookVerifier,
)  # fmt: skip
from watchword.core.records import Once, Write
from watchword.core.scheme import Verifier
from watchword.crypto import jose
from watchword.schemes.freshness import RETENTION, Freshness, check_end
from watchword.schemes.signatures.responses import ResponsePolicy, ResponseVerifier
from watchword.schemes.signatures.seal import SignatureSeal
from watchword.stores import MemoryStore

TICK = 2.0**-10
"""A moment that a float of today's time tells exactly."""


def refused(call: Callable[[], object]) -> Reason | None:
    try:
        call()
    except Rejected as rejected:
        return rejected.reason
    return None


# ---- the rule --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("genuine", [True, False])
def test_it_refuses_in_one_wording(genuine: bool) -> None:
    freshness = Freshness(300, 30)
    for now, reason, detail in (
        (NOW + 301, Reason.EXPIRED, "signed 301 s ago, good for 300 s"),
        (NOW - 31, Reason.NOT_YET_VALID, "signed 31 s in the future, 30 s are allowed"),
    ):
        with pytest.raises(Rejected) as caught:
            freshness.check(NOW, now, "created", genuine)
        rejection = caught.value.rejection
        assert (rejection.reason, rejection.detail, rejection.where) == (reason, detail, "created")
        assert rejection.genuine is genuine


def test_without_a_skew_it_is_good_at_its_own_second_and_not_before() -> None:
    freshness = Freshness(1, 0)
    assert [freshness.holds(NOW, NOW + late) for late in (-TICK, 0, 1 - TICK, 1)] == [False, True, True, False]


def test_without_a_max_age_it_never_ends() -> None:
    freshness = Freshness(None, 30)
    assert freshness.holds(0, 1e12)
    assert refused(lambda: freshness.check(0, -30 - TICK, "created")) is Reason.NOT_YET_VALID


@pytest.mark.parametrize("max_age", [0, -1, math.nan, math.inf])
@pytest.mark.parametrize("name", ["max_age", "tolerance"])
def test_a_max_age_that_can_not_be_meant_is_named_as_the_user_calls_it(max_age: float, name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} is a positive number of seconds"):
        Freshness(max_age, 0, name)


@pytest.mark.parametrize("skew", [-1, math.nan, math.inf])
def test_a_skew_that_can_not_be_meant_is_a_configuration_error(skew: float) -> None:
    with pytest.raises(ConfigurationError, match="skew"):
        Freshness(300, skew)


@pytest.mark.parametrize("late", [-1e9, -TICK, 0, TICK, 1e9])
def test_what_says_its_end_is_over_at_that_second(late: float) -> None:
    assert refused(lambda: check_end(NOW, NOW + late, "expires")) is (Reason.EXPIRED if late >= 0 else None)


# ---- every scheme at both edges --------------------------------------------------------------------------------------


class Case(NamedTuple):
    """Something that was made at `NOW`, the verdict on it at a time, and how long its scheme says that it is good."""

    judge: Callable[[float], Reason | None]
    max_age: float
    skew: float
    late: Reason = Reason.EXPIRED
    early: Reason = Reason.NOT_YET_VALID


def _of_world(name: str, max_age: float, skew: float) -> Case:
    world = WORLDS[name]
    signed = world.sign()

    def judge(now: float) -> Reason | None:
        verdict = world.verify(signed.request, signed.body, now)
        return verdict.reason if isinstance(verdict, Rejected) else None

    return Case(judge, max_age, skew)


def _presigned() -> Case:
    url = SigV4Auth("AKIDEXAMPLE", SECRET, region="eu-1", service="orders").presign(
        "GET", "https://api.example/orders", now=NOW, expires=120
    )
    request = Request("GET", "https", "api.example", url.removeprefix("https://api.example"))
    return Case(lambda now: refused(lambda: WORLDS["sigv4"].guard(now).verify(request)), 120, 900)


def _digest() -> Case:
    def judge(now: float) -> Reason | None:
        world = World()
        signed = world.signed()
        world.now += now - NOW
        verdict = world.judge(signed)
        return verdict.reason if isinstance(verdict, Rejected) else None

    return Case(judge, 300, 60, Reason.STALE_NONCE, Reason.STALE_NONCE)


def _jwt() -> Case:
    token = jose.sign(b'{"sub":"alice","iat":%d}' % NOW, MAC)
    verifier = JWTVerifier(MAC, max_age=100, leeway=10)  # a leeway is granted on either side
    return Case(lambda now: refused(lambda: verifier.verify_at(token, now)), 110, 10)


def _response() -> Case:
    request, key = Request("GET", "https", "api.example", "/"), Key.generate("HS256")
    policy = ResponsePolicy(request_proofs=False, nonce=False, max_age=200, skew=20)
    sealed = SignatureSeal(key, lifetime=None).seal(request)
    answer = Response(200).with_more(sealed.headers(Response(200), b"" if sealed.needs_body else None, NOW, bytes))
    verifier = ResponseVerifier(key, policy)
    return Case(lambda now: refused(lambda: verifier.verify(request, answer, b"", now=now)), 200, 20)


TIMED_WEBHOOKS = [
    f"webhook-{name}" for name, sender in SENDERS.items() if sender.row.timed and f"webhook-{name}" in WORLDS
]
CASES: dict[str, Callable[[], Case]] = {
    **{
        name: partial(_of_world, name, 300, 30)
        for name in ("hmac", "oauth1-header", "oauth1-query", "oauth1-form", "signature", "signature-ed25519")
    },
    **{name: partial(_of_world, name, 900, 900) for name in ("sigv4", "sigv4-s3", "sigv4a", "sigv4-chunked")},
    **{name: partial(_of_world, name, 300, 300) for name in TIMED_WEBHOOKS},
    "sigv4 presigned": _presigned,
    "digest": _digest,
    "jwt": _jwt,
    "signed response": _response,
}


@pytest.mark.parametrize("name", CASES)
def test_every_scheme_is_good_from_the_first_edge_on_and_over_at_the_second(name: str) -> None:
    case = CASES[name]()
    wanted = {
        -case.skew - TICK: case.early,
        -case.skew: None,
        0: None,
        case.max_age - TICK: None,
        case.max_age: case.late,
    }
    assert {late: case.judge(NOW + late) for late in wanted} == wanted


# ---- how long a use is remembered ------------------------------------------------------------------------------------


class Noting(MemoryStore):
    """A store that notes until when marks have to be kept."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock=clock)
        self.ends: list[float] = []

    def commit(self, writes: Sequence[Write]) -> Any:
        self.ends += [write.until for write in writes if isinstance(write, Once)]
        return super().commit(writes)


def _mark_of(name: str, verifier: Verifier) -> float:
    world, store = WORLDS[name], Noting(lambda: NOW)
    store.add_key("robot", MAC)
    store.add_oauth1_client("an-app", secret=SECRET)
    store.add_access_key("robot", "AKIDEXAMPLE", SECRET)
    signed = world.sign()
    Guard([verifier], store, policy=Policy(clock=lambda: NOW)).verify(signed.request, signed.body)
    (end,) = store.ends
    return end - NOW


def _mark_of_webhook(name: str, tolerance: float) -> float:
    sender = SENDERS[name.removeprefix("webhook-")]
    return _mark_of(name, WebhookVerifier(sender.verifying, sender.row, tolerance=tolerance, remember=0))


def _mark_of_digest(lifetime: float) -> float:
    store = Noting(lambda: START)
    world = World(store=store, nonce_lifetime=lifetime)
    world.verify(world.signed())
    (end,) = store.ends
    return end - START


REMEMBERING: dict[str, Callable[[float], float]] = {
    "hmac": lambda max_age: _mark_of("hmac", HMACVerifier(max_age=max_age)),
    "signature": lambda max_age: _mark_of("signature", SignatureVerifier(max_age=max_age)),
    "oauth1": lambda max_age: _mark_of("oauth1-header", OAuth1Verifier(max_age=max_age)),
    **{name: partial(_mark_of_webhook, name) for name in TIMED_WEBHOOKS},
    "digest": _mark_of_digest,
}


@pytest.mark.parametrize("name", REMEMBERING)
@pytest.mark.parametrize(("max_age", "kept"), [(60, RETENTION), (RETENTION, RETENTION), (1000, 1000)])
def test_a_use_is_remembered_while_this_verifier_or_a_laxer_one_may_accept_it(
    name: str, max_age: float, kept: float
) -> None:
    assert REMEMBERING[name](max_age) == kept


@pytest.mark.parametrize("skew", [60, 900])
def test_a_use_of_sigv4_is_remembered_for_the_longest_skew_that_there_is(skew: float) -> None:
    assert _mark_of("sigv4", SigV4Verifier(skew=skew, single_use=True)) == 900

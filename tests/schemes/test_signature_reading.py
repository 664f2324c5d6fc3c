"""What is read of the fields; that the short way reads the same as the general one, and is learnt from good signatures only."""

from __future__ import annotations

from base64 import b32encode, b64decode
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.schemes.signature_world import COVERED, NOW, URL, base64, guard_at, hand_signed, params, reason_of, signed
from watchword import Reason, Rejected, Request, SignaturePolicy, SignatureVerifier, explain
from watchword.schemes.signatures.message import Fields
from watchword.schemes.signatures.reading import (
    LONGEST,
    MAX_LAYOUTS,
    MAX_PLANS,
    ParsedCredentials,
    PresentedCredentials,
    Reader,
)

GIVEN = {"created": int(NOW), "nonce": "A" * 22, "keyid": "robot-1", "expires": int(NOW) + 60, "tag": "orders"}
POLICY = SignaturePolicy(tags=("orders", None))


def text_of(order: tuple[str, ...]) -> str:
    return "".join(
        f';{name}="{GIVEN[name]}"' if isinstance(GIVEN[name], str) else f";{name}={GIVEN[name]}" for name in order
    )


def values(one: PresentedCredentials) -> tuple[object, ...]:
    return (
        one.label, one.plan.base.covered, one.params, one.signature, one.created, one.expires, one.nonce, one.alg, one.key_id,
        one.tag,
    )  # fmt: skip


def taught(covered: str) -> Reader:
    """A reader that has seen a good signature of that shape."""
    reader = Reader(POLICY)
    for one in reader.read(Fields(fields(covered))):
        assert isinstance(one, ParsedCredentials)
        reader.remember(one)
    return reader


def fields(covered: str, signature: str = "sig1=:AAAA:") -> tuple[tuple[bytes, bytes], ...]:
    return ((b"signature-input", covered.encode()), (b"signature", signature.encode()))


@pytest.mark.parametrize("padding", ["=", "==", "===", "===="])
def test_padding_is_read_alike_the_short_way_and_the_general_one(padding: str) -> None:
    covered = f"sig1={COVERED};created={int(NOW)}"
    presented = fields(covered, f"sig1=:AAAA{padding}:")
    read = []
    for reader in (taught(covered), Reader(POLICY)):
        try:
            read.append([one.signature for one in reader.read(Fields(presented))])
        except Rejected as rejected:
            read.append([rejected.reason.value.encode()])
    assert read[0] == read[1]


@pytest.mark.parametrize("spelt", [b32encode, lambda octets: octets.hex().encode()])
def test_explain_teaches_the_guard_nothing_though_it_finds_the_genuine_signature(spelt) -> None:
    guard, request = guard_at(), signed()
    label, octets, _ = request.values(b"signature")[0].split(b":")
    explain(request.with_headers(((b"signature", label + b":" + spelt(b64decode(octets)) + b":"),)), guard)
    read = guard.plan.dispatch.locate
    assert type(read(request).claim.presented[0]) is ParsedCredentials
    guard.verify(request)
    assert type(read(request).claim.presented[0]) is PresentedCredentials


@pytest.mark.parametrize("order", list(permutations(GIVEN))[::7], ids=" ".join)
def test_any_order_of_parameters_is_read_the_short_way_once_it_was_good(order: tuple[str, ...]) -> None:
    covered = f"sig1={COVERED}{text_of(order)}"
    reader = taught(covered)
    (again,) = reader.read(Fields(fields(covered)))
    (general,) = Reader(POLICY).read(Fields(fields(covered)))
    assert type(again) is PresentedCredentials
    assert values(again) == values(general)
    assert again.suffices


TEXT = st.text(st.characters(codec="ascii", exclude_categories=("Cc",)), max_size=12)


@given(
    prefix=st.sampled_from(["sig1", "sig2", " sig1", "sig1 "]),
    listed=st.sampled_from([COVERED, COVERED.replace(" ", "  "), COVERED[:-1] + ' "date")', '("a)" "b")', "()"]),
    more=st.lists(
        st.tuples(st.sampled_from([*GIVEN, "alg", "x"]), st.one_of(st.integers(-5, 10**16), TEXT)), max_size=4
    ),
    signature=st.one_of(st.just("sig1=:AAAA:"), st.just("sig1=:AAB:"), TEXT),
    tail=st.sampled_from(["", " ", ",", ", b=1", ";", "\t"]),
)
def test_the_short_way_reads_what_the_general_one_reads(
    prefix: str, listed: str, more: list[tuple[str, int | str]], signature: str, tail: str
) -> None:
    params = "".join(f';{name}="{value}"' if isinstance(value, str) else f";{name}={value}" for name, value in more)
    given_fields = Fields(fields(f"{prefix}={listed}{params}{tail}", signature))
    answers = []
    known = ((), ("created",), ("created", "nonce", "keyid"), tuple(name for name, _ in more if name in GIVEN))
    for reader in (Reader(POLICY), taught(f"sig1={COVERED}")):
        for order in dict.fromkeys(tuple(dict.fromkeys(names)) for names in known):
            if answers:
                for one in reader.read(Fields(fields(f"sig1={COVERED}{text_of(order)}"))):
                    if isinstance(one, ParsedCredentials):
                        reader.remember(one)
        try:
            answers.append([values(one) for one in reader.read(given_fields)])
        except Rejected as rejected:
            answers.append([(rejected.reason,)])
    assert answers[0] == answers[1]


def test_nothing_is_learnt_from_signatures_that_are_not_good() -> None:
    guard = guard_at()
    verifier = guard.plan.verifiers[0]
    assert isinstance(verifier, SignatureVerifier)
    for number in range(50):
        bad = hand_signed(f"{COVERED}{params()}", label=f"l{number}")
        bad = bad.with_headers(((b"signature", f"l{number}=:{base64(bytes(32))}:".encode()),))
        assert reason_of(guard, bad) is Reason.WRONG_SIGNATURE
    assert not verifier.signature_reader._plans
    assert guard.verify(signed()).subject == "robot"
    assert len(verifier.signature_reader._plans) == 1


def test_what_is_learnt_is_bounded() -> None:
    reader = Reader(POLICY)
    for number in range(MAX_PLANS + 20):
        for order in list(permutations(GIVEN))[:6]:
            for one in reader.read(Fields(fields(f"l{number}={COVERED}{text_of(order)}", f"l{number}=:AAAA:"))):
                if isinstance(one, ParsedCredentials):
                    reader.remember(one)
    assert len(reader._plans) <= MAX_PLANS
    assert all(len(plan.layouts) <= MAX_LAYOUTS for plan in reader._plans.values())


def test_a_policy_with_demands_of_methods_is_asked_for_each_request() -> None:
    guard = guard_at(policy=SignaturePolicy(methods={"PUT": ("date",)}))
    for _ in range(3):
        assert guard.verify(signed()).subject == "robot"
    assert reason_of(guard, signed("PUT")) is Reason.NOT_COVERED


def test_a_learnt_list_is_not_enough_for_a_target_without_a_path() -> None:
    guard = guard_at(policy=SignaturePolicy(components=("@method", "@authority", "@path")))
    for _ in range(3):
        assert guard.verify(signed()).subject == "robot"
    star = Request("OPTIONS", *URL[:2], "*")
    covered = hand_signed(f'("@method" "@authority"){params()}', star)
    assert reason_of(guard, covered) is Reason.NOT_COVERED


@pytest.mark.parametrize("name", ["nonce", "keyid"])
@pytest.mark.parametrize("length", [LONGEST - 60, LONGEST, LONGEST + 1, LONGEST + 60])
def test_a_text_that_is_too_long_is_refused_the_short_way_too(name: str, length: int) -> None:
    order = ("created", "nonce", "keyid")
    reader = taught(f"sig1={COVERED}{text_of(order)}")
    covered = f"sig1={COVERED}{text_of(order)}".replace(f'{name}="{GIVEN[name]}"', f'{name}="{"n" * length}"')
    answers = []
    for each in (reader, Reader(POLICY)):
        try:
            answers.append([values(one) for one in each.read(Fields(fields(covered)))])
        except Rejected as rejected:
            answers.append([(rejected.reason,)])
    assert answers[0] == answers[1]
    assert (answers[0] == [(Reason.MALFORMED_CREDENTIALS,)]) is (length > LONGEST)


def test_an_authority_that_was_good_vouches_for_no_other_one_and_no_other_target() -> None:
    guard = guard_at()
    (verifier,) = guard.plan.verifiers
    for _ in range(2):
        assert guard.verify(signed()).subject == "robot"
        for authority, target in (("api.example@evil", "/"), ("api.example", "/a\\b"), ("api.example", "evil:1")):
            with pytest.raises(Rejected) as caught:
                verifier.read(Request("POST", "https", authority, target, signed().headers))
            assert caught.value.reason is Reason.TARGET_REFUSED

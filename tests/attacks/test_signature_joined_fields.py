"""Moving octets from one covered part to the next one must change what is signed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from watchword import Reason, Rejected, Request
from watchword.schemes.signatures.base import BasePlan, signature_base
from watchword.schemes.signatures.components import FIELD_TYPES, Component, SignatureInput
from watchword.schemes.signatures.message import Message

VALUE = st.binary(max_size=8)
NAMES = ("x-a", "x-b")


def base(request: Request, *components: str) -> bytes:
    covered = SignatureInput(tuple(map(Component.parse, components)), {"created": 1})
    return signature_base(covered, Message(request))


def of(lines: Sequence[tuple[str, bytes]], target: bytes = b"/") -> Request:
    return Request("GET", "https", "h", target, lines)


@given(a=VALUE, b=VALUE, c=VALUE, d=VALUE)
def test_two_fields_share_no_base_with_two_others(a: bytes, b: bytes, c: bytes, d: bytes) -> None:
    one, two = [value.strip(b" \t\r\n") for value in (a, b)], [value.strip(b" \t\r\n") for value in (c, d)]
    assume(one != two)
    try:
        bases = [base(of(list(zip(NAMES, values, strict=True))), *NAMES) for values in (one, two)]
    except Rejected as rejected:
        assert rejected.reason is Reason.MALFORMED_CREDENTIALS
        return
    assert bases[0] != bases[1] or any(b"\n" in value for value in (*one, *two))


@pytest.mark.parametrize("end", [b'\n"x-b": 1', b'\n"@method": GET', b"\r\n x", b'x\n"@signature-params": ()'])
def test_a_line_break_in_a_value_makes_no_second_line(end: bytes) -> None:
    request = of([("x-a", b"1" + end)])
    try:
        text = base(request, "x-a")
    except Rejected as rejected:
        assert rejected.reason is Reason.MALFORMED_CREDENTIALS
    else:
        assert text.count(b"\n") == 1  # an obsolete line folding is a space


def test_several_lines_and_one_with_a_comma_differ_with_bs_only() -> None:
    two, one = of([("x-a", b"a"), ("x-a", b"b, c")]), of([("x-a", b"a, b, c")])
    assert base(two, "x-a") == base(one, "x-a")  # as the RFC has it (§2.1)
    assert base(two, '"x-a";bs') != base(one, '"x-a";bs')


@given(one=st.binary(max_size=10), two=st.binary(max_size=10))
def test_two_targets_have_two_bases(one: bytes, two: bytes) -> None:
    assume(one != two)
    bases = []
    for target in (b"/" + one, b"/" + two):
        try:
            bases.append(base(of([], target), "@path", "@query"))
        except Rejected:
            return
    # "/a" and "/a?" have the same components (§2.2.7); @request-target tells them apart.
    if one.rstrip(b"?") != two.rstrip(b"?"):
        assert bases[0] != bases[1]


@given(
    lines=st.lists(st.tuples(st.sampled_from(NAMES), st.binary(max_size=6)), max_size=4),
    target=st.one_of(st.binary(max_size=12), st.binary(max_size=12).map(b"/".__add__)),
    authority=st.one_of(st.text(max_size=8), st.sampled_from(["h", "H", "h:443", "h:8443", "h\n", "\u0131"])),
    before=st.sampled_from([None, "h", "H", "h:443", ""]),
    method=st.one_of(st.text(max_size=4), st.sampled_from(["GET", "POST", "get"])),
    params=st.sampled_from([b";created=1", b';created=1;nonce="n\n"', b';nonce="\xff"']),
)
def test_the_short_way_to_a_base_is_the_long_one(
    lines: list[tuple[str, bytes]], target: bytes, authority: str, before: str | None, method: str, params: bytes
) -> None:
    components = [Component(name) for name in ("x-b", "@path", "@method", "x-a", "@query", "@authority")]
    request = Request(method, "https", authority, target, lines)
    answers: list[object] = []
    for quick in (True, False):
        plan = BasePlan(components)
        try:
            if quick:
                single = dict(request.headers)
                alone = single if len(single) == len(request.headers) else None
                if before is not None:  # the plan remembers the authority of the request before
                    known = Request("GET", "https", before, "/", {"x-a": "1", "x-b": "2"})
                    with suppress(Rejected):
                        plan.of_request(known, dict(known.headers), b";created=1", FIELD_TYPES)
                answers.append(plan.of_request(request, alone, params, FIELD_TYPES))
            else:
                answers.append(plan.base(Message(request), params))
        except Rejected as rejected:
            answers.append((rejected.reason, rejected.rejection.where))
    assert answers[0] == answers[1]

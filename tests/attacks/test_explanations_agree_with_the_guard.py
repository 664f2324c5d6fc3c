"""Whatever octets are sent, `explain` fails with no exception, agrees with the guard, and names both values of all that failed.

Every scheme is tried before and after a warm-up, since guards remember: passwords, tokens, keys, requests.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.explain import broken
from bench.explain_worlds import WORLDS, Draft, Maker, draft
from bench.unlisted.cases import drawn
from bench.unlisted.figures import SCHEMES, kinds
from tests.examples_of import examples
from watchword import (
    AllOf,
    APIKeyVerifier,
    BasicVerifier,
    Guard,
    HMACVerifier,
    JWTVerifier,
    Key,
    Rejected,
    Request,
    explain,
)
from watchword.schemes.explaining.report import Explanation
from watchword.stores import MemoryStore

pytestmark = pytest.mark.sweep

PARTS = ("word", "rest", "parameter", "whole", "name", "query", "body", "twice", "method", "length")


def agrees(request: Request, guard: Guard, body: bytes) -> Explanation:
    """Explained first: it commits nothing, so the guard judges the same."""
    told = explain(request, guard, body)
    try:
        guard.verify(request, body)
        assert told.accepted, told
        assert told.reason is None
    except Rejected as rejected:
        assert told.reason is rejected.reason, told
        assert told.causes
    for check in told.checks:
        assert check.name != "account", check
    for check in told.causes:
        assert check.component, check
        assert check.expected, check
        assert check.received, check
        assert check.mend, check
    assert str(told).splitlines()[0] == told.headline
    return told


def spoilt(signed: Draft, field: bytes, part: str, octets: bytes, at: int) -> None:
    """One place of a genuine request has other octets."""
    values = signed.values(field)
    value = values[0] if values else b""
    word, space, rest = value.partition(b" ")
    if part == "word":
        signed.field(field, octets + space + rest)
    elif part == "rest":
        signed.field(field, word + space + octets)
    elif part == "whole":
        signed.field(field, octets)
    elif part == "parameter":
        pieces = value.split(b",")
        name = pieces[at % len(pieces)].partition(b"=")[0]
        pieces[at % len(pieces)] = name + b"=" + octets
        signed.field(field, b",".join(pieces))
    elif part == "name":
        signed.headers = [(b"x-" + name if name == field else name, each) for name, each in signed.headers]
    elif part == "query":
        signed.query = (signed.query or b"") + b"&" + octets
    elif part == "body":
        signed.body = octets
    elif part == "twice":
        signed.headers.append((field, octets))
    elif part == "method":
        signed.method = octets.decode("latin-1")
    else:
        signed.field(b"content-length", octets)


@examples(300)
@given(
    st.integers(0, len(WORLDS) - 1),
    st.sampled_from(PARTS),
    st.one_of(
        st.binary(max_size=40), st.text(max_size=30).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.sampled_from([b"", b"=", b'"', b'""', b"{}", b'{"a":', b"[" * 200, b"e30.e30.e30", b"Og==", b"%", b"1e400", b"9" * 400, b"0001-01-01", b"9999-12-31T23:59:59Z", b"\xff\xfe\x00", b"a" * 9000]),
    ),
    st.integers(0, 20),
    st.booleans(),
)  # fmt: skip
def test_any_octets_in_any_part_of_any_schemes_credentials(
    number: int, part: str, octets: bytes, at: int, warm: bool
) -> None:
    rng = random.Random(number)
    world = WORLDS[number](rng)
    unsigned = draft(rng)
    if warm:
        for _ in range(2):
            world.guard.verify(world.sign(unsigned, rng), unsigned.body)
            world.now += 1
    signed = Draft(world.sign(unsigned, rng), unsigned.body)
    added = [name for name, _ in signed.headers if name not in dict(unsigned.headers)] or [b"authorization"]
    spoilt(signed, added[at % len(added)], part, octets, at)
    agrees(signed.request(), world.guard, signed.body)


@pytest.mark.parametrize("make", WORLDS, ids=lambda make: make.__name__)
def test_every_broken_request_of_every_scheme_names_both_values(make: Maker) -> None:
    rng = random.Random(f"{make.__name__} named")
    for case in broken(make(rng), rng, 6):
        agrees(case.request, case.world.guard, case.body)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_mistake_of_every_scheme_names_both_values(scheme: str) -> None:
    """Records, times and replays too: what no other spelling of a genuine request comes to."""
    for case in (drawn(kind, 1) for kind in kinds(scheme, "a", tail=False)[1::2]):
        if case is not None:
            for request, body in case.before:
                case.guard.verify(request, body)
            agrees(case.request, case.guard, case.body)


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"Early-Data": "1"}, {"Content-Length": "x"}, {"Content-Length": "99999999"}, {"Host": "a, b"},
        {"X-API-Key": "x"}, {"X-API-Key": "ww_000000000000_000000000000000000000000000000004a0jIj"},
        {"Authorization": "Bearer x", "X-API-Key": "ww_000000000000_000000000000000000000000000000004a0jIj"},
        {"Authorization": "Basic Og=="}, {"Authorization": "HMAC version=1"}, {"Authorization": "x" * 20_000},
    ],
)  # fmt: skip
@pytest.mark.parametrize("together", [False, True])
def test_a_guard_of_several_schemes(fields: dict[str, str], together: bool) -> None:
    key = Key.generate("HS256")
    verifiers = [BasicVerifier(realm="r"), JWTVerifier(key), HMACVerifier(), APIKeyVerifier()]
    guard = Guard([AllOf(verifiers[1], verifiers[3])] if together else verifiers, MemoryStore())
    for method, body in (("GET", b""), ("POST", b'{"a": 1}'), ("POST", b"x" * 2_000_000)):
        agrees(Request(method, "https", "h", "/?a=b", fields), guard, body)

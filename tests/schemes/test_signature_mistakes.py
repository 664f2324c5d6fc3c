"""The signature base as `explain` describes it is the verifier's own, and whoever makes any step of it otherwise is told which."""

from __future__ import annotations

import random
from base64 import b64encode
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples_of import examples
from tests.schemes.signature_world import KEY, NOW, SECRET, guard_at, hand_signed, key_for, params, store_with
from watchword import Key, Request, SignaturePolicy, explain
from watchword.core.scheme import Check
from watchword.crypto.digests import digest
from watchword.fields.content_digest import digest_field
from watchword.schemes.explaining.computation import Computation, Leaf
from watchword.schemes.explaining.deviations import Deviation, deviations
from watchword.schemes.signatures.claim import SignatureClaim
from watchword.schemes.signatures.description import Described, described

pytestmark = pytest.mark.sweep

BODY = b'{"b": 1, "a": [1, 2]}'
FIELDS = [
    ("Content-Type", "application/json"), ("Content-Digest", digest_field({"sha-256": digest("sha-256", BODY)}).decode()),
    ("X-Tags", " a , b"), ("X-Tags", "c"), ("Priority", "u=1,  i"), ("Date", "Tue, 14 Nov 2023 22:13:20 GMT"), ("X-Empty", ""),
]  # fmt: skip
COMPONENTS = (
    '"@method"', '"@target-uri"', '"@authority"', '"@scheme"', '"@request-target"', '"@path"', '"@query"', '"@query-param";name="id"',
    '"@query-param";name="a%20b"', '"content-type"', '"content-digest"', '"content-digest";key="sha-256"', '"x-tags"', '"x-tags";bs',
    '"priority"', '"priority";sf', '"priority";key="i"', '"date"', '"x-empty"',
)  # fmt: skip
TARGETS = ("/", "/orders?id=7&a+b=c%7Ed", "/orders?id=&a%20b=1", "/a%20b/?id=1&a%20b")
EVERYTHING = Request("POST", "https", "API.example:8443", TARGETS[1], FIELDS)
POLICY = SignaturePolicy(components=(), created=False, nonce=False, body=False)


def told_by(request: Request, key: Key, body: bytes = BODY) -> tuple[SignatureClaim, Described]:
    guard = guard_at(store=store_with(key), policy=POLICY)
    case = guard.plan.explaining.locate(request)
    assert case is not None
    claim = case.claim
    assert isinstance(claim, SignatureClaim)
    return claim, described(claim, claim.presented[0], key, (), body)


@examples(150)
@given(
    st.lists(st.sampled_from(COMPONENTS), unique=True),
    st.permutations(["created", "expires", "nonce", "alg", "keyid", "tag"]),
    st.integers(0, 6),
    st.sampled_from(TARGETS[1:]),
    st.sampled_from(["api.example", "API.example:443", "api.example:8443"]),
    st.sampled_from(["https", "http"]),
)
def test_the_description_is_the_signature_base(
    covered: list[str], names: list[str], count: int, target: str, authority: str, scheme: str
) -> None:
    values = {
        "created": int(NOW),
        "expires": int(NOW) + 60,
        "nonce": 'n";created=5',
        "alg": "hmac-sha256",
        "keyid": "robot-1",
        "tag": None,
    }
    said = "".join(
        f";{name}={value}" if isinstance(value, int) else f';{name}="{value}"'.replace('n";c', 'n\\";c')
        for name, value in ((name, values[name]) for name in names[:count]) if value is not None
    )  # fmt: skip
    request = hand_signed(f"({' '.join(covered)}){said}", Request("POST", scheme, authority, target, FIELDS))
    claim, tree = told_by(request, KEY)
    one = claim.presented[0]
    assert Computation(tree.base).value(tree.base) == claim.base(one)
    assert tree.signature is not None
    assert Computation(tree.signature).value(tree.signature) == b64encode(one.signature)


def signed_with(key: Key) -> Request:
    covered = '("@method" "@scheme" "@authority" "@path" "@query" "content-type" "content-digest" "x-tags")'
    return hand_signed(f"{covered}{params(expires=int(NOW) + 60)}", EVERYTHING, key=key)


def component(each: Deviation) -> str:
    return each.component or each.node.component or each.node.name.removeprefix("the ")


def mistakes(key: Key) -> dict[bytes, set[str]]:
    """What each deviation makes of the base, or of the MAC where it is a step after the base, and how its step is called."""
    _, tree = told_by(signed_with(key), key)
    root = tree.signature or tree.base
    graph = Computation(root)
    pool = [node for node in graph.nodes if isinstance(node, Leaf) and node.kind != "literal"]
    found: dict[bytes, set[str]] = {}
    for each in (*tree.more, *(each for node in graph.nodes for each in deviations(node, graph.value(node), pool))):
        try:
            value = graph.changed(
                {node: make for node, make in ((each.node, each.make), *each.also.items()) if graph.has(node)}
            )
        except ValueError:
            continue
        if each.cost < 3 and len(value) >= 32 and (key.is_secret or each.cost <= 1.5):
            found.setdefault(value, set()).add(component(each))
    found.pop(graph.value(root), None)
    return found


@cache
def first_causes(name: str) -> tuple[dict[bytes, set[str]], Key]:
    key = KEY if name == "hmac-sha256" else key_for(name)
    return mistakes(key), key


def sent_with(request: Request, signature: bytes) -> Request:
    fields = [(name, b"sig1=:%b:" % signature if name == b"signature" else value) for name, value in request.headers]
    return Request("POST", "https", "API.example:8443", TARGETS[1], fields)


def first(request: Request, key: Key) -> Check:
    answer = explain(request, guard_at(store=store_with(key), policy=POLICY), BODY, at=NOW)
    assert not answer.accepted
    assert SECRET.hex() not in answer.to_json()
    return answer.causes[0]


@pytest.mark.parametrize(("algorithm", "count"), [("hmac-sha256", 60), ("ed25519", 12), ("ecdsa-p256-sha256", 8), ("rsa-pss-sha512", 6)])  # fmt: skip
def test_whoever_makes_a_step_otherwise_is_told_which(algorithm: str, count: int) -> None:
    found, key = first_causes(algorithm)
    request = signed_with(key)
    for value in random.Random(algorithm).sample(sorted(found), count):
        signature = value if key.is_secret else b64encode(key.sign(value))
        cause = first(sent_with(request, signature), key)
        assert any(cause.component.startswith(step) for step in found[value]), (cause, found[value], value)
        assert cause.mend

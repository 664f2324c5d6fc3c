"""A genuine token of another kind or for another purpose (RFC 8725 §2.8, §3.11; RFC 7800; RFC 9449)."""

from __future__ import annotations

import pytest

from tests.attacks.jose.forge import CLAIMS, KEY, NOW, VERIFIER, forge, refused
from watchword import JWTVerifier, Reason


@pytest.mark.parametrize(
    "typ",
    ["dpop+jwt", "logout+jwt", "secevent+jwt", "token-introspection+jwt", "oauth-authz-req+jwt", "rt+jwt", "vc+sd-jwt"],
)
def test_other_kinds_of_token_are_not_for_access(typ):
    for spelled in (typ, typ.upper(), f"application/{typ}"):
        assert refused(forge({"alg": "HS256", "typ": spelled})) is Reason.WRONG_TYPE


def test_a_kind_is_not_remembered_as_good_with_its_signature():
    token = forge({"alg": "HS256", "typ": "logout+jwt"})
    assert [refused(token), refused(token)] == [Reason.WRONG_TYPE] * 2


@pytest.mark.parametrize("typ", [None, 7, ["JWT"], {"JWT": 1}, True])
def test_a_type_is_a_text(typ):
    assert refused(forge({"alg": "HS256", "typ": typ})) is Reason.MALFORMED_CREDENTIALS


@pytest.mark.parametrize("cnf", [{"jkt": "x"}, {"x5t#S256": "x"}, {"jwk": {}}, {"kid": "k1"}, {}, None, "", 0])
def test_a_bound_token_is_not_a_bearer_token(cnf):
    assert refused(forge({"alg": "HS256"}, {**CLAIMS, "cnf": cnf})) is Reason.BINDING_MISSING


def test_a_token_for_another_audience_is_refused_with_and_without_one_of_our_own():
    token = forge({"alg": "HS256"}, {**CLAIMS, "aud": "https://other.example"})
    assert refused(token) is Reason.WRONG_AUDIENCE
    assert refused(token, JWTVerifier(KEY, audience="orders", clock=lambda: NOW)) is Reason.WRONG_AUDIENCE


@pytest.mark.parametrize("aud", ["order", "orders ", "ORDERS", "orders,accounts", ["order", "s"], [["orders"]]])
def test_an_audience_is_compared_whole(aud):
    token = forge({"alg": "HS256"}, {**CLAIMS, "aud": aud})
    assert refused(token, JWTVerifier(KEY, audience="orders", clock=lambda: NOW)) in (
        Reason.WRONG_AUDIENCE, Reason.WRONG_CLAIM,
    )  # fmt: skip


def test_claims_are_judged_only_under_a_good_signature():
    """A forged token never learns which of its claims were wrong."""
    forged = forge({"alg": "HS256", "typ": "dpop+jwt"}, {"sub": 7, "exp": 1, "cnf": {}}, secret=b"x" * 32)
    assert refused(forged) is Reason.WRONG_SIGNATURE


def test_encrypted_and_nested_tokens_are_not_taken_for_signed_ones():
    assert refused("a.b.c.d.e") is Reason.MALFORMED_CREDENTIALS
    nested = forge({"alg": "HS256", "cty": "JWT"}, VERIFIER_TOKEN.encode())
    assert refused(nested) is Reason.MALFORMED_CREDENTIALS


VERIFIER_TOKEN = forge({"alg": "HS256"})


def test_the_same_claims_unforged_are_accepted():
    assert VERIFIER.verify(VERIFIER_TOKEN).subject == "admin"

"""Whatever is sent to a program on the drop-in for python-jose: claims, or the one error that it catches."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from tests.attacks.jose.forge import SECRET, forge
from tests.attacks.jose.sealed import seal
from watchword.dropin.jose import jwe, jws, jwt
from watchword.dropin.jose.exceptions import JWEError, JWSError, JWTError

HMAC = ["HS256", "HS384", "HS512"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["HS256", "b64", "zip"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
NAMES = ("alg", "typ", "kid", "crit", "b64", "cty", "zip", "enc", "jwk")
CLAIMS = ("exp", "nbf", "iat", "aud", "iss", "sub", "jti", "at_hash", "cnf")


@given(st.text() | st.binary() | JSON)
def test_any_value_in_place_of_a_token(value):
    for call, error in (
        (lambda: jwt.decode(value, SECRET, HMAC), JWTError), (lambda: jws.verify(value, SECRET, HMAC), JWSError),
        (lambda: jwe.decrypt(value, SECRET), JWEError), (lambda: jwt.get_unverified_claims(value), JWTError),
        (lambda: jwe.get_unverified_header(value), JWEError),
    ):  # fmt: skip
        try:
            call()
        except error:
            continue
        raise AssertionError("nobody signed or encrypted this")


@given(
    st.dictionaries(st.sampled_from(NAMES), JSON, max_size=4),
    st.dictionaries(st.sampled_from(CLAIMS), JSON, max_size=5),
)
def test_any_header_and_any_claims_that_are_signed(header, claims):
    try:
        read = jwt.decode(
            forge({"alg": "HS256", **header}, claims), SECRET, HMAC, None, "orders", {"issuer"}, "alice", "access token"
        )
    except JWTError:
        return
    assert json.dumps(read, sort_keys=True) == json.dumps(claims, sort_keys=True)
    assert {read["aud"] if isinstance(read["aud"], str) else "orders", read["iss"], read["sub"]} == {
        "orders",
        "issuer",
        "alice",
    }


@given(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=4))
def test_any_header_of_what_is_encrypted(header):
    try:
        assert jwe.decrypt(seal({"alg": "dir", "enc": "A256GCM", **header}, SECRET), SECRET) == b"hello"
    except JWEError:
        return
    assert {"crit", "zip"}.isdisjoint(header)

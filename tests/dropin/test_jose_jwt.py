"""python-jose's `jose.jwt`: claims, options and errors."""

from __future__ import annotations

import time
import warnings
from datetime import UTC, datetime, timedelta

import pytest

from watchword import Key
from watchword.dropin.jose import constants, exceptions, jwk, jws, jwt, utils
from watchword.dropin.jose.exceptions import (
    ExpiredSignatureError, InsecureKeyLengthWarning, JWKError, JWSError, JWTClaimsError, JWTError, JWTKeyError,
)  # fmt: skip

SECRET = "at least thirty-two octets of secret"
HS256 = ["HS256"]


def read(claims, options=None, **arguments):
    """The claims, once they were signed and verified."""
    return jwt.decode(jwt.encode(claims, SECRET), SECRET, HS256, options, **arguments)


def refusal(claims, options=None, error=JWTClaimsError, **arguments):
    with pytest.raises(error) as caught:
        read(claims, options, **arguments)
    assert type(caught.value) is error
    return str(caught.value)


def test_a_token_is_written_byte_for_byte_as_python_jose_does():
    assert (
        jwt.encode({"a": "b"}, SECRET, headers={"kid": "k1", "b": 1})
        == "eyJhbGciOiJIUzI1NiIsImIiOjEsImtpZCI6ImsxIiwidHlwIjoiSldUIn0.eyJhIjoiYiJ9."
        "RZcPU5GylEFjICKkAUWfteWAQ0I9l3B9Z_cwvMNrtdw"
    )


def test_the_claims_that_are_given_are_not_changed():
    claims = {"exp": datetime.now(UTC) + timedelta(hours=1)}
    token = jwt.encode(claims, SECRET, access_token="token")
    assert isinstance(claims["exp"], datetime)
    assert list(claims) == ["exp"]
    assert isinstance(jwt.get_unverified_claims(token)["exp"], int)


def test_the_algorithms_have_to_be_named():
    token = jwt.encode({"sub": "alice"}, SECRET)
    for without in ({}, {"algorithms": None}, {"algorithms": []}, {"algorithms": ["RS256"]}, {"algorithms": ""}):
        with pytest.raises(JWTError):
            jwt.decode(token, SECRET, **without)
    for named in ("HS256", ["HS256"], ("RS256", "HS256"), {"HS256"}):
        assert jwt.decode(token, SECRET, algorithms=named)["sub"] == "alice"
    assert jwt.decode(token, SECRET, options={"verify_signature": False})["sub"] == "alice"


def test_a_text_names_one_algorithm_and_no_part_of_it():
    """python-jose looks for the token's algorithm anywhere in the text."""
    token = jwt.encode({"sub": "alice"}, SECRET)
    with pytest.raises(JWTError, match="not allowed"):
        jwt.decode(token, SECRET, algorithms="HS256 RS256")


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["tomorrow", None, [], {}, True, "1_000", 1e300, "9" * 400, -1e12])
def test_a_date_that_is_none_is_refused(name, value):
    assert "must be an integer" in refusal({name: value})


def test_times_are_compared_with_leeway():
    now = time.time()
    assert "expired" in refusal({"exp": now - 5}, error=ExpiredSignatureError)
    assert "nbf" in refusal({"nbf": now + 5})
    for leeway in (10, timedelta(seconds=10)):
        assert read({"exp": now - 5, "nbf": now + 5}, {"leeway": leeway})
    assert read({"exp": now - 5}, {"verify_exp": False})
    assert read({"nbf": now + 5}, {"verify_nbf": False})
    assert read({"iat": now + 60, "exp": str(int(now + 60))})
    for leeway in (float("nan"), "10", None):
        with pytest.raises(TypeError, match="leeway"):
            read({}, {"leeway": leeway})


def test_audience_issuer_and_subject_are_compared_whole():
    claims = {"aud": ["orders", "billing"], "iss": "https://issuer.example", "sub": "alice"}
    right = {"audience": "orders", "issuer": "https://issuer.example", "subject": "alice"}
    assert read(claims, **right) == claims
    assert read(claims, **{**right, "issuer": ["https://other.example", "https://issuer.example"]}) == claims
    for wrong in (
        {"audience": "order"}, {"audience": "ORDERS"}, {"audience": None}, {"issuer": "https://issuer.example/more"},
        {"issuer": "issuer"}, {"issuer": []}, {"subject": "alic"}, {"subject": ""},
    ):  # fmt: skip
        refusal(claims, **{**right, **wrong})
    for odd in ({"aud": 7}, {"aud": ["orders", 7]}, {"aud": {"orders": 1}}, {"sub": 7}, {"jti": 7}):
        refusal({**claims, **odd}, **right)
    refusal({"iss": ["https://issuer.example"]}, issuer="https://issuer.example")
    assert "string or None" in refusal(claims, error=JWTError, audience=["orders"])


@pytest.mark.parametrize("name", ["aud", "sub"])
def test_what_is_asked_for_has_to_be_there_unless_it_is_said_that_it_need_not(name):
    asked = {"audience" if name == "aud" else "subject": "orders"}
    assert f"require_{name}" in refusal({}, **asked)
    assert read({}, {f"require_{name}": False}, **asked) == {}
    assert read({}, {f"verify_{name}": False}, **asked) == {}


def test_a_required_claim_is_looked_at_whatever_else_is_said():
    options = {"require_exp": True, "verify_exp": False}
    assert "exp" in refusal({}, options, error=JWTError)
    refusal({"exp": 1}, options, error=ExpiredSignatureError)


def test_at_hash_is_that_of_the_access_token():
    token = jwt.encode({}, SECRET, access_token="token")
    assert jwt.get_unverified_claims(token)["at_hash"] == utils.calculate_at_hash(
        "token", constants.ALGORITHMS.HASHES["HS256"]
    )
    assert jwt.decode(token, SECRET, HS256, access_token="token")
    assert jwt.decode(token, SECRET, HS256, {"verify_at_hash": False})
    for wrong in (None, "", "other"):
        with pytest.raises(JWTClaimsError):
            jwt.decode(token, SECRET, HS256, access_token=wrong)


TOKEN = jwt.encode({"sub": "alice"}, SECRET)


@pytest.mark.parametrize(
    "changed", ["", ".", "..", "a.b.c", TOKEN + ".", TOKEN * 900, "é" * 9, b"\xff.\xff.\xff", None, 7]
)
def test_whatever_is_no_token_is_refused_by_the_one_error(changed):
    """A program that catches `JWTError` answers 401, whatever was sent."""
    for call in (
        lambda given: jwt.decode(given, SECRET, HS256), jwt.get_unverified_header, jwt.get_unverified_headers,
        jwt.get_unverified_claims,
    ):  # fmt: skip
        with pytest.raises(JWTError):
            call(changed)


def test_a_key_that_can_not_be_used_is_both_a_refused_token_and_a_wrong_key():
    with pytest.raises(JWTKeyError) as caught:
        jwt.decode(jwt.encode({}, SECRET), {"kty": "RSA"}, HS256)
    assert isinstance(caught.value, JWTError)
    assert isinstance(caught.value, JWKError)
    with pytest.raises(JWSError):
        jwt.encode({}, "no PEM", "RS256")


def test_texts_for_people_are_python_joses():
    with pytest.raises(JWTError, match=r"Signature verification failed\."):
        jwt.decode(jwt.encode({}, SECRET), SECRET[::-1], HS256)
    with pytest.raises(JWTError, match="Not enough segments"):
        jwt.decode("a", SECRET, HS256)
    with pytest.raises(JWTError, match=r"Error decoding token headers\."):
        jwt.get_unverified_header("a")
    with pytest.raises(JWSError, match="not supported"):
        jwt.encode({}, SECRET, "none")


@pytest.mark.parametrize("claims", [{"x": float("nan")}, {"x": float("inf")}])
def test_numbers_that_json_can_not_say_are_not_written(claims):
    with pytest.raises(ValueError, match="JSON"):
        jwt.encode(claims, SECRET)


def test_a_short_secret_is_warned_of_and_refused_where_the_warning_is_an_error():
    with pytest.warns(InsecureKeyLengthWarning, match="32 bytes"):
        token = jwt.encode({"sub": "alice"}, "secret")
    with pytest.warns(InsecureKeyLengthWarning, match="32 bytes"):
        assert jwt.decode(token, "secret", HS256) == {"sub": "alice"}
    with warnings.catch_warnings():
        warnings.simplefilter("error", InsecureKeyLengthWarning)
        with pytest.raises(InsecureKeyLengthWarning):
            jwt.encode({}, "secret")
        with pytest.raises(InsecureKeyLengthWarning):
            jwt.decode(token, "secret", HS256)


def test_our_own_keys_are_taken_for_their_own_algorithm():
    key = Key.generate("HS256", key_id="k1")
    token = jwt.encode({"sub": "alice"}, key)
    assert jwt.decode(token, key, HS256) == {"sub": "alice"}
    assert jwt.decode(token, jwk.construct(key), HS256) == {"sub": "alice"}
    with pytest.raises(JWSError, match="for HS256"):
        jwt.encode({}, key, "HS384")
    other = jwt.encode({}, Key.generate("HS384"), "HS384")
    for held in (key, jwk.construct(key)):
        with pytest.raises(JWTKeyError, match="for HS256"):
            jwt.decode(other, held, ["HS384"])


def test_a_program_may_replace_jws_verify():
    """As tests of programs do."""
    original = jws.verify
    try:
        jws.verify = lambda token, key, algorithms, verify=True: b'{"sub": "mallory"}'
        assert jwt.decode(jwt.encode({}, SECRET), SECRET, HS256) == {"sub": "mallory"}
    finally:
        jws.verify = original


def test_every_exception_has_the_ancestor():
    for name in exceptions.__all__:
        kind = getattr(exceptions, name)
        assert issubclass(kind, (exceptions.JOSEError, InsecureKeyLengthWarning))

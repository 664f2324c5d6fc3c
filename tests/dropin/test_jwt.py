"""PyJWT's names: what correct programs do works, and what is refused is refused by PyJWT's exceptions."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from watchword import ConfigurationError, Key
from watchword.crypto import jose
from watchword.dropin import jwt

SECRET = "at least thirty-two octets of secret"
HS = ["HS256"]


@pytest.fixture(scope="module")
def pair():
    key = ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private, key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)


def test_the_articles_claims_round_trip_without_a_subject():
    token = jwt.encode({"username": "user123"}, SECRET, algorithm="HS256")
    assert isinstance(token, str)
    assert jwt.decode(token, SECRET, algorithms=HS) == {"username": "user123"}
    assert jwt.decode(token.encode(), SECRET.encode(), HS) == {"username": "user123"}
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}


def test_decode_complete_gives_all_three_parts():
    token = jwt.encode({"a": 1}, SECRET, headers={"kid": "k1"})
    found = jwt.decode_complete(token, SECRET, algorithms=HS)
    assert found["header"] == {"alg": "HS256", "typ": "JWT", "kid": "k1"}
    assert (found["payload"], len(found["signature"])) == ({"a": 1}, 32)


def test_pem_keys_and_our_own_keys(pair):
    private, public = pair
    token = jwt.encode({"a": 1}, private, algorithm="ES256")
    assert jwt.decode(token, public, algorithms=["RS256", "ES256"]) == {"a": 1}
    assert jwt.decode(token, Key.from_pem(public, algorithm="ES256"), algorithms=["ES256"]) == {"a": 1}
    with pytest.raises(jwt.InvalidKeyError, match="for ES256"):
        jwt.encode({}, Key.from_pem(public, algorithm="ES256"), algorithm="HS256")
    with pytest.raises(jwt.InvalidKeyError, match="public key"):
        jwt.encode({}, public, algorithm="ES256")


def test_dates_are_converted():
    moment = datetime(2030, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    token = jwt.encode({"exp": moment, "nbf": moment - timedelta(days=9999)}, SECRET)
    assert jwt.decode(token, SECRET, algorithms=HS)["exp"] == int(moment.timestamp())


def test_a_short_secret_is_warned_of_with_its_mend():
    with pytest.warns(jwt.InsecureKeyLengthWarning, match=r"below .* 32 bytes.*Key\.generate"):
        token = jwt.encode({"a": 1}, "your_secret_key")
    with pytest.warns(jwt.InsecureKeyLengthWarning, match="15 bytes"):
        assert jwt.decode(token, "your_secret_key", algorithms=HS) == {"a": 1}


def test_a_short_secret_is_refused_where_that_is_enforced():
    enforcing = {"enforce_minimum_key_length": True}
    for call in (
        lambda: jwt.PyJWT(enforcing).encode({}, "your_secret_key"),
        lambda: jwt.PyJWT(enforcing).decode(jwt.encode({}, SECRET), "x", algorithms=HS),
        lambda: jwt.decode(jwt.encode({}, SECRET), "x", algorithms=HS, options=enforcing),
        lambda: jwt.PyJWS(options=enforcing).encode(b"", "your_secret_key"),
    ):
        for _ in range(2):  # also when it is remembered
            with pytest.raises(jwt.InvalidKeyError, match=r"below .*Key\.generate") as caught:
                call()
            assert isinstance(caught.value, ConfigurationError)


def test_a_public_key_is_no_secret(pair):
    for options in ({}, {"enforce_minimum_key_length": True}, {"enforce_minimum_key_length": False}):
        with pytest.raises(jwt.InvalidKeyError, match="no secret"):
            jwt.decode(jwt.encode({}, SECRET), pair[1], algorithms=["HS256", "ES256"], options=options)


@pytest.mark.parametrize("algorithm", ["none", "NONE", "HS1", ""])
def test_unknown_algorithms_are_refused(algorithm):
    with pytest.raises(jwt.InvalidAlgorithmError):
        jwt.encode({}, SECRET, algorithm=algorithm)


def test_decode_demands_its_algorithms():
    for algorithms in (None, []):
        with pytest.raises(jwt.DecodeError, match="algorithms"):
            jwt.decode(jwt.encode({}, SECRET), SECRET, algorithms=algorithms)


NOW = int(time.time())


@pytest.mark.parametrize(
    ("claims", "options", "error"),
    [
        ({"exp": NOW - 1}, {}, jwt.ExpiredSignatureError),
        ({"exp": NOW - 1}, {"leeway": 86_400}, None),
        ({"exp": NOW - 1}, {"leeway": timedelta(days=1)}, None),
        ({"exp": NOW - 1}, {"options": {"verify_exp": False}}, None),
        ({"exp": "soon"}, {}, jwt.DecodeError),
        ({"nbf": NOW + 86_400}, {}, jwt.ImmatureSignatureError),
        ({"nbf": NOW + 86_400}, {"options": {"verify_nbf": False}}, None),
        ({"iat": NOW + 86_400}, {}, jwt.ImmatureSignatureError),
        ({"iat": "x"}, {}, jwt.InvalidIssuedAtError),
        ({"iat": "x"}, {"options": {"verify_iat": False}}, None),
        ({"aud": "a"}, {}, jwt.InvalidAudienceError),
        ({"aud": "a"}, {"audience": "a"}, None),
        ({"aud": ["b", "a"]}, {"audience": ["x", "a"]}, None),
        ({"aud": "a"}, {"audience": "b"}, jwt.InvalidAudienceError),
        ({"aud": 7}, {"audience": "b"}, jwt.InvalidAudienceError),
        ({"aud": "a"}, {"options": {"verify_aud": False}}, None),
        ({}, {"audience": "a"}, jwt.MissingRequiredClaimError),
        ({"iss": "i"}, {"issuer": "i"}, None),
        ({"iss": "i"}, {"issuer": ["h", "i"]}, None),
        ({"iss": "i"}, {"issuer": "j"}, jwt.InvalidIssuerError),
        ({"iss": "i"}, {"issuer": "j", "options": {"verify_iss": False}}, None),
        ({}, {"issuer": "j"}, jwt.MissingRequiredClaimError),
        ({}, {"options": {"require": ["exp"]}}, jwt.MissingRequiredClaimError),
        ({"sub": 7}, {}, jwt.InvalidSubjectError),
        ({"sub": 7}, {"options": {"verify_sub": False}}, None),
        ({"sub": "a"}, {"subject": "a"}, None),
        ({"sub": "a"}, {"subject": "b"}, jwt.InvalidSubjectError),
        ({}, {"subject": "b"}, jwt.MissingRequiredClaimError),
        ({"cnf": {}}, {}, jwt.InvalidTokenError),
    ],
)
def test_claims_are_checked_by_pyjwts_rules(claims, options, error):
    token = jwt.encode(claims, SECRET)
    if error is None:
        assert jwt.decode(token, SECRET, algorithms=HS, **options) == claims
        return
    with pytest.raises(error) as caught:
        jwt.decode(token, SECRET, algorithms=HS, **options)
    assert isinstance(caught.value, jwt.InvalidTokenError)
    assert type(caught.value) is error


def test_a_missing_claim_is_named():
    with pytest.raises(jwt.MissingRequiredClaimError, match='"exp"') as caught:
        jwt.decode(jwt.encode({}, SECRET), SECRET, algorithms=HS, options={"require": ["exp"]})
    assert caught.value.claim == "exp"


def test_forgeries_are_refused():
    token = jwt.encode({"a": 1}, SECRET)
    head, payload, signature = token.split(".")
    other = jwt.encode({"a": 2}, SECRET).split(".")[1]
    for forged, error in (
        (f"{head}.{other}.{signature}", jwt.InvalidSignatureError), (f"{head}.{payload}.", jwt.InvalidSignatureError),
        (f"{head}.{payload}", jwt.DecodeError), ("", jwt.DecodeError), (f"{token}.x", jwt.DecodeError),
        ("x" * 20000, jwt.DecodeError), (None, jwt.DecodeError),
    ):  # fmt: skip
        with pytest.raises(error):
            jwt.decode(forged, SECRET, algorithms=HS)
    with pytest.raises(jwt.InvalidAlgorithmError):
        jwt.decode(token, SECRET, algorithms=["HS512"])
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, SECRET + "!", algorithms=HS)


def test_an_unsecured_token_is_refused_even_if_asked_for():
    unsecured = "eyJhbGciOiJub25lIn0.e30."
    for algorithms in (["none"], ["HS256", "none"]):
        with pytest.raises(jwt.InvalidAlgorithmError):
            jwt.decode(unsecured, SECRET, algorithms=algorithms)


def test_a_payload_has_to_be_an_object():
    key = Key.from_secret(SECRET, algorithm="HS256")
    for payload in (b"[]", b'{"a":1,"a":2}', b"x"):
        with pytest.raises(jwt.DecodeError, match="payload"):
            jwt.decode(jose.sign(payload, key), SECRET, algorithms=HS)
    with pytest.raises(TypeError):
        jwt.encode([], SECRET)


def test_reading_without_verifying_has_to_be_asked_for_by_name():
    token = jwt.encode({"exp": 1, "aud": "a"}, SECRET)
    unverified = {"verify_signature": False}
    assert jwt.decode(token, options=unverified) == {"exp": 1, "aud": "a"}
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(token, options={**unverified, "verify_exp": True})


@given(st.one_of(st.text(max_size=60), st.binary(max_size=60)))
def test_any_token_is_refused_by_an_invalid_token_error(token):
    with pytest.raises(jwt.InvalidTokenError):
        jwt.decode(token, SECRET, algorithms=HS)
    with pytest.raises(jwt.DecodeError):
        jwt.get_unverified_header(token)


def test_nothing_of_a_token_or_key_is_in_the_errors():
    token = jwt.encode({"password": "hunter2"}, SECRET)
    with pytest.raises(jwt.InvalidSignatureError) as caught:
        jwt.decode(token, SECRET[::-1], algorithms=HS)
    assert token.split(".")[1] not in json.dumps(str(caught.value))
    assert SECRET[::-1] not in str(caught.value)
    assert caught.value.__suppress_context__

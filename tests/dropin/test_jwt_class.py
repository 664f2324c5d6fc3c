"""The rest of PyJWT's surface: the class with options, encoders, subclasses, warnings, submodules."""

from __future__ import annotations

import importlib
import json
import time
import uuid
import zlib
from datetime import timedelta
from decimal import Decimal

import pytest

from watchword import ConfigurationError, Key
from watchword.crypto import jose
from watchword.dropin import jwt
from watchword.dropin.jwt import utils
from watchword.dropin.jwt.warnings import RemovedInPyjwt3Warning

SECRET = "at least thirty-two octets of secret"
HS = ["HS256"]
NOW = int(time.time())


def signed(claims):
    """A token with any claims, also those that `encode` doesn't write."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return jose.sign(payload, Key.from_secret(SECRET, algorithm="HS256"))


def test_options_of_an_object_hold_for_each_call_that_does_not_say_otherwise():
    token = jwt.encode({"exp": 1, "aud": "a"}, SECRET)
    lax = jwt.PyJWT(options={"verify_exp": False, "verify_aud": False})
    assert lax.decode(token, SECRET, algorithms=HS)["exp"] == 1
    with pytest.raises(jwt.ExpiredSignatureError):
        lax.decode(token, SECRET, algorithms=HS, options={"verify_exp": True})
    with pytest.raises(jwt.MissingRequiredClaimError):
        jwt.PyJWT({"require": ["jti"]}).decode(jwt.encode({}, SECRET), SECRET, HS)


def test_options_are_not_changed_and_a_signature_is_verified_again_when_they_say_so():
    options = {"verify_signature": False}
    token = jwt.encode({"exp": 1}, SECRET)
    assert jwt.decode(token, options=options) == {"exp": 1}
    assert options == {"verify_signature": False}
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(token, SECRET, algorithms=HS, options={**options, "verify_signature": True})
    with pytest.raises(jwt.DecodeError, match="algorithms"):
        jwt.PyJWT(options).decode(token, options={"verify_signature": True})


@pytest.mark.parametrize(
    ("claims", "options", "error"),
    [
        ({"jti": 7}, {}, jwt.InvalidJTIError),
        ({"jti": 7}, {"options": {"verify_jti": False}}, None),
        ({"jti": "a"}, {"options": {"require": ["jti"]}}, None),
        ({"jti": None}, {"options": {"require": "jti"}}, jwt.MissingRequiredClaimError),
        ({"aud": "a"}, {"audience": "a", "options": {"strict_aud": True}}, None),
        ({"aud": "a"}, {"audience": "b", "options": {"strict_aud": True}}, jwt.InvalidAudienceError),
        ({"aud": ["a"]}, {"audience": "a", "options": {"strict_aud": True}}, jwt.InvalidAudienceError),
        ({"aud": "a"}, {"audience": ["a"], "options": {"strict_aud": True}}, jwt.InvalidAudienceError),
        ({"aud": None}, {}, None),
        ({"aud": []}, {}, None),
        ({"aud": None}, {"audience": "a"}, jwt.MissingRequiredClaimError),
        ({"aud": "a"}, {"audience": []}, jwt.InvalidAudienceError),
        ({"aud": "a"}, {"audience": b"a"}, jwt.InvalidAudienceError),
        ({"aud": ["a", 7]}, {"audience": "a"}, jwt.InvalidAudienceError),
        ({"aud": {"a": 1}}, {"audience": "a"}, jwt.InvalidAudienceError),
        ({"aud": "admin"}, {"audience": "admin-orders"}, jwt.InvalidAudienceError),
        ({"iss": "i"}, {"issuer": {"i": 1}}, None),
        ({"iss": "i"}, {"issuer": []}, jwt.InvalidIssuerError),
        ({"iss": "i"}, {"issuer": "idle"}, jwt.InvalidIssuerError),
        ({"iss": ["i"]}, {"issuer": "i"}, jwt.InvalidIssuerError),
        ({"iss": "7"}, {"issuer": 7}, jwt.InvalidIssuerError),
        ({"iss": "7"}, {"issuer": b"7"}, jwt.InvalidIssuerError),
        ({"exp": str(NOW + 86_400)}, {}, None),
        ({"exp": str(NOW - 60)}, {}, jwt.ExpiredSignatureError),
        ({"exp": NOW + 86_400.5}, {}, None),
        ({"exp": True}, {}, jwt.DecodeError),
        ({"exp": [NOW + 86_400]}, {}, jwt.DecodeError),
        ({"exp": None}, {}, jwt.DecodeError),
        ({"exp": 10**30}, {}, jwt.DecodeError),
        ({"exp": "9" * 5000}, {}, jwt.DecodeError),
        ({"exp": "٣" * 9}, {}, jwt.DecodeError),
        ({"nbf": "x"}, {}, jwt.DecodeError),
        ({"nbf": NOW + 86_400}, {"leeway": timedelta(days=2)}, None),
        ({"iat": None}, {}, jwt.InvalidIssuedAtError),
        ({"iat": "1638202770"}, {}, None),
        ({"cnf": None}, {}, jwt.InvalidTokenError),
        ({"cnf": {"jkt": "x"}}, {"options": {"verify_cnf": False}}, None),
    ],
)
def test_claims(claims, options, error):
    token = signed(claims)
    if error is None:
        assert jwt.decode(token, SECRET, algorithms=HS, **options) == claims
        return
    with pytest.raises(error) as caught:
        jwt.decode(token, SECRET, algorithms=HS, **options)
    assert type(caught.value) is error


def test_the_first_thing_that_is_wrong_is_said_in_pyjwts_order():
    wrong = {"exp": 1, "nbf": NOW + 86_400, "iat": "x", "iss": 1, "aud": 1, "sub": 1, "jti": 1}
    expected = {
        "iat": jwt.InvalidIssuedAtError, "nbf": jwt.ImmatureSignatureError, "exp": jwt.ExpiredSignatureError,
        "iss": jwt.InvalidIssuerError, "aud": jwt.InvalidAudienceError, "sub": jwt.InvalidSubjectError,
        "jti": jwt.InvalidJTIError,
    }  # fmt: skip
    for name, error in expected.items():
        with pytest.raises(error):
            jwt.decode(signed(wrong), SECRET, algorithms=HS, issuer="i", audience="a")
        del wrong[name]
        wrong |= {"iss": "i"} if name == "iss" else {"aud": "a"} if name == "aud" else {}
    assert jwt.decode(signed(wrong), SECRET, algorithms=HS, issuer="i", audience="a") == wrong


def test_a_bound_tokens_refusal_says_what_to_do():
    with pytest.raises(jwt.InvalidTokenError, match="JWTVerifier.*verify_cnf"):
        jwt.decode(signed({"cnf": {"jkt": "x"}}), SECRET, algorithms=HS)


@pytest.mark.parametrize("leeway", [float("nan"), float("inf"), "5", None, [5]])
def test_a_leeway_under_which_no_token_expires_is_refused(leeway):
    with pytest.raises(TypeError, match="leeway"):
        jwt.decode(signed({"exp": 1}), SECRET, algorithms=HS, leeway=leeway)


def test_an_audience_is_text():
    with pytest.raises(TypeError, match="audience"):
        jwt.decode(signed({}), SECRET, algorithms=HS, audience=7)


def test_algorithms_may_be_one_text_and_are_compared_whole():
    token = jwt.encode({"a": 1}, SECRET)
    assert jwt.decode(token, SECRET, algorithms="HS256") == {"a": 1}
    with pytest.raises(jwt.InvalidAlgorithmError):
        jwt.decode(token, SECRET, algorithms="XHS256X")


def test_headers_are_written_as_they_are_said():
    token = jwt.encode({}, SECRET, headers={"typ": "at+jwt", "kid": "k", "b": [1], "alg": "HS256"})
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "at+jwt", "kid": "k", "b": [1]}
    for typ in (None, ""):
        assert jwt.get_unverified_header(jwt.encode({}, SECRET, headers={"typ": typ})) == {"alg": "HS256"}
    named = {"z": 1, "a": 2}
    head = jose.decode(jwt.encode({}, SECRET, headers=named).split(".")[0].encode(), "header")
    assert head == b'{"a":2,"alg":"HS256","typ":"JWT","z":1}'
    head = jose.decode(jwt.encode({}, SECRET, headers=named, sort_headers=False).split(".")[0].encode(), "header")
    assert head == b'{"typ":"JWT","alg":"HS256","z":1,"a":2}'


@pytest.mark.parametrize(
    "headers", [{"kid": 7}, {"b64": False}, {"crit": []}, {"crit": ["x"]}, {"crit": "alg"}, {"alg": "none"}]
)
def test_headers_that_nobody_could_verify_are_refused(headers):
    with pytest.raises(jwt.InvalidTokenError):
        jwt.encode({}, SECRET, headers=headers)


def test_crit_may_be_written_and_is_refused_when_read():
    token = jwt.encode({}, SECRET, headers={"crit": ["x-mfa"], "x-mfa": 1})
    for call in (lambda: jwt.decode(token, SECRET, algorithms=HS), lambda: jwt.get_unverified_header(token)):
        with pytest.raises(jwt.InvalidTokenError, match="Unsupported critical extension.*x-mfa"):
            call()


def test_an_encoder_of_ones_own():
    class Encoder(json.JSONEncoder):
        def default(self, value):
            return str(value) if isinstance(value, (Decimal, uuid.UUID)) else super().default(value)

    token = jwt.encode({"price": Decimal("2.50")}, SECRET, json_encoder=Encoder, headers={"x": uuid.UUID(int=7)})
    assert jwt.decode(token, SECRET, algorithms=HS) == {"price": "2.50"}
    assert jwt.get_unverified_header(token)["x"] == str(uuid.UUID(int=7))
    with pytest.raises(TypeError):
        jwt.encode({"price": Decimal("2.50")}, SECRET)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_json_has_not_are_refused(value):
    with pytest.raises(ValueError, match="JSON"):
        jwt.encode({"a": value}, SECRET)


def test_an_issuer_is_text():
    with pytest.raises(TypeError, match="iss"):
        jwt.encode({"iss": 7}, SECRET)


def test_a_subclass_may_write_and_read_its_payload_otherwise():
    class Compressed(jwt.PyJWT):
        def _encode_payload(self, payload, headers=None, json_encoder=None):
            return zlib.compress(super()._encode_payload(payload, headers=headers, json_encoder=json_encoder))

        def _decode_payload(self, decoded):
            return super()._decode_payload({**decoded, "payload": zlib.decompress(decoded["payload"])})

    token = Compressed().encode({"a": 1}, SECRET)
    assert Compressed().decode(token, SECRET, algorithms=HS) == {"a": 1}
    with pytest.raises(jwt.DecodeError, match="payload"):
        jwt.decode(token, SECRET, algorithms=HS)


def test_arguments_that_do_nothing_are_warned_of():
    token = jwt.encode({}, SECRET)
    for call in (jwt.decode, jwt.decode_complete):
        with pytest.warns(RemovedInPyjwt3Warning, match="other") as warned:
            call(token, SECRET, HS, other=1)
        assert len(warned) == 1
        with pytest.warns(DeprecationWarning, match="verify="):
            call(token, SECRET, HS, verify=False)
    assert jwt.decode(token, SECRET, HS, verify=True) == {}


def test_octets_that_are_no_claims():
    jws = jwt.PyJWS()
    token = jws.encode(b"\x00 any octets", SECRET)
    assert jws.decode(token, SECRET, algorithms=HS) == b"\x00 any octets"
    assert jws.get_unverified_header(token)["alg"] == "HS256"
    with pytest.raises(jwt.InvalidSignatureError):
        jws.decode(token, SECRET + "!", algorithms=HS)


@pytest.mark.parametrize("how", [{"is_payload_detached": True}, {"headers": {"b64": False}}])
def test_a_detached_payload_is_signed_unencoded_and_verified_from_elsewhere(how):
    jws = jwt.PyJWS()
    token = jws.encode(b"$.02", SECRET, **how)
    assert token.split(".")[1] == ""
    assert jws.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT", "b64": False, "crit": ["b64"]}
    assert jws.decode(token, SECRET, algorithms=HS, detached_payload=b"$.02") == b"$.02"
    assert jose.verify(token, Key.from_secret(SECRET, algorithm="HS256"), payload=b"$.02").payload == b"$.02"
    with pytest.raises(jwt.InvalidSignatureError):
        jws.decode(token, SECRET, algorithms=HS, detached_payload=b"$.03")
    with pytest.raises(jwt.DecodeError, match="detached_payload"):
        jws.decode(token, SECRET, algorithms=HS)
    with pytest.raises(jwt.DecodeError, match="only valid"):
        jws.decode(jws.encode(b"", SECRET), SECRET, algorithms=HS, detached_payload=b"")
    head, _, tail = token.split(".")
    with pytest.raises(jwt.DecodeError, match="must be empty"):
        jws.decode(f"{head}.JC4wMg.{tail}", SECRET, algorithms=HS, detached_payload=b"$.02")


class Reversed(jwt.algorithms.Algorithm):
    """An algorithm of somebody's own."""

    def prepare_key(self, key):
        return key

    def check_key_length(self, key):
        return None if len(key) > 3 else "too short for Reversed"

    def sign(self, msg, key):
        return key + msg[::-1]

    def verify(self, msg, key, sig):
        return sig == self.sign(msg, key)


def test_an_algorithm_of_ones_own_belongs_to_one_object():
    jws = jwt.PyJWS()
    jws.register_algorithm("REV", Reversed())
    token = jws.encode(b"octets", b"long", algorithm="REV")
    assert jws.decode(token, b"long", algorithms=["REV"]) == b"octets"
    with pytest.raises(jwt.InvalidSignatureError):
        jws.decode(token, b"other", algorithms=["REV"])
    with pytest.warns(jwt.InsecureKeyLengthWarning, match="Reversed"):
        jws.encode(b"octets", b"abc", algorithm="REV")
    with pytest.raises(jwt.InvalidAlgorithmError):
        jwt.PyJWS().decode(token, b"long", algorithms=["REV"])
    with pytest.raises(ValueError, match="already"):
        jws.register_algorithm("REV", Reversed())
    with pytest.raises(TypeError):
        jws.register_algorithm("OTHER", object())
    jws.unregister_algorithm("REV")
    with pytest.raises(NotImplementedError):
        jws.encode(b"octets", b"long", algorithm="REV")
    with pytest.raises(KeyError):
        jws.unregister_algorithm("REV")


@pytest.mark.parametrize("name", ["none", "NONE", "None"])
def test_none_stays_refused_whatever_is_registered(name):
    jws = jwt.PyJWS()
    with pytest.raises(ValueError, match="already"):
        jws.register_algorithm(name, Reversed())
    jws.unregister_algorithm("none")
    with pytest.raises(ValueError, match="already"):
        jws.register_algorithm(name, Reversed())
    none = jwt.algorithms.NoneAlgorithm()
    assert none.prepare_key("") is None
    assert not none.verify(b"", None, b"")
    with pytest.raises(jwt.InvalidAlgorithmError):
        none.sign(b"", None)
    with pytest.raises(jwt.InvalidKeyError):
        none.prepare_key("key")


@pytest.mark.parametrize(
    ("segment", "taken"),
    [
        ("Zg", b"f"),
        ("Zg==", b"f"),
        ("Zm8=", b"fo"),
        ("Zg=", None),
        ("Zg===", None),
        ("Zh", None),
        ("Z", None),
        ("Z+__", None),
    ],
)
def test_padding_is_taken_if_it_is_whole(segment, taken):
    key = Key.from_secret(SECRET, algorithm="HS256")
    signed = f"eyJhbGciOiJIUzI1NiJ9.{segment}"
    token = f"{signed}.{jwt.utils.base64url_encode(key.sign(signed.encode())).decode()}"
    if taken is None:
        with pytest.raises(jwt.DecodeError, match="Invalid payload padding"):
            jwt.PyJWS().decode(token, SECRET, algorithms=HS)
    else:
        assert jwt.PyJWS().decode(token, SECRET, algorithms=HS) == taken


def test_an_object_may_use_fewer_algorithms():
    jws = jwt.PyJWS(algorithms=["HS512"])
    assert jws.get_algorithms() == ["HS512"]
    with pytest.raises(NotImplementedError):
        jws.encode(b"", SECRET, algorithm="HS256")
    with pytest.raises(jwt.InvalidAlgorithmError):
        jws.decode(jwt.encode({}, SECRET), SECRET, algorithms=HS)


@pytest.mark.parametrize("algorithm", ["none", None, "RSA-OAEP", "unheard-of", 7])
def test_algorithms_that_sign_nothing(algorithm):
    with pytest.raises(jwt.InvalidAlgorithmError) as caught:
        jwt.encode({}, SECRET, algorithm=algorithm)
    assert isinstance(caught.value, NotImplementedError)  # which is what PyJWT raises


def test_the_submodules_have_pyjwts_names():
    for name, member in {
        "api_jwt": "PyJWT", "api_jws": "PyJWS", "api_jwk": "PyJWKSet", "jwks_client": "PyJWKClient",
        "exceptions": "InvalidTokenError", "algorithms": "RSAAlgorithm", "types": "Options",
        "warnings": "InsecureKeyLengthWarning", "jwk_set_cache": "JWKSetCache", "utils": "base64url_decode",
    }.items():  # fmt: skip
        found = getattr(importlib.import_module(f"watchword.dropin.jwt.{name}"), member)
        assert getattr(jwt, member, found) is found


def test_the_exceptions_are_related_as_pyjwts_are():
    assert issubclass(jwt.InvalidSignatureError, jwt.DecodeError)
    assert issubclass(jwt.PyJWKClientConnectionError, jwt.PyJWKClientError)
    assert issubclass(jwt.MissingCryptographyError, jwt.PyJWKError)
    assert issubclass(jwt.InvalidKeyError, ConfigurationError)
    for name in jwt.__all__:
        found = getattr(jwt, name)
        if isinstance(found, type) and issubclass(found, Exception) and not issubclass(found, Warning):
            assert issubclass(found, jwt.PyJWTError)


def test_numbers_and_octets_in_base64url():
    assert utils.base64url_decode(utils.base64url_encode(bytes(range(256)))) == bytes(range(256))
    for number, text in ((0, b"AA"), (1, b"AQ"), (255, b"_w"), (65537, b"AQAB")):
        assert utils.to_base64url_uint(number) == text
        assert utils.from_base64url_uint(text) == number
    assert utils.to_base64url_uint(1, bit_length=521) == utils.base64url_encode(bytes(65) + b"\x01")
    for wrong in (lambda: utils.to_base64url_uint(-1), lambda: utils.to_base64url_uint(256, bit_length=8)):
        with pytest.raises(ValueError, match="integer|fit"):
            wrong()
    for text in ("A", "AB", "AQ==", "A+", "é"):
        with pytest.raises(ValueError, match="base64url"):
            utils.base64url_decode(text)

"""python-jose's `jose.jws`: signed octets, and every form in which it takes one key or several."""

from __future__ import annotations

import json

import pytest

from watchword import Key
from watchword.dropin.jose import jwk, jws
from watchword.dropin.jose.constants import ALGORITHMS
from watchword.dropin.jose.exceptions import JWKError, JWSError, JWSKeyError, JWSSignatureError

SECRET = "at least thirty-two octets of secret"
OTHER = "another secret of thirty-two octets"
EC, RSA = Key.generate("ES256", key_id="ec"), Key.generate("RS256", key_id="rsa")
OCT = {"kty": "oct", "k": Key.from_secret(SECRET, algorithm="HS256").to_jwk(private=True)["k"]}


def without_names(key):
    return {name: value for name, value in key.to_jwk().items() if name not in ("alg", "use", "kid")}


@pytest.mark.parametrize("payload", [b"\xff\0", "täxt", {"claim": 1}])
def test_octets_text_and_claims_come_back(payload):
    token = jws.sign(payload, SECRET)
    expected = json.dumps(payload, separators=(",", ":")) if isinstance(payload, dict) else payload
    assert jws.verify(token, SECRET, "HS256") == (expected.encode() if isinstance(expected, str) else expected)
    assert jws.get_unverified_claims(token) == jws.verify(token, SECRET, None, verify=False)
    assert jws.get_unverified_header(token) == jws.get_unverified_headers(token) == {"alg": "HS256", "typ": "JWT"}


@pytest.mark.parametrize(
    "keys",
    [
        SECRET, SECRET.encode(), OCT, json.dumps(OCT), {"keys": [OCT]}, json.dumps({"keys": [OCT]}).encode(), [OTHER, SECRET],
        (SECRET,), {"keys": [OTHER, SECRET]}, json.dumps([OTHER, SECRET]), " " + json.dumps({"keys": [OTHER, OCT]}),
        jwk.construct(SECRET, "HS256"), Key.from_secret(SECRET, algorithm="HS256"),
        {"keys": [without_names(RSA), without_names(EC), OCT]}, iter([SECRET]),
    ],
)  # fmt: skip
def test_a_key_in_each_form_one_or_several(keys):
    assert jws.verify(jws.sign(b"x", SECRET), keys, ["HS256"]) == b"x"


def test_a_set_may_hold_keys_for_other_algorithms():
    """python-jose gives up at the first."""
    keys = {"keys": [OCT, without_names(EC), RSA.to_jwk(), {"kty": "unheard-of"}]}
    for name, signer in (("RS256", RSA), ("ES256", EC)):
        assert jws.verify(jws.sign(b"x", signer, algorithm=name), keys, [name]) == b"x"
    with pytest.raises(JWSSignatureError):
        jws.verify(jws.sign(b"x", Key.generate("ES256"), algorithm="ES256"), keys, ["ES256"])


def test_certificates_and_pems_by_name_are_public_keys():
    public = jwk.construct(RSA, "RS256").public_key().to_pem().decode()
    token = jws.sign(b"x", RSA, algorithm="RS256")
    assert jws.verify(token, {"k1": public}, "RS256") == b"x"
    assert jws.verify(token, json.dumps({"k1": public}), "RS256") == b"x"


@pytest.mark.parametrize(
    "keys",
    [
        None,
        7,
        "",
        b"\0",
        [],
        {"keys": []},
        {"keys": 7},
        {},
        {"kty": "oct"},
        {"kty": "oct", "k": 7},
        object(),
        [{}],
        "\ud800",
    ],
)
def test_what_is_no_key_is_a_wrong_key_and_a_refused_token(keys):
    with pytest.raises(JWSKeyError) as caught:
        jws.verify(jws.sign(b"x", SECRET), keys, ["HS256"])
    assert isinstance(caught.value, JWKError)
    assert isinstance(caught.value, JWSError)


@pytest.mark.parametrize(
    "text", ['["a', '{"a"', '{"a": "b"} and more than thirty octets', '["a"],"b":["c"] and so on and on']
)
def test_a_secret_that_begins_as_json_is_a_secret(text):
    secret = text + SECRET
    assert jws.verify(jws.sign(b"x", secret), secret, "HS256") == b"x"


@pytest.mark.parametrize(
    "text", ['"a text in quotes of thirty-two octets"', "12345678901234567890123456789012", "null" * 8]
)
def test_a_secret_in_quotes_or_of_digits_is_signed_and_verified_as_it_is(text):
    """python-jose takes the quotes off when it verifies."""
    assert jws.verify(jws.sign(b"x", text), text, "HS256") == b"x"


@pytest.mark.parametrize("headers", [{"alg": "none"}, {"alg": "HS512"}, {"crit": ["exp"]}, {"b64": False}])
def test_headers_that_no_reader_takes_are_not_written(headers):
    with pytest.raises(JWSError, match="headers="):
        jws.sign(b"x", SECRET, headers=headers)
    assert jws.sign(b"x", SECRET, headers={"alg": "HS256", "typ": "at+jwt"})


@pytest.mark.parametrize("name", ["none", "dir", "A256KW", "RSA-OAEP", "ECDH-ES", "unheard-of", None])
def test_algorithms_that_sign_nothing(name):
    for key in (SECRET, bytes(32), RSA):
        with pytest.raises(JWSError):
            jws.sign(b"x", key, algorithm=name)


def test_a_key_class_of_ones_own_signs_and_verifies():
    class Reversed(jwk.Key):
        def __init__(self, key, algorithm):
            self.key = key

        def sign(self, msg):
            return msg[::-1]

        def verify(self, msg, sig):
            if self.key == "broken":
                raise OSError("the key store is away")
            return sig == msg[::-1]

    try:
        assert jwk.register_key("REV", Reversed)
        token = jws.sign(b"x", "key", algorithm="REV")
        assert jws.verify(token, ["broken", "key"], ["REV"]) == b"x"
        assert jws.verify(token, Reversed("key", "REV"), ["REV"]) == b"x"
        with pytest.raises(JWSSignatureError):
            jws.verify(token, "broken", ["REV"])
        with pytest.raises(JWKError, match="none"):
            jwk.register_key("nOnE", Reversed)
        with pytest.raises(TypeError):
            jwk.register_key("REV", object)
    finally:
        del ALGORITHMS.KEYS["REV"]
        ALGORITHMS.SUPPORTED.discard("REV")
    with pytest.raises(JWSError):
        jws.verify(token, "key", ["REV"])


def test_keys_that_are_texts_are_prepared_once():
    public = jwk.construct(RSA, "RS256").public_key().to_pem()
    assert jws._key(public, "RS256") is jws._key(public, "RS256")
    assert jws._key(public, "RS256") is not jws._key(public, "RS384")

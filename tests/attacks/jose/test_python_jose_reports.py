"""What is reported of python-jose 3.5.0 in its tracker, unfixed, and what else makes its callers accept what nobody signed."""

from __future__ import annotations

import json

import pytest

from tests.attacks.jose.forge import PUBLIC_PEM, SECRET, forge
from tests.attacks.jose.sealed import header_of, seal, text
from tests.attacks.jose.test_jwe_bleichenbacher import BLOCKS, CEK, HEADER, V15, block, raw
from watchword import Key
from watchword.crypto.encoding import b64url_decode, b64url_encode
from watchword.dropin.jose import jwe, jwk, jws, jwt
from watchword.dropin.jose.exceptions import JWEError, JWEInvalidAuth, JWKError, JWSError, JWTClaimsError, JWTError

HS256 = ["HS256"]
CLAIMS = {"sub": "admin"}


def jwe_refusal(token, key):
    with pytest.raises(JWEError) as caught:
        jwe.decrypt(token, key)
    assert caught.value.__cause__ is None
    return type(caught.value), str(caught.value)


# ---- encrypted ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("encryption", "size"), [("A128CBC-HS256", 32), ("A192CBC-HS384", 48), ("A256CBC-HS512", 64)])
def test_402_421_padding_is_not_looked_at_unless_the_tag_is_right(encryption, size):
    """Vaudenay: python-jose decrypts first, and says whether the padding was right."""
    key = bytes(range(size))
    parts = jwe.encrypt(bytes(20), key, encryption).decode().split(".")
    ciphertext = b64url_decode(parts[3].encode())
    said = {jwe_refusal(".".join([*parts[:4], text(bytes(size // 2))]), key)}
    for last in range(256):
        changed = ciphertext[:-17] + bytes([last]) + ciphertext[-16:]
        if changed != ciphertext:
            said.add(jwe_refusal(".".join([*parts[:3], text(changed), parts[4]]), key))
    for length in (0, 1, 15, 17):
        said.add(jwe_refusal(".".join([*parts[:3], text(ciphertext[:length]), parts[4]]), key))
    ((kind, _),) = said
    assert kind is JWEInvalidAuth


def test_408_every_wrong_block_of_rsa1_5_is_the_same_refusal():
    """Bleichenbacher: python-jose says how long the key was that it found."""
    assert jwe.decrypt(seal(HEADER, CEK, raw(block(CEK))), V15) == b"hello"
    said = {jwe_refusal(seal(HEADER, CEK, raw(wrong)), V15) for wrong in BLOCKS.values()}
    said |= {jwe_refusal(seal(HEADER, CEK, bytes([7]) * length), V15) for length in (1, 255, 256)}
    ((kind, _),) = said
    assert kind is JWEInvalidAuth


@pytest.mark.parametrize("algorithm", ["RSA-OAEP", "RSA-OAEP-256", "A128KW", "A256KW"])
def test_a_wrong_key_is_no_other_refusal_than_wrong_content(algorithm):
    key = Key.generate(algorithm)
    parts = jwe.encrypt(b"hello", jwk.construct(key), algorithm=algorithm).decode().split(".")
    wrapped = b64url_decode(parts[1].encode())
    said = {
        jwe_refusal(".".join([parts[0], text(wrapped[:-1] + bytes([wrapped[-1] ^ 1])), *parts[2:]]), key),
        jwe_refusal(".".join([*parts[:4], text(bytes(16))]), key),
        jwe_refusal(".".join(parts), Key.generate(algorithm)),
    }
    assert len(said) == 1


def test_content_that_nobody_authenticates_is_refused():
    token = jwe.encrypt(b"hello", bytes(32))
    for header in ({"alg": "dir", "enc": "A128CBC"}, {"alg": "none", "enc": "A256GCM"}, {"alg": "dir", "enc": "none"}):
        changed = text(json.dumps(header).encode()) + "." + token.decode().split(".", 1)[1]
        with pytest.raises(JWEError):
            jwe.decrypt(changed, bytes(32))
    assert header_of(token.decode()) == {"alg": "dir", "enc": "A256GCM"}


# ---- keys --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "empty", ["", b"", "\0", b"\0" * 64, " ", {"kty": "oct", "k": ""}, {"kty": "oct", "k": "AAAA"}]
)
def test_398_an_empty_secret_is_none(empty):
    forged = forge({"alg": "HS256"}, CLAIMS, secret=b"")
    with pytest.raises(JWTError):
        jwt.decode(forged, empty, HS256)
    with pytest.raises(JWSError):
        jws.sign(b"x", empty)


@pytest.mark.parametrize(
    "changed",
    [{"e": None}, {"e": "AQ"}, {"e": "Ag"}, {"e": "AQA"}, {"n": "AQAB"}, {"n": None}, {"n": text(bytes(256))}],
)
def test_417_an_rsa_key_that_is_none_is_refused(changed):
    """Without `e` python-jose takes 256 for it."""
    members = {
        name: value for name, value in {**Key.generate("RS256").to_jwk(), **changed}.items() if value is not None
    }
    with pytest.raises(JWKError):
        jwk.construct(members)


ERRORS = [
    {"message": "Not Found"}, {"error": "invalid_client", "error_description": "no such client"}, {"keys": "Not Found"},
    {"keys": {"k1": "Not Found"}}, {"kid-of-a-key": "Not Found"},
]  # fmt: skip


@pytest.mark.parametrize("answer", ERRORS)
@pytest.mark.parametrize("spell", [lambda answer: answer, json.dumps])
def test_what_an_issuer_says_instead_of_its_keys_is_no_secret(answer, spell):
    """python-jose takes each text of any mapping for a secret, each letter of "keys", and each name in it."""
    for secret in ("Not Found", "invalid_client", "no such client", "N", "k1", "kid-of-a-key", "message"):
        with pytest.raises(JWTError):
            jwt.decode(forge({"alg": "HS256"}, CLAIMS, secret=secret.encode()), spell(answer), ["RS256", "HS256"])


def test_a_key_is_for_what_it_says_alone():
    """python-jose looks at neither `alg` nor `use` nor `key_ops`."""
    secret = {"kty": "oct", "k": b64url_encode(SECRET).decode()}
    forged = forge({"alg": "HS256"}, CLAIMS)
    assert jwt.decode(forged, secret, HS256) == CLAIMS
    for said in ({"use": "enc"}, {"alg": "HS512"}, {"alg": "A256GCM"}, {"key_ops": ["encrypt"]}):
        with pytest.raises(JWTError):
            jwt.decode(forged, {**secret, **said}, ["HS256", "HS512"])
    with pytest.raises(JWTError):  # an object of one algorithm, under another that is permitted
        jwt.decode(forged, jwk.construct(bytes(range(64)), "HS512"), ["HS256", "HS512"])


# ---- tokens ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", "", None, ["HS256"], 7])
@pytest.mark.parametrize("secret", [None, SECRET])
def test_cve_2025_61152_none_is_no_algorithm(name, secret):
    """Disputed: it concerns programs that verify nothing. None else reads such a token."""
    forged = forge({"alg": name}, CLAIMS, secret=secret)
    for permitted in (["none"], ["HS256", "none", "None", ""], [None], None):
        for key in (SECRET, PUBLIC_PEM, "", None):
            with pytest.raises(JWTError):
                jwt.decode(forged, key, permitted)
    with pytest.raises(JWSError):
        jwt.encode(CLAIMS, SECRET, "none")


@pytest.mark.parametrize(
    "header", [{"crit": ["x-mfa"], "x-mfa": 1}, {"crit": []}, {"crit": ["b64"], "b64": False}, {"b64": False}]
)
def test_413_what_is_critical_and_not_understood_is_refused(header):
    with pytest.raises(JWTError):
        jwt.decode(forge({"alg": "HS256", **header}, CLAIMS), SECRET, HS256)


@pytest.mark.parametrize(
    "payload", [b'{"sub":"alice","sub":"admin"}', b'{"exp":NaN}', b'{"exp":Infinity}', b'{"exp":1e999}', b'["admin"]']
)
def test_claims_that_two_readers_read_differently_are_refused(payload):
    with pytest.raises(JWTError):
        jwt.decode(forge({"alg": "HS256"}, payload), SECRET, HS256)


@pytest.mark.parametrize(
    "claims",
    [
        {"at_hash": None}, {"at_hash": ""}, {"at_hash": ["77QmUPtjPfzWtF2AnpK9RQ"]}, {"at_hash": True}, {"at_hash": {}},
        {"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"},
    ],
)  # fmt: skip
def test_an_access_token_is_not_exchanged_beside_an_id_token(claims):
    forged = forge({"alg": "HS256"}, claims)
    for access_token in ("another token", "", None, b"token", 7):
        with pytest.raises(JWTClaimsError):
            jwt.decode(forged, SECRET, HS256, access_token=access_token)
    with pytest.raises(JWTError, match="at_hash"):
        jwt.decode(forge({"alg": "HS256"}, CLAIMS), SECRET, HS256, {"require_at_hash": True}, access_token="token")


def test_a_token_for_nobody_in_particular_is_not_for_us():
    """RFC 8725 §3.9: where an audience is asked for, a token without one is refused."""
    with pytest.raises(JWTClaimsError, match="aud"):
        jwt.decode(forge({"alg": "HS256"}, CLAIMS), SECRET, HS256, audience="orders")


def test_a_stolen_token_that_is_bound_to_a_key_is_refused():
    bound = forge({"alg": "HS256"}, {**CLAIMS, "cnf": {"jkt": "0" * 43}})
    with pytest.raises(JWTClaimsError, match="RFC 7800"):
        jwt.decode(bound, SECRET, HS256)
    assert jwt.decode(bound, SECRET, HS256, {"verify_cnf": False})["sub"] == "admin"


def test_a_token_of_any_size_is_not_read():
    for token in (forge({"alg": "HS256"}, {"x": "x" * 20_000}), "." * 10_000_000):
        with pytest.raises(JWTError, match="too long"):
            jwt.decode(token, SECRET, HS256)
    with pytest.raises(JWTError):
        jwt.decode(forge({"alg": "HS256"}, b'{"x":' + b"[" * 5000 + b"]" * 5000 + b"}"), SECRET, HS256)

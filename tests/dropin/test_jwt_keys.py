"""PyJWT's `PyJWK`, `PyJWKSet` and `jwt.algorithms`, and every kind of key that `encode` and `decode` take."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

from watchword import ConfigurationError, JWTVerifier, Key, KeySet, Rejected
from watchword.crypto import jose
from watchword.dropin import jwt
from watchword.dropin.jwt import algorithms

SECRET = "at least thirty-two octets of secret"
CLAIMS = {"sub": "alice"}
PEM = serialization.Encoding.PEM
MAKERS = {
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "PS384": lambda: rsa.generate_private_key(65537, 2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ES256K": lambda: ec.generate_private_key(ec.SECP256K1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


@pytest.fixture(scope="module", params=MAKERS)
def pair(request):
    """An algorithm and a private key of `cryptography` for it."""
    return request.param, MAKERS[request.param]()


def spellings(key):
    """(private, public) in each way that programs have them."""
    public, plain = key.public_key(), serialization.NoEncryption()
    yield key, public
    private_pem = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, plain)
    public_pem = public.public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    yield private_pem, public_pem
    yield private_pem.decode(), public_pem.decode()
    if not (isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp256k1"):
        ssh = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        yield key, ssh
        yield key, ssh.decode() + " alice@example\n"


def test_keys_in_every_spelling(pair):
    name, key = pair
    for private, public in spellings(key):
        token = jwt.encode(CLAIMS, private, algorithm=name)
        assert jwt.decode(token, public, algorithms=[name]) == CLAIMS
        assert jwt.decode(token, private, algorithms=[name]) == CLAIMS
        with pytest.raises(jwt.InvalidKeyError, match="can't sign"):
            jwt.encode(CLAIMS, public, algorithm=name)


def test_jwks_and_our_own_keys_bring_their_algorithm(pair):
    name, key = pair
    ours = Key.from_openssl(key, algorithm=name, key_id="k1")
    private, public = jwt.PyJWK(ours.to_jwk(private=True)), jwt.PyJWK.from_json(json.dumps(ours.to_jwk()))
    for signer in (private, ours):
        token = jwt.encode(CLAIMS, signer)
        assert jwt.get_unverified_header(token)["alg"] == name
        for verifier in (public, private):
            assert jwt.decode(token, verifier) == CLAIMS
            assert jwt.decode(token, verifier.key, algorithms=[name]) == CLAIMS
            assert jwt.decode(token, verifier, algorithms=[name]) == CLAIMS
    assert (public.algorithm_name, public.key_id, public.public_key_use) == (name, "k1", "sig")
    assert public.key_type in ("RSA", "EC", "OKP")
    assert private.Algorithm.verify(b"data", public.key, private.Algorithm.sign(b"data", private.key))
    assert not private.Algorithm.verify(b"other", public.key, private.Algorithm.sign(b"data", private.key))


def test_a_jwk_is_for_one_algorithm_whatever_is_permitted():
    key = Key.generate("RS256")
    other = Key.from_jwk({**key.to_jwk(private=True), "alg": "RS512"})
    token = jwt.encode(CLAIMS, other)
    for permitted in (None, ["RS256"], ["RS256", "RS512"]):
        with pytest.raises(jwt.InvalidAlgorithmError):
            jwt.decode(token, jwt.PyJWK(key.to_jwk()), algorithms=permitted)
    with pytest.raises(jwt.InvalidKeyError, match="for RS256"):
        jwt.encode(CLAIMS, key, algorithm="RS512")
    with pytest.raises(jwt.InvalidKeyError, match="for RS256"):
        jwt.encode(CLAIMS, jwt.PyJWK(key.to_jwk(private=True)), algorithm="RS512")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ({"generate": "RS512"}, "RS256"), ({"generate": "HS256"}, "HS256"), ({"generate": "ES384"}, "ES384"),
        ({"generate": "ES256K"}, "ES256K"), ({"generate": "EdDSA"}, "EdDSA"),
    ],
)  # fmt: skip
def test_a_jwk_without_an_algorithm_is_for_what_pyjwt_takes_it_for(kind, name):
    members = Key.generate(kind["generate"]).to_jwk(private=True)
    del members["alg"]
    assert jwt.PyJWK(members).algorithm_name == name


EC_JWK = Key.generate("ES256").to_jwk()


@pytest.mark.parametrize(
    ("jwk", "algorithm", "error"),
    [
        ({**EC_JWK, "alg": "unheard-of"}, None, jwt.PyJWKError),
        ({**EC_JWK, "alg": "none"}, None, jwt.PyJWKError),
        ({**EC_JWK, "alg": "ECDH-ES"}, None, jwt.PyJWKError),
        (EC_JWK, "unheard-of", jwt.PyJWKError),
        (EC_JWK, "ES384", jwt.InvalidKeyError),
        ({**EC_JWK, "use": "enc"}, None, jwt.InvalidKeyError),
        ({**EC_JWK, "x": 7}, None, jwt.InvalidKeyError),
        ({**EC_JWK, "x": EC_JWK["y"]}, None, jwt.InvalidKeyError),
        ({"kty": "oct", "k": ""}, "HS256", jwt.InvalidKeyError),
        ({"kty": "other"}, None, jwt.InvalidKeyError),
        ({"kty": ["EC"]}, None, jwt.InvalidKeyError),
        ({"kty": "EC", "crv": {"P": 256}}, None, jwt.InvalidKeyError),
        ({"kty": "OKP"}, None, jwt.InvalidKeyError),
        ({}, None, jwt.InvalidKeyError),
        ([], None, jwt.InvalidKeyError),
    ],
)
def test_jwks_that_can_not_be_used(jwk, algorithm, error):
    with pytest.raises(error) as caught:
        jwt.PyJWK(jwk, algorithm)
    assert isinstance(caught.value, jwt.PyJWTError)
    with pytest.raises(jwt.PyJWTError):
        jwt.PyJWK.from_json(json.dumps(jwk), algorithm)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"kty": "EC", "kty": "oct"}', "\ud800"])
def test_jwk_json_is_read_strictly(text):
    with pytest.raises(jwt.InvalidKeyError):
        jwt.PyJWK.from_json(text)
    with pytest.raises(jwt.PyJWKSetError):
        jwt.PyJWKSet.from_json(text)


def test_a_set_passes_over_what_it_can_not_use():
    first, second = (Key.generate("ES256", key_id=name).to_jwk() for name in ("1", "2"))
    found = jwt.PyJWKSet.from_json(json.dumps({"keys": [None, 7, {}, {**first, "alg": "unheard-of"}, first, second]}))
    assert [key.key_id for key in found] == ["1", "2"]
    assert found["2"] is found.keys[1]
    with pytest.raises(KeyError, match="3"):
        found["3"]


@pytest.mark.parametrize("keys", [[], None, "text", {"kty": "EC"}, [None], [{"kty": "RSA"}]])
def test_a_set_has_keys(keys):
    with pytest.raises(jwt.PyJWKSetError):
        jwt.PyJWKSet.from_dict({"keys": keys})


def test_secrets_stay_out_of_texts():
    members = Key.generate("HS256").to_jwk(private=True)
    short = {**members, "k": members["k"][:22] + "A"}
    for found in (jwt.PyJWK(members), jwt.PyJWK(short), jwt.PyJWK(short).bound):
        assert members["k"][:20] not in repr(found)
    with pytest.warns(jwt.InsecureKeyLengthWarning) as warned:
        jwt.encode(CLAIMS, jwt.PyJWK(short))
    assert members["k"][:20] not in str(warned[0].message)


def test_the_families_read_and_write_jwks(pair):
    name, key = pair
    family = type(algorithms.get_default_algorithms()[name])
    public = family.to_jwk(key.public_key(), as_dict=True)
    assert public.get("key_ops") == (["verify"] if family.family.startswith("RSA") else None)  # as PyJWT has it
    assert {"alg", "use"}.isdisjoint(public)
    assert "d" not in public
    read = family.from_jwk(json.dumps(public))
    assert read == key.public_key()
    private = family.from_jwk(json.loads(family.to_jwk(key)))
    assert jwt.decode(jwt.encode(CLAIMS, private, algorithm=name), read, algorithms=[name]) == CLAIMS
    assert family.from_jwk({**public, "alg": "unheard-of", "use": "enc"})  # it reads the numbers, whatever they are for


def test_the_families_refuse_what_is_not_theirs():
    rsa_jwk = Key.generate("RS256").to_jwk()
    for family, wrong in (
        (algorithms.ECAlgorithm, rsa_jwk), (algorithms.RSAAlgorithm, EC_JWK), (algorithms.OKPAlgorithm, EC_JWK),
        (algorithms.HMACAlgorithm, EC_JWK), (algorithms.RSAAlgorithm, {"kty": "RSA", "n": 1}),
        (algorithms.RSAAlgorithm, "{"), (algorithms.RSAAlgorithm, []),
    ):  # fmt: skip
        with pytest.raises(jwt.InvalidKeyError):
            family.from_jwk(wrong)
    with pytest.raises(jwt.InvalidKeyError):
        algorithms.RSAAlgorithm.to_jwk(SECRET)
    with pytest.raises(jwt.InvalidKeyError, match="can't sign"):
        algorithms.ECAlgorithm("sha256").sign(b"", jwt.PyJWK(EC_JWK).key)
    hmac = algorithms.HMACAlgorithm(algorithms.HMACAlgorithm.SHA256)
    assert hmac.prepare_key(SECRET) == SECRET.encode()
    assert hmac.from_jwk(hmac.to_jwk(SECRET)) == SECRET.encode()
    with pytest.raises(jwt.InvalidKeyError, match="no secret"):
        hmac.prepare_key(json.dumps(EC_JWK))


@pytest.mark.parametrize("key", ["", b"", "-----BEGIN PUBLIC KEY-----\n", "ssh-ed25519 AAAA", "\ud800", "ssh-\ud800"])
@pytest.mark.parametrize("name", ["HS256", "RS256", "ES256", "EdDSA"])
def test_what_is_no_key_is_an_invalid_key(key, name):
    with pytest.raises(jwt.InvalidKeyError):
        jwt.encode(CLAIMS, key, algorithm=name)


@pytest.mark.parametrize("key", [None, 7, object()])
@pytest.mark.parametrize(
    ("name", "error"),
    [("HS256", TypeError), ("RS256", TypeError), ("ES256", TypeError), ("EdDSA", jwt.InvalidKeyError)],
)
def test_what_could_be_no_key_is_the_error_that_pyjwt_gives(key, name, error):
    with pytest.raises(error):
        jwt.encode(CLAIMS, key, algorithm=name)


def test_keys_of_other_kinds_and_curves_are_refused():
    for key in (dsa.generate_private_key(2048), ec.generate_private_key(ec.SECP256R1())):
        with pytest.raises(jwt.InvalidKeyError):
            jwt.encode(CLAIMS, key, algorithm="RS256")
    for curve, name in ((ec.SECP384R1(), "ES256"), (ec.SECP256R1(), "ES256K"), (ec.SECP192R1(), "ES512")):
        with pytest.raises(jwt.InvalidKeyError, match=curve.name):
            jwt.encode(CLAIMS, ec.generate_private_key(curve), algorithm=name)


# ---- keys below RFC 7518's sizes --------------------------------------------------------------------------------------

SMALL = rsa.generate_private_key(65537, 1024)
SMALL_PEM = SMALL.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
SMALL_JWK = algorithms.RSAAlgorithm.to_jwk(SMALL, as_dict=True)
SHORT_JWK = {"kty": "oct", "k": "c2VjcmV0"}
WEAK = {
    "HS256": ["secret", b"secret", jwt.PyJWK(SHORT_JWK)],
    "HS512": ["s" * 63],
    "RS256": [SMALL, SMALL_PEM, jwt.PyJWK(SMALL_JWK, "RS256")],
    "PS256": [SMALL, SMALL_PEM, jwt.PyJWK(SMALL_JWK, "PS256")],
}
EACH = [(name, key) for name, keys in WEAK.items() for key in keys]


@pytest.mark.parametrize(("name", "key"), EACH)
def test_a_weak_key_works_with_a_warning_or_is_refused_if_that_is_enforced(name, key):
    with pytest.warns(jwt.InsecureKeyLengthWarning, match="below"):
        token = jwt.encode(CLAIMS, key, algorithm=name)
    with pytest.warns(jwt.InsecureKeyLengthWarning, match="below"):
        assert jwt.decode(token, key, algorithms=[name]) == CLAIMS
    head, body, _ = token.split(".")
    with pytest.warns(jwt.InsecureKeyLengthWarning), pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(f"{head}.{body}.{'A' * 43}", key, algorithms=[name])
    enforcing = {"enforce_minimum_key_length": True}
    with pytest.raises(jwt.InvalidKeyError, match="below"):
        jwt.PyJWT(enforcing).encode(CLAIMS, key, algorithm=name)
    with pytest.raises(jwt.InvalidKeyError, match="below"):
        jwt.decode(token, key, algorithms=[name], options=enforcing)
    family = algorithms.get_default_algorithms()[name]
    if not isinstance(key, jwt.PyJWK):
        assert "below" in family.check_key_length(family.prepare_key(key))


def made_of(key, name):
    """Everything that the drop-in makes of a weak key."""
    family = algorithms.get_default_algorithms()[name]
    yield key
    yield family.bound(key)
    if isinstance(key, jwt.PyJWK):
        yield from (key.bound, key.key)
    else:
        yield family.prepare_key(key)
        yield type(family).to_jwk(key, as_dict=True)
        yield type(family).from_jwk(type(family).to_jwk(key))
        yield jwt.PyJWK(type(family).to_jwk(key, as_dict=True), name)


@pytest.mark.parametrize(("name", "key"), EACH)
def test_nothing_made_of_a_weak_key_is_taken_elsewhere(name, key):
    """No verifier, key set, token signer or constructor of a key takes it, so the leniency ends where the drop-in does."""
    for made in made_of(key, name):
        assert not isinstance(made, Key)
        for use in (
            lambda made=made: JWTVerifier(made),
            lambda made=made: JWTVerifier([made]),
            lambda made=made: KeySet([made]),
            lambda made=made: jose.sign(b"", made),
            lambda made=made: jose.sign_json(b"", [made]),
            lambda made=made: jose.encrypt(b"", made),
            lambda made=made: jose.verify("e30.e30.AA", made),
            lambda made=made: Key.from_secret(made, algorithm=name),
            lambda made=made: Key.from_pem(made, algorithm=name),
            lambda made=made: Key.from_openssl(made, algorithm=name),
            lambda made=made: Key.from_jwk(made, algorithm=name),
            lambda made=made: KeySet.from_jwks({"keys": [made]}).only([name]).candidates(name, None)[0],
        ):
            with pytest.raises((ConfigurationError, Rejected)):
                use()


def test_an_rsa_key_with_no_room_for_the_hash_is_an_invalid_key():
    with pytest.warns(jwt.InsecureKeyLengthWarning), pytest.raises(jwt.InvalidKeyError, match="too small"):
        jwt.encode(CLAIMS, SMALL, algorithm="PS512")


def test_a_weak_public_key_can_not_sign_and_a_broken_one_is_no_key():
    with pytest.warns(jwt.InsecureKeyLengthWarning), pytest.raises(jwt.InvalidKeyError, match="can't sign"):
        jwt.encode(CLAIMS, SMALL.public_key(), algorithm="RS256")
    even = {**SMALL_JWK, "e": "Ag"}
    for broken in ({name: even[name] for name in ("kty", "n", "e")}, {**SMALL_JWK, "n": "AQAB"}):
        with pytest.raises(jwt.InvalidKeyError):
            jwt.PyJWK(broken, "RS256")


def test_what_a_jwk_may_not_do_it_may_not_do_as_a_weak_one():
    with pytest.raises(jwt.InvalidKeyError, match="encryption|signatures"):
        jwt.PyJWK({**SHORT_JWK, "use": "enc"}, "HS256")
    with pytest.raises(jwt.InvalidKeyError):
        jwt.PyJWK({**SHORT_JWK, "key_ops": ["encrypt"]}, "HS256")


def test_the_algorithms_hash_and_say_which_keys_they_take():
    foo = bytes.fromhex("2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae")
    for family in (algorithms.HMACAlgorithm, algorithms.RSAAlgorithm, algorithms.ECAlgorithm):
        assert family(family.SHA256).compute_hash_digest(b"foo") == foo
    with pytest.raises(NotImplementedError):
        algorithms.OKPAlgorithm().compute_hash_digest(b"foo")
    algorithms.RSAAlgorithm("sha256").check_crypto_key_type(SMALL)
    for wrong in (SECRET, ec.generate_private_key(ec.SECP256R1())):
        with pytest.raises(jwt.InvalidKeyError):
            algorithms.RSAAlgorithm("sha256").check_crypto_key_type(wrong)
    with pytest.raises(ValueError, match="no key"):
        algorithms.NoneAlgorithm().check_crypto_key_type(SMALL)
    assert isinstance(SMALL, algorithms.AllowedPrivateKeys)
    assert isinstance(SMALL.public_key(), algorithms.AllowedPublicKeys)

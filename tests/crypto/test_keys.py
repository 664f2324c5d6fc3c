"""Keys: one algorithm each, explicit constructors, nothing guessed, nothing shown."""

from __future__ import annotations

import copy
import os
import random
import pickle
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from watchword import ConfigurationError, Key, KeySet, Reason, Rejected
from watchword.crypto.algorithms import ALGORITHMS, algorithm_named
from watchword.crypto.encoding import b64url_encode
from watchword.crypto.keys import RegisteredKey
from watchword.crypto.public_spellings import looks_like_a_key_file

PEM, DER, SSH = serialization.Encoding.PEM, serialization.Encoding.DER, serialization.Encoding.OpenSSH
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo


@pytest.fixture(scope="module")
def keys():
    return {
        "RS256": rsa.generate_private_key(65537, 2048),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    }


def private_pem(key, password=None):
    how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, how)


def public_pem(key):
    return key.public_key().public_bytes(PEM, SPKI)


def mend(function, *arguments, **options):
    with pytest.raises(ConfigurationError) as caught:
        function(*arguments, **options)
    return str(caught.value)


@pytest.mark.parametrize("name", [row.name for row in ALGORITHMS])
def test_every_algorithm_signs_verifies_and_refuses(name):
    key = Key.generate(name)
    signature = key.sign(b"data")
    key.verify(b"data", signature)
    flipped = bytes([signature[0] ^ 1]) + signature[1:]
    for data, bad in ((b"Data", signature), (b"data", flipped), (b"data", b""), (b"data", signature + b"\0")):
        with pytest.raises(Rejected) as caught:
            key.verify(data, bad)
        assert caught.value.reason is Reason.WRONG_SIGNATURE


def test_rfc_9421_names_are_aliases():
    assert Key.generate("hmac-sha256").algorithm == "HS256"
    assert algorithm_named("ecdsa-p256-sha256").name == "ES256"


def test_the_articles_key_is_refused_with_its_mend():
    text = mend(Key.from_secret, "your_secret_key", algorithm="HS256")
    assert "at least 32 bytes" in text
    assert "15" in text
    assert 'Key.generate("HS256")' in text
    assert "your_secret_key" not in text


@pytest.mark.parametrize(("name", "size"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_a_secret_is_at_least_as_long_as_the_hash(name, size):
    Key.from_secret(os.urandom(size), algorithm=name)
    assert str(size - 1) in mend(Key.from_secret, os.urandom(size - 1), algorithm=name)


@pytest.mark.parametrize("name", ["none", "None", "NONE"])
def test_none_is_no_algorithm(name):
    assert "none" in mend(Key.from_secret, bytes(32), algorithm=name)


@pytest.mark.parametrize("name", ["hs256", "HS257", "", None, 7, ["HS256"]])
def test_unknown_algorithms_are_refused(name):
    assert "unknown algorithm" in mend(Key.generate, name)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_public_keys_are_no_secrets_in_any_spelling(keys, algorithm):
    public = keys[algorithm].public_key()
    der, ssh = public.public_bytes(DER, SPKI), public.public_bytes(SSH, serialization.PublicFormat.OpenSSH)
    pem = public_pem(keys[algorithm])
    spellings = [
        pem, b" \n\t" + pem, b"a comment\n" + pem, pem.replace(b"\n", b"\r\n"), der, b64url_encode(der), ssh, b"\n" + ssh,
        ssh.split()[1], b'{"kty": "RSA", "n": "AQAB"}' + bytes(32), b' {"use":"sig","kty":"EC","crv":"P-256"}' + bytes(9),
        b'\xef\xbb\xbf{"keys":[{"kty":"RSA","n":"AAAA"}]}', private_pem(keys[algorithm]),
        keys[algorithm].private_bytes(DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    ]  # fmt: skip
    if algorithm == "RS256":
        spellings.append(public.public_bytes(DER, serialization.PublicFormat.PKCS1))
        spellings.append(public.public_bytes(PEM, serialization.PublicFormat.PKCS1))
    for spelling in spellings:
        assert "no secret" in mend(Key.from_secret, spelling, algorithm="HS256"), spelling[:40]


@given(st.integers(32, 80), st.integers(0, 2**64))
def test_random_secrets_are_not_taken_for_key_files(size, seed):
    """They are drawn by a seed: Hypothesis by itself would try texts of the module, such as the armour of PEM."""
    secret = random.Random(seed).randbytes(size)
    assert not looks_like_a_key_file(secret)
    Key.from_secret(secret, algorithm="HS256")


def test_secrets_that_begin_like_der_are_secrets():
    """One random secret in 65,536 begins with a SEQUENCE of just its length."""
    for _ in range(2000):
        assert not looks_like_a_key_file(b"\x30\x1e" + os.urandom(30))


def test_a_secret_is_for_hmac_and_a_pem_is_not(keys):
    assert "Key.from_pem" in mend(Key.from_secret, bytes(32), algorithm="RS256")
    assert "Key.from_secret" in mend(Key.from_pem, public_pem(keys["RS256"]), algorithm="HS256")


@pytest.mark.parametrize("wrong", [None, 7, bytearray(32), ["x"]])
def test_one_type_per_argument(wrong):
    assert "str or bytes" in mend(Key.from_secret, wrong, algorithm="HS256")
    assert "str or bytes" in mend(Key.from_pem, wrong, algorithm="RS256")


def test_a_lone_surrogate_is_refused_without_showing_the_secret():
    with pytest.raises(ConfigurationError) as caught:
        Key.from_secret("hunter2" * 6 + "\ud800", algorithm="HS256")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_pem_private_signs_and_pem_public_only_verifies(keys, algorithm):
    private = Key.from_pem(private_pem(keys[algorithm]).decode(), algorithm=algorithm, key_id="a")
    public = Key.from_pem(public_pem(keys[algorithm]), algorithm=algorithm)
    public.verify(b"data", private.sign(b"data"))
    assert (private.can_sign, public.can_sign, private.key_id) == (True, False, "a")
    assert "public key" in mend(public.sign, b"data")
    assert "no shared secret" in mend(private.secret_bytes)


def test_a_pem_of_another_kind_is_refused(keys):
    assert "RSA" in mend(Key.from_pem, public_pem(keys["ES256"]), algorithm="RS256")
    assert "P-384" in mend(Key.from_pem, public_pem(keys["ES256"]), algorithm="ES384")
    assert "Ed25519" in mend(Key.from_pem, public_pem(keys["RS256"]), algorithm="EdDSA")
    assert "no PEM" in mend(
        Key.from_pem, b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", algorithm="RS256"
    )
    assert "no PEM" in mend(Key.from_pem, "nonsense", algorithm="RS256")
    assert "certificate" in mend(Key.from_pem, "-----BEGIN CERTIFICATE-----\nAA==\n", algorithm="RS256")
    assert "encrypted" in mend(Key.from_pem, private_pem(keys["ES256"], b"password"), algorithm="ES256")


def test_rsa_below_2048_bits_is_refused():
    small = rsa.generate_private_key(65537, 1024)
    assert "1024" in mend(Key.from_pem, public_pem(small), algorithm="RS256")


def number(value, size=None):
    return b64url_encode(value.to_bytes(size or (value.bit_length() + 7) // 8)).decode()


def ec_jwk(key, **more):
    numbers = key.private_numbers()
    point = numbers.public_numbers
    return {"kty": "EC", "crv": "P-256", "x": number(point.x, 32), "y": number(point.y, 32),
            "d": number(numbers.private_value, 32), **more}  # fmt: skip


def test_a_jwk_brings_its_algorithm_and_key_id(keys):
    jwk = ec_jwk(keys["ES256"], alg="ES256", kid="k1", use="sig")
    private = Key.from_jwk(jwk)
    public = Key.from_jwk({name: value for name, value in jwk.items() if name != "d"})
    public.verify(b"data", private.sign(b"data"))
    assert (private.key_id, private.algorithm, public.can_sign) == ("k1", "ES256", False)


def test_an_rsa_jwk_with_and_without_its_primes(keys):
    numbers = keys["RS256"].private_numbers()
    public = {"kty": "RSA", "n": number(numbers.public_numbers.n), "e": "AQAB", "alg": "RS256"}
    short = {**public, "d": number(numbers.d)}
    full = {**short, "p": number(numbers.p), "q": number(numbers.q), "dp": number(numbers.dmp1),
            "dq": number(numbers.dmq1), "qi": number(numbers.iqmp)}  # fmt: skip
    for private in (short, full):
        Key.from_jwk(public).verify(b"data", Key.from_jwk(private).sign(b"data"))
    assert "without" in mend(Key.from_jwk, {**short, "p": full["p"]})
    assert "two primes" in mend(Key.from_jwk, {**full, "oth": []})


def test_a_jwk_without_alg_needs_algorithm(keys):
    jwk = ec_jwk(keys["ES256"])
    assert "algorithm=" in mend(Key.from_jwk, jwk)
    assert Key.from_jwk(jwk, algorithm="ES256").algorithm == "ES256"
    assert "ES256" in mend(Key.from_jwk, {**jwk, "alg": "ES256"}, algorithm="ES384")


@pytest.mark.parametrize(
    "changes",
    [
        {"kty": "RSA"}, {"crv": "P-384"}, {"use": "enc"}, {"key_ops": ["encrypt"]}, {"key_ops": "verify"}, {"x": None},
        {"x": "!!"}, {"x": "AA"}, {"y": "A" * 43}, {"d": "A" * 43}, {"kid": 7}, {"alg": "none"}, {"alg": 7}, {"x": "ü" * 43},
    ],
)  # fmt: skip
def test_a_broken_jwk_is_refused_and_not_shown(keys, changes):
    jwk = ec_jwk(keys["ES256"], alg="ES256")
    assert jwk["d"] not in mend(Key.from_jwk, {**jwk, **changes})


def test_the_halves_of_an_okp_jwk_belong_together():
    one, other = (ed25519.Ed25519PrivateKey.generate() for _ in range(2))
    jwk = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "d": b64url_encode(one.private_bytes_raw()).decode(),
           "x": b64url_encode(one.public_key().public_bytes_raw()).decode()}  # fmt: skip
    Key.from_jwk(jwk)
    jwk["x"] = b64url_encode(other.public_key().public_bytes_raw()).decode()
    assert "does not belong" in mend(Key.from_jwk, jwk)


def test_a_secret_in_a_jwk_is_a_secret_all_the_same():
    assert "at least 32" in mend(Key.from_jwk, {"kty": "oct", "k": "AAAA", "alg": "HS256"})
    assert "base64url" in mend(Key.from_jwk, {"kty": "oct", "k": "A" * 43 + "=", "alg": "HS256"})
    assert "at least 32" in mend(Key.from_jwk, {"kty": "oct", "alg": "HS256"})
    assert "mapping" in mend(Key.from_jwk, '{"kty": "oct"}')


def test_ecdsa_signatures_are_raw_and_in_range():
    """r or s of 0, of the order or above, a DER signature, a short or long one: refused (RFC 7518 §3.4)."""
    key = Key.generate("ES256")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    good = key.sign(b"data")
    r, s = int.from_bytes(good[:32]), int.from_bytes(good[32:])
    key.verify(b"data", r.to_bytes(32) + (order - s).to_bytes(32))  # the twin that ECDSA has by nature
    for bad_r, bad_s in ((0, s), (r, 0), (order, s), (r, order), (0, 0), (2**256 - 1, s)):
        with pytest.raises(Rejected):
            key.verify(b"data", bad_r.to_bytes(32) + bad_s.to_bytes(32))
    for bad in (good[:-1], b"\0" + good, good * 2, b"\x30\x44" + good):
        with pytest.raises(Rejected, match="octets where ES256 has 64"):
            key.verify(b"data", bad)


@given(st.binary(max_size=150))
def test_any_signature_is_refused_with_a_reason(signature):
    for key in (HMAC, ECDSA, EDDSA):
        with pytest.raises(Rejected):
            key.verify(b"data", signature)


HMAC, ECDSA, EDDSA = (Key.generate(name) for name in ("HS256", "ES256", "EdDSA"))


def test_secrets_are_not_shown_pickled_or_copied():
    secret = b"a very secret secret of 32 octets"
    key = Key.from_secret(secret, algorithm="HS256", key_id="k1")
    assert repr(key) == "Key(HS256, key_id='k1', secret)"
    assert "secret of" not in repr(KeySet([key]))
    assert "secret of" not in repr(RegisteredKey("alice", "HS256", secret))
    assert key.secret_bytes() == secret
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled or copied"):
            attempt(key)


def test_keys_are_made_by_their_constructors_only():
    assert "Key.from_secret" in mend(Key)
    assert "key id" in mend(Key.generate, "HS256", key_id=7)


def test_generate_takes_randomness_for_secrets():
    assert Key.generate("HS256", random=lambda n: b"x" * n).secret_bytes() == b"x" * 32
    assert "random=" in mend(Key.generate, "ES256", random=os.urandom)


def named(algorithm, key_id=None):
    return Key.generate(algorithm, key_id=key_id)


def test_a_key_set_finds_by_key_id_and_never_by_algorithm_alone():
    a, b, c = named("HS256", "a"), named("HS256", "b"), named("ES256", "a")
    found = KeySet([a, b, c])
    assert found.candidates("HS256", "a") == (a,)
    assert found.candidates("ES256", "a") == (c,)
    assert found.candidates("HS256", None) == (a, b)
    for algorithm, key_id, reason in (
        ("RS256", "a", Reason.WRONG_ALGORITHM), ("ES256", "b", Reason.WRONG_ALGORITHM), ("HS256", "z", Reason.UNKNOWN_KEY),
        ("none", None, Reason.WRONG_ALGORITHM), ("hs256", "a", Reason.WRONG_ALGORITHM),
    ):  # fmt: skip
        with pytest.raises(Rejected) as caught:
            found.candidates(algorithm, key_id)
        assert caught.value.reason is reason


def test_a_key_without_a_key_id_answers_to_any():
    key = named("HS256")
    assert KeySet([key, named("HS256", "a")]).candidates("HS256", "z") == (key,)


def test_few_keys_are_tried_where_none_is_named():
    many = KeySet([named("HS256", str(n)) for n in range(KeySet.MAX_TRIES + 1)])
    with pytest.raises(Rejected) as caught:
        many.candidates("HS256", None)
    assert caught.value.reason is Reason.UNKNOWN_KEY
    assert len(many) == KeySet.MAX_TRIES + 1


def test_a_key_set_is_checked_when_it_is_made():
    assert "at least one" in mend(KeySet, [])
    assert "not str" in mend(KeySet, ["secret"])
    assert "the key id 'a'" in mend(KeySet, [named("HS256", "a"), named("HS256", "a")])
    assert "leaves no key" in mend(KeySet([named("HS256")]).only, ["RS256"])


def test_no_asymmetric_module_is_loaded_before_a_key_needs_it():
    program = (
        "import sys; from watchword import Key, KeySet, JWTVerifier; key = Key.generate('HS256');"
        "JWTVerifier(key); key.verify(b'x', key.sign(b'x'));"
        "assert not [name for name in sys.modules if name.startswith('cryptography')], 'loaded';"
        "Key.generate('EdDSA'); assert 'cryptography.hazmat.primitives.asymmetric.ed25519' in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)

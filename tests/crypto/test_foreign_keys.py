"""Public keys that somebody else chose: what costs too much or proves nothing is refused at every entrance."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed448, ed25519, rsa, x448, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from watchword import ConfigurationError, Key, KeySet
from watchword.crypto.encoding import b64url_encode
from watchword.crypto.keys import RegisteredPublicKey
from watchword.crypto.keys.jwk_set import read_jwks
from watchword.crypto.weak_sha1 import WeakRSAKey
from watchword.dropin import jwt as pyjwt

PEM, DER, SPKI = Encoding.PEM, Encoding.DER, PublicFormat.SubjectPublicKeyInfo
SIGNER = rsa.generate_private_key(65537, 2048)
USUAL = 65537


def octets(number: int) -> str:
    return b64url_encode(number.to_bytes((number.bit_length() + 7) // 8)).decode()


def jwk_of(public: Any, algorithm: str) -> dict[str, str]:
    if isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        return {"kty": "RSA", "alg": algorithm, "n": octets(numbers.n), "e": octets(numbers.e)}
    kind = type(public).__name__.strip("_").removesuffix("PublicKey")
    return {"kty": "OKP", "crv": kind, "alg": algorithm, "x": b64url_encode(public.public_bytes_raw()).decode()}


def certificate(public: Any) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a")])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder(name, name, public, 1, start, start + dt.timedelta(days=1))
    return builder.sign(SIGNER, hashes.SHA256()).public_bytes(PEM)


def from_set(jwk: dict[str, str], *, published: bool) -> Key:
    """The key of a set; a set passes over what it can't use, and a set of nothing else is refused."""
    return read_jwks({"keys": [jwk]}, None, published=published)[0][0]


ENTRANCES: dict[str, Callable[[Any, str], object]] = {
    "PEM": lambda public, name: Key.from_pem(public.public_bytes(PEM, SPKI), algorithm=name),
    "DER": lambda public, name: Key.from_der(public.public_bytes(DER, SPKI), algorithm=name),
    "an object": lambda public, name: Key.from_openssl(public, algorithm=name),
    "a certificate": lambda public, name: Key.from_certificate(certificate(public), algorithm=name),
    "a JWK": lambda public, name: Key.from_jwk(jwk_of(public, name)),
    "a JWK set": lambda public, name: KeySet.from_jwks({"keys": [jwk_of(public, name)]}),
    "a published JWK set": lambda public, name: from_set(jwk_of(public, name), published=True),
    "a registered key": lambda public, name: RegisteredPublicKey(
        "a", name, public.public_bytes(PEM, SPKI).decode()
    ).key(),
    "PyJWT": lambda public, name: pyjwt.get_algorithm_by_name(name).prepare_key(public.public_bytes(PEM, SPKI)),
    "PyJWK": lambda public, name: pyjwt.PyJWK(jwk_of(public, name)),
    "an SSH line": lambda public, name: pyjwt.get_algorithm_by_name(name).prepare_key(
        public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    ),
}


def rsa_public(bits: int, exponent: int) -> rsa.RSAPublicKey:
    return rsa.RSAPublicNumbers(exponent, (1 << bits - 1) + 1).public_key()


def refusals() -> tuple[type[Exception], ...]:
    return ConfigurationError, pyjwt.InvalidKeyError, pyjwt.exceptions.PyJWKError


@pytest.mark.parametrize("entrance", ENTRANCES)
@pytest.mark.parametrize(
    ("bits", "exponent"),
    [
        (2048, 3),
        (2048, 17),
        (2048, USUAL),
        (2048, 2**32 + 1),
        (2048, 2**33 - 1),
        (3072, USUAL),
        (4096, USUAL),
        (8192, USUAL),
    ],
)
def test_rsa_keys_within_the_bounds_are_taken(entrance, bits, exponent):
    ENTRANCES[entrance](rsa_public(bits, exponent), "RS256")


@pytest.mark.parametrize("algorithm", ["RS256", "PS512"])
@pytest.mark.parametrize("entrance", ENTRANCES)
@pytest.mark.parametrize(("bits", "exponent"), [(2048, 2**33 + 1), (3072, 2**3070 + 1), (8193, USUAL), (16384, USUAL)])
def test_rsa_keys_that_cost_too_much_are_refused(entrance, bits, exponent, algorithm):
    with pytest.raises(refusals(), match=r"2\*\*33|8192"):
        ENTRANCES[entrance](rsa_public(bits, exponent), algorithm)


def test_keys_for_encryption_have_the_same_bounds():
    with pytest.raises(ConfigurationError, match="8192"):
        Key.from_jwk(jwk_of(rsa_public(8193, USUAL), "RSA-OAEP-256"))


@pytest.mark.parametrize("exponent", [0, 1, 2, 65536])
def test_even_and_tiny_exponents_are_refused(exponent):
    jwk = {**jwk_of(SIGNER.public_key(), "RS256"), "e": octets(exponent) or "AA"}
    with pytest.raises(ConfigurationError):
        Key.from_jwk(jwk)


@pytest.mark.parametrize(("bits", "exponent"), [(1024, 2**33 + 1), (8193, USUAL)])
def test_old_keys_for_sha_1_have_the_same_bounds(bits, exponent):
    WeakRSAKey(rsa_public(1024, USUAL).public_bytes(PEM, SPKI))
    with pytest.raises(ConfigurationError, match=r"2\*\*33|8192"):
        WeakRSAKey(rsa_public(bits, exponent).public_bytes(PEM, SPKI))


# ---- points of small order ---------------------------------------------------------------------------------------------

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
P448 = 2**448 - 2**224 - 1
D448 = -39081 % P448


def added(one, other, prime, a, d):
    """RFC 8032 §5.1.4 and §5.2.4, in affine coordinates: slow, and nothing of the code that is tested."""
    (x1, y1), (x2, y2) = one, other
    product = d * x1 * x2 * y1 * y2 % prime
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, prime) % prime
    return x, (y1 * y2 - a * x1 * x2) * pow(1 - product, -1, prime) % prime


def x_of(y, prime, a, d):
    square = (1 - y * y) * pow(a - d * y * y, -1, prime) % prime
    if prime == P448:
        root = pow(square, (prime + 1) // 4, prime)
    else:
        root = pow(square, (prime + 3) // 8, prime)
        if root * root % prime != square:
            root = root * pow(2, (prime - 1) // 4, prime) % prime
    return root if root * root % prime == square else None


def small_order(prime, a, d, order, cofactor):
    """All points that `cofactor` times themselves are the neutral one: other points times the order of the large subgroup."""
    found = {(0, 1)}
    y = 2
    while len(found) < cofactor:
        x = x_of(y, prime, a, d)
        y += 1
        if x is None:
            continue
        point, total = (x, y - 1), (0, 1)
        for bit in f"{order:b}":
            total = added(total, total, prime, a, d)
            if bit == "1":
                total = added(total, point, prime, a, d)
        reached = (0, 1)
        for _ in range(cofactor):
            reached = added(reached, total, prime, a, d)
            found.add(reached)
    return found


L25519 = 2**252 + 27742317777372353535851937790883648493
L448 = 2**446 - 0x8335DC163BB124B65129C96FDE933D8D723A70AADC873D6D54A7BB0D
ED25519 = small_order(P, -1, D, L25519, 8)
ED448 = small_order(P448, 1, D448, L448, 4)


def spellings(y: int, prime: int, bits: int, size: int):
    """Each way to write a point with this y: either sign, and not reduced where that fits."""
    for value in (y, y + prime):
        if value < 2**bits:
            for sign in (0, 0x80):
                encoded = bytearray(value.to_bytes(size, "little"))
                encoded[-1] |= sign
                yield bytes(encoded)


CASES = [
    *(("EdDSA", ed25519.Ed25519PublicKey, each) for _, y in sorted(ED25519) for each in spellings(y, P, 255, 32)),
    *(("Ed448", ed448.Ed448PublicKey, each) for _, y in sorted(ED448) for each in spellings(y, P448, 448, 57)),
    # Of Montgomery's curves: u = (1 + y) / (1 - y) (RFC 7748 §4.1), and 0 for the one that has none.
    *(
        ("ECDH-ES", x25519.X25519PublicKey, each)
        for _, y in sorted(ED25519) for each in spellings((1 + y) * pow(1 - y, -1, P) % P if y != 1 else 0, P, 255, 32)
    ),
    *(("ECDH-ES", x448.X448PublicKey, u.to_bytes(56, "little")) for u in (0, 1, P448 - 1, P448, P448 + 1)),
]  # fmt: skip


def shown(value: object) -> str | None:
    return value.hex() if isinstance(value, bytes) else None


def takes(entrance: str, algorithm: str) -> bool:
    """Whether an entrance is for such keys: OpenSSH has no Ed448, and neither PyJWT nor a published set is for encryption."""
    if algorithm == "ECDH-ES":
        return entrance not in ("PyJWT", "PyJWK", "an SSH line", "a published JWK set", "a registered key")
    return entrance != "an SSH line" or algorithm == "EdDSA"


@pytest.mark.parametrize(("algorithm", "kind", "encoded"), list(dict.fromkeys(CASES)), ids=shown)
def test_a_point_of_small_order_is_refused_at_every_entrance(algorithm, kind, encoded):
    public = kind.from_public_bytes(encoded)
    for name, entrance in ENTRANCES.items():
        if not takes(name, algorithm):
            continue
        # PyJWT's EdDSA is of both curves, so its last word is about the other one.
        with pytest.raises(refusals(), match="small order|needs Ed448" if algorithm == "EdDSA" else "small order"):
            entrance(public, algorithm)


def test_there_are_as_many_points_of_small_order_as_the_cofactor_says():
    assert (len(ED25519), len(ED448)) == (8, 4)


@pytest.mark.parametrize("entrance", ENTRANCES)
@pytest.mark.parametrize(
    ("algorithm", "private"),
    [
        ("EdDSA", ed25519.Ed25519PrivateKey), ("Ed448", ed448.Ed448PrivateKey), ("ECDH-ES", x25519.X25519PrivateKey),
        ("ECDH-ES", x448.X448PrivateKey),
    ],
)  # fmt: skip
def test_other_points_are_taken(entrance, algorithm, private):
    for _ in range(10):
        if takes(entrance, algorithm):
            ENTRANCES[entrance](private.generate().public_key(), algorithm)

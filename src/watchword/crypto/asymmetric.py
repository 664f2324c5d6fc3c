"""Public keys over `cryptography`: loading and checking them, and preparing those for signatures.

Imported by `keys` when the first such key is made, never before: it loads OpenSSL's asymmetric half.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa, x448, x25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.crypto.algorithms import AGREEMENT_CURVES, Algorithm
from watchword.crypto.encoding import b64url_decode, b64url_encode
from watchword.crypto.foreign_keys import check_order, check_rsa

__all__ = [
    "CURVES", "HASHES", "PrivateKey", "PublicKey", "check_sound", "checked", "curve_of", "generate", "jwk_members", "load_jwk",
    "load_object", "public_jwk", "read_jwk", "rsa_bits", "signer", "verifier",
]  # fmt: skip

PublicKey = (
    rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey
    | x25519.X25519PublicKey | x448.X448PublicKey
)  # fmt: skip
PrivateKey = (
    rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
    | x25519.X25519PrivateKey | x448.X448PrivateKey
)  # fmt: skip

HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 -- for RSA-OAEP alone, whose proof asks nothing of it (RFC 8017 §7.1)
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
CURVES: dict[str, type[ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1,
    "P-384": ec.SECP384R1,
    "P-521": ec.SECP521R1,
    "secp256k1": ec.SECP256K1,
}
# What OpenSSL calls them, and how long a coordinate is (RFC 7518 §6.2.1.2).
_EC_NAMES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521", "secp256k1": "secp256k1"}
_COORDINATES = {"P-256": 32, "P-384": 48, "P-521": 66, "secp256k1": 32}
_OKP: dict[str, tuple[type[Any], type[Any]]] = {
    "Ed25519": (ed25519.Ed25519PublicKey, ed25519.Ed25519PrivateKey),
    "Ed448": (ed448.Ed448PublicKey, ed448.Ed448PrivateKey),
    "X25519": (x25519.X25519PublicKey, x25519.X25519PrivateKey),
    "X448": (x448.X448PublicKey, x448.X448PrivateKey),
}


def load_object(row: Algorithm, key: Any) -> tuple[PublicKey, PrivateKey | None]:
    """The halves of a key that `cryptography` has loaded.

    Raises:
        ConfigurationError: something else, or not a key for `row`.
    """
    public = key.public_key() if isinstance(key, PrivateKey) else key
    return checked(row, public), key if public is not key else None


def public_jwk(curve: str, jwk: Mapping[str, Any]) -> PublicKey:
    """The public key of an agreement, `epk`, which has to be on `curve` (RFC 7518 §4.6.1.1).

    Raises:
        ValueError: it is of another type or curve, malformed, or no point of the curve.
    """
    if jwk.get("kty") != AGREEMENT_CURVES[curve] or jwk.get("crv") != curve:
        raise ConfigurationError(f"not a key on {curve}")
    shown = {name: value for name, value in jwk.items() if name in ("kty", "crv", "x", "y")}
    return _LOADERS[AGREEMENT_CURVES[curve]](shown)[1]  # type: ignore[no-any-return]


def load_jwk(row: Algorithm, jwk: Mapping[str, Any]) -> tuple[PublicKey, PrivateKey | None]:
    """The key in a JWK (RFC 7518 §6.2 and §6.3, RFC 8037 §2), already known to be of `row`'s type and curve.

    Raises:
        ConfigurationError: a member is missing or wrong, the two halves don't belong together, or the key is too small.
    """
    public, private = read_jwk(row, jwk)
    return checked(row, public), private


def read_jwk(row: Algorithm, jwk: Mapping[str, Any]) -> tuple[Any, Any]:
    """`load_jwk` of a key of any size.

    Raises:
        ConfigurationError: a member is missing or wrong, or the two halves don't belong together.
    """
    try:
        private, public = _LOADERS[jwk["kty"]](jwk)
    except ConfigurationError:  # a ValueError too, and it says more
        raise
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigurationError(f"this JWK holds no valid {jwk['kty']} key for {row.name}") from None
    return public, private


def _octets(jwk: Mapping[str, Any], name: str) -> bytes:
    value = jwk.get(name)
    if not isinstance(value, str):
        raise ConfigurationError(f"this JWK lacks its member {name!r}, a base64url text")
    return b64url_decode(value.encode())


def _integer(jwk: Mapping[str, Any], name: str) -> int:
    return int.from_bytes(_octets(jwk, name))


_CRT = ("p", "q", "dp", "dq", "qi")


def _rsa(jwk: Mapping[str, Any]) -> tuple[rsa.RSAPrivateKey | None, rsa.RSAPublicKey]:
    numbers = rsa.RSAPublicNumbers(_integer(jwk, "e"), _integer(jwk, "n"))
    check_rsa(numbers.n, numbers.e)
    public = numbers.public_key()
    given = [name for name in _CRT if name in jwk]
    if given and (len(given) < len(_CRT) or "d" not in jwk):
        missing = ", ".join(name for name in ("d", *_CRT) if name not in jwk)
        raise ConfigurationError(
            f"this RSA JWK has {', '.join(given)} without {missing}: all or none (RFC 7518 §6.3.2)"
        )
    if "d" not in jwk:
        return None, public
    if "oth" in jwk:
        raise ConfigurationError("an RSA key with more than two primes is not supported (RFC 7518 §6.3.2.7)")
    d = _integer(jwk, "d")
    if given:
        p, q, dp, dq, qi = (_integer(jwk, name) for name in _CRT)
    else:
        p, q = rsa.rsa_recover_prime_factors(numbers.n, numbers.e, d)
        dp, dq, qi = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q)
    return rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, numbers).private_key(), public


def _ec(jwk: Mapping[str, Any]) -> tuple[ec.EllipticCurvePrivateKey | None, ec.EllipticCurvePublicKey]:
    curve = jwk["crv"]
    size = _COORDINATES[curve]
    x, y = _octets(jwk, "x"), _octets(jwk, "y")
    if len(x) != size or len(y) != size:
        raise ConfigurationError(f"a coordinate on {curve} has {size} octets, no fewer (RFC 7518 §6.2.1.2)")
    numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), CURVES[curve]())
    public = numbers.public_key()  # refuses a point that isn't on the curve
    if "d" not in jwk:
        return None, public
    return ec.EllipticCurvePrivateNumbers(_integer(jwk, "d"), numbers).private_key(), public


def _okp(jwk: Mapping[str, Any]) -> tuple[Any, Any]:
    public_type, private_type = _OKP[jwk["crv"]]
    public = public_type.from_public_bytes(_octets(jwk, "x"))
    if "d" not in jwk:
        return None, public
    private = private_type.from_private_bytes(_octets(jwk, "d"))
    if private.public_key().public_bytes_raw() != public.public_bytes_raw():
        raise ConfigurationError("the public half of this JWK (x) does not belong to its private half (d)")
    return private, public


_LOADERS: dict[str, Callable[[Mapping[str, Any]], tuple[Any, Any]]] = {"RSA": _rsa, "EC": _ec, "OKP": _okp}


def checked(row: Algorithm, public: Any) -> PublicKey:
    """`public`, if it is of the type, curve and size that `row` demands."""
    if row.key_type == "RSA" and isinstance(public, rsa.RSAPublicKey):
        if public.key_size < row.minimum:
            raise ConfigurationError(
                f"{row.name} needs an RSA key of at least {row.minimum} bits (RFC 7518 §3.3), this one has "
                f"{public.key_size}; make one with Key.generate({row.name!r})"
            )
        check_sound(public)
        return public
    if row.curve and row.key_type == "EC" and isinstance(public, ec.EllipticCurvePublicKey):
        if isinstance(public.curve, CURVES[row.curve]):
            return public
        raise ConfigurationError(f"{row.name} needs a key on {row.curve}, this one is on {public.curve.name}")
    if row.key_type == "OKP" and isinstance(public, _OKP[row.curve][0]):
        check_order(row.curve, public)
        return public  # type: ignore[no-any-return]
    if row.family == "ECDH-ES" and (curve := curve_of(public)) in AGREEMENT_CURVES:
        if curve in _OKP:
            check_order(curve, public)
        return public  # type: ignore[no-any-return]
    kind = type(public).__name__.strip("_").removesuffix("PublicKey")
    wanted = "P-256, P-384, P-521, X25519 or X448" if row.family == "ECDH-ES" else row.curve or row.key_type
    raise ConfigurationError(f"{row.name} needs {wanted} keys, this is one of {kind}")


def rsa_bits(public: Any) -> int:
    """Bits of an RSA key's modulus; 0 if it is no RSA key."""
    return public.key_size if isinstance(public, rsa.RSAPublicKey) else 0


def check_sound(public: rsa.RSAPublicKey) -> None:
    """Nothing, if a signature under this RSA key, of whatever size, proves something and is checked in little time.

    Raises:
        ConfigurationError: its exponent or modulus is not what it should be, or it was made by a flawed generator.
    """
    numbers = public.public_numbers()
    check_rsa(numbers.n, numbers.e)
    if _is_roca(numbers.n):
        raise ConfigurationError(
            "this RSA key was made by a flawed generator and can be factored (CVE-2017-15361): make a new one"
        )


# Infineon's primes were k * M + 65537^a mod M, M the product of small primes (CVE-2017-15361): their modulus is a power
# of 65537 modulo each of these. One other key in a hundred million looks like that.
_ROCA: dict[int, frozenset[int]] = {
    prime: frozenset(pow(65537, exponent, prime) for exponent in range(prime))
    for prime in (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
}


def _is_roca(modulus: int) -> bool:
    return all(modulus % prime in powers for prime, powers in _ROCA.items())


def curve_of(public: Any) -> str:
    """The curve of a public key, as JWK names it; "" for RSA and for curves that JWK doesn't know."""
    if isinstance(public, ec.EllipticCurvePublicKey):
        return _EC_NAMES.get(public.curve.name, "")
    return next((name for name, (kind, _) in _OKP.items() if isinstance(public, kind)), "")


def generate(row: Algorithm, curve: str = "") -> tuple[PublicKey, PrivateKey]:
    """A new key, from OpenSSL's random generator; for ECDH-ES on `curve`, or on P-256."""
    private: PrivateKey
    curve = row.curve or curve or "P-256"
    if row.key_type == "RSA":
        private = rsa.generate_private_key(65537, row.minimum)
    elif curve in CURVES:
        private = ec.generate_private_key(CURVES[curve]())
    else:
        private = _OKP[curve][1].generate()
    return private.public_key(), private


def jwk_members(public: Any, private: Any) -> dict[str, str]:
    """The members that spell a key (RFC 7518 §6.2 and §6.3, RFC 8037 §2); of its private part too unless that is None."""
    curve = curve_of(public)
    if curve in _OKP:
        raw = {"x": public.public_bytes_raw()} | ({} if private is None else {"d": private.private_bytes_raw()})
        return {"kty": "OKP", "crv": curve, **_spelled(raw)}
    numbers = public.public_numbers()
    if curve:  # coordinates have the curve's full length (RFC 7518 §6.2.1.2)
        size = _COORDINATES[curve]
        raw = {"x": numbers.x.to_bytes(size), "y": numbers.y.to_bytes(size)}
        if private is not None:
            raw["d"] = private.private_numbers().private_value.to_bytes(size)
        return {"kty": "EC", "crv": curve, **_spelled(raw)}
    integers = {"n": numbers.n, "e": numbers.e}
    if private is not None:
        secret = private.private_numbers()
        integers |= {
            "d": secret.d, "p": secret.p, "q": secret.q, "dp": secret.dmp1, "dq": secret.dmq1, "qi": secret.iqmp,
        }  # fmt: skip
    shortest = {name: value.to_bytes((value.bit_length() + 7) // 8) for name, value in integers.items()}
    return {"kty": "RSA", **_spelled(shortest)}


def _spelled(octets: Mapping[str, bytes]) -> dict[str, str]:
    return {name: b64url_encode(value).decode() for name, value in octets.items()}


def verifier(row: Algorithm, public: Any) -> Callable[[bytes, bytes], None]:
    """(data, signature) -> None, raising `Rejected`; everything that does not depend on them is done here, once."""
    check = public.verify
    if row.family == "ECDSA":
        return _ecdsa_verifier(row, check)
    if row.family == "EdDSA":
        return _eddsa_verifier(check)
    scheme, digest = _padding(row), HASHES[row.hash]

    def verify(data: bytes, signature: bytes) -> None:
        try:
            check(signature, data, scheme, digest)
        except InvalidSignature:
            raise _does_not_fit() from None

    return verify


def _eddsa_verifier(check: Callable[..., None]) -> Callable[[bytes, bytes], None]:
    def verify(data: bytes, signature: bytes) -> None:
        try:
            check(signature, data)
        except InvalidSignature:
            raise _does_not_fit() from None

    return verify


def _ecdsa_verifier(row: Algorithm, check: Callable[..., None]) -> Callable[[bytes, bytes], None]:
    """JWS has r || s, each as long as the curve's order (RFC 7518 §3.4); OpenSSL wants DER and checks 0 < r, s < n."""
    size, half, scheme = row.size, row.size // 2, ec.ECDSA(HASHES[row.hash])

    def verify(data: bytes, signature: bytes) -> None:
        if len(signature) != size:
            raise Rejected(
                Reason.WRONG_SIGNATURE, f"{len(signature)} octets where {row.name} has {size}", where="signature"
            )
        der = encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
        try:
            check(der, data, scheme)
        except InvalidSignature:
            raise _does_not_fit() from None

    return verify


def _does_not_fit() -> Rejected:
    return Rejected(Reason.WRONG_SIGNATURE, "the signature does not fit", where="signature")


def signer(row: Algorithm, private: Any) -> Callable[[bytes], bytes]:
    """What makes a signature of data, prepared."""
    make = private.sign
    if row.family == "ECDSA":
        half, scheme = row.size // 2, ec.ECDSA(HASHES[row.hash])

        def sign_ecdsa(data: bytes) -> bytes:
            r, s = decode_dss_signature(make(data, scheme))
            return r.to_bytes(half) + s.to_bytes(half)

        return sign_ecdsa
    options = () if row.family == "EdDSA" else (_padding(row), HASHES[row.hash])

    def sign(data: bytes) -> bytes:
        signature: bytes = make(data, *options)
        return signature

    return sign


def _padding(row: Algorithm) -> padding.AsymmetricPadding:
    if row.family == "RSA":
        return padding.PKCS1v15()
    # RFC 7518 §3.5: MGF1 with the same hash, and a salt as long as the hash.
    return padding.PSS(padding.MGF1(HASHES[row.hash]), HASHES[row.hash].digest_size)

"""Public-key signatures over `cryptography`: loading, checking and preparing keys.

Imported by `keys` when the first such key is made, never before: it loads OpenSSL's asymmetric half.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.crypto.algorithms import Algorithm
from watchword.crypto.encoding import b64url_decode, b64url_encode

__all__ = ["generate", "jwk_members", "load_jwk", "load_pem", "signer", "verifier"]

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_CURVES: dict[str, type[ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1,
    "P-384": ec.SECP384R1,
    "P-521": ec.SECP521R1,
    "secp256k1": ec.SECP256K1,
}
_OKP: dict[str, tuple[type[Any], type[Any]]] = {
    "Ed25519": (ed25519.Ed25519PublicKey, ed25519.Ed25519PrivateKey),
    "Ed448": (ed448.Ed448PublicKey, ed448.Ed448PrivateKey),
}


def load_pem(row: Algorithm, pem: bytes) -> tuple[PublicKey, PrivateKey | None]:
    """The key in a PEM text (RFC 7468): SubjectPublicKeyInfo, PKCS #1, PKCS #8 or SEC 1.

    Raises:
        ConfigurationError: not such a text, or not a key for `row`. The message holds nothing of the key.
    """
    if b"-----BEGIN CERTIFICATE" in pem:
        raise ConfigurationError(
            "this PEM is a certificate, not a key: take its public key with `openssl x509 -pubkey -noout`"
        )
    private = b"PRIVATE KEY-----" in pem
    try:
        loaded: Any = load_pem_private_key(pem, None) if private else load_pem_public_key(pem)
    except TypeError:  # what cryptography says of an encrypted key
        raise ConfigurationError("this PEM is encrypted: decrypt it first, with `openssl pkey`") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigurationError(
            "this is no PEM of a key: it starts with -----BEGIN PUBLIC KEY----- or the like"
        ) from None
    public = loaded.public_key() if private else loaded
    return _checked(row, public), loaded if private else None


def load_jwk(row: Algorithm, jwk: Mapping[str, Any]) -> tuple[PublicKey, PrivateKey | None]:
    """The key in a JWK (RFC 7518 §6.2 and §6.3, RFC 8037 §2), already known to be of `row`'s type and curve.

    Raises:
        ConfigurationError: a member is missing or wrong, or the two halves don't belong together.
    """
    try:
        private, public = _LOADERS[row.key_type](row, jwk)
    except ConfigurationError:  # a ValueError too, and it says more
        raise
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigurationError(f"this JWK holds no valid {row.key_type} key for {row.name}") from None
    return _checked(row, public), private


def _octets(jwk: Mapping[str, Any], name: str) -> bytes:
    value = jwk.get(name)
    if not isinstance(value, str):
        raise ConfigurationError(f"this JWK lacks its member {name!r}, a base64url text")
    return b64url_decode(value.encode())


def _integer(jwk: Mapping[str, Any], name: str) -> int:
    return int.from_bytes(_octets(jwk, name))


def _rsa(row: Algorithm, jwk: Mapping[str, Any]) -> tuple[rsa.RSAPrivateKey | None, rsa.RSAPublicKey]:
    numbers = rsa.RSAPublicNumbers(_integer(jwk, "e"), _integer(jwk, "n"))
    public = numbers.public_key()
    if "d" not in jwk:
        return None, public
    if "oth" in jwk:
        raise ConfigurationError("an RSA key with more than two primes is not supported (RFC 7518 §6.3.2.7)")
    d = _integer(jwk, "d")
    if "p" in jwk:
        p, q, dp, dq, qi = (_integer(jwk, name) for name in ("p", "q", "dp", "dq", "qi"))
    else:
        p, q = rsa.rsa_recover_prime_factors(numbers.n, numbers.e, d)
        dp, dq, qi = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q)
    return rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, numbers).private_key(), public


def _ec(row: Algorithm, jwk: Mapping[str, Any]) -> tuple[ec.EllipticCurvePrivateKey | None, ec.EllipticCurvePublicKey]:
    size = row.size // 2
    x, y = _octets(jwk, "x"), _octets(jwk, "y")
    if len(x) != size or len(y) != size:
        raise ConfigurationError(f"a coordinate on {row.curve} has {size} octets, no fewer (RFC 7518 §6.2.1.2)")
    numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), _CURVES[row.curve]())
    public = numbers.public_key()  # refuses a point that isn't on the curve
    if "d" not in jwk:
        return None, public
    return ec.EllipticCurvePrivateNumbers(_integer(jwk, "d"), numbers).private_key(), public


def _okp(row: Algorithm, jwk: Mapping[str, Any]) -> tuple[Any, Any]:
    public_type, private_type = _OKP[row.curve]
    public = public_type.from_public_bytes(_octets(jwk, "x"))
    if "d" not in jwk:
        return None, public
    private = private_type.from_private_bytes(_octets(jwk, "d"))
    if private.public_key().public_bytes_raw() != public.public_bytes_raw():
        raise ConfigurationError("the public half of this JWK (x) does not belong to its private half (d)")
    return private, public


_LOADERS: dict[str, Callable[[Algorithm, Mapping[str, Any]], tuple[Any, Any]]] = {"RSA": _rsa, "EC": _ec, "OKP": _okp}


def _checked(row: Algorithm, public: Any) -> PublicKey:
    """`public`, if it is of the type, curve and size that `row` demands."""
    if row.key_type == "RSA" and isinstance(public, rsa.RSAPublicKey):
        if public.key_size < row.minimum:
            raise ConfigurationError(
                f"{row.name} needs an RSA key of at least {row.minimum} bits (RFC 7518 §3.3), this one has "
                f"{public.key_size}; make one with Key.generate({row.name!r})"
            )
        return public
    if row.key_type == "EC" and isinstance(public, ec.EllipticCurvePublicKey):
        if isinstance(public.curve, _CURVES[row.curve]):
            return public
        raise ConfigurationError(f"{row.name} needs a key on {row.curve}, this one is on {public.curve.name}")
    if row.key_type == "OKP" and isinstance(public, _OKP[row.curve][0]):
        return public  # type: ignore[no-any-return]
    kind = type(public).__name__.strip("_").removesuffix("PublicKey")
    raise ConfigurationError(f"{row.name} needs {row.curve or row.key_type} keys, this is one of {kind}")


def generate(row: Algorithm) -> tuple[PublicKey, PrivateKey]:
    """A new key, from OpenSSL's random generator."""
    private: PrivateKey
    if row.key_type == "RSA":
        private = rsa.generate_private_key(65537, row.minimum)
    elif row.key_type == "EC":
        private = ec.generate_private_key(_CURVES[row.curve]())
    else:
        private = _OKP[row.curve][1].generate()
    return private.public_key(), private


def jwk_members(row: Algorithm, public: Any, private: Any) -> dict[str, str]:
    """The members that spell a key (RFC 7518 §6.2 and §6.3, RFC 8037 §2); of its private part too unless that is None."""
    if row.key_type == "OKP":
        raw = {"x": public.public_bytes_raw()} | ({} if private is None else {"d": private.private_bytes_raw()})
        return {"kty": "OKP", "crv": row.curve, **_spelled(raw)}
    numbers = public.public_numbers()
    if row.key_type == "EC":  # coordinates have the curve's full length (RFC 7518 §6.2.1.2)
        size = row.size // 2
        raw = {"x": numbers.x.to_bytes(size), "y": numbers.y.to_bytes(size)}
        if private is not None:
            raw["d"] = private.private_numbers().private_value.to_bytes(size)
        return {"kty": "EC", "crv": row.curve, **_spelled(raw)}
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
    options = () if row.family == "EdDSA" else (_padding(row), _HASHES[row.hash])

    def verify(data: bytes, signature: bytes) -> None:
        try:
            check(signature, data, *options)
        except InvalidSignature:
            raise Rejected(Reason.WRONG_SIGNATURE, "the signature does not fit", where="signature") from None

    return verify


def _ecdsa_verifier(row: Algorithm, check: Callable[..., None]) -> Callable[[bytes, bytes], None]:
    """JWS has r || s, each as long as the curve's order (RFC 7518 §3.4); OpenSSL wants DER and checks 0 < r, s < n."""
    size, half, scheme = row.size, row.size // 2, ec.ECDSA(_HASHES[row.hash])

    def verify(data: bytes, signature: bytes) -> None:
        if len(signature) != size:
            raise Rejected(
                Reason.WRONG_SIGNATURE, f"{len(signature)} octets where {row.name} has {size}", where="signature"
            )
        der = encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
        try:
            check(der, data, scheme)
        except InvalidSignature:
            raise Rejected(Reason.WRONG_SIGNATURE, "the signature does not fit", where="signature") from None

    return verify


def signer(row: Algorithm, private: Any) -> Callable[[bytes], bytes]:
    """What makes a signature of data, prepared."""
    make = private.sign
    if row.family == "ECDSA":
        half, scheme = row.size // 2, ec.ECDSA(_HASHES[row.hash])

        def sign_ecdsa(data: bytes) -> bytes:
            r, s = decode_dss_signature(make(data, scheme))
            return r.to_bytes(half) + s.to_bytes(half)

        return sign_ecdsa
    options = () if row.family == "EdDSA" else (_padding(row), _HASHES[row.hash])

    def sign(data: bytes) -> bytes:
        signature: bytes = make(data, *options)
        return signature

    return sign


def _padding(row: Algorithm) -> padding.AsymmetricPadding:
    if row.family == "RSA":
        return padding.PKCS1v15()
    # RFC 7518 §3.5: MGF1 with the same hash, and a salt as long as the hash.
    return padding.PSS(padding.MGF1(_HASHES[row.hash]), _HASHES[row.hash].digest_size)

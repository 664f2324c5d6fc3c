"""The algorithms of signatures and of encryption, one row each: what a key of that algorithm must be.

Whatever differs between two algorithms is in this table; `keys` and `asymmetric` read it and know no algorithm by name.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from watchword.core.rejection import ConfigurationError
from watchword.crypto.foreign_keys import LARGEST_MODULUS

__all__ = [
    "AGREEMENT_CURVES", "ALGORITHMS", "ENCRYPTION_ALGORITHMS", "Algorithm", "algorithm_named", "fits", "may_have",
    "signature_alias",
]  # fmt: skip


class Algorithm(NamedTuple):
    """An algorithm that a key can be for.

    Args:
        name: JOSE's name (RFC 7518 §3.1, §4.1, §5.1, RFC 8037 §3, RFC 8812 §3.2, RFC 9864 §2.2); case-sensitive.
        family: what is done: "HMAC", "RSA" (PKCS #1 v1.5), "RSA-PSS", "ECDSA", "EdDSA"; or, to encrypt, "AES-GCM",
            "AES-CBC-HMAC", "AES-KW", "AES-GCM-KW", "RSA-OAEP", "RSA1_5", "ECDH-ES", "PBES2".
        key_type: the `kty` of its keys (RFC 7518 §6.1, RFC 8037 §2); of ECDH-ES that of most curves.
        hash: the hash, as hashlib names it; "" where there is none or the curve fixes it.
        curve: the one curve of its keys, as JWK names it (`crv`); "" where there is none or, for ECDH-ES, a choice.
        minimum: the least size of a key: bits of an RSA modulus, octets of a secret; 0 where the curve fixes it. An AES
            key has exactly that many.
        size: octets of a signature, or of the AES key that is derived; 0 where the key decides, or nothing is derived.
        alias: its name in HTTP message signatures (RFC 9421 §6.2.2), or "".
        use: "sig" or "enc" (RFC 7517 §4.2).
    """

    name: str
    family: str
    key_type: str
    hash: str
    curve: str
    minimum: int
    size: int
    alias: str = ""
    use: str = "sig"


# RFC 7518 §3.2: a secret has at least as many octets as the hash. RFC 7518 §3.3, §3.5: a modulus has 2048 bits or more.
ALGORITHMS: Final = (
    Algorithm("HS256", "HMAC", "oct", "sha256", "", 32, 32, "hmac-sha256"),
    Algorithm("HS384", "HMAC", "oct", "sha384", "", 48, 48, ""),
    Algorithm("HS512", "HMAC", "oct", "sha512", "", 64, 64, ""),
    Algorithm("RS256", "RSA", "RSA", "sha256", "", 2048, 0, "rsa-v1_5-sha256"),
    Algorithm("RS384", "RSA", "RSA", "sha384", "", 2048, 0, ""),
    Algorithm("RS512", "RSA", "RSA", "sha512", "", 2048, 0, ""),
    Algorithm("PS256", "RSA-PSS", "RSA", "sha256", "", 2048, 0, ""),
    Algorithm("PS384", "RSA-PSS", "RSA", "sha384", "", 2048, 0, ""),
    Algorithm("PS512", "RSA-PSS", "RSA", "sha512", "", 2048, 0, "rsa-pss-sha512"),
    Algorithm("ES256", "ECDSA", "EC", "sha256", "P-256", 0, 64, "ecdsa-p256-sha256"),
    Algorithm("ES384", "ECDSA", "EC", "sha384", "P-384", 0, 96, "ecdsa-p384-sha384"),
    Algorithm("ES512", "ECDSA", "EC", "sha512", "P-521", 0, 132, ""),
    Algorithm("ES256K", "ECDSA", "EC", "sha256", "secp256k1", 0, 64, ""),
    Algorithm("EdDSA", "EdDSA", "OKP", "", "Ed25519", 0, 64, "ed25519"),
    Algorithm("Ed25519", "EdDSA", "OKP", "", "Ed25519", 0, 64, ""),
    Algorithm("Ed448", "EdDSA", "OKP", "", "Ed448", 0, 114, ""),
)

# A key for one of the first six is the content encryption key itself: "alg" is then "dir" (RFC 7518 §4.5, §5.1).
# RFC 7518 §8.8: a password has at least as many octets as the AES key that is derived from it.
ENCRYPTION_ALGORITHMS: Final = (
    Algorithm("A128CBC-HS256", "AES-CBC-HMAC", "oct", "sha256", "", 32, 0, use="enc"),
    Algorithm("A192CBC-HS384", "AES-CBC-HMAC", "oct", "sha384", "", 48, 0, use="enc"),
    Algorithm("A256CBC-HS512", "AES-CBC-HMAC", "oct", "sha512", "", 64, 0, use="enc"),
    Algorithm("A128GCM", "AES-GCM", "oct", "", "", 16, 0, use="enc"),
    Algorithm("A192GCM", "AES-GCM", "oct", "", "", 24, 0, use="enc"),
    Algorithm("A256GCM", "AES-GCM", "oct", "", "", 32, 0, use="enc"),
    Algorithm("A128KW", "AES-KW", "oct", "", "", 16, 0, use="enc"),
    Algorithm("A192KW", "AES-KW", "oct", "", "", 24, 0, use="enc"),
    Algorithm("A256KW", "AES-KW", "oct", "", "", 32, 0, use="enc"),
    Algorithm("A128GCMKW", "AES-GCM-KW", "oct", "", "", 16, 0, use="enc"),
    Algorithm("A192GCMKW", "AES-GCM-KW", "oct", "", "", 24, 0, use="enc"),
    Algorithm("A256GCMKW", "AES-GCM-KW", "oct", "", "", 32, 0, use="enc"),
    Algorithm("RSA-OAEP", "RSA-OAEP", "RSA", "sha1", "", 2048, 0, use="enc"),
    Algorithm("RSA-OAEP-256", "RSA-OAEP", "RSA", "sha256", "", 2048, 0, use="enc"),
    Algorithm("RSA-OAEP-384", "RSA-OAEP", "RSA", "sha384", "", 2048, 0, use="enc"),
    Algorithm("RSA-OAEP-512", "RSA-OAEP", "RSA", "sha512", "", 2048, 0, use="enc"),
    Algorithm("RSA1_5", "RSA1_5", "RSA", "", "", 2048, 0, use="enc"),
    Algorithm("ECDH-ES", "ECDH-ES", "EC", "sha256", "", 0, 0, use="enc"),
    Algorithm("ECDH-ES+A128KW", "ECDH-ES", "EC", "sha256", "", 0, 16, use="enc"),
    Algorithm("ECDH-ES+A192KW", "ECDH-ES", "EC", "sha256", "", 0, 24, use="enc"),
    Algorithm("ECDH-ES+A256KW", "ECDH-ES", "EC", "sha256", "", 0, 32, use="enc"),
    Algorithm("PBES2-HS256+A128KW", "PBES2", "oct", "sha256", "", 16, 16, use="enc"),
    Algorithm("PBES2-HS384+A192KW", "PBES2", "oct", "sha384", "", 24, 24, use="enc"),
    Algorithm("PBES2-HS512+A256KW", "PBES2", "oct", "sha512", "", 32, 32, use="enc"),
)

# RFC 7518 §4.6, RFC 8037 §3.2: the curves of ECDH-ES, with the `kty` of their keys.
AGREEMENT_CURVES: Final = {"P-256": "EC", "P-384": "EC", "P-521": "EC", "X25519": "OKP", "X448": "OKP"}

_BY_NAME: Final = {
    **{row.name: row for row in (*ALGORITHMS, *ENCRYPTION_ALGORITHMS)},
    **{row.alias: row for row in ALGORITHMS if row.alias},
}


def algorithm_named(name: object) -> Algorithm:
    """The row of `name`, which is JOSE's name or RFC 9421's.

    Raises:
        ConfigurationError: there is no such algorithm; "none" is never one (RFC 8725 §3.2).

    >>> algorithm_named("hmac-sha256").name
    'HS256'
    """
    row = _BY_NAME.get(name) if isinstance(name, str) else None
    if row is not None:
        return row
    if isinstance(name, str) and name.lower() == "none":
        raise ConfigurationError("the algorithm 'none' proves nothing and is never accepted (RFC 8725 §3.2)")
    if name == "dir":
        raise ConfigurationError(
            'a key used directly is for its content encryption: say that, "A256GCM" for example (RFC 7518 §4.5)'
        )
    known = ", ".join(row.name for row in (*ALGORITHMS, *ENCRYPTION_ALGORITHMS))
    raise ConfigurationError(f"unknown algorithm {str(name)[:32]!r}; choose one of {known}")


def fits(row: Algorithm, key_type: object, curve: object) -> bool:
    """Whether keys of this type and curve (a JWK's `kty` and `crv`) can be for this algorithm.

    >>> fits(algorithm_named("ECDH-ES"), "OKP", "X25519"), fits(algorithm_named("ECDH-ES"), "OKP", "Ed25519")
    (True, False)
    """
    if row.family == "ECDH-ES":
        return isinstance(curve, str) and key_type is not None and AGREEMENT_CURVES.get(curve) == key_type
    return key_type == row.key_type and (not row.curve or curve == row.curve)


def may_have(row: Algorithm, octets: int) -> bool:
    """Whether a signature of this algorithm may have so many octets: those of an RSA key have as many as its modulus.

    >>> may_have(algorithm_named("ES256"), 64), may_have(algorithm_named("PS512"), 256), may_have(algorithm_named("PS512"), 64)
    (True, True, False)
    """
    return octets == row.size if row.size else row.minimum <= 8 * octets <= LARGEST_MODULUS


def signature_alias(row: Algorithm) -> str:
    """The name in HTTP message signatures (RFC 9421 §6.2.2), "" where it has none (§3.3.7).

    There is one for both of JOSE's names of Ed25519 (RFC 9864 §2.2).

    >>> [signature_alias(algorithm_named(name)) for name in ("EdDSA", "Ed25519", "ES512")]
    ['ed25519', 'ed25519', '']
    """
    return "ed25519" if row.name == "Ed25519" else row.alias

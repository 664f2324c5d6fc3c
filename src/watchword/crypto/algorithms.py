"""The signature algorithms, one row each: what a key of that algorithm must be.

Whatever differs between two algorithms is in this table; `keys` and `asymmetric` read it and know no algorithm by name.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from watchword.core.rejection import ConfigurationError

__all__ = ["ALGORITHMS", "Algorithm", "algorithm_named"]


class Algorithm(NamedTuple):
    """A signature algorithm.

    Args:
        name: JOSE's name (RFC 7518 §3.1, RFC 8037 §3.1, RFC 8812 §3.2, RFC 9864 §2.2); case-sensitive.
        family: how signatures are made: "HMAC", "RSA" (PKCS #1 v1.5), "RSA-PSS", "ECDSA" or "EdDSA".
        key_type: the `kty` of its keys (RFC 7518 §6.1, RFC 8037 §2).
        hash: the hash, as hashlib names it; "" for EdDSA, which fixes its own.
        curve: the one curve of its keys, as JWK names it (`crv`); "" where there is none.
        minimum: the least size of a key: bits of an RSA modulus, octets of a secret; 0 where the curve fixes it.
        size: octets of a signature; 0 where the key decides.
        alias: its name in HTTP message signatures (RFC 9421 §6.2.2), or "".
    """

    name: str
    family: str
    key_type: str
    hash: str
    curve: str
    minimum: int
    size: int
    alias: str


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

_BY_NAME: Final = {
    **{row.name: row for row in ALGORITHMS},
    **{row.alias: row for row in ALGORITHMS if row.alias},
}


def algorithm_named(name: object) -> Algorithm:
    """The row of `name`, which is JOSE's name or RFC 9421's.

    Raises:
        ConfigurationError: there is no such signature algorithm; "none" is never one (RFC 8725 §3.2).

    >>> algorithm_named("hmac-sha256").name
    'HS256'
    """
    row = _BY_NAME.get(name) if isinstance(name, str) else None
    if row is not None:
        return row
    if isinstance(name, str) and name.lower() == "none":
        raise ConfigurationError("the algorithm 'none' proves nothing and is never accepted (RFC 8725 §3.2)")
    known = ", ".join(row.name for row in ALGORITHMS)
    raise ConfigurationError(f"unknown algorithm {str(name)[:32]!r}; choose one of {known}")

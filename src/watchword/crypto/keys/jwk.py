"""JSON Web Keys (RFC 7517): their members, thumbprints (RFC 7638), and which one algorithm a JWK is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec.json

from watchword.core.rejection import ConfigurationError
from watchword.crypto.algorithms import ALGORITHMS, ENCRYPTION_ALGORITHMS, Algorithm, algorithm_named, fits
from watchword.crypto.digests import digest
from watchword.crypto.encoding import b64url_encode

__all__ = ["jwk_of", "permitted_operations", "row_of", "row_suits", "thumbprint_of"]

# What identifies a key, and nothing else (RFC 7638 §3.2, RFC 8037 §2).
_THUMBPRINT = {
    "oct": ("k", "kty"),
    "RSA": ("e", "kty", "n"),
    "EC": ("crv", "kty", "x", "y"),
    "OKP": ("crv", "kty", "x"),
}

_USES = {"sig": "signatures", "enc": "encryption"}
_OPERATIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "sig": {"sign": ("sign",), "verify": ("verify",)},
    "enc": {
        "encrypt": ("encrypt",), "wrapKey": ("encrypt",), "decrypt": ("decrypt",), "unwrapKey": ("decrypt",),
        "deriveKey": ("encrypt", "decrypt"), "deriveBits": ("encrypt", "decrypt"),
    },
}  # fmt: skip


def row_of(jwk: Mapping[str, Any], algorithm: str | None) -> Algorithm:
    """The one algorithm of a JWK, whose type, curve and use must permit it (RFC 7517 §4.1 to §4.4).

    Raises:
        ConfigurationError: it has none, another one, or may not be used for it.
    """
    if not isinstance(jwk, Mapping):
        raise ConfigurationError(f"a JWK is a mapping, not {type(jwk).__name__}: parse its JSON first")
    if "kty" not in jwk and "keys" in jwk:
        raise ConfigurationError("this is a JWK set, not one JWK: read it with KeySet.from_jwks (RFC 7517 §5)")
    named = jwk.get("alg")
    if named is None and algorithm is None:
        rows = ENCRYPTION_ALGORITHMS if jwk.get("use") == "enc" else ALGORITHMS
        fitting = ", ".join(row.name for row in rows if row_suits(row, jwk))
        raise ConfigurationError(
            f"this JWK names no algorithm: pass algorithm=, one of {fitting or 'those of its type'}"
        )
    row = algorithm_named(algorithm if named is None else named)
    if algorithm is not None and algorithm_named(algorithm) != row:
        raise ConfigurationError(f"this JWK is for {row.name}, not for {algorithm}")
    if not row_suits(row, jwk):
        raise ConfigurationError(f"{row.name} needs a JWK of kty {row.key_type} {row.curve}".rstrip())
    if jwk.get("use") not in (None, row.use):  # some publishers write null for what they don't say
        raise ConfigurationError(f"this JWK is not for {_USES[row.use]} (RFC 7517 §4.2)")
    return row


def permitted_operations(jwk: Mapping[str, Any], row: Algorithm) -> frozenset[str]:
    """Those of "sign" and "verify", or of "encrypt" and "decrypt", that `key_ops` permits (RFC 7517 §4.3).

    Raises:
        ConfigurationError: malformed, or none.
    """
    operations = jwk.get("key_ops")
    if operations is None:  # absent, or null, as some publishers write it
        operations = list(_OPERATIONS[row.use])
    if not isinstance(operations, (list, tuple)) or not all(isinstance(name, str) for name in operations):
        raise ConfigurationError("key_ops is a list of texts (RFC 7517 §4.3)")
    permitted = frozenset[str]().union(*(_OPERATIONS[row.use].get(name, ()) for name in operations))
    # The public key of an agreement has no operation of its own, only a part in one (W3C Web Cryptography).
    if not permitted and not (row.family == "ECDH-ES" and "d" not in jwk):
        doing = "neither sign nor verify" if row.use == "sig" else "neither encrypt nor decrypt"
        raise ConfigurationError(f"this JWK may {doing} (RFC 7517 §4.3)")
    return permitted or frozenset({"encrypt"})


def row_suits(row: Algorithm, jwk: Mapping[str, Any]) -> bool:
    """Whether an algorithm is for keys of the type and curve of a JWK."""
    return fits(row, jwk.get("kty"), jwk.get("crv"))


def jwk_of(
    algorithm: str, key_id: str | None, secret: bytes | None, material: tuple[Any, Any] | None, private: bool
) -> dict[str, str]:
    """The members of a key: a shared `secret`, or else `material`, the pair of OpenSSL's public and private key."""
    row = algorithm_named(algorithm)
    members = {"kty": row.key_type}
    if secret is not None:
        if not private:
            raise ConfigurationError("a shared secret has no public part: to_jwk(private=True) shows it all")
        members["k"] = b64url_encode(secret).decode()
    else:
        assert material is not None, "a key is a secret or a pair"
        from watchword.crypto import asymmetric  # noqa: PLC0415 -- loaded already: it made the material

        if private and material[1] is None:
            raise ConfigurationError("this key has no private part: leave private= out")
        members |= asymmetric.jwk_members(material[0], material[1] if private else None)
    names = {} if key_id is None else {"kid": key_id}
    return {**members, "alg": row.name, "use": row.use, **names}


def thumbprint_of(members: Mapping[str, str]) -> str:
    """RFC 7638 §3: SHA-256 of the members that identify the key, in lexicographic order, in base64url."""
    canonical = {name: members[name] for name in _THUMBPRINT[members["kty"]]}
    return b64url_encode(digest("sha-256", msgspec.json.encode(canonical))).decode()

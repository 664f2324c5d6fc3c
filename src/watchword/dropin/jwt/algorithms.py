"""The part of PyJWT's `jwt.algorithms` that programs use: `RSAAlgorithm.from_jwk` and its kin.

They read and write JWKs as keys of `cryptography`, which `encode` and `decode` take. `register_algorithm` is not here:
an algorithm of one's own has no place in a token that others verify.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from watchword.core.rejection import ConfigurationError, Rejected
from watchword.crypto.algorithms import ALGORITHMS, algorithm_named, fits
from watchword.crypto.algorithms import Algorithm as Row
from watchword.crypto.encoding import parse_object
from watchword.crypto.keys import Key
from watchword.dropin.jwt._keys import key_for
from watchword.dropin.jwt.exceptions import InvalidKeyError

__all__ = [
    "Algorithm", "ECAlgorithm", "HMACAlgorithm", "OKPAlgorithm", "RSAAlgorithm", "RSAPSSAlgorithm", "family_of",
    "get_default_algorithms", "has_crypto", "requires_cryptography",
]  # fmt: skip

has_crypto: Final = True
requires_cryptography: Final = frozenset(row.name for row in ALGORITHMS if row.family != "HMAC")


class Algorithm:
    """A family of algorithms, with one hash where it has several.

    Args:
        hash_alg: one of the class's SHA256, SHA384 and SHA512.
    """

    SHA256: ClassVar[str] = "sha256"
    SHA384: ClassVar[str] = "sha384"
    SHA512: ClassVar[str] = "sha512"
    family: ClassVar[str]

    def __init__(self, hash_alg: str = "", expected_curve: object = None) -> None:
        self.hash_alg = hash_alg

    def prepare_key(self, key: Any) -> Any:
        """`key` as `cryptography` has it, or the octets of a secret.

        Raises:
            InvalidKeyError: not for this algorithm.
        """
        return _shown(self._bound(key))

    def sign(self, msg: bytes, key: Any) -> bytes:
        """The signature of `msg`, as JWS has it.

        Raises:
            InvalidKeyError: not for this algorithm, or a public key.
        """
        try:
            return self._bound(key).sign(msg)
        except ConfigurationError as error:
            raise InvalidKeyError(str(error)) from None

    def verify(self, msg: bytes, key: Any, sig: bytes) -> bool:
        """Whether `sig` is the key's for `msg`.

        Raises:
            InvalidKeyError: not for this algorithm.
        """
        try:
            self._bound(key).verify(msg, sig)
        except Rejected:
            return False
        return True

    @classmethod
    def from_jwk(cls, jwk: str | Mapping[str, Any]) -> Any:
        """The key in a JWK, which may be its JSON; without regard to what the JWK says that it is for.

        Raises:
            InvalidKeyError: malformed, or of another family.
        """
        try:
            members = parse_object(jwk.encode()) if isinstance(jwk, str) else jwk
            row = next(row for row in ALGORITHMS if row.family == cls.family and _fits(row, members))
            kept = {name: value for name, value in members.items() if name not in ("alg", "use", "key_ops")}
            return _shown(Key.from_jwk(kept, algorithm=row.name))
        except StopIteration:
            raise InvalidKeyError(f"not a JWK of {cls.family}: kty and crv say what it is") from None
        except ValueError as error:
            raise InvalidKeyError(str(error)) from None

    @classmethod
    def to_jwk(cls, key_obj: Any, as_dict: bool = False) -> Any:
        """The JWK of a key, with its private part or secret: as JSON, or as a dict.

        Raises:
            InvalidKeyError: not of this family.
        """
        row, failure = None, InvalidKeyError(f"not a key of {cls.family}")
        for row in (row for row in ALGORITHMS if row.family == cls.family):
            try:
                bound = key_for(key_obj, row.name)
            except InvalidKeyError as error:
                failure = error
                continue
            members: dict[str, Any] = bound.to_jwk(private=bound.is_private)
            kept = {name: value for name, value in members.items() if name not in ("alg", "use")}
            if not bound.is_secret:
                kept["key_ops"] = ["sign" if bound.is_private else "verify"]
            return kept if as_dict else json.dumps(kept)
        raise failure

    def _bound(self, key: Any) -> Key:
        failure = InvalidKeyError(f"not a key of {self.family}")
        for row in ALGORITHMS:
            if row.family == self.family and (self.hash_alg in ("", row.hash)):
                try:
                    return key_for(key, row.name)
                except InvalidKeyError as error:
                    failure = error
        raise failure


class HMACAlgorithm(Algorithm):
    """HS256, HS384, HS512."""

    family = "HMAC"


class RSAAlgorithm(Algorithm):
    """RS256, RS384, RS512."""

    family = "RSA"


class RSAPSSAlgorithm(Algorithm):
    """PS256, PS384, PS512."""

    family = "RSA-PSS"


class ECAlgorithm(Algorithm):
    """ES256, ES384, ES512, ES256K."""

    family = "ECDSA"


class OKPAlgorithm(Algorithm):
    """EdDSA."""

    family = "EdDSA"


_FAMILIES: Final = {
    kind.family: kind for kind in (HMACAlgorithm, RSAAlgorithm, RSAPSSAlgorithm, ECAlgorithm, OKPAlgorithm)
}


def family_of(row: Row) -> Algorithm:
    """The object of an algorithm."""
    hash_alg = row.hash or {"P-384": "sha384", "P-521": "sha512"}.get(row.curve, "")
    return _FAMILIES[row.family](hash_alg)


def get_default_algorithms() -> dict[str, Algorithm]:
    """Every algorithm by its name; "none" is not among them (RFC 8725 §3.2).

    >>> sorted(get_default_algorithms())[:3]
    ['ES256', 'ES256K', 'ES384']
    """
    return {row.name: family_of(algorithm_named(row.name)) for row in ALGORITHMS}


def _fits(row: Row, jwk: object) -> bool:
    return isinstance(jwk, Mapping) and fits(row, jwk.get("kty"), jwk.get("crv"))


def _shown(key: Key) -> Any:
    if key.is_secret:
        return key.secret_bytes()
    public, private = key.openssl_pair()
    return public if private is None else private

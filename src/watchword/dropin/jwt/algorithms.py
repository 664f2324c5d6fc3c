"""PyJWT's `jwt.algorithms`: the algorithms as objects, with which programs read and write JWKs and sign octets themselves.

JWKs become keys of `cryptography`, or the octets of a secret, which `encode` and `decode` take. An algorithm of one's own is a
subclass of `Algorithm`, for `PyJWS.register_algorithm`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final, NoReturn

from watchword.core.rejection import ConfigurationError, Rejected
from watchword.crypto import asymmetric
from watchword.crypto.algorithms import ALGORITHMS, fits
from watchword.crypto.algorithms import Algorithm as Row
from watchword.crypto.digests import digest
from watchword.crypto.encoding import b64url_encode, parse_object
from watchword.dropin.jwt._keys import BoundKey, WeakKey, key_for, key_from_jwk, row_named
from watchword.dropin.jwt.exceptions import InvalidKeyError
from watchword.dropin.jwt.utils import force_bytes

__all__ = [
    "Algorithm", "AllowedECKeys", "AllowedKeys", "AllowedOKPKeys", "AllowedPrivateKeys", "AllowedPublicKeys", "AllowedRSAKeys",
    "ECAlgorithm", "Family", "HMACAlgorithm", "NoneAlgorithm", "OKPAlgorithm", "RSAAlgorithm", "RSAPSSAlgorithm", "family_of",
    "get_default_algorithms", "has_crypto", "requires_cryptography",
]  # fmt: skip

AllowedPublicKeys = asymmetric.PublicKey
"""The public keys of `cryptography` that an algorithm takes."""
AllowedPrivateKeys = asymmetric.PrivateKey
"""Their private keys."""
AllowedKeys = AllowedPublicKeys | AllowedPrivateKeys
AllowedRSAKeys = AllowedECKeys = AllowedOKPKeys = AllowedKeys
"""PyJWT names them by family; the algorithm says which it takes."""

has_crypto: Final = True
requires_cryptography: Final = frozenset(row.name for row in ALGORITHMS if row.family != "HMAC")


class Algorithm:
    """Signs and verifies octets with a key that it has prepared. The base of one's own algorithms."""

    hash_alg: str | None = None

    def compute_hash_digest(self, bytestr: bytes) -> bytes:
        """The hash of `bytestr`, by the algorithm's own hash function.

        Raises:
            NotImplementedError: it has none.
        """
        if not self.hash_alg:
            raise NotImplementedError("this algorithm has no hash function of its own")
        return digest(self.hash_alg.replace("sha", "sha-"), bytestr)

    def check_crypto_key_type(self, key: Any) -> None:
        """Nothing, if `key` is a key of `cryptography` for this algorithm.

        Raises:
            ValueError: this algorithm takes no such keys; InvalidKeyError: it takes others.
        """
        raise ValueError("this algorithm takes no key of cryptography")

    def check_key_length(self, key: Any) -> str | None:
        """What is to be said of a key that is too short; None if it is long enough."""
        return None

    def prepare_key(self, key: Any) -> Any:
        """`key` as `sign` and `verify` take it."""
        raise NotImplementedError

    def sign(self, msg: bytes, key: Any) -> bytes:
        """The signature of `msg`."""
        raise NotImplementedError

    def verify(self, msg: bytes, key: Any, sig: bytes) -> bool:
        """Whether `sig` is the key's for `msg`."""
        raise NotImplementedError

    @classmethod
    def to_jwk(cls, key_obj: Any, as_dict: bool = False) -> Any:
        """The JWK of a key: as JSON, or as a dict."""
        raise NotImplementedError

    @classmethod
    def from_jwk(cls, jwk: str | Mapping[str, Any]) -> Any:
        """The key in a JWK."""
        raise NotImplementedError


class NoneAlgorithm(Algorithm):
    """`none`, which proves nothing (RFC 8725 §3.2): it signs nothing, and no signature is good."""

    def prepare_key(self, key: Any) -> None:
        """Nothing, if there is no key.

        Raises:
            InvalidKeyError: there is one.
        """
        if key not in (None, ""):
            raise InvalidKeyError('When alg = "none", key value must be None.')

    def sign(self, msg: bytes, key: Any) -> NoReturn:
        """Nothing is signed.

        Raises:
            UnsupportedAlgorithm: always.
        """
        row_named("none")
        raise AssertionError("none is no algorithm")

    def verify(self, msg: bytes, key: Any, sig: bytes) -> bool:
        """False."""
        return False


class Family(Algorithm):
    """A family of algorithms, with one hash where it has several.

    Args:
        hash_alg: one of the class's SHA256, SHA384 and SHA512.
    """

    SHA256: ClassVar[str] = "sha256"
    SHA384: ClassVar[str] = "sha384"
    SHA512: ClassVar[str] = "sha512"
    family: ClassVar[str]

    def __init__(self, hash_alg: str = "") -> None:
        self.hash_alg = hash_alg or None

    def bound(self, key: Any) -> BoundKey:
        """`key`, for the one algorithm that this object and the key agree on.

        Raises:
            InvalidKeyError: there is none.
            TypeError: nothing that could be a key.
        """
        failure = InvalidKeyError(f"not a key of {self.family}")
        for row in self._rows():
            try:
                return key_for(key, row.name)
            except InvalidKeyError as error:
                failure = error
        raise failure

    def _rows(self) -> list[Row]:
        return [row for row in ALGORITHMS if row.family == self.family and self.hash_alg in (None, row.hash)]

    def check_crypto_key_type(self, key: Any) -> None:
        """Nothing, if `key` is a key of `cryptography` for this algorithm.

        Raises:
            InvalidKeyError: it is for others.
        """
        if not isinstance(key, AllowedKeys):
            raise InvalidKeyError(f"Expected a key of {self.family}, got: {type(key).__name__}")
        self.bound(key)

    def check_key_length(self, key: Any) -> str | None:
        """What PyJWT warns of: a secret or an RSA key below RFC 7518's sizes; None if it is long enough."""
        bound = self.bound(key)
        return bound.shortness if isinstance(bound, WeakKey) else None

    def prepare_key(self, key: Any) -> Any:
        """`key` as `cryptography` has it, or the octets of a secret.

        Raises:
            InvalidKeyError: not for this algorithm.
            TypeError: nothing that could be a key.
        """
        return shown(self.bound(key))

    def sign(self, msg: bytes, key: Any) -> bytes:
        """The signature of `msg`, as JWS has it.

        Raises:
            InvalidKeyError: not for this algorithm, or a public key.
        """
        try:
            return self.bound(key).sign(msg)
        except ConfigurationError as error:
            raise InvalidKeyError(str(error)) from None

    def verify(self, msg: bytes, key: Any, sig: bytes) -> bool:
        """Whether `sig` is the key's for `msg`.

        Raises:
            InvalidKeyError: not for this algorithm.
        """
        try:
            self.bound(key).verify(msg, sig)
        except Rejected:
            return False
        return True

    @classmethod
    def from_jwk(cls, jwk: str | Mapping[str, Any]) -> Any:
        """The key in a JWK, which may be its JSON; without regard to what the JWK says that it is for.

        Raises:
            InvalidKeyError: malformed, or of another family.
        """
        members = members_of(jwk)
        row = next((row for row in ALGORITHMS if row.family == cls.family and _fits(row, members)), None)
        if row is None:
            raise InvalidKeyError(f"Not a key of {cls.family}: the JWK's kty and crv say what it is")
        kept = {name: value for name, value in members.items() if name not in ("alg", "use", "key_ops")}
        return shown(key_from_jwk(kept, row.name))

    @classmethod
    def to_jwk(cls, key_obj: Any, as_dict: bool = False) -> Any:
        """The JWK of a key, with its private part or secret: as JSON, or as a dict.

        Raises:
            InvalidKeyError: not of this family.
        """
        failure = InvalidKeyError(f"not a key of {cls.family}")
        for row in (row for row in ALGORITHMS if row.family == cls.family):
            try:
                bound = key_for(key_obj, row.name)
            except (InvalidKeyError, TypeError) as error:
                failure = InvalidKeyError(str(error))
                continue
            members = cls._members(bound)
            return members if as_dict else json.dumps(members)
        raise failure

    @classmethod
    def _members(cls, bound: BoundKey) -> dict[str, Any]:
        return dict(asymmetric.jwk_members(*bound.openssl_pair()))


class HMACAlgorithm(Family):
    """HS256, HS384, HS512."""

    family = "HMAC"

    @classmethod
    def from_jwk(cls, jwk: str | Mapping[str, Any]) -> bytes:
        """The secret in a JWK, of whatever length.

        Raises:
            InvalidKeyError: malformed, empty, or no secret.
        """
        members = members_of(jwk)
        if members.get("kty") != "oct":
            raise InvalidKeyError("Not an HMAC key")
        return key_from_jwk({"kty": "oct", "k": members.get("k")}, "HS256").secret_bytes()

    @classmethod
    def to_jwk(cls, key_obj: Any, as_dict: bool = False) -> Any:
        """The JWK of a secret: as JSON, or as a dict."""
        members = {"k": b64url_encode(force_bytes(key_obj)).decode(), "kty": "oct"}
        return members if as_dict else json.dumps(members)


class RSAAlgorithm(Family):
    """RS256, RS384, RS512."""

    family = "RSA"

    @classmethod
    def _members(cls, bound: BoundKey) -> dict[str, Any]:
        public, private = bound.openssl_pair()
        use = "verify" if private is None else "sign"
        return {**asymmetric.jwk_members(public, private), "key_ops": [use]}


class RSAPSSAlgorithm(RSAAlgorithm):
    """PS256, PS384, PS512."""

    family = "RSA-PSS"


class ECAlgorithm(Family):
    """ES256, ES384, ES512, ES256K.

    Args:
        hash_alg: one of the class's SHA256, SHA384 and SHA512.
        expected_curve: the class of the one curve whose keys it takes; None: the curve that belongs to the hash, or
            secp256k1.
    """

    family = "ECDSA"

    def __init__(self, hash_alg: str = "", expected_curve: type | None = None) -> None:
        super().__init__(hash_alg)
        self.expected_curve = expected_curve

    def _rows(self) -> list[Row]:
        if self.expected_curve is not None:
            return [row for row in super()._rows() if asymmetric.CURVES[row.curve] is self.expected_curve]
        return super()._rows()

    def prepare_key(self, key: Any) -> Any:
        """`key` as `cryptography` has it: without an expected curve, on any that JOSE knows.

        Raises:
            InvalidKeyError: on another curve, or no such key.
            TypeError: nothing that could be a key.
        """
        rows = self if self.expected_curve is not None else ECAlgorithm()
        return shown(Family.bound(rows, key))


class OKPAlgorithm(Family):
    """EdDSA."""

    family = "EdDSA"


_FAMILIES: Final = {kind.family: kind for kind in (HMACAlgorithm, RSAAlgorithm, RSAPSSAlgorithm, OKPAlgorithm)}


def family_of(row: Row) -> Family:
    """The object of an algorithm."""
    if row.family == "ECDSA":
        return ECAlgorithm(row.hash, asymmetric.CURVES[row.curve])
    return _FAMILIES[row.family](row.hash)


def get_default_algorithms() -> dict[str, Algorithm]:
    """Every algorithm by its name. `none` is among them to be refused: it signs nothing and verifies nothing.

    >>> sorted(get_default_algorithms())[:3]
    ['ES256', 'ES256K', 'ES384']
    """
    return {"none": NoneAlgorithm(), **{row.name: family_of(row) for row in ALGORITHMS}}


def shown(key: BoundKey) -> Any:
    """A key as PyJWT shows it: the octets of a secret, or an object of `cryptography`."""
    if key.is_secret:
        return key.secret_bytes()
    public, private = key.openssl_pair()
    return public if private is None else private


def members_of(jwk: str | bytes | Mapping[str, Any]) -> Mapping[str, Any]:
    """The members of a JWK, or of its JSON.

    Raises:
        InvalidKeyError: it is neither.
    """
    if isinstance(jwk, Mapping):
        return jwk
    if not isinstance(jwk, (str, bytes)):
        raise InvalidKeyError(f"Key is not valid JSON: a JWK is a mapping or its text, not {type(jwk).__name__}")
    try:
        return parse_object(force_bytes(jwk))
    except ValueError as error:
        raise InvalidKeyError(f"Key is not valid JSON: {error}") from None


def _fits(row: Row, jwk: Mapping[str, Any]) -> bool:
    return fits(row, jwk.get("kty"), jwk.get("crv"))

"""PyJWT's `PyJWK` and `PyJWKSet`: a JWK (RFC 7517) with the one algorithm that it is for, and sets of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from watchword.core.rejection import ConfigurationError
from watchword.crypto.algorithms import algorithm_named
from watchword.crypto.encoding import parse_object
from watchword.dropin.jwt import algorithms
from watchword.dropin.jwt._keys import BoundKey, key_from_jwk
from watchword.dropin.jwt.exceptions import InvalidKeyError, PyJWKError, PyJWKSetError, PyJWTError

__all__ = ["PyJWK", "PyJWKSet"]

# What PyJWT takes a key for that names no algorithm, by type and curve.
_UNSAID: Final[Mapping[tuple[str, str | None], str]] = {
    ("RSA", None): "RS256", ("oct", None): "HS256", ("EC", "P-256"): "ES256", ("EC", "P-384"): "ES384",
    ("EC", "P-521"): "ES512", ("EC", "secp256k1"): "ES256K", ("OKP", "Ed25519"): "EdDSA", ("OKP", "Ed448"): "Ed448",
}  # fmt: skip


class PyJWK:
    """A key from a JWK.

    `key` is what PyJWT has there: an object of `cryptography`, or the octets of a secret. `bound` is our own `Key`.

    Args:
        jwk_data: the members, parsed.
        algorithm: what it is for, if the JWK doesn't say; RS256, HS256, or the curve's own if this doesn't either.

    Raises:
        InvalidKeyError: malformed, too small, for encryption, or for another algorithm than `algorithm`.
        PyJWKError: for an algorithm that there is not.

    >>> PyJWK.from_json('{"kty": "oct", "k": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}').algorithm_name
    'HS256'
    """

    algorithm_name: str
    Algorithm: algorithms.Algorithm
    key: Any
    bound: BoundKey

    def __init__(self, jwk_data: Mapping[str, Any], algorithm: str | None = None) -> None:
        if not isinstance(jwk_data, Mapping):
            raise InvalidKeyError(f"a JWK is a mapping, not {type(jwk_data).__name__}: parse its JSON first")
        self._members = {name: jwk_data.get(name) for name in ("kty", "kid", "use")}
        self.algorithm_name = algorithm or jwk_data.get("alg") or _unsaid(jwk_data)
        try:
            row = algorithm_named(self.algorithm_name)
        except ConfigurationError as error:
            raise PyJWKError(str(error)) from None
        if row.use != "sig":
            raise PyJWKError(f"{row.name} is for encryption, not for signatures")
        self.algorithm_name = row.name
        self.Algorithm = algorithms.family_of(row)
        self.bound = key_from_jwk(jwk_data, row.name)
        self.key = algorithms.shown(self.bound)

    @staticmethod
    def from_dict(obj: Mapping[str, Any], algorithm: str | None = None) -> PyJWK:
        """The key in a JWK, parsed; raises what the constructor raises."""
        return PyJWK(obj, algorithm)

    @staticmethod
    def from_json(data: str | bytes, algorithm: str | None = None) -> PyJWK:
        """The key in a JWK's JSON; raises what the constructor raises."""
        return PyJWK(_object(data, InvalidKeyError), algorithm)

    @property
    def key_type(self) -> str | None:
        """`kty`."""
        return self._members["kty"]

    @property
    def key_id(self) -> str | None:
        """`kid`."""
        return self._members["kid"]

    @property
    def public_key_use(self) -> str | None:
        """`use`."""
        return self._members["use"]

    def __repr__(self) -> str:
        return f"PyJWK({self.algorithm_name}, key_id={self.key_id!r})"


class PyJWKSet:
    """The keys of a JWK set that can be used (RFC 7517 §5); `keys` is their list.

    Raises:
        PyJWKSetError: there are none.
    """

    def __init__(self, keys: list[dict[str, Any]]) -> None:
        if not keys:
            raise PyJWKSetError("The JWK Set did not contain any keys")
        if not isinstance(keys, list):
            raise PyJWKSetError("Invalid JWK Set value")
        self.keys: list[PyJWK] = []
        reasons = set()
        for members in keys:
            try:
                self.keys.append(PyJWK(members))
            except PyJWTError as error:
                reasons.add(str(error))
        if not self.keys:
            why = "; ".join(sorted(reasons)[:3])
            raise PyJWKSetError(f"The JWK Set did not contain any usable keys: {why}")

    @staticmethod
    def from_dict(obj: Mapping[str, Any]) -> PyJWKSet:
        """The keys of a set, parsed; raises what the constructor raises."""
        return PyJWKSet(obj.get("keys", []))

    @staticmethod
    def from_json(data: str | bytes) -> PyJWKSet:
        """The keys of a set's JSON; raises what the constructor raises."""
        return PyJWKSet.from_dict(_object(data, PyJWKSetError))

    def __getitem__(self, kid: str) -> PyJWK:
        for key in self.keys:
            if key.key_id == kid:
                return key
        raise KeyError(f"keyset has no key for kid: {kid}")

    def __iter__(self) -> Iterator[PyJWK]:
        return iter(self.keys)


def _unsaid(jwk: Mapping[str, Any]) -> str:
    kind, curve = jwk.get("kty"), jwk.get("crv")
    name = _UNSAID.get((str(kind), None if kind in ("RSA", "oct") else str(curve)))
    if name is None:
        raise InvalidKeyError("a JWK of no known type and curve: kty and crv say them (RFC 7518 §6)")
    return name


def _object(data: str | bytes, error: type[PyJWTError]) -> dict[str, Any]:
    try:
        return parse_object(data.encode() if isinstance(data, str) else data)
    except ValueError as wrong:
        raise error(f"not a JSON object, or not a sound one: {wrong}") from None

"""The drop-ins' keys as PyJWT names what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchword.core.rejection import ConfigurationError
from watchword.crypto.algorithms import Algorithm, algorithm_named
from watchword.dropin import _keys
from watchword.dropin._keys import BoundKey, WeakKey
from watchword.dropin.jwt.exceptions import InvalidAlgorithmError, InvalidKeyError

__all__ = ["AnyKey", "BoundKey", "UnsupportedAlgorithm", "WeakKey", "key_for", "key_from_jwk", "row_named"]

AnyKey = Any
"""`str | bytes | Key | PyJWK`, or a key of `cryptography`, whose types are not loaded to say so."""


class UnsupportedAlgorithm(InvalidAlgorithmError, NotImplementedError):
    """There is no such algorithm; PyJWT says so by `NotImplementedError` when it signs."""


def row_named(algorithm: object) -> Algorithm:
    """The signature algorithm of this name.

    Raises:
        UnsupportedAlgorithm: none, "none", or one for encryption.
    """
    try:
        row = algorithm_named(algorithm)
    except ConfigurationError as error:
        raise UnsupportedAlgorithm(f"Algorithm not supported: {error}") from None
    if row.use != "sig":
        raise UnsupportedAlgorithm(f"{row.name} is for encryption, not for signatures")
    return row


def key_for(key: AnyKey, algorithm: str) -> BoundKey:
    """`key`, for `algorithm`.

    Raises:
        UnsupportedAlgorithm: there is no such algorithm.
        InvalidKeyError: no key, or not for it.
        TypeError: nothing that could be one.
    """
    row = row_named(algorithm)
    try:
        return _keys.key_for(getattr(key, "bound", key), row)
    except ConfigurationError as error:
        raise InvalidKeyError(str(error)) from None


def key_from_jwk(jwk: Mapping[str, Any], algorithm: str) -> BoundKey:
    """The key in a JWK (RFC 7517 §4), for one algorithm.

    Raises:
        UnsupportedAlgorithm: there is no such algorithm.
        InvalidKeyError: malformed, meant for something else (`use`, `key_ops`), or not for this algorithm.
    """
    row = row_named(algorithm)
    try:
        return _keys.key_from_jwk(jwk, row)
    except ConfigurationError as error:
        raise InvalidKeyError(str(error)) from None

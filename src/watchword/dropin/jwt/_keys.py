"""One `Key` out of whatever PyJWT takes for one: the algorithm decides how it is read, never the text alone."""

from __future__ import annotations

from typing import Any

from watchword.core.rejection import ConfigurationError
from watchword.crypto.algorithms import Algorithm, algorithm_named
from watchword.crypto.keys import Key
from watchword.dropin.jwt.exceptions import InvalidAlgorithmError, InvalidKeyError

__all__ = ["AnyKey", "UnsupportedAlgorithm", "key_for", "row_named"]

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
        raise UnsupportedAlgorithm(str(error)) from None
    if row.use != "sig":
        raise UnsupportedAlgorithm(f"{row.name} is for encryption, not for signatures")
    return row


def key_for(key: AnyKey, algorithm: str) -> Key:
    """`key`, for `algorithm`.

    Raises:
        UnsupportedAlgorithm: there is no such algorithm.
        InvalidKeyError: too short, or not for it.
    """
    row = row_named(algorithm)
    key = getattr(key, "bound", key)
    if isinstance(key, Key):
        if key.algorithm != row.name:
            raise InvalidKeyError(f"this key is for {key.algorithm}, not for {row.name}")
        return key
    try:
        if row.family == "HMAC":
            return Key.from_secret(key, algorithm=row.name)
        if isinstance(key, (str, bytes)):
            return Key.from_pem(key, algorithm=row.name)
        return Key.from_openssl(key, algorithm=row.name)
    except ConfigurationError as error:
        raise InvalidKeyError(str(error)) from None

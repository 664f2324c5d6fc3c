"""One key out of whatever python-jose takes for one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from watchword.crypto.algorithms import Algorithm, algorithm_named
from watchword.dropin import _keys
from watchword.dropin._keys import BoundKey
from watchword.dropin._octets import force_bytes, is_ssh_key
from watchword.dropin.jose.exceptions import JWKError

__all__ = ["BoundKey", "bound_for"]

_CERTIFICATE: Final = b"-----BEGIN CERTIFICATE-----"
_SPELLED: Final = frozenset(("k", "n", "e", "d", "p", "q", "dp", "dq", "qi", "x", "y"))
"""The members of a JWK that are base64url."""


def bound_for(key: Any, algorithm: str) -> BoundKey:
    """`key`, for `algorithm` alone.

    Args:
        key: a JWK, a text or octets (a secret, PEM, a certificate), a `Key`, a key of `cryptography`, or what has `to_pem()`.
        algorithm: JOSE's name.

    Raises:
        JWKError: it is none, or not for this algorithm.
    """
    try:
        return _bound_for(key, algorithm_named(algorithm))
    except JWKError:
        raise
    except (ValueError, TypeError) as error:  # a ConfigurationError is the former
        raise JWKError(str(error)) from None


def _bound_for(key: Any, row: Algorithm) -> BoundKey:
    if isinstance(key, Mapping):
        members = {
            name: _spelled(name, value) for name, value in key.items() if name != "kid"
        }  # the caller has chosen it
        return _keys.key_from_jwk(members, row)
    if isinstance(key, BoundKey) or row.key_type == "oct":
        if isinstance(key, (str, bytes)) and is_ssh_key(force_bytes(key).strip()):  # its name alone, already
            raise JWKError("The specified key is an asymmetric key and should not be used as an HMAC secret.")
        return _keys.key_for(key, row)
    if hasattr(key, "to_pem"):  # of the package ecdsa, for one
        key = key.to_pem()
    if isinstance(key, (str, bytes)) and _CERTIFICATE in force_bytes(key):
        from watchword.crypto import key_texts  # noqa: PLC0415 -- loads OpenSSL's asymmetric half

        key = key_texts.read_certificate(force_bytes(key))
    return _keys.key_for(key, row)


def _spelled(name: object, value: object) -> object:
    """base64url as ours is, of what python-jose takes: padded, or with white space in it, as it is copied out of a text."""
    if name not in _SPELLED or not isinstance(value, str):
        return value
    value = "".join(value.split())
    return value.rstrip("=") if not len(value) % 4 and not value.endswith("===") else value

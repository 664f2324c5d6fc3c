"""python-jose's `jose.jwk`: keys as objects, and one's own classes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchword.dropin.jose.backends._keys import AESKey, ECKey, HMACKey, RSAKey
from watchword.dropin.jose.backends.base import DIRKey, Key
from watchword.dropin.jose.constants import ALGORITHMS
from watchword.dropin.jose.exceptions import JWKError

__all__ = ["AESKey", "DIRKey", "ECKey", "HMACKey", "Key", "RSAKey", "construct", "get_key", "register_key"]


def get_key(algorithm: str) -> type[Key] | None:
    """The class of keys for an algorithm; None: there is none.

    >>> get_key("RS256"), get_key("none")
    (<class 'watchword.dropin.jose.backends._keys.RSAKey'>, None)
    """
    if algorithm in ALGORITHMS.KEYS:
        return ALGORITHMS.KEYS[algorithm]
    if algorithm in ALGORITHMS.HMAC:
        return HMACKey
    if algorithm in ALGORITHMS.RSA:
        return RSAKey
    if algorithm in ALGORITHMS.EC:
        return ECKey
    if algorithm in ALGORITHMS.AES:
        return AESKey
    return DIRKey if algorithm == ALGORITHMS.DIR else None


def register_key(algorithm: str, key_class: type[Key]) -> bool:
    """Has keys for an algorithm be of a class of one's own; for this process.

    Raises:
        TypeError: no subclass of `Key`.
        JWKError: for "none", in whatever case: it proves nothing (RFC 8725 §3.2).
    """
    if not issubclass(key_class, Key):
        raise TypeError("Key class is not a subclass of jwk.Key")
    if algorithm.lower() == "none":
        raise JWKError("the algorithm 'none' proves nothing and is never accepted (RFC 8725 §3.2)")
    ALGORITHMS.KEYS[algorithm] = key_class
    ALGORITHMS.SUPPORTED.add(algorithm)
    return True


def construct(key_data: Any, algorithm: str | None = None) -> Key:
    """The key in `key_data`, for one algorithm.

    Args:
        key_data: a JWK, a text or octets (a secret, PEM, a certificate), a `Key` of ours, or a key of `cryptography`.
        algorithm: what it is for; None: what it says itself.

    Raises:
        JWKError: it says none, there is no such algorithm, or the key is not for it.

    >>> construct({"kty": "oct", "alg": "HS256", "k": "M" * 42 + "A"}).verify(b"data", b"no signature")
    False
    """
    if not algorithm:
        own = key_data.get("alg") if isinstance(key_data, Mapping) else getattr(key_data, "algorithm", None)
        algorithm = own if isinstance(own, str) else None
    key_class = get_key(algorithm) if algorithm else None
    if not algorithm or key_class is None:
        raise JWKError("Unable to find an algorithm for key")
    return key_class(key_data, algorithm)

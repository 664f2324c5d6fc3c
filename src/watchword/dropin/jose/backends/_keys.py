"""python-jose's keys over ours: HMAC, RSA, elliptic curves, AES. Each is for the one algorithm that it was made with."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection
from typing import Any, ClassVar, Final, Self

from watchword.core.rejection import ConfigurationError, Rejected
from watchword.crypto import asymmetric, ecdsa_der, key_texts
from watchword.crypto.algorithms import algorithm_named
from watchword.crypto.encoding import b64url_encode
from watchword.crypto.jose import content, key_management
from watchword.crypto.keys import Key as NativeKey
from watchword.dropin._keys import InsecureKeyLengthWarning, WeakKey
from watchword.dropin._octets import force_bytes
from watchword.dropin.jose._reading import bound_for
from watchword.dropin.jose.backends.base import Key
from watchword.dropin.jose.constants import ALGORITHMS
from watchword.dropin.jose.exceptions import JWEError, JWKError

__all__ = ["AESKey", "ECKey", "HMACKey", "RSAKey"]


class _Signing(Key):
    """A key for signatures, or for key management."""

    _algorithms: ClassVar[Collection[str]]

    def __init__(self, key: Any, algorithm: str) -> None:
        if algorithm not in self._algorithms:
            raise JWKError(f"hash_alg: {str(algorithm)[:32]} is not a valid hash algorithm")
        self._algorithm = algorithm
        self.bound = bound_for(key, algorithm)

    def sign(self, msg: str | bytes) -> bytes:
        """The signature of `msg`, as JWS has it.

        Raises:
            JWKError: a public key, or one that is not for signatures.
        """
        self._warn()
        try:
            return self.bound.sign(force_bytes(msg))
        except ConfigurationError as error:
            raise JWKError(str(error)) from None

    def verify(self, msg: str | bytes, sig: str | bytes) -> bool:
        """Whether `sig` is this key's for `msg`."""
        self._warn()
        try:
            self.bound.verify(force_bytes(msg), force_bytes(sig))
        except Rejected:
            return False
        return True

    def _warn(self) -> None:
        if isinstance(self.bound, WeakKey):
            warnings.warn(self.bound.shortness, InsecureKeyLengthWarning, stacklevel=4)


class HMACKey(_Signing):
    """A shared secret for HS256, HS384 or HS512; `prepared_key` is its octets.

    Args:
        key: the secret as text or octets, or its JWK.
        algorithm: what it is for.

    Raises:
        JWKError: empty, a public or private key in any spelling, or not for this algorithm.
    """

    _algorithms = ALGORITHMS.HMAC

    def __init__(self, key: Any, algorithm: str) -> None:
        super().__init__(key, algorithm)
        self.prepared_key = self.bound.secret_bytes()

    def to_dict(self) -> dict[str, Any]:
        """The members of its JWK, the secret among them."""
        return {"alg": self._algorithm, "kty": "oct", "k": b64url_encode(self.prepared_key).decode()}


class _Pair(_Signing):
    """A public key, or a private one; `prepared_key` is that of `cryptography`."""

    def __init__(self, key: Any, algorithm: str) -> None:
        super().__init__(key, algorithm)
        self._public, self._private = self.bound.openssl_pair()
        self.prepared_key: Any = self._public if self._private is None else self._private

    def is_public(self) -> bool:
        """Whether it is a public key."""
        return self._private is None

    def public_key(self) -> Self:
        """The public half; itself, if it is public."""
        return self if self.is_public() else type(self)(self._public, self._algorithm)

    def to_dict(self) -> dict[str, Any]:
        """The members of its JWK, its private part among them."""
        return {"alg": self._algorithm, **asymmetric.jwk_members(self._public, self._private)}


class ECKey(_Pair):
    """A key on the curve of ES256, ES384 or ES512.

    Args:
        key: PEM, a JWK, a `Key`, a key of `cryptography`, or what has `to_pem()`.
        algorithm: what it is for.
        cryptography_backend: does nothing.

    Raises:
        JWKError: no such key, or on another curve than the algorithm's (RFC 7518 §3.4).
    """

    _algorithms = ALGORITHMS.EC_DS

    def __init__(self, key: Any, algorithm: str, cryptography_backend: object = None) -> None:
        super().__init__(key, algorithm)

    def to_pem(self) -> bytes:
        """The key in PEM: SubjectPublicKeyInfo, or SEC 1 if it is private."""
        return key_texts.write_pem(self._public, self._private, traditional=not self.is_public())

    # For subclasses whose private key is in a KMS, which answers with DER.

    def _der_to_raw(self, der_signature: bytes) -> bytes:
        return ecdsa_der.from_der(der_signature, algorithm_named(self._algorithm).size)

    def _raw_to_der(self, raw_signature: bytes) -> bytes:
        return ecdsa_der.to_der(raw_signature)


class RSAKey(_Pair):
    """A key for RS256, RS384 or RS512, or for RSA-OAEP, RSA-OAEP-256 or RSA1_5.

    Args:
        key: PEM, a certificate in PEM, a JWK, a `Key`, or a key of `cryptography`.
        algorithm: what it is for.
        cryptography_backend: does nothing.

    Raises:
        JWKError: no such key, too small, or made by a flawed generator.
    """

    _algorithms = ALGORITHMS.RSA

    def __init__(self, key: Any, algorithm: str, cryptography_backend: object = None) -> None:
        super().__init__(key, algorithm)

    def verify(self, msg: str | bytes, sig: str | bytes) -> bool:
        """Whether `sig` is this key's for `msg`; warns of a private key, since whoever verifies needs none."""
        if not self.is_public():
            warnings.warn("Attempting to verify a message with a private key. This is not recommended.", stacklevel=2)
        return super().verify(msg, sig)

    def to_pem(self, pem_format: str = "PKCS8") -> bytes:
        """The key in PEM.

        Args:
            pem_format: "PKCS8", which is SubjectPublicKeyInfo for a public key, or "PKCS1".

        Raises:
            ValueError: another format.
        """
        if pem_format not in ("PKCS1", "PKCS8"):
            raise ValueError(f"Invalid format specified: {pem_format!r}")
        return key_texts.write_pem(self._public, self._private, traditional=pem_format == "PKCS1")

    def wrap_key(self, key_data: str | bytes) -> bytes:
        """Another key, encrypted for the owner of this one.

        Raises:
            JWEError: too long, or this key is for signatures.
        """
        return _wrapped(self.bound, key_data)

    def unwrap_key(self, wrapped_key: str | bytes) -> bytes:
        """What `wrap_key` encrypted. `jwe.decrypt` doesn't use it: that tells nobody which keys were wrong.

        Raises:
            JWEError: it is not for this key, or this key is public or for signatures.
        """
        return _unwrapped(self.bound, wrapped_key)


_CONTENT: Final = ALGORITHMS.AES_JWE_ENC


class AESKey(Key):
    """A secret for AES key wrap, AES-GCM, or AES-CBC with HMAC.

    Args:
        key: its octets, or its JWK.
        algorithm: what it is for. The names of AES-CBC alone are refused: nothing there says whether a text was changed.

    Raises:
        JWKError: of the wrong length, or not for such an algorithm.
    """

    def __init__(self, key: Any, algorithm: str) -> None:
        if algorithm not in ALGORITHMS.AES:
            raise JWKError(f"{str(algorithm)[:32]} is not a valid AES algorithm")
        if algorithm not in ALGORITHMS.SUPPORTED:
            raise JWKError(
                f"{algorithm} is not authenticated: use {algorithm[:4]}GCM, or CBC with its HMAC (RFC 7518 §5.2)"
            )
        self._algorithm = algorithm
        self.bound = bound_for(key, algorithm)

    def to_dict(self) -> dict[str, Any]:
        """The members of its JWK, the secret among them."""
        return {"alg": self._algorithm, "kty": "oct", "k": b64url_encode(self.bound.secret_bytes()).decode()}

    def encrypt(self, plain_text: str | bytes, aad: bytes | None = None) -> tuple[bytes, bytes, bytes | None]:
        """Initialization vector, ciphertext and tag, under a fresh vector.

        Raises:
            JWEError: this key wraps keys.
        """
        self._check_content()
        row = algorithm_named(self._algorithm)
        iv = os.urandom(content.iv_size(row))
        return (iv, *content.seal(row, self.bound.secret_bytes(), iv, force_bytes(plain_text), aad or b""))

    def decrypt(
        self, cipher_text: str | bytes, iv: bytes | None = None, aad: bytes | None = None, tag: bytes | None = None
    ) -> bytes:
        """What was encrypted.

        Raises:
            JWEError: it was changed, not encrypted by this key, or this key wraps keys.
        """
        self._check_content()
        row = algorithm_named(self._algorithm)
        if iv is None or tag is None or len(iv) != content.iv_size(row) or len(tag) != content.tag_size(row):
            raise JWEError(
                f"{row.name} has an iv of {content.iv_size(row)} octets and a tag of {content.tag_size(row)}"
            )
        try:
            return content.open_sealed(row, self.bound.secret_bytes(), iv, force_bytes(cipher_text), tag, aad or b"")
        except Rejected as error:
            raise JWEError(error.rejection.detail) from None

    def wrap_key(self, key_data: str | bytes) -> bytes:
        """Another key, encrypted (RFC 3394).

        Raises:
            JWEError: of a length that can't be wrapped, or this key is for content.
        """
        return _wrapped(self.bound, key_data)

    def unwrap_key(self, wrapped_key: str | bytes) -> bytes:
        """What `wrap_key` encrypted.

        Raises:
            JWEError: it was changed, not encrypted by this key, or this key is for content.
        """
        return _unwrapped(self.bound, wrapped_key)

    def _check_content(self) -> None:
        if self._algorithm not in _CONTENT:
            raise JWEError(f"a key for {self._algorithm} wraps keys, and encrypts no content")


def _wrapped(key: NativeKey | WeakKey, key_data: str | bytes) -> bytes:
    row, key = _managing(key)
    try:
        return key_management.wrap(row, key, force_bytes(key_data))
    except ConfigurationError as error:
        raise JWEError(str(error)) from None


def _unwrapped(key: NativeKey | WeakKey, wrapped_key: str | bytes) -> bytes:
    row, key = _managing(key)
    if "decrypt" not in key.operations:
        raise JWEError("a public key can't decrypt: load the private key")
    try:
        return key_management.unwrap(row, key, force_bytes(wrapped_key))
    except ValueError:
        raise JWEError("it can't be decrypted: another key, or it was changed") from None


def _managing(key: NativeKey | WeakKey) -> tuple[Any, NativeKey]:
    row = algorithm_named(key.algorithm)
    if not isinstance(key, NativeKey) or row.family not in ("AES-KW", "RSA-OAEP", "RSA1_5"):
        raise JWEError(f"a key for {key.algorithm} encrypts no other key")
    return row, key

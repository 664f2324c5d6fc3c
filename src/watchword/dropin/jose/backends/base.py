"""python-jose's `Key`, the base of its keys and of one's own, and `DIRKey`."""

from __future__ import annotations

from typing import Any

from watchword.crypto.encoding import b64url_encode
from watchword.dropin._octets import force_bytes
from watchword.dropin.jose.exceptions import JWKError

__all__ = ["DIRKey", "Key"]


class Key:
    """A key with its algorithm. One's own, for `jwk.register_key`, subclasses it and has what `jws` and `jwe` call."""

    def __init__(self, key: Any, algorithm: str) -> None:
        """Nothing; subclasses keep what they need."""

    def sign(self, msg: bytes) -> bytes:
        """The signature of `msg`."""
        raise NotImplementedError

    def verify(self, msg: bytes, sig: bytes) -> bool:
        """Whether `sig` is this key's for `msg`."""
        raise NotImplementedError

    def public_key(self) -> Key:
        """The public half."""
        raise NotImplementedError

    def to_pem(self) -> bytes:
        """The key in PEM."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """The members of the key's JWK, its private part among them."""
        raise NotImplementedError

    def encrypt(self, plain_text: str | bytes, aad: bytes | None = None) -> tuple[bytes, bytes, bytes | None]:
        """Initialization vector, ciphertext and tag."""
        raise NotImplementedError

    def decrypt(
        self, cipher_text: str | bytes, iv: bytes | None = None, aad: bytes | None = None, tag: bytes | None = None
    ) -> bytes:
        """What was encrypted."""
        raise NotImplementedError

    def wrap_key(self, key_data: bytes) -> bytes:
        """Another key, encrypted."""
        raise NotImplementedError

    def unwrap_key(self, wrapped_key: bytes) -> bytes:
        """What `wrap_key` encrypted."""
        raise NotImplementedError


class DIRKey(Key):
    """A secret that encrypts content itself (`dir`, RFC 7518 §4.5).

    Args:
        key_data: the secret.
        algorithm: "dir".

    Raises:
        JWKError: neither text nor octets.
    """

    def __init__(self, key_data: str | bytes, algorithm: str) -> None:
        try:
            self._key = force_bytes(key_data)
        except (TypeError, ValueError) as error:
            raise JWKError(str(error)) from None
        self._alg = algorithm

    def to_dict(self) -> dict[str, Any]:
        """The members of its JWK, the secret among them."""
        return {"alg": self._alg, "kty": "oct", "k": b64url_encode(self._key).decode()}

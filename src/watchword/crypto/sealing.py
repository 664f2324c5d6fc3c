"""The seal on stored secrets: AES-256-GCM (NIST SP 800-38D) under a key that lives apart from what it seals."""

from __future__ import annotations

import os
from collections.abc import Callable

from watchword.structures.in_process import InProcess
from watchword.core.rejection import ConfigurationError, StoreUnavailable
from watchword.crypto.digests import compare, hmac_sha256
from watchword.crypto.public_spellings import refuse_key_files

__all__ = ["KEY_SIZE", "Sealer"]

KEY_SIZE = 32
"""Octets of key material at least."""

_NONCE = 12
_TAG = 16
_FORMAT = b"\x01"


class Sealer(InProcess):
    """Seals and opens records.

    Nonces are random: one key seals 2^32 records at most (SP 800-38D §8.3), which is a new password each second for
    136 years. The key given is never used itself: one key derived from it encrypts, another makes `check_value`.

    Args:
        material: 32 octets or more, random.
        random: gives the nonces.

    Raises:
        ConfigurationError: the material is too short, or a key or certificate in any spelling.

    >>> sealer = Sealer(bytes(32))
    >>> sealed = sealer.seal(b"s3cret", b"alice")
    >>> sealer.open(sealed, b"alice")
    b's3cret'
    >>> sealer.open(sealed, b"mallory")
    Traceback (most recent call last):
        ...
    watchword.core.rejection.StoreUnavailable: a sealed record does not open: it was altered, moved from another
    record, or sealed under another key
    """

    __slots__ = ("_cipher", "_random", "check_value")

    def __init__(self, material: bytes, *, random: Callable[[int], bytes] = os.urandom) -> None:
        if len(material) < KEY_SIZE:
            raise ConfigurationError(
                f"the key that seals secrets is {KEY_SIZE} octets or more: secrets=os.urandom({KEY_SIZE}), kept safe"
            )
        refuse_key_files(material)
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 -- loaded at first use

        self._cipher = AESGCM(hmac_sha256(material, b"watchword records: encryption key"))
        self._random = random
        self.check_value = hmac_sha256(material, b"watchword records: check value")[:16].hex()
        """Tells whether two keys are the same, and nothing else about them."""

    def __repr__(self) -> str:
        return "Sealer(…)"

    def knows(self, check_value: str) -> bool:
        """Whether `check_value` is this key's."""
        return compare(self.check_value.encode(), check_value.encode())

    def seal(self, plain: bytes, identity: bytes) -> bytes:
        """`plain`, readable only with the key and only as the record that `identity` names."""
        nonce = self._random(_NONCE)
        return _FORMAT + nonce + self._cipher.encrypt(nonce, plain, identity)

    def open(self, sealed: bytes, identity: bytes) -> bytes:
        """What was sealed as `identity`.

        Raises:
            StoreUnavailable: it was altered, moved to another record, or sealed under another key.
        """
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 -- loaded at first use

        if sealed[:1] != _FORMAT or len(sealed) < 1 + _NONCE + _TAG:
            raise StoreUnavailable("a sealed record has an unknown form")
        try:
            return self._cipher.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], identity)
        except InvalidTag:
            raise StoreUnavailable(
                "a sealed record does not open: it was altered, moved from another record, or sealed under another key"
            ) from None

"""The key of AWS Signature Version 4A: P-256, derived from a secret; signing and checking with it."""

from __future__ import annotations

from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from watchword.structures.in_process import InProcess
from watchword.core.rejection import ConfigurationError
from watchword.crypto.digests import hmac_sha256

__all__ = ["SigV4AKey", "derive"]

_LABEL: Final = b"AWS4-ECDSA-P256-SHA256"
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_SCHEME: Final = ec.ECDSA(hashes.SHA256())


class SigV4AKey(InProcess):
    """An ECDSA key pair. `sign(data)` gives a DER signature over SHA-256; `fits(data, signature)` says whether one is its.

    >>> key = derive("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    >>> key.fits(b"data", key.sign(b"data")), key.fits(b"other", key.sign(b"data"))
    (True, False)
    """

    __slots__ = ("_private", "_public")

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self._private: Any = private
        self._public: Any = private.public_key()

    def sign(self, data: bytes) -> bytes:
        """A new signature."""
        signature: bytes = self._private.sign(data, _SCHEME)
        return signature

    def fits(self, data: bytes, signature: bytes) -> bool:
        """Whether `signature`, strict DER, is one of `data` by this key."""
        try:
            self._public.verify(signature, data, _SCHEME)
        except InvalidSignature:
            return False
        return True

    @property
    def point(self) -> tuple[int, int]:
        """The public key's coordinates."""
        numbers = self._public.public_numbers()
        return numbers.x, numbers.y


def derive(access_key_id: str, secret: str) -> SigV4AKey:
    """The key pair of an access key: NIST SP 800-108 in counter mode over HMAC-SHA-256, then FIPS 186-4 §B.4.2.

    >>> hex(derive("AKISORANDOMAASORANDOM", "q+jcrXGc+0zWN6uzclKVhvMmUsIfRPa4rlRandom").point[0])[:12]
    '0x15d242ceeb'
    """
    key = b"AWS4A" + secret.encode()
    name = access_key_id.encode()
    for counter in range(1, 255):
        fixed = _LABEL + b"\x00" + name + bytes([counter]) + (256).to_bytes(4)
        candidate = int.from_bytes(hmac_sha256(key, (1).to_bytes(4) + fixed))
        if candidate <= _ORDER - 2:
            return SigV4AKey(ec.derive_private_key(candidate + 1, ec.SECP256R1()))
    raise ConfigurationError("no P-256 key can be derived from this access key")  # once in 2**8000 times

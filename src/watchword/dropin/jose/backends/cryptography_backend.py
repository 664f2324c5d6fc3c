"""python-jose's `jose.backends.cryptography_backend`: the keys by their longer names."""

from __future__ import annotations

from watchword.dropin.jose.backends._keys import AESKey, ECKey, HMACKey, RSAKey
from watchword.dropin.jose.backends.native import get_random_bytes

__all__ = [
    "CryptographyAESKey", "CryptographyECKey", "CryptographyHMACKey", "CryptographyRSAKey", "get_random_bytes",
]  # fmt: skip

CryptographyAESKey = AESKey
CryptographyECKey = ECKey
CryptographyHMACKey = HMACKey
CryptographyRSAKey = RSAKey

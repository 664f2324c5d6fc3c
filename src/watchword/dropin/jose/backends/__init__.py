"""python-jose's `jose.backends`: its keys. There is one backend, OpenSSL by way of `cryptography`."""

from watchword.dropin.jose.backends._keys import AESKey, ECKey, HMACKey, RSAKey
from watchword.dropin.jose.backends.base import DIRKey
from watchword.dropin.jose.backends.native import get_random_bytes

__all__ = ["AESKey", "DIRKey", "ECKey", "HMACKey", "RSAKey", "get_random_bytes"]

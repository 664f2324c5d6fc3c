"""python-jose's `jose.backends.native`."""

from __future__ import annotations

import os

from watchword.dropin.jose.backends._keys import HMACKey

__all__ = ["HMACKey", "get_random_bytes"]


def get_random_bytes(num_bytes: int) -> bytes:
    """So many octets that nobody can predict; `jwe.encrypt` asks here."""
    return os.urandom(num_bytes)

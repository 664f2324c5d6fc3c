"""python-jose's `jose.backends.ecdsa_backend`, for programs that name it; the work is done by OpenSSL all the same.

The package ecdsa signs in a time that tells of its key (CVE-2024-23342); it is not used.
"""

from __future__ import annotations

from watchword.dropin.jose.backends import _keys

__all__ = ["ECDSAECKey"]


class ECDSAECKey(_keys.ECKey):
    """As `jose.backends.ECKey`; a class of its own, since programs ask whether that one is this one."""

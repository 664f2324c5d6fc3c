"""python-jose's `jose.backends.rsa_backend`, for programs that name it; the work is done by OpenSSL all the same."""

from __future__ import annotations

from watchword.dropin.jose.backends import _keys

__all__ = ["RSAKey"]


class RSAKey(_keys.RSAKey):
    """As `jose.backends.RSAKey`; a class of its own, since programs ask whether that one is this one."""

"""PyJWT's warnings."""

from __future__ import annotations

__all__ = ["InsecureKeyLengthWarning", "RemovedInPyjwt3Warning"]


class RemovedInPyjwt3Warning(DeprecationWarning):
    """An argument that does nothing."""


class InsecureKeyLengthWarning(UserWarning):
    """A secret or an RSA key is below the sizes of RFC 7518 §3.2 and §3.3: guess it, and sign whatever you like."""

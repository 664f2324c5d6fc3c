"""PyJWT's warnings."""

from __future__ import annotations

__all__ = ["InsecureKeyLengthWarning", "RemovedInPyjwt3Warning"]


class RemovedInPyjwt3Warning(DeprecationWarning):
    """An argument that does nothing."""


class InsecureKeyLengthWarning(UserWarning):
    """Never given: a short key is refused, by `InvalidKeyError`. Here for warning filters."""

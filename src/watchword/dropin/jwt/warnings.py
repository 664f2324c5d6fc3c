"""PyJWT's warnings."""

from __future__ import annotations

from watchword.dropin._keys import InsecureKeyLengthWarning

__all__ = ["InsecureKeyLengthWarning", "RemovedInPyjwt3Warning"]


class RemovedInPyjwt3Warning(DeprecationWarning):
    """An argument that does nothing."""

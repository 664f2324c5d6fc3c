"""HTTP Message Signatures (RFC 9421), by layer: components, base, the fields on the wire, policy, and the two halves."""

from __future__ import annotations

__all__: list[str] = []

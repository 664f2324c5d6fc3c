"""The record of a client's shared key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

__all__ = ["RegisteredKey"]


@dataclass(frozen=True, slots=True)
class RegisteredKey:
    """A client's shared key, at `Ref(RegisteredKey, (key_id,))`.

    Args:
        subject: who signs with it.
        algorithm: its one algorithm, JOSE's name.
        secret: the shared octets.
        scopes: what its holder may do.
    """

    sensitive: ClassVar[bool] = True

    subject: str
    algorithm: str
    secret: bytes = field(repr=False)
    scopes: tuple[str, ...] = ()

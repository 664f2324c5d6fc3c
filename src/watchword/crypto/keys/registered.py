"""The record of a client's shared key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from watchword.core.rejection import Reason, Rejected

__all__ = ["RegisteredKey"]


@dataclass(frozen=True, slots=True)
class RegisteredKey:
    """A client's shared key, at `Ref(RegisteredKey, (key_id,))`.

    A rotation (`store.rotate_key`) registers another key of the same subject under a key id of its own, and gives this
    one an end: while they overlap, both are good and the identity of who uses this one is `rotated`.

    Args:
        subject: who signs with it.
        algorithm: its one algorithm, JOSE's name.
        secret: the shared octets.
        scopes: what its holder may do.
        superseded_by: the key id of the key that replaces it; None: none does.
        expires: from then on it is refused, in seconds since the epoch; None: never.

    >>> RegisteredKey("alice", "HS256", bytes(32), superseded_by="alice-2", expires=60.0).rotated
    True
    """

    sensitive: ClassVar[bool] = True

    subject: str
    algorithm: str
    secret: bytes = field(repr=False)
    scopes: tuple[str, ...] = ()
    superseded_by: str | None = None
    expires: float | None = None

    @property
    def rotated(self) -> bool:
        """Whether another key replaces it: for `Identity(…, rotated=record.rotated)`."""
        return self.superseded_by is not None

    def check_current(self, now: float, where: str) -> None:
        """That the key is still good at `now` (seconds since the epoch); for who has proven to hold it.

        Raises:
            Rejected: EXPIRED, at `where`.
        """
        if self.expires is None or now < self.expires:
            return
        ago = f"until {now - self.expires:.0f} s ago"
        detail = f"the key was good {ago}" if self.superseded_by is None else f"the key was replaced, and good {ago}"
        raise Rejected(Reason.EXPIRED, detail, where=where, genuine=True)

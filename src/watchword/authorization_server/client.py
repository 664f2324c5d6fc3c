"""The record of an OAuth client."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Client"]


@dataclass(frozen=True, slots=True)
class Client:
    """A confidential client (RFC 6749 §2.1), at `Ref(Client, (client_id,))`.

    Args:
        secret: the argon2id hash of its secret, in PHC form.
        scopes: what it may ask for.
        subject: whom its tokens are for; for client credentials usually the client id (RFC 9068 §2.2).
    """

    secret: str
    scopes: tuple[str, ...]
    subject: str

    def __repr__(self) -> str:
        return f"Client(subject={self.subject!r}, scopes={self.scopes!r})"

"""Who it is: `Identity`, and the `Verdict` event that reports each decision."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from watchword.core.rejection import Reason

__all__ = ["Identity", "Verdict"]

NO_SCOPES: frozenset[str] = frozenset()
NO_CLAIMS: Mapping[str, object] = MappingProxyType({})


class Identity:
    """Who made a request, as a verifier proved it; only verifiers make one. Treat it as immutable.

    Args:
        subject: the user, client or service.
        scheme: the scheme that proved it, a name of `SCHEMES`: "basic", "digest", "jwt", "oauth", "hmac", ...
        key_id: the key that proved it, where there are keys.
        scopes: what it may do.
        claims: what else the credentials say (the claims of a JWT).

    >>> Identity("alice", "jwt", scopes=frozenset({"read"}))
    Identity(subject='alice', scheme='jwt', key_id=None, scopes=['read'])
    """

    __slots__ = ("claims", "key_id", "scheme", "scopes", "subject")

    def __init__(
        self,
        subject: str,
        scheme: str,
        key_id: str | None = None,
        scopes: frozenset[str] = NO_SCOPES,
        claims: Mapping[str, object] = NO_CLAIMS,
    ) -> None:
        self.subject = subject
        self.scheme = scheme
        self.key_id = key_id
        self.scopes = scopes
        self.claims = claims

    def __repr__(self) -> str:
        # Claims are left out: they may be personal.
        return (
            f"Identity(subject={self.subject!r}, scheme={self.scheme!r}, key_id={self.key_id!r}, "
            f"scopes={sorted(self.scopes)!r})"
        )


class Verdict(NamedTuple):
    """One decision, for `observe`: logs, metrics, audit. It holds no secret.

    Args:
        reason: None if the request was accepted (or let through as anonymous).
        status: the HTTP status of the refusal; 0 if accepted.
        scheme: the scheme that decided; None if no verifier was addressed.
        subject: the proven subject; None if refused or anonymous.
        key_id: the key that proved it.
        detail: the operator's sentence of a refusal.
        where: the part at fault.
        duration: seconds from the first look at the request to the verdict.
    """

    reason: Reason | None
    status: int
    scheme: str | None
    subject: str | None
    key_id: str | None
    detail: str
    where: str
    duration: float

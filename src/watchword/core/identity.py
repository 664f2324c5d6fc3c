"""Who it is: `Identity`, and the `Verdict` event that reports each decision."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, NamedTuple

from watchword.core.rejection import Reason

if TYPE_CHECKING:
    from typing_extensions import TypeVar  # with a default (PEP 696), which the standard one has since Python 3.13

    C_co = TypeVar("C_co", default=Mapping[str, object], covariant=True)
else:
    from typing import TypeVar

    C_co = TypeVar("C_co", covariant=True)

__all__ = ["Identity", "Verdict"]

NO_SCOPES: frozenset[str] = frozenset()
NO_CLAIMS: Mapping[str, object] = MappingProxyType({})


class Identity(Generic[C_co]):
    """Who made a request, as a verifier proved it; only verifiers make one. Treat it as immutable.

    `Identity` by itself is one whose claims are a mapping; `Identity[Order]` has claims of a type of your own, as
    `JWTVerifier(…, claims=Order)` gives them.

    Args:
        subject: the user, client or service.
        scheme: the scheme that proved it, a name of `SCHEMES`: "basic", "digest", "jwt", "oauth", "hmac", ...
        key_id: the key that proved it, where there are keys.
        scopes: what it may do.
        claims: what else the credentials say (the claims of a JWT).
        rotated: the key has been replaced by another one and is good for the rest of the overlap only: its holder has
            not changed over yet.

    >>> Identity("alice", "jwt", scopes=frozenset({"read"}))
    Identity(subject='alice', scheme='jwt', key_id=None, scopes=['read'])
    """

    __slots__ = ("claims", "key_id", "rotated", "scheme", "scopes", "subject")

    def __init__(
        self,
        subject: str,
        scheme: str,
        key_id: str | None = None,
        scopes: frozenset[str] = NO_SCOPES,
        claims: C_co = NO_CLAIMS,  # type: ignore[assignment] # the default of C_co
        rotated: bool = False,
    ) -> None:
        self.subject = subject
        self.scheme = scheme
        self.key_id = key_id
        self.scopes = scopes
        self.claims = claims
        self.rotated = rotated

    def __repr__(self) -> str:
        # Claims are left out: they may be personal.
        return (
            f"Identity(subject={self.subject!r}, scheme={self.scheme!r}, key_id={self.key_id!r}, "
            f"scopes={sorted(self.scopes)!r}{', rotated=True' if self.rotated else ''})"
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
        rotated: the key has been replaced: its holder has not changed over yet.
    """

    reason: Reason | None
    status: int
    scheme: str | None
    subject: str | None
    key_id: str | None
    detail: str
    where: str
    duration: float
    rotated: bool = False

"""`Identity`: the maker of a request."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic

import msgspec

if TYPE_CHECKING:
    from typing_extensions import TypeVar  # with a default (PEP 696), which the standard one has since Python 3.13

    C_co = TypeVar("C_co", default=Mapping[str, object], covariant=True)
else:
    from typing import TypeVar

    C_co = TypeVar("C_co", covariant=True)

__all__ = ["Identity"]

NO_SCOPES: frozenset[str] = frozenset()
NO_CLAIMS: Mapping[str, object] = MappingProxyType({})


class Identity(msgspec.Struct, Generic[C_co], frozen=True, eq=False):
    """The maker of a request, as a verifier proved it; only verifiers make an `Identity`. It is immutable.

    `Identity` by itself is one whose claims are a mapping; `Identity[Order]` has claims of a type of your own, as
    `JWTVerifier(…, claims=Order)` gives them.

    Args:
        subject: the user, client or service. Empty where the verifier was told that there is none (`JWTVerifier(subject=None)`):
            it is nobody's name then, and no user may be looked up by it.
        scheme: the scheme that proved it, a name of `SCHEMES`: "basic", "digest", "jwt", "oauth", "hmac", ...
        key_id: the key that proved it, where there are keys.
        scopes: words for the things that it may do.
        claims: all else that the credentials say (the claims of a JWT).
        rotated: the key has been replaced by another one and is good for the rest of the overlap only: its holder has
            not changed over yet.

    >>> Identity("alice", "jwt", scopes=frozenset({"read"}))
    Identity(subject='alice', scheme='jwt', key_id=None, scopes=['read'])
    """

    subject: str
    scheme: str
    key_id: str | None = None
    scopes: frozenset[str] = NO_SCOPES
    claims: C_co = NO_CLAIMS  # type: ignore[assignment] # the default of C_co
    rotated: bool = False

    def __repr__(self) -> str:
        # Claims are left out: they may be personal.
        return (
            f"Identity(subject={self.subject!r}, scheme={self.scheme!r}, key_id={self.key_id!r}, "
            f"scopes={sorted(self.scopes)!r}{', rotated=True' if self.rotated else ''})"
        )

"""A short cut for credentials that need nothing but themselves: the same verdict, without the pipeline.

Where all is as usual about a request, there is nothing for the pipeline to do between reading and deciding: no look-up, no
body, nothing to commit. Whatever is unusual about it goes the long way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from watchword.core.familiar import only_authorization
from watchword.core.identity import Identity
from watchword.core.message import Headers
from watchword.core.rejection import Rejected

if TYPE_CHECKING:
    from watchword.core.plan import Plan
    from watchword.core.scheme import Verifier

__all__ = ["Attached", "Changing", "Prompt", "Remembering", "Shortcut", "shortcut"]

Shortcut = Callable[[Headers, bytes, str], "tuple[Identity[Any], Verifier] | None"]
"""(field lines, query, peer's address) -> who it is and who says so; None: judge the request. Raises `Rejected`, its `verifier` set."""


@runtime_checkable
class Prompt(Protocol):
    """A verifier that may decide by the value of Authorization alone. `prompt` is False if it always needs more."""

    @property
    def prompt(self) -> bool: ...

    def at_once(self, authorization: bytes, now: float, address: str, /) -> Identity[Any] | None:
        """The identity; None: it needs more, or the value is not as usual. `address` is the peer's, "" if unknown.

        Raises:
            Rejected: as the pipeline would.
        """
        ...


@runtime_checkable
class Attached(Protocol):
    """A verifier that has to know the store of its guards before it can tell whether it is `prompt`."""

    def attach(self, store: Any, /) -> None:
        """Called by every guard that it is given to, with the guard's store."""
        ...


class Remembering(Protocol):
    """A claim that its verifier may decide at once when it comes again."""

    def admitted(self, identity: Identity[Any], /) -> None:
        """Told once the pipeline has admitted it, and all that belongs to that is committed."""
        ...


class Changing(Protocol):
    """A store through whose own verbs nothing is written unseen."""

    def changes(self, kind: type, /) -> int | None:
        """A number that grows with every write of that kind through this object, once it is made; None: not known."""
        ...


def shortcut(plan: Plan) -> Shortcut | None:
    """The short cut of a guard; None where no verifier has one, or more than one field may hold credentials."""
    known = _prompt(plan)
    if not known or plan.fields or plan.proxy or _looks_at_more(plan):
        return None
    clock, limit = plan.clock, plan.limits.field
    queries = tuple(plan.queries)
    only = next(iter(known.values())) if len(known) == 1 else None  # which looks at the scheme word itself

    def at_once(headers: Headers, query: bytes, address: str) -> tuple[Identity[Any], Verifier] | None:
        authorization = only_authorization(headers)
        if authorization is None or len(authorization) > limit:
            return None
        if query and (b"access_token" in query or b"%" in query):  # a token in two places (RFC 6750 §2)
            return None
        if queries and query and any(name in query for name in queries):
            return None
        asked = only or known.get(authorization.partition(b" ")[0].lower())
        if asked is None:
            return None
        verifier, ask = asked
        try:
            identity = ask(authorization, clock(), address)
        except Rejected as rejected:
            rejected.verifier = verifier
            raise
        return None if identity is None else (identity, verifier)

    return at_once


def _looks_at_more(plan: Plan) -> bool:
    """A public URL is judged, a verdict reported and a seal made for each request."""
    return plan.public_url is not None or plan.observe is not None or plan.seal is not None


def _prompt(plan: Plan) -> dict[bytes, tuple[Verifier, Callable[[bytes, float, str], Identity[Any] | None]]]:
    """The verifiers that may decide at once, by their scheme word."""
    for verifier in plan.words.values():
        if isinstance(verifier, Attached):
            verifier.attach(plan.store)
    return {
        word: (verifier, verifier.at_once)
        for word, verifier in plan.words.items()
        if isinstance(verifier, Prompt) and verifier.prompt
    }

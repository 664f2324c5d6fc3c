"""A scheme of somebody's own, as both type checkers have to take it: run by nobody, checked by mypy and pyright."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from watchword import (
    AllOf,
    BasicVerifier,
    SignatureVerifier,
    Guard,
    Identity,
    JWTVerifier,
    Key,
    Reason,
    Rejected,
    Request,
)
from watchword.core.answer import Challenge
from watchword.core.records import Found, Ref
from watchword.core.rejection import Rejection
from watchword.core.scheme import UNUSED, Address, Body, BodyNeed, Check, Decision, Digests, Random, Refusal, Verifier
from watchword.stores import MemoryStore


class TicketClaim:
    """A ticket as it was presented."""

    needs: Sequence[Ref[Any]] = ()
    body: BodyNeed | Digests = UNUSED

    def __init__(self, ticket: bytes) -> None:
        self.ticket = ticket

    def slow(self, found: Found) -> bool:
        return False

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision:
        if self.ticket != b"one":
            raise Rejected(Reason.WRONG_SECRET, "no such ticket", where="authorization")
        return Decision(Identity("bearer of a ticket", "ticket"))


class TicketVerifier:
    """Accepts one ticket."""

    scheme = "ticket"
    single_use = False
    ambient = False
    rank = 40
    addresses: Sequence[Address] = (Address(word="ticket"),)
    kinds: Sequence[type] = ()
    always_needed: Sequence[Ref[Any]] = ()
    realm: str | None = None

    def read(self, request: Request) -> TicketClaim | None:
        return TicketClaim(request.values(b"authorization")[0].partition(b" ")[2])

    def refuse(self, rejection: Rejection, found: Found, now: float, random: Random) -> Refusal:
        return Refusal(rejection.reason.status, [Challenge("Ticket")])

    def explain(self, claim: TicketClaim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
        return "", [Check("ticket", claim.ticket == b"one", "authorization")]


own: Verifier = TicketVerifier()
guard = Guard(
    [TicketVerifier(), BasicVerifier(realm="orders"), JWTVerifier(Key.generate("HS256"))], store=MemoryStore()
)
both = Guard([AllOf(TicketVerifier(), SignatureVerifier())], store=MemoryStore())
subject: str = guard.verify(Request("GET", "https", "api.example", "/", {"Authorization": "Ticket one"})).subject

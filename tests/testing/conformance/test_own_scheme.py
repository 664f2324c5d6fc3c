"""A scheme of somebody's own keeps the promises; one that says more of itself than is true, or less, is found."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from watchword import Identity, Reason, Rejected, Request
from watchword.core.answer import Challenge
from watchword.core.records import Found, Once, Put, Ref
from watchword.core.rejection import Rejection
from watchword.core.scheme import UNUSED, Address, Body, BodyNeed, Decision, Digests, Random, Refusal
from watchword.effects import Context, Flow, Send
from watchword.schemes.basic import BasicAuth, BasicVerifier
from watchword.schemes.hmac_header import HMACVerifier
from watchword.stores import MemoryStore
from watchword.testing import SchemeCase, SchemeSetup, case_of
from watchword.testing.cases import SECRET
from watchword.testing.conformance import SchemeConformance


# ---- the scheme: a ticket in the query, good once ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ticket:
    """Whose a ticket is."""

    sensitive: ClassVar[bool] = True

    subject: str


class TicketAuth:
    """Shows a new ticket with each request."""

    def __init__(self, tickets: Sequence[str]) -> None:
        self._tickets = list(tickets)

    def flow(self, request: Request, context: Context, /) -> Flow:
        mark = b"&" if b"?" in request.target else b"?"
        target = request.target + mark + b"ticket=" + self._tickets.pop(0).encode()
        yield Send(Request(request.method, request.scheme, request.authority, target, request.headers, request.peer))


class TicketClaim:
    """A ticket as it was presented."""

    body: BodyNeed | Digests = UNUSED

    def __init__(self, ticket: str) -> None:
        self._ref = Ref(Ticket, (ticket,))
        self.needs: Sequence[Ref[Any]] = (self._ref,)

    def slow(self, found: Found) -> bool:
        return False

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision:
        ticket = found.get(self._ref)
        if ticket is None:
            raise Rejected(Reason.UNKNOWN_KEY, "no such ticket", where="ticket")
        return Decision(Identity(ticket.subject, "ticket"), writes=(Once(("ticket", *self._ref.key), now + 1e6),))


class TicketVerifier:
    """Accepts each ticket once; explains nothing of its own."""

    scheme = "ticket"
    single_use = True
    ambient = False
    rank = 40
    addresses: Sequence[Address] = (Address.in_query(b"ticket"),)
    kinds: Sequence[type] = (Ticket,)
    always_needed: Sequence[Ref[Any]] = ()
    realm: str | None = None

    def read(self, request: Request) -> TicketClaim | None:
        pairs = [pair.partition(b"=") for pair in (request.query or b"").split(b"&")]
        found = [value for name, _, value in pairs if name == b"ticket"]
        if len(found) != 1 or not found[0].isalnum():
            raise Rejected(Reason.MALFORMED_CREDENTIALS, "one ticket of letters and digits", where="ticket")
        return TicketClaim(found[0].decode("ascii"))

    def refuse(self, rejection: Rejection, found: Found, now: float, random: Random) -> Refusal:
        return Refusal(rejection.reason.status, [Challenge("Ticket")])


TICKETS = [f"aticket{number}thatisgoodonce" for number in range(50)]


def enrol(store: MemoryStore) -> None:
    store.commit([Put(Ref(Ticket, (ticket,)), Ticket("alice")) for ticket in TICKETS])


class TestATicketOfSomebodysOwn(SchemeConformance):
    case = SchemeCase(
        "ticket", lambda: TicketAuth(TICKETS), lambda: TicketAuth(["aguess"] * 50), TicketVerifier, enrol,
        single_use=True, secrets=(TICKETS[0],),
    )  # fmt: skip


# ---- claims that are not true ------------------------------------------------------------------------------------------


class Telling(BasicVerifier):
    """Shows what it should not."""

    def __repr__(self) -> str:
        return f"Telling({SECRET!r})"


class Replayable(HMACVerifier):
    """Remembers nothing of what it has accepted."""

    def read(self, request: Request) -> Any:
        claim = super().read(request)
        return None if claim is None else Forgetting(claim)


class Forgetting:
    def __init__(self, claim: Any) -> None:
        self._claim = claim

    def __getattr__(self, name: str) -> Any:
        return getattr(self._claim, name)

    def decide(self, *arguments: Any) -> Any:
        decision = self._claim.decide(*arguments)
        return Decision(decision.identity)


BASIC, HMAC, JWT, TOKEN = (case_of(name) for name in ("basic", "hmac", "jwt", "token"))
UNTRUE: list[tuple[SchemeCase, str]] = [
    (BASIC._replace(name="basics"), "test_the_verifier_is_what_the_case_says"),
    (BASIC._replace(ambient=False), "test_the_verifier_is_what_the_case_says"),
    (HMAC._replace(single_use=False), "test_the_verifier_is_what_the_case_says"),
    (BASIC._replace(subject="bob"), "test_a_genuine_request_is_accepted"),
    (BASIC._replace(auth=lambda: BasicAuth("alice", "guess")), "test_a_genuine_request_is_accepted"),
    (BASIC._replace(impostor=BASIC.auth), "test_a_wrong_secret_is_refused"),
    (BASIC._replace(covers=frozenset({"target"})), "test_a_change_is_refused_exactly_where_the_scheme_covers_it"),
    (
        HMAC._replace(covers=frozenset({"method", "target"})),
        "test_a_change_is_refused_exactly_where_the_scheme_covers_it",
    ),
    (HMAC._replace(verifier=Replayable), "test_a_replay_is_refused_exactly_where_the_scheme_is_single_use"),
    (JWT._replace(single_use=True), "test_a_replay_is_refused_exactly_where_the_scheme_is_single_use"),
    (JWT._replace(expires=False), "test_credentials_expire_exactly_where_the_scheme_says_so"),
    (TOKEN._replace(expires=True), "test_credentials_expire_exactly_where_the_scheme_says_so"),
    (BASIC._replace(verifier=lambda: Telling(realm="orders")), "test_no_secret_in_any_repr"),
    (TOKEN._replace(secrets=("alice",)), "test_explain_agrees_with_the_verdict_commits_nothing_and_tells_no_secret"),
]


@pytest.mark.parametrize(("case", "promise"), UNTRUE, ids=lambda value: value if isinstance(value, str) else value.name)
def test_a_case_that_says_what_is_not_true_is_found(case: SchemeCase, promise: str) -> None:
    test = getattr(SchemeConformance(), promise)
    given = {"scheme": SchemeSetup(case), "on_a_loop": False}
    with pytest.raises(AssertionError):
        test(**{name: given[name] for name in inspect.signature(test).parameters})


def test_the_true_cases_keep_the_same_promises() -> None:
    for name in ("basic", "hmac", "jwt", "token"):
        for promise in {promise for _, promise in UNTRUE}:
            test = getattr(SchemeConformance(), promise)
            given = {"scheme": SchemeSetup.of(name), "on_a_loop": False}
            test(**{each: given[each] for each in inspect.signature(test).parameters})

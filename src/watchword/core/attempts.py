"""Attempts to guess a secret: counted before slow work, limited by who is asked for and from where.

Only what can be guessed is counted: a verifier that is `guessable` (Basic, Digest). A pair of subject and address
backs off, ever longer, since its windows are nested: whoever goes on guessing fills the short one, then the longer. A
subject alone and an address alone are only throttled, and a pair that has succeeded before is not held up by what
others do to its subject: nobody can lock somebody else out.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol, cast

from watchword.core.lock import Lock, Turn
from watchword.core.message import Peer
from watchword.core.records import Add, Committed, Counter, Exceeded, Found, Put, Ref
from watchword.core.rejection import Reason, Rejected, StoreUnavailable
from watchword.core.scheme import Check, Claim, Verifier
from watchword.core.steps import Acquire, Commit, Step

__all__ = [
    "Attempt", "AttemptPolicy", "Guess", "KnownPair", "Window", "attempt_of", "can_count", "giving_back", "network_of", "reserve", "too_many",
    "waiting",
]  # fmt: skip

GUESSES: Final = frozenset({Reason.WRONG_SECRET, Reason.UNKNOWN_SUBJECT, Reason.DISABLED})
LEASE: Final = 60.0
PATIENCE: Final = 30.0


class Window(NamedTuple):
    """At most `limit` failures in `seconds`."""

    limit: int
    seconds: float


class AttemptPolicy(NamedTuple):
    """How many failed attempts are allowed. Each is a list of windows, all of which must have room.

    Args:
        pair: for one subject from one address.
        subject: for one subject from anywhere; pairs that succeeded before are exempt.
        address: for one address, whomever it asks for; IPv6 counts by /64.
        known_for: seconds for which a pair that succeeded is remembered.

    >>> AttemptPolicy(pair=[Window(5, 60), Window(20, 3600)]).pair[0]
    Window(limit=5, seconds=60)
    """

    pair: Sequence[Window] = (Window(20, 60), Window(60, 900), Window(200, 86_400))
    subject: Sequence[Window] = (Window(100, 60),)
    address: Sequence[Window] = (Window(200, 60),)
    known_for: float = 30 * 86_400


@dataclass(frozen=True, slots=True)
class KnownPair:
    """A subject and an address that succeeded together; at `Ref(KnownPair, (subject, address))`."""

    until: float


class Guess(Protocol):
    """A claim whose secret can be guessed; its verifier says so by `guessable = True`.

    `guesses` names the subject that was presented, known or not, in one spelling and of bounded length. `turn` is the
    lock that slow work waits for, so that a burst of requests does not count as a burst of failures; None: no waiting.
    """

    @property
    def guesses(self) -> str: ...
    @property
    def turn(self) -> Lock | None: ...


def network_of(address: str) -> str:
    """What counts as one address: IPv4 by itself, IPv6 by its /64, also where it maps an IPv4.

    >>> network_of("192.0.2.7"), network_of("2001:db8::1:2:3:4"), network_of("::ffff:192.0.2.7"), network_of("")
    ('192.0.2.7', '2001:db8::/64', '192.0.2.7', '')
    """
    if ":" not in address:
        return address[:64]
    from ipaddress import IPv6Address, IPv6Network  # noqa: PLC0415 -- only for IPv6

    try:
        parsed = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((int(parsed) >> 64 << 64, 64)))


class Attempt:
    """One claim's counters."""

    __slots__ = ("_address", "_known", "_policy", "_subject", "lock", "refs")

    def __init__(self, policy: AttemptPolicy, guess: Guess, peer: Peer) -> None:
        self._policy = policy
        self._subject = guess.guesses
        self._address = network_of(peer.address)
        self._known: Ref[KnownPair] = Ref(KnownPair, (self._subject, self._address))
        self.lock = guess.turn
        counters = (counter for counter, _ in self._windows(known=False))
        self.refs: Sequence[Ref[Any]] = (self._known, *(Ref(Counter, counter) for counter in counters))

    def _windows(self, known: bool) -> list[tuple[tuple[str, ...], Window]]:
        pair, subject, address = self._policy.pair, self._policy.subject, self._policy.address
        who, where = self._subject, self._address
        found: list[tuple[tuple[str, ...], Window]] = []
        found += [(("attempts", "pair", who, where, f"{window.seconds:g}"), window) for window in pair]
        found += [(("attempts", "address", where, f"{window.seconds:g}"), window) for window in address]
        if not known:
            found += [(("attempts", "subject", who, f"{window.seconds:g}"), window) for window in subject]
        return found

    def knows(self, found: Found, now: float) -> bool:
        """Whether this pair succeeded before, lately enough."""
        record = found.get(self._known)
        return record is not None and record.until > now

    def adds(self, found: Found, now: float) -> list[Add]:
        """One attempt, in every window."""
        windows = self._windows(self.knows(found, now))
        return [Add(counter, 1, now + window.seconds, window.limit) for counter, window in windows]

    def check(self, found: Found, now: float) -> None:
        """Refuses where a window was full already when its records were fetched.

        Raises:
            Rejected: TOO_MANY_ATTEMPTS.
        """
        for counter, window in self._windows(self.knows(found, now)):
            record = found.get(Ref(Counter, counter))
            if record is not None and record.until > now and record.value >= window.limit:
                raise too_many(counter, record.until - now)

    def passing(self, found: Found, now: float) -> list[Add]:
        """Writes that are refused where the pair's first window is full, and else change nothing.

        They go with the acceptance of a claim that nothing was reserved for: guesses made at the same time have counted
        by then.
        """
        first = self.adds(found, now)[:1]
        return [*first, *giving_back(first)]

    def remembering(self, found: Found, now: float) -> list[Put]:
        """What is written once it has succeeded; nothing, if that was written not long ago."""
        record = found.get(self._known)
        if record is not None and record.until > now + self._policy.known_for / 2:
            return []
        until = now + self._policy.known_for
        return [Put(self._known, KnownPair(until), until=until)]

    def explain(self, found: Found, now: float) -> Check:
        """The check, without counting."""
        try:
            self.check(found, now)
        except Rejected as rejected:
            wait = rejected.rejection.retry_after or 0.0
            return Check("attempts", False, "peer address", "room for another attempt", "too many failed attempts",
                         f"wait {wait:.0f} s, and send the right secret")  # fmt: skip
        return Check("attempts", True, "peer address", "room for another attempt", "room")


def attempt_of(policy: AttemptPolicy | None, verifier: Verifier, claim: Claim, peer: Peer) -> Attempt | None:
    """The counters of a claim; None where nothing is counted."""
    if policy is None or not getattr(verifier, "guessable", False):
        return None
    return Attempt(policy, cast("Guess", claim), peer)


def can_count(store: Any) -> bool:
    """Whether a store holds counters; look-ups into somebody else's table don't."""
    if store is None:
        return False
    kinds = getattr(store, "kinds", None)
    return kinds is None or {Counter, KnownPair} <= kinds


def giving_back(adds: Sequence[Add]) -> list[Add]:
    """Takes `adds` back."""
    return [Add(add.counter, -add.n, add.until) for add in adds]


def reserve(adds: Sequence[Add], now: float) -> Generator[Step, Any, None]:
    """Counts, all or nothing.

    Raises:
        Rejected: TOO_MANY_ATTEMPTS.
        StoreUnavailable: the store can't count.
    """
    outcome = yield Commit(adds)
    if isinstance(outcome, Exceeded):
        raise too_many(outcome.write.counter, outcome.until - now)
    if not isinstance(outcome, Committed):
        raise StoreUnavailable("the store could not count an attempt")


def too_many(counter: Sequence[str], wait: float) -> Rejected:
    """The refusal of an attempt that has no room in `counter`, which ends in `wait` seconds."""
    detail = f"too many failed attempts of this {counter[1] if len(counter) > 1 else counter[0]}"
    return Rejected(Reason.TOO_MANY_ATTEMPTS, detail, where="attempts", retry_after=max(1.0, wait))


def waiting(lock: Lock) -> Generator[Step, Any, Turn]:
    """The lock, once it is ours."""
    turn: Turn = yield Acquire(lock, LEASE, PATIENCE)
    return turn

"""Attempts to guess a secret: counted before slow work, limited by who is asked for and from where.

Only what can be guessed is counted: a verifier that is `guessable` (Basic, Digest).
A pair of subject and address backs off, ever longer, since its windows are nested: a guesser who goes on fills the
short one, then the longer. A subject alone and an address alone are only throttled, and nobody can lock somebody else
out: a pair that has succeeded before is not held up by what others do to its subject or from its address, and the first
attempt of a pair is not held up by what others do to its subject.

A guess at a made-up name must leave little behind. So a longer window of a group begins only once the next shorter one
is half full (or has come to half of the longer one's limit, if that is less), and begins with the failures that brought
it there. A guesser who stays below that is held by the shorter window alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from math import ceil, inf
from typing import Any, Final, NamedTuple, Protocol

from watchword.core.io import IO, done
from watchword.structures.networks import is_anybodys, network_of, networks_of
from watchword.core.records import NOTHING_FOUND, Add, After, Committed, Counter, Exceeded, Found, Put, Ref
from watchword.core.rejection import ConfigurationError, Reason, Rejected, StoreUnavailable
from watchword.core.scheme import Check

__all__ = [
    "Attempt", "AttemptPolicy", "Guess", "KnownPair", "Limiter", "Window", "can_count", "giving_back",
    "is_guess", "limiter_for", "reserve", "too_many",
]  # fmt: skip

# Refused before the secret was looked at. A reason that is not named here may tell whether it was right, as Digest's
# UNKNOWN_NONCE does by its stale=true, and so it counts.
_NO_GUESSES: Final = frozenset({
    Reason.MALFORMED_CREDENTIALS, Reason.WRONG_REALM, Reason.WRONG_ALGORITHM, Reason.WRONG_TARGET, Reason.TARGET_REFUSED,
    Reason.TARGET_NOT_EXACT, Reason.TOO_BUSY, Reason.TOO_MANY_ATTEMPTS,
})  # fmt: skip


class Window(NamedTuple):
    """At most `limit` failures in `seconds`, which begin with the first of them."""

    limit: int
    seconds: float


class AttemptPolicy(NamedTuple):
    """How many failed attempts are allowed. Each is a list of windows, all of which must have room.

    Args:
        pair: for one subject from one address. Only the shortest window holds where the address is empty or loopback,
            which is everybody's behind a proxy that the guard was not told of.
        subject: for one subject from anywhere; pairs that succeeded before are exempt, and the first attempt of a pair.
        address: for one address, whomever it asks for, IPv6 by its /64; pairs that succeeded before are exempt.
        known_for: seconds for which a pair that succeeded is remembered; written anew once half of them are over.
        network_56: for one IPv6 /56, exempt as for `address`; None: twice its limits.
        network_48: for one IPv6 /48; None: five times the limits of `address`.

    >>> AttemptPolicy(pair=[Window(5, 60), Window(20, 3600)]).pair[0]
    Window(limit=5, seconds=60)
    """

    pair: Sequence[Window] = (Window(20, 60), Window(60, 900), Window(200, 86_400))
    subject: Sequence[Window] = (Window(100, 60),)
    address: Sequence[Window] = (Window(200, 60),)
    known_for: float = 30 * 86_400
    network_56: Sequence[Window] | None = None
    network_48: Sequence[Window] | None = None


@dataclass(frozen=True, slots=True)
class KnownPair:
    """A subject and an address that succeeded together; at `Ref(KnownPair, (subject, address))`."""

    until: float


class Guess(Protocol):
    """A claim whose secret can be guessed; its verifier says so by `guessable = True`.

    `guesses` names the subject that was presented, known or not, in one spelling and of bounded length; None: nothing is
    guessed. `flight` is the same for the same credentials, so that the slow work of a burst is done once; None: never.
    """

    @property
    def guesses(self) -> str | None: ...
    @property
    def flight(self) -> bytes | None: ...


class Limiter:
    """An `AttemptPolicy`, checked once; `attempt(who, address)` is the `Attempt` of a subject from an address.

    Raises:
        ConfigurationError: a window that can't be kept.
    """

    __slots__ = ("address", "attempt", "known_for", "pair", "subject", "wider")

    def __init__(self, policy: AttemptPolicy) -> None:
        self.pair = _named("pair", policy.pair)
        self.subject = _named("subject", policy.subject)
        self.address = _named("address", policy.address)
        wide = _times(5, policy.address) if policy.network_48 is None else policy.network_48
        less_wide = _times(2, policy.address) if policy.network_56 is None else policy.network_56
        self.wider = _named("network_48", wide), _named("network_56", less_wide)
        if not 0 < policy.known_for < inf:
            raise ConfigurationError(f"AttemptPolicy(known_for={policy.known_for}): a positive number of seconds")
        self.known_for = policy.known_for
        # Most requests come from who came before; an Attempt never changes.
        self.attempt: Callable[[str, str], Attempt] = lru_cache(1024)(partial(Attempt, self))


def _times(factor: int, windows: Sequence[Window]) -> Sequence[Window]:
    return [Window(factor * limit, seconds) for limit, seconds in windows]


def _named(group: str, windows: Sequence[Window]) -> Sequence[tuple[str, Window]]:
    for limit, seconds in windows:
        if limit < 1 or not 0 < seconds < inf:
            raise ConfigurationError(f"AttemptPolicy({group}=…): Window({limit}, {seconds}) needs positive numbers")
    if len({window.seconds for window in windows}) < len(windows):
        raise ConfigurationError(f"AttemptPolicy({group}=…): two windows of one length; keep the one with less room")
    ordered = sorted(windows, key=lambda window: window.seconds)
    return [(repr(float(window.seconds)), window) for window in ordered]


class Attempt:
    """The counters of one subject from one address, which stands for all of its network."""

    __slots__ = ("_address", "_free", "_known", "_known_for", "_pair", "_subject", "refs")

    def __init__(self, limiter: Limiter, who: str, address: str) -> None:
        where = network_of(address)
        self._known_for = limiter.known_for
        self._known: Ref[KnownPair] = Ref(KnownPair, (who, where))
        windows = limiter.pair[:1] if is_anybodys(where) else limiter.pair
        self._pair = pair = _group(("attempts", "pair", who, where), windows)
        around = networks_of(where.removesuffix("/64"))[:-1]
        self._address = [
            _group(("attempts", "address", where), limiter.address),
            *(_group(("attempts", "network", one), of) for one, of in zip(around, limiter.wider, strict=False)),
        ]
        self._subject = _group(("attempts", "subject", who), limiter.subject)
        groups = (pair, *self._address, self._subject)
        self.refs: tuple[Ref[Any], ...] = (self._known, *[counted.ref for group in groups for counted in group])
        # What `passing` gives where nothing is counted yet, to a pair that is not known and to one that is.
        self._free = (self.passing(NOTHING_FOUND, 0.0), self._probes((pair,), NOTHING_FOUND, 0.0))

    def is_known(self, found: Found, now: float) -> bool:
        """Whether the pair succeeded before, lately enough."""
        record = found.get(self._known)
        return record is not None and record.until > now

    def _in_force(self, found: Found, now: float) -> Sequence[_Group]:
        """The counters that hold for this attempt: others can't hold up a pair that succeeded before, lately enough."""
        record = found.get(self._known)
        if record is not None and record.until > now:
            return (self._pair,)
        if self._is_first(found, now) and any(
            _count(found, counted.ref, now) >= counted.window.limit for counted in self._subject
        ):
            # The subject is besieged. Whoever this is may try once: else others could keep its owner out for ever. Once
            # in the longest window, so all of them begin.
            shortest, *longer = self._pair
            once = _counted(shortest.ref, Window(1, shortest.window.seconds), None)
            return [[once, *(counted._replace(after=None) for counted in longer)], *self._address]
        return self._pair, *self._address, self._subject

    def _is_first(self, found: Found, now: float) -> bool:
        return bool(self._pair) and not any(_count(found, counted.ref, now) for counted in self._pair)

    def adds(self, found: Found, now: float) -> list[Add]:
        """One attempt, in every window that has begun or begins with it."""
        return [
            Add(counted.ref.key, 1, now + counted.window.seconds, counted.window.limit, counted.after)
            for group in self._in_force(found, now)
            for counted in group
        ]

    def check(self, found: Found, now: float) -> None:
        """Refuses where a window was full already when its records were fetched.

        Raises:
            Rejected: TOO_MANY_ATTEMPTS.
        """
        for group in self._in_force(found, now):
            for ref, window, _, _ in group:
                record = found.get(ref)
                if record is not None and record.until > now and record.value >= window.limit:
                    raise too_many(ref.key, record.until - now)

    def room(self, found: Found, now: float) -> tuple[Sequence[Add], Sequence[Put]]:
        """`check`, and then what `passing` and `remembering` give, in one pass.

        Raises:
            Rejected: TOO_MANY_ATTEMPTS.
        """
        record = found.get(self._known)
        left = 0.0 if record is None else record.until - now
        if found.counts:
            self.check(found, now)
            passing: Sequence[Add] = self.passing(found, now)
        else:  # nobody has guessed: so it is for nearly every request
            passing = self._free[left > 0]
        return passing, () if left > self._known_for / 2 else self.remembering(found, now)

    def passing(self, found: Found, now: float) -> list[Add]:
        """Writes that are refused where a window is full by now, and else change nothing.

        They go with the verdict on a claim that nothing was reserved for: guesses made at the same time have counted
        by then, whichever of them it is that is right. Every guess counts in all windows of a group, also in one that
        begins later, so the one that had the least room is full first and stands for them all.
        """
        return self._probes(self._in_force(found, now), found, now)

    def _probes(self, groups: Sequence[_Group], found: Found, now: float) -> list[Add]:
        probes = []
        for group in groups:
            least: float = inf
            fullest: Add | None = None
            count = 0
            for ref, window, probe, after in group:
                # A window that has not begun will begin with what the shorter one has counted, or with less.
                count = _count(found, ref, now) or (0 if after is None else min(count, after.start))
                room = window.limit - count
                if room < least:
                    least, fullest = room, probe
            if fullest is not None:
                probes.append(fullest)
        return probes

    def remembering(self, found: Found, now: float) -> list[Put]:
        """The write once it has succeeded; nothing, if that was written not long ago."""
        record = found.get(self._known)
        if record is not None and record.until > now + self._known_for / 2:
            return []
        until = now + self._known_for
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


class _Counted(NamedTuple):
    """A counter with its window, the write by which `passing` asks about it, and the condition under which it begins."""

    ref: Ref[Counter]
    window: Window
    probe: Add
    after: After | None


_Group = Sequence[_Counted]


def _group(key: tuple[str, ...], windows: Sequence[tuple[str, Window]]) -> _Group:
    group: list[_Counted] = []
    for name, window in windows:
        group.append(_counted(Ref(Counter, (*key, name)), window, group[-1] if group else None))
    return group


def _counted(ref: Ref[Counter], window: Window, shorter: _Counted | None) -> _Counted:
    after = None
    if shorter is not None:
        enough = (min(shorter.window.limit, window.limit) + 1) // 2
        after = After(shorter.ref.key, enough, enough - 1)
    return _Counted(ref, window, _probe(ref, window.limit), after)


def _probe(ref: Ref[Counter], limit: int) -> Add:
    """Refused where the counter is at `limit`. It writes nothing, so it needs no end."""
    return Add(ref.key, 0, 0.0, limit - 1)


def _count(found: Found, ref: Ref[Counter], now: float) -> int:
    record = found.get(ref)
    return 0 if record is None or record.until <= now else record.value


def is_guess(rejected: Rejected) -> bool:
    """Whether a refusal may tell that a secret was wrong."""
    return not rejected.rejection.genuine and rejected.reason not in _NO_GUESSES


def limiter_for(policy: AttemptPolicy | None, store: Any) -> Limiter | None:
    """The limiter of a guard, made of its policy; None where nothing is counted, or the store can't."""
    limiter = None if policy is None else Limiter(policy)
    return limiter if can_count(store) else None


def can_count(store: Any) -> bool:
    """Whether a store holds counters; look-ups into somebody else's table don't."""
    if store is None:
        return False
    kinds = getattr(store, "kinds", None)
    return kinds is None or {Counter, KnownPair} <= kinds


def giving_back(adds: Sequence[Add]) -> list[Add]:
    """The writes that take `adds` back. They take nothing from a life that has begun since (`Add`)."""
    return [Add(add.counter, -add.n, add.until, add.limit) for add in adds]


async def reserve(io: IO[Any, Any], adds: Sequence[Add], now: float) -> None:
    """Counts, all or nothing.

    Raises:
        Rejected: TOO_MANY_ATTEMPTS.
        StoreUnavailable: the store can't count.
    """
    outcome = await done(io.commit(adds))
    if isinstance(outcome, Exceeded):
        raise too_many(outcome.write.counter, outcome.until - now)
    if not isinstance(outcome, Committed):
        raise StoreUnavailable("the store could not count an attempt")


def too_many(counter: Sequence[str], wait: float) -> Rejected:
    """The refusal of an attempt that has no room in `counter`, which ends in `wait` seconds."""
    detail = f"too many failed attempts of this {counter[1] if len(counter) > 1 else counter[0]}"
    return Rejected(Reason.TOO_MANY_ATTEMPTS, detail, where="attempts", retry_after=max(1, ceil(wait)))

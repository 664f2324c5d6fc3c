"""`AllOf`: several proofs that are demanded together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

from watchword.core.address import has_parameter
from watchword.core.attempts import Guess
from watchword.core.identity import Identity
from watchword.core.limits import Limits
from watchword.core.message import Headers, Request, Response
from watchword.core.records import Found, Ref
from watchword.core.rejection import ConfigurationError, Reason, Rejected, Rejection
from watchword.core.scheme import (
    STREAM, UNUSED, WHOLE, Address, Bindable, Body, BodyNeed, Changes, Claim, Decision, Digests, GuardReader, More,
    Proof, Random, Refusal, Seal, Verifier,
)  # fmt: skip
from watchword.core.plan import checked_verifiers
from watchword.structures.streams import piped
from watchword.core.together import committed_together

__all__ = ["AllOf", "same_subject"]


def same_subject(identities: Sequence[Identity]) -> None:
    """The default `bind`: every part proves the same subject. One that proves none is bound to nothing.

    Raises:
        Rejected: BINDING_MISMATCH.
    """
    if not all(identity.subject for identity in identities):
        raise Rejected(Reason.BINDING_MISMATCH, "a part proves no subject: give bind=, or subject=", where="subject")
    if len({identity.subject for identity in identities}) > 1:
        raise Rejected(Reason.BINDING_MISMATCH, "the parts prove different subjects", where="subject")


class AllOf:
    """A verifier that claims a request when any of its parts is present, and demands all of them.

    The identity is the first part's, with the scopes that all parts grant. Where a part proves possession of a key
    (`Proof`), a token among the parts has to be bound to that key: `cnf` is confirmed, whatever `bind` is.

    Args:
        parts: two verifiers or more, each with credentials in a field of its own.
        bind: shows that the parts belong together: called with their identities, raises `Rejected` if they don't.

    Raises:
        ConfigurationError: fewer than two parts, or two that read the same field.

    >>> from watchword import HMACVerifier, JWTVerifier, Key
    >>> AllOf(JWTVerifier(Key.generate("HS256")), HMACVerifier())
    Traceback (most recent call last):
        ...
    watchword.core.rejection.ConfigurationError: jwt and hmac both read authorization; a request has one
    """

    scheme: str = "all_of"

    def __init__(self, *parts: Verifier, bind: Callable[[Sequence[Identity]], None] = same_subject) -> None:
        if len(parts) < 2:
            raise ConfigurationError("AllOf needs two parts or more")
        checked_verifiers(parts, "AllOf")
        seen: dict[bytes, str] = {}
        for part in parts:
            for place in sorted({address.place for address in part.addresses}):
                if place in seen:
                    raise ConfigurationError(
                        f"{seen[place]} and {part.scheme} both read {place.decode()}; a request has one"
                    )
                seen[place] = part.scheme
        realms = {part.realm for part in parts if part.realm is not None}
        if len(realms) > 1:
            raise ConfigurationError(f"the parts of AllOf name different realms: {sorted(realms)}")
        self.parts = parts
        self.bind = bind
        self.realm = realms.pop() if realms else None
        # One part that can't be used again makes the whole single-use.
        self.single_use = any(part.single_use for part in parts)
        # Nor can a browser send the whole by itself, if it can't send one part.
        self.ambient = all(getattr(part, "ambient", True) for part in parts)
        self.rank = min(part.rank for part in parts)
        self.awaited = any(getattr(part, "awaited", False) for part in parts)
        self.guessable = any(getattr(part, "guessable", False) for part in parts)
        self.addresses: Sequence[Address] = [address for part in parts for address in part.addresses]
        self.kinds: Sequence[type] = list(dict.fromkeys(kind for part in parts for kind in part.kinds))
        self.committed_together: frozenset[type] = frozenset().union(*(committed_together(part) for part in parts))
        self.always_needed: Sequence[Ref[Any]] = list(
            dict.fromkeys(ref for part in parts for ref in part.always_needed)
        )

    def read(self, request: Request) -> Claim | None:
        """All the parts' claims; None if none is present.

        Raises:
            Rejected: BINDING_MISSING if only some are.
        """
        return self._read([part.read for part in self.parts], request)

    def reader(
        self, limits: Limits, changes: Changes | None, /, *, remembering: bool
    ) -> Callable[[Request], Claim | None]:
        """As `core.scheme.GuardReader`: each part reads as it would by itself."""
        reads = [
            part.reader(limits, changes, remembering=remembering) if isinstance(part, GuardReader) else part.read
            for part in self.parts
        ]
        return partial(self._read, reads)

    def _read(self, reads: Sequence[Callable[[Request], Claim | None]], request: Request) -> Claim | None:
        claims = []
        missing = []
        for part, read in zip(self.parts, reads, strict=True):
            claim = read(request) if _is_addressed(part, request) else None
            if claim is None:
                missing.append(part.scheme)
            else:
                claims.append(claim)
        if not claims:
            return None
        if missing:
            raise Rejected(Reason.BINDING_MISSING, f"{' and '.join(missing)} credentials are demanded as well")
        proofs = [claim for claim in claims if isinstance(claim, Proof)]
        if proofs:
            claims = [claim.confirmed_by(proofs) if isinstance(claim, Bindable) else claim for claim in claims]
        guess = next(
            (claim for part, claim in zip(self.parts, claims, strict=True) if getattr(part, "guessable", False)), None
        )
        return AllClaims(tuple(claims), self.bind, cast("Guess | None", guess))

    def refuse(self, rejection: Rejection, found: Found, now: float, random: Random) -> Refusal:
        """Every part's challenge: all of them are wanted."""
        refusals = [part.refuse(rejection, found, now, random) for part in self.parts]
        return Refusal(
            rejection.reason.status,
            [challenge for refusal in refusals for challenge in refusal.challenges],
            tuple(pair for refusal in refusals for pair in refusal.headers),
            [write for refusal in refusals for write in refusal.writes],
        )


def _is_addressed(part: Verifier, request: Request) -> bool:
    for address in part.addresses:
        if address.query and has_parameter(request.query or b"", address.query):
            return True
        word = address.word if address.field == b"authorization" else ""
        for value in request.values(address.field):
            if not word or value.partition(b" ")[0].lower() == word.encode():
                return True
    return False


class AllClaims(NamedTuple):
    """The claims of all parts as one."""

    claims: tuple[Claim, ...]
    bind: Callable[[Sequence[Identity]], None]
    guess: Guess | None = None

    @property
    def guesses(self) -> str | None:
        """Whom the part that can be guessed asks for."""
        return None if self.guess is None else self.guess.guesses

    @property
    def flight(self) -> bytes | None:
        """As that part has it."""
        return None if self.guess is None else self.guess.flight

    @property
    def needs(self) -> Sequence[Ref[Any]]:
        return [ref for claim in self.claims for ref in claim.needs]

    @property
    def body(self) -> BodyNeed | Digests:
        needs = [claim.body for claim in self.claims if claim.body is not UNUSED]
        if not needs:
            return UNUSED
        digests = [need for need in needs if isinstance(need, Digests)]
        if digests:
            names = tuple(dict.fromkeys(name for need in digests for name in need.algorithms))
            return Digests(names, digests[0].new)
        return STREAM if all(need is STREAM for need in needs) else WHOLE

    def slow(self, found: Found) -> bool:
        return any(claim.slow(found) for claim in self.claims)

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision | More:
        answers = [claim.decide(found, body, now, random) for claim in self.claims]
        # All parts ask at once: the guard answers two rounds, however many parts there are.
        wanted = [ref for answer in answers if isinstance(answer, More) for ref in answer.refs]
        asks = [ask for answer in answers if isinstance(answer, More) for ask in answer.asks]
        if wanted or asks:
            return More(wanted, asks)
        decisions = [answer for answer in answers if isinstance(answer, Decision)]
        identities = [decision.identity for decision in decisions]
        self.bind(identities)
        first = identities[0]
        scopes = first.scopes.intersection(*(identity.scopes for identity in identities[1:]))
        seals = [decision.seal for decision in decisions if decision.seal]
        streams = [decision.stream for decision in decisions if decision.stream]
        rotated = any(identity.rotated for identity in identities)
        return Decision(
            Identity(first.subject, first.scheme, first.key_id, scopes, first.claims, rotated),
            [write for decision in decisions for write in decision.writes],
            tuple(pair for decision in decisions for pair in decision.response_headers),
            _together(seals),
            piped(streams),
            [write for decision in decisions for write in decision.notes],
            _each([decision.learn for decision in decisions if decision.learn is not None]),
            [mark for decision in decisions for mark in decision.provisional],
        )


def _each(calls: Sequence[Callable[[], None]]) -> Callable[[], None] | None:
    """One call for all of them."""
    if len(calls) < 2:
        return calls[0] if calls else None

    def call() -> None:
        for each in calls:
            each()

    return call


def _together(seals: Sequence[Seal]) -> Seal | None:
    """One seal that adds what each of them adds."""
    if len(seals) < 2:
        return seals[0] if seals else None

    def headers(response: Response, body: bytes | None, now: float, random: Random) -> Headers:
        return tuple(
            line for seal in seals for line in seal.headers(response, body if seal.needs_body else None, now, random)
        )

    return Seal(any(seal.needs_body for seal in seals), headers)

"""Finds the one claim of a request: limits, fields that may stand once only, and the verifiers that are addressed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from watchword.core.address import Address, has_parameter
from watchword.core.attempts import Attempt
from watchword.core.limits import Limits, check_target_size
from watchword.core.message import Headers, Request
from watchword.core.records import NOTHING_FOUND, Add, Found, Put, Ref
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.core.router import Routable, Router
from watchword.core.slow_work import Turn
from watchword.core.scheme import NO_BODY, Body, Changes, Claim, GuardReader, Verifier

__all__ = ["Addressee", "Case", "Dispatch", "is_tentative"]

_COMMA = 0x2C  # as a number: looking for one octet as text takes ten times as long


class Addressee:
    """A verifier as one guard asks it.

    `private`: its credentials also come elsewhere than in Authorization.
    """

    __slots__ = ("always_needed", "guessable", "private", "read", "single_use", "verifier")

    def __init__(self, verifier: Verifier, read: Callable[[Request], Claim | None]) -> None:
        self.verifier = verifier
        self.read = read
        self.single_use = verifier.single_use
        self.always_needed: tuple[Ref[Any], ...] = tuple(verifier.always_needed)
        self.guessable: bool = getattr(verifier, "guessable", False)
        self.private = any(address.field != b"authorization" for address in verifier.addresses)


class Case(msgspec.Struct, eq=False):
    """One claim on its way to a verdict.

    Args:
        request: as the client sent it.
        addressee: the verifier that claims it.
        claim: the credentials as presented.
        early: whether it came as early data.
        attempt: the counters of guesses, if it can be guessed.
        refs: the records that were looked up.
        found: those that there are.
        body: the part of the body that was read.
        passing: writes that go with the verdict on fast work, refused where a window of attempts is full by then.
        known: the write by which its maker is known to come from its address, once it was admitted.
        reads: whether the body has to be read before the decision.
        turn: the right to do slow work.
        back: gives back what was counted for it.
        judging: whether the secret was looked at, and not found right.
    """

    request: Request
    addressee: Addressee
    claim: Claim
    early: bool
    attempt: Attempt | None = None
    refs: tuple[Ref[Any], ...] = ()
    found: Found = NOTHING_FOUND
    body: Body = NO_BODY
    passing: Sequence[Add] = ()
    known: Sequence[Put] = ()
    reads: bool = False
    turn: Turn | None = None
    back: Sequence[Add] = ()
    judging: bool = False


class _Addressed(NamedTuple):
    """The verifiers addressed by each scheme word, each other field, and each query parameter."""

    words: dict[bytes, Addressee | Router]
    fields: dict[bytes, list[Addressee | Router]]
    queries: dict[bytes, Addressee | Router]


class Dispatch:
    """Finds the claim of a request.

    Args:
        verifiers: those of the guard.
        limits: the sizes beyond which a request is refused unread.
        public_url: turns the request as the server saw it into the request as the client sent it.
        proxy: whether credentials come in Proxy-Authorization.
        changes: tells what changed in the guard's store; for verifiers that are `GuardReader`s.
        remembering: whether verifiers may use what they remember of requests before; False for `explain`.

    Raises:
        ConfigurationError: two verifiers would claim the same credentials.
    """

    __slots__ = (
        "_addressees", "_fields", "_limits", "_longest", "_proxy", "_public_url", "_queries", "_short",
        "_words",
    )  # fmt: skip

    def __init__(
        self,
        verifiers: Sequence[Verifier],
        limits: Limits,
        public_url: Callable[[Request], Request] | None,
        proxy: bool,
        changes: Changes | None,
        *,
        remembering: bool = True,
    ) -> None:
        self._limits = limits
        self._longest = limits.field
        self._short = min(limits.target, limits.parameters)  # a query of n parameters is longer than n octets
        self._proxy = proxy
        self._public_url = public_url

        def reader(verifier: Verifier) -> Callable[[Request], Claim | None]:
            if isinstance(verifier, GuardReader):
                return verifier.reader(limits, changes, remembering=remembering)
            return verifier.read

        self._addressees = {id(verifier): Addressee(verifier, reader(verifier)) for verifier in verifiers}
        self._words, self._fields, self._queries = _addressed(verifiers, self._addressees)

    def routes_together(self, one: Verifier, other: object) -> bool:
        """Whether the two share an address, so that one challenge stands for both."""
        mate = self._addressees.get(id(other))
        return mate is not None and not set(one.addresses).isdisjoint(mate.verifier.addresses)

    def locate(self, request: Request) -> Case | None:
        """The one claim of a request; None where it presents no credentials.

        Raises:
            Rejected: a size over its limit, two lines of Authorization or Host, a scheme that no verifier speaks, two
                claims (AMBIGUOUS), or what the reading verifier says; `rejected.verifier` is then set.
        """
        if len(request.target) > self._short:
            check_target_size(request.target, self._limits)
        if self._public_url is not None:
            request = self._public_url(request)
        if self._proxy:
            request = _as_origin(request)
        lines = request.lines
        if len(lines) != len(request.headers):
            _check_single(request.headers)
        host = lines.get(b"host")
        if host is not None and _COMMA in host:  # RFC 9112 §3.2; WSGI servers join two lines with a comma
            raise _repeated("Host")
        one: Addressee | Router | None = None
        authorization = lines.get(b"authorization")
        if authorization is not None:
            if len(authorization) > self._longest:
                raise _too_large("authorization", authorization, self._longest)
            one = self._words.get(authorization.partition(b" ")[0].lower())
            if one is None:
                raise Rejected(Reason.UNSUPPORTED_SCHEME, self._unspoken(), where="authorization")
        if self._queries or not lines.keys().isdisjoint(self._fields):
            found, claim = self._claimed(request, self._look_beside(request, one))
        elif one is not None:
            found, claim = self._read(request, one)
        else:
            return None
        if claim is None:
            return None
        # Whatever Early-Data says: several lines, or another value, mean 1 as well (RFC 8470 §5.1).
        return Case(request, found, claim, b"early-data" in lines)

    def _read(self, request: Request, one: Addressee | Router) -> tuple[Addressee, Claim | None]:
        """The claim of the verifier that is addressed, or of the one among several that share its address."""
        candidate = one if isinstance(one, Addressee) else self._addressees[id(one.first)]
        try:
            if candidate is not one and isinstance(one, Router):
                candidate = self._addressees[id(one.choose(request))]
            claim = candidate.read(request)
        except Rejected as rejected:
            rejected.verifier = candidate.verifier
            raise
        if claim is None:
            _check_unclaimed(candidate.verifier, request)
        return candidate, claim

    def _claimed(
        self, request: Request, addressed: Sequence[Addressee | Router]
    ) -> tuple[Addressee, Claim] | tuple[Any, None]:
        """The one claim of all that are addressed."""
        found: Addressee | None = None
        claim: Claim | None = None
        for one in addressed:
            candidate, mine = self._read(request, one)
            if mine is None:
                continue
            if claim is None or found is None:
                found, claim = candidate, mine
            elif is_tentative(claim):
                found, claim = (found, claim) if is_tentative(mine) else (candidate, mine)
            elif not is_tentative(mine):
                both = f"credentials of both {found.verifier.scheme} and {candidate.verifier.scheme}"
                raise Rejected(Reason.AMBIGUOUS, both)
        return (None, None) if claim is None or found is None else (found, claim)

    def _look_beside(self, request: Request, one: Addressee | Router | None) -> Sequence[Addressee | Router]:
        """All that are addressed: by other fields, by Authorization (`one`), and by the query."""
        addressed: list[Addressee | Router] = []
        names = [name for name in self._fields if name in request.lines]
        if len(names) > 1:  # in the order of the request
            names = list(dict.fromkeys(name for name, _ in request.headers if name in self._fields))
        for name in names:
            for value in request.values(name):
                if len(value) > self._longest:
                    raise _too_large(name.decode("latin-1"), value, self._longest)
            addressed += [other for other in self._fields[name] if other not in addressed]
        if one is not None and one not in addressed:
            addressed.append(one)
        query = (request.query or b"") if self._queries else b""
        for name, other in self._queries.items():
            if has_parameter(query, name):
                if len(query) > self._longest:
                    raise _too_large("query", query, self._longest)
                if other not in addressed:
                    addressed.append(other)
        return addressed

    def _unspoken(self) -> str:
        """The word itself is not shown: a client that forgets it sends the secret in its place."""
        spoken = ", ".join(sorted(word.decode() for word in self._words)) or "none"
        return f"no verifier speaks this scheme, or the word that names it is missing; spoken here: {spoken}"


def is_tentative(claim: Claim | None) -> bool:
    """Whether the body must be read to know if there are credentials.

    Any other claim then has priority, and a NO_CREDENTIALS of `decide` means that the request is anonymous.
    """
    return bool(getattr(claim, "tentative", False))


def _check_single(headers: Headers) -> None:
    """Refuses a second line of Authorization or Host; other fields may have several."""
    seen = set()
    for name, _ in headers:
        if name in (b"authorization", b"host"):
            if name in seen:
                raise _repeated(name.decode().capitalize())
            seen.add(name)


def _too_large(where: str, value: bytes, limit: int) -> Rejected:
    return Rejected(Reason.HEADER_TOO_LARGE, f"{len(value)} octets where at most {limit} are read", where=where)


def _repeated(name: str) -> Rejected:
    return Rejected(Reason.MALFORMED_REQUEST, f"more than one {name} line", where=name.lower())


def _check_unclaimed(candidate: Verifier, request: Request) -> None:
    """Other fields may be meant for others, an Authorization is for us: it is never passed over, optional or not."""
    words = {address.word for address in candidate.addresses if address.field == b"authorization"}
    for value in request.values(b"authorization"):
        if value.partition(b" ")[0].lower().decode("latin-1") in words:
            raise Rejected(Reason.UNSUPPORTED_SCHEME, "no verifier claims these credentials", where="authorization")


def _as_origin(request: Request) -> Request:
    """The request with Proxy-Authorization in the place of Authorization, so that schemes know one field only."""
    headers: Headers = tuple(
        (b"authorization" if name == b"proxy-authorization" else name, value)
        for name, value in request.headers
        if name != b"authorization"
    )
    return Request.raw(
        request.method, request.scheme, request.authority, request.target, headers, request.peer, request.exact
    )


def _addressed(verifiers: Iterable[Verifier], addressees: Mapping[int, Addressee]) -> _Addressed:
    by_address: dict[Address, list[Verifier]] = {}
    for verifier in verifiers:
        for address in verifier.addresses:
            by_address.setdefault(address, []).append(verifier)
    addressed = _Addressed({}, {}, {})
    routers: dict[tuple[int, ...], Router] = {}
    for address, group in by_address.items():
        one: Addressee | Router = addressees[id(group[0])]
        if len(group) > 1:  # one router for all the places that the same verifiers share
            same = tuple(map(id, group))
            if same not in routers:
                routers[same] = _routed(group, address.word or address.place.decode())
            one = routers[same]
        if address.query:
            addressed.queries[address.query] = one
        elif address.field == b"authorization":
            addressed.words[address.word.encode()] = one
        else:
            addressed.fields.setdefault(address.field, []).append(one)
    return addressed


def _routed(group: Sequence[Verifier], name: str) -> Router:
    routable = [verifier for verifier in group if isinstance(verifier, Routable)]
    if len(routable) < len(group):
        raise ConfigurationError(f"two verifiers would claim every {name!r} request; keep one, or use two guards")
    return Router(routable, name)

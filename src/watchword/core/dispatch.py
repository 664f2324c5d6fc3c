"""Whose credentials a request presents: limits, the lines that may stand once only, and the one claim among the verifiers addressed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from watchword.core.address import Address, has_parameter
from watchword.core.limits import Limits, check_target_size
from watchword.core.message import Headers, Request
from watchword.core.records import Ref
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.core.router import Routable, Router
from watchword.core.scheme import Changes, Claim, GuardReader, Verifier

__all__ = ["Addressee", "Dispatch", "Located", "is_tentative"]

_COMMA = 0x2C  # as a number: looking for one octet as text takes ten times as long


class Addressee:
    """A verifier as one guard asks it."""

    __slots__ = ("guessable", "only_in_authorization", "read", "single_use", "standing", "verifier")

    def __init__(self, verifier: Verifier, read: Callable[[Request], Claim | None]) -> None:
        self.verifier = verifier
        self.read = read
        self.single_use = verifier.single_use
        self.standing: tuple[Ref[Any], ...] = tuple(verifier.standing)
        self.guessable: bool = getattr(verifier, "guessable", False)
        self.only_in_authorization = all(address.field == b"authorization" for address in verifier.addresses)


Located = tuple[Request, Addressee | None, Claim | None, bool]
"""The request as the client sent it, the verifier that claims it and its claim, and whether it came as early data."""


class _Addressed(NamedTuple):
    """The verifiers addressed by each scheme word, each other field, and each query parameter."""

    words: dict[bytes, Addressee | Router]
    fields: dict[bytes, Addressee | Router]
    queries: dict[bytes, Addressee | Router]


class Dispatch:
    """Finds the claim of a request.

    Args:
        verifiers: those of the guard.
        limits: what is refused unread.
        public_url: turns the request as the server saw it into the request as the client sent it.
        proxy: whether credentials come in Proxy-Authorization.
        changes: what the guard's store says of changes. Verifiers that are `GuardReader`s read with it.
        remembering: whether verifiers may use what they remember of requests before; False for `explain`.

    Raises:
        ConfigurationError: two verifiers would claim the same credentials.
    """

    __slots__ = ("_addressees", "_fields", "_limits", "_proxy", "_public_url", "_queries", "_words")

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
        self._proxy = proxy
        self._public_url = public_url

        def reader(verifier: Verifier) -> Callable[[Request], Claim | None]:
            if isinstance(verifier, GuardReader):
                return verifier.reader(limits, changes, remembering=remembering)
            return verifier.read

        self._addressees = {id(verifier): Addressee(verifier, reader(verifier)) for verifier in verifiers}
        self._words, self._fields, self._queries = _addressed(verifiers, self._addressees)

    @property
    def looks_beside_authorization(self) -> bool:
        """Whether credentials may come elsewhere than in Authorization."""
        return bool(self._fields or self._queries)

    def routes_together(self, one: Verifier, other: object) -> bool:
        """Whether the two share an address, so that one challenge stands for both."""
        mate = self._addressees.get(id(other))
        return mate is not None and not set(one.addresses).isdisjoint(mate.verifier.addresses)

    def locate(self, request: Request) -> Located:
        """The one claim of a request; None where it presents no credentials.

        Raises:
            Rejected: a size over its limit, two lines of Authorization or Host, a scheme that no verifier speaks, two
                claims (AMBIGUOUS), or what the reading verifier says; `rejected.verifier` is then set.
        """
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
        addressed: list[Addressee | Router] = []
        if self._fields:
            self._look_into_fields(request, addressed)
        authorization = lines.get(b"authorization")
        if authorization is not None:
            self._check_size(b"authorization", authorization)
            one = self._words.get(authorization.partition(b" ")[0].lower())
            if one is None:
                raise Rejected(Reason.UNSUPPORTED_SCHEME, self._unspoken(), where="authorization")
            if one not in addressed:
                addressed.append(one)
        if self._queries:
            self._look_into_query(request.query or b"", addressed)
        addressee, claim = self._claimed(request, addressed)
        return request, addressee, claim, b"early-data" in lines  # whatever it says (RFC 8470 §5.1)

    def _look_into_fields(self, request: Request, addressed: list[Addressee | Router]) -> None:
        names = [name for name in self._fields if name in request.lines]
        if len(names) > 1:  # in the order of the request
            names = list(dict.fromkeys(name for name, _ in request.headers if name in self._fields))
        for name in names:
            for value in request.values(name):
                self._check_size(name, value)
            if self._fields[name] not in addressed:
                addressed.append(self._fields[name])

    def _look_into_query(self, query: bytes, addressed: list[Addressee | Router]) -> None:
        for name, one in self._queries.items():
            if has_parameter(query, name):
                self._check_size(b"query", query)
                if one not in addressed:
                    addressed.append(one)

    def _check_size(self, name: bytes, value: bytes) -> None:
        if len(value) > self._limits.field:
            detail = f"{len(value)} octets where at most {self._limits.field} are read"
            raise Rejected(Reason.HEADER_TOO_LARGE, detail, where=name.decode("latin-1"))

    def _unspoken(self) -> str:
        """The word itself is not shown: a client that forgets it sends the secret in its place."""
        spoken = ", ".join(sorted(word.decode() for word in self._words)) or "none"
        return f"no verifier speaks this scheme, or the word that names it is missing; spoken here: {spoken}"

    def _claimed(
        self, request: Request, addressed: Sequence[Addressee | Router]
    ) -> tuple[Addressee | None, Claim | None]:
        found: Addressee | None = None
        claim: Claim | None = None
        for one in addressed:
            candidate = one if isinstance(one, Addressee) else self._addressees[id(one.first)]
            try:
                if isinstance(one, Router):
                    candidate = self._addressees[id(one.choose(request))]
                mine = candidate.read(request)
            except Rejected as rejected:
                rejected.verifier = candidate.verifier
                raise
            if mine is None:
                _check_unclaimed(candidate.verifier, request)
            elif claim is None or found is None or is_tentative(claim):
                if claim is None or not is_tentative(mine):
                    found, claim = candidate, mine
            elif not is_tentative(mine):
                both = f"credentials of both {found.verifier.scheme} and {candidate.verifier.scheme}"
                raise Rejected(Reason.AMBIGUOUS, both)
        return found, claim


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
            one = routers.setdefault(same, routers.get(same) or _routed(group, address.word or address.place.decode()))
        if address.query:
            addressed.queries[address.query] = one
        elif address.field == b"authorization":
            addressed.words[address.word.encode()] = one
        else:
            addressed.fields[address.field] = one
    return addressed


def _routed(group: Sequence[Verifier], name: str) -> Router:
    routable = [verifier for verifier in group if isinstance(verifier, Routable)]
    if len(routable) < len(group):
        raise ConfigurationError(f"two verifiers would claim every {name!r} request; keep one, or use two guards")
    return Router(routable, name)

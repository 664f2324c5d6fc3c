"""What a guard settles once, at construction: who is addressed by what, the realm, the limits, the sources of time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from watchword.core.address import Address, has_parameter
from watchword.core.attempts import AttemptPolicy, limiter_for
from watchword.core.familiar import familiar
from watchword.core.identity import Verdict
from watchword.core.message import Headers, Request
from watchword.core.records import Ref
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.core.router import Routable, Router
from watchword.core.scheme import Random, Verifier
from watchword.core.seal import ResponseSealer
from watchword.core.shortcut import shortcut

__all__ = ["Limits", "Plan", "Policy"]

DEFAULT_REALM = "protected"
_COMMA = 0x2C  # as a number: looking for one octet as text takes ten times as long

# The schemes that are registered (RFC 9110 §16.4.1), and some that are not.
_KNOWN_WORDS = frozenset(
    b"apikey aws4-hmac-sha256 basic bearer concealed digest dpop gnap hawk hmac hoba mutual negotiate ntlm oauth "
    b"privatetoken scram-sha-1 scram-sha-256 signature token vapid".split()
)


class Limits(NamedTuple):
    """What is refused unread.

    Args:
        field: octets of one field value that carries credentials (431). Servers bound the whole header section.
        body: octets of a body that a scheme has to see (413).
    """

    field: int = 16 * 1024
    body: int = 1024 * 1024


class Policy(NamedTuple):
    """What a guard assumes of its surroundings.

    Args:
        public_url: turns the request as the server saw it into the request as the client sent it (`PublicURL`).
        limits: what is refused unread.
        clock: seconds since the epoch.
        random: n unpredictable bytes.
        attempts: how many failed attempts to guess a secret are allowed, where the store can count; None: any number.
    """

    public_url: Callable[[Request], Request] | None = None
    limits: Limits = Limits()
    clock: Callable[[], float] = time.time
    random: Random = os.urandom
    attempts: AttemptPolicy | None = AttemptPolicy()


class Plan:
    """A guard's construction, checked; shared by `Guard` and `AsyncGuard`. Immutable."""

    __slots__ = (
        "attempts", "clock", "early_data", "familiar", "fields", "limits", "observe", "proxy", "public_url", "queries", "random", "realm",
        "seal", "shortcut", "standing", "store", "verifiers", "words",
    )  # fmt: skip

    def __init__(
        self,
        verifiers: Sequence[Verifier],
        store: Any,
        policy: Policy,
        observe: Callable[[Verdict], None] | None,
        proxy: bool,
        seal: ResponseSealer | None = None,
    ) -> None:
        if not verifiers:
            raise ConfigurationError("a Guard needs at least one verifier, for example Guard([BasicVerifier(realm=…)])")
        self.verifiers = tuple(sorted(verifiers, key=lambda verifier: verifier.rank))
        self.store = store
        self.observe = observe
        self.proxy = proxy
        self.seal = _checked_seal(seal)
        self.public_url, self.limits, self.clock, self.random, attempts = policy
        self.attempts = limiter_for(attempts, store)
        self.realm = _one_realm(self.verifiers)
        self.words, self.fields, self.queries = _addresses(self.verifiers)
        self.standing: tuple[Ref[Any], ...] = tuple({ref: None for v in self.verifiers for ref in v.standing})
        for verifier in self.verifiers:
            _check_store(verifier, store)
        self.shortcut = shortcut(self)
        self.familiar = familiar(self)

    def addressed(self, request: Request) -> tuple[Request, list[Verifier], bool]:
        """The request to judge, the verifiers that its credentials address, and whether it came as early data.

        Raises:
            Rejected: two Authorization or Host lines, a scheme that no verifier speaks, or a field that is too large.
        """
        headers = request.headers
        if self.proxy:
            request = _as_origin(request)
            headers = request.headers
        authorization: bytes | None = None
        host = early = False
        found: list[Verifier] = []
        for name, value in headers:
            if name == b"authorization":
                if authorization is not None:
                    raise Rejected(Reason.MALFORMED_REQUEST, "more than one Authorization line", where="authorization")
                authorization = value
            elif name == b"host":
                if host or _COMMA in value:  # RFC 9112 §3.2; WSGI servers join two lines with a comma
                    raise Rejected(Reason.MALFORMED_REQUEST, "more than one Host line", where="host")
                host = True
            elif name in self.fields:
                self._check_size(name, value)
                if self.fields[name] not in found:
                    found.append(self.fields[name])
            elif name == b"early-data":
                early = True  # whatever it says: several lines, or another value, mean 1 as well (RFC 8470 §5.1)
        if authorization is not None:
            self._check_size(b"authorization", authorization)
            word = scheme_word(authorization)
            verifier = self.words.get(word)
            if verifier is None:
                raise Rejected(Reason.UNSUPPORTED_SCHEME, f"no verifier speaks {_named(word)}", where="authorization")
            if verifier not in found:
                found.append(verifier)
        if self.queries:
            self._look_into_query(request.query or b"", found)
        return request, found, early

    def _look_into_query(self, query: bytes, found: list[Verifier]) -> None:
        for name, verifier in self.queries.items():
            if has_parameter(query, name):
                self._check_size(b"query", query)
                if verifier not in found:
                    found.append(verifier)

    def _check_size(self, name: bytes, value: bytes) -> None:
        if len(value) > self.limits.field:
            raise Rejected(
                Reason.HEADER_TOO_LARGE,
                f"{len(value)} octets where at most {self.limits.field} are read",
                where=name.decode("latin-1"),
            )


def scheme_word(authorization: bytes) -> bytes:
    """The scheme that the value of an Authorization field starts with, in lower case (RFC 9110 §11.4)."""
    return authorization.partition(b" ")[0].lower()


def _named(word: bytes) -> str:
    """A scheme word for the operator, only if it is known to be one: who forgets the word sends the secret in its place."""
    return (
        f"the scheme {word.decode()!r}" if word in _KNOWN_WORDS else "this scheme, or the word that names it is missing"
    )


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


def _one_realm(verifiers: Iterable[Verifier]) -> str:
    realms = {verifier.realm for verifier in verifiers if verifier.realm is not None}
    if len(realms) > 1:
        raise ConfigurationError(f"a guard has one realm, its verifiers name {sorted(realms)}; use one guard for each")
    return realms.pop() if realms else DEFAULT_REALM


class _Addressed(NamedTuple):
    """Who is addressed by which scheme word, by which other field, by which query parameter."""

    words: dict[bytes, Verifier]
    fields: dict[bytes, Verifier]
    queries: dict[bytes, Verifier]


def _addresses(verifiers: Iterable[Verifier]) -> _Addressed:
    by_address: dict[Address, list[Verifier]] = {}
    for verifier in verifiers:
        for address in verifier.addresses:
            by_address.setdefault(address, []).append(verifier)
    addressed = _Addressed({}, {}, {})
    routers: dict[tuple[int, ...], Verifier] = {}
    for address, group in by_address.items():
        one = group[0]
        if len(group) > 1:  # one router for all the places that the same verifiers share
            same = tuple(map(id, group))
            one = routers.get(same) or _routed(group, address.word or address.place.decode())
            routers[same] = one
        if address.query:
            addressed.queries[address.query] = one
        elif address.field == b"authorization":
            addressed.words[address.word.encode()] = one
        else:
            addressed.fields[address.field] = one
    return addressed


def _routed(group: Sequence[Verifier], name: str) -> Verifier:
    routable = [verifier for verifier in group if isinstance(verifier, Routable)]
    if len(routable) < len(group):
        raise ConfigurationError(f"two verifiers would claim every {name!r} request; keep one, or use two guards")
    return Router(routable, name)


def _checked_seal(seal: ResponseSealer | None) -> ResponseSealer | None:
    if seal is None or callable(getattr(seal, "seal", None)):
        return seal
    raise ConfigurationError(f"seal= is what seals answers, SignatureSeal(key), not {type(seal).__name__}")


def _check_store(verifier: Verifier, store: Any) -> None:
    if not verifier.kinds:
        return
    name = type(verifier).__name__
    if store is None:
        raise ConfigurationError(
            f"{name} needs a store: pass one to the guard, for example Guard([…], SQLStore('sqlite:///users.db'))"
        )
    held = getattr(store, "kinds", None)
    missing = [] if held is None else [kind.__name__ for kind in verifier.kinds if kind not in held]
    if missing:
        raise ConfigurationError(
            f"{name} needs {', '.join(missing)} records, which {type(store).__name__} does not hold; "
            "add a store that does with stores.combine(…, MemoryStore())"
        )

r"""A cheaper claim for a client that was admitted before: its request is read by its shape and judged without a second MAC.

From request to request, a client's field value stays the same outside its quotes, except for the eight digits of `nc`. So
a value is split at its quotes. If the text outside them was part of genuine credentials before, the strict parser
(`fields.auth_params`) read that text then, and the quoted values are in the same places. That takes half of the parser's
time, for any order of the parameters and any client's way to write them. The earlier request has also shown that the
nonce is ours and whose name came with it, so neither is checked again.

The cheaper claim only ever says yes by itself. A request that it does not admit is read and judged anew by `DigestClaim`,
whose verdict counts; so the two can't disagree about a refusal, and tests hold them equal about what is admitted. The
memory is bounded and filled by proven credentials only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, Final, Protocol

from watchword.structures.bounded import Bounded
from watchword.core.identity import Identity
from watchword.core.message import Headers, Request, Response
from watchword.core.records import Found, Once, Ref
from watchword.core.scheme import UNUSED, Body, BodyNeed, Decision, More, Random, Seal
from watchword.crypto.digests import at_once, compare
from watchword.schemes.digest.assurance import NonceMaker, authentication_info
from watchword.schemes.digest.computation import Algorithm, DigestSecret
from watchword.schemes.digest.credentials import PresentedCredentials, quoted
from watchword.schemes.digest.nonces import NONCE_KEY, mark_owner
from watchword.schemes.freshness import Freshness

__all__ = ["KnownClaim", "RequestMemory"]

MAX_NONCES: Final = 4096
MAX_SHAPES: Final = 64
MAX_VALUE: Final = 1024
"""Octets of a field value that is worth remembering the shape of."""

# What a quoted string holds besides quoted pairs (RFC 9110 §5.6.4).
_QDTEXT: Final = bytes({0x09, *range(0x20, 0x7F), *range(0x80, 0x100)} - {0x22, 0x5C})
_TARGET: Final = bytes({0x21, 0x22, *range(0x24, 0x5C), *range(0x5D, 0x7F)})  # as `fields.target` has it
_HEX: Final = b"0123456789ABCDEFabcdef"
_NAME: Final = re.compile(rb"(?:\A|[ \t,])([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*=[ \t]*\Z")
_VARYING: Final = (b"username", b"nonce", b"uri", b"cnonce", b"response")


class FullClaim(Protocol):
    """Credentials that were read strictly: a `DigestClaim`."""

    @property
    def algorithm(self) -> Algorithm | None: ...
    @property
    def guesses(self) -> str: ...
    @property
    def needs(self) -> Sequence[Ref[Any]]: ...
    @property
    def owner(self) -> Ref[Any]: ...
    @property
    def presented(self) -> PresentedCredentials: ...
    @property
    def request(self) -> Request: ...

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision | More: ...


class FullReader(NonceMaker, Protocol):
    """What a `DigestVerifier` is asked for: its settings, and the strict reading."""

    @property
    def freshness(self) -> Freshness: ...

    def read_in_full(self, request: Request) -> FullClaim: ...


class Shape:
    """How one kind of client writes its field value: which of the pieces between the quotes is what.

    `pick` gives the five that differ from request to request, `fixed` those that have to be as `expected`.
    """

    __slots__ = ("count", "expected", "fixed", "pick")

    def __init__(self, index: dict[bytes, int], parts: Sequence[bytes]) -> None:
        self.count = len(parts)
        self.pick: Callable[[Sequence[bytes]], Any] = itemgetter(*(index[name] for name in _VARYING))
        # The realm at least, and whatever else this client quotes.
        self.fixed: Callable[[Sequence[bytes]], Any] = itemgetter(
            *(index[name] for name in index if name not in _VARYING)
        )
        self.expected: Any = self.fixed(parts)


class NonceOwner:
    """Whose credentials came with a nonce and were genuine. Immutable but for `latest`.

    That is the user's record as it was found last, and what follows from it: where a store gives the same object again,
    as one in this process does, the same is meant.
    """

    __slots__ = (
        "algorithm", "authority", "guesses", "hash", "key", "latest", "made", "needs", "nonce", "octets", "owner",
        "until", "username",
    )  # fmt: skip

    def __init__(self, claim: FullClaim, octets: bytes, key: bytes, made: float, until: float) -> None:
        assert claim.algorithm is not None
        self.octets = octets
        self.username = claim.presented.username
        self.nonce = claim.presented.nonce.decode()
        self.authority = claim.request.authority
        self.guesses = claim.guesses
        self.algorithm = claim.algorithm
        self.hash = at_once(claim.algorithm.hash)
        self.owner: Ref[DigestSecret] = claim.owner
        self.needs = claim.needs
        self.key = key
        self.made, self.until = made, until
        # One object: threads see all of it or nothing.
        self.latest: tuple[DigestSecret, Identity[Any], bytes, str] | None = None

    def __repr__(self) -> str:
        return f"NonceOwner(username={self.username!r})"

    def proven_by(self, record: DigestSecret) -> tuple[DigestSecret, Identity[Any], bytes, str]:
        """Whom `record` is of, what every response with this nonce begins with before it is hashed, and whose its marks are."""
        latest = self.latest
        if latest is not None and latest[0] is record:
            return latest
        subject = self.username if record.subject is None else record.subject
        identity: Identity[Any] = Identity(subject, "digest", scopes=frozenset(record.scopes))
        start = b"%b:%b:" % (record.ha1.encode(), self.nonce.encode())
        self.latest = latest = (record, identity, start, mark_owner(self.key, record.ha1.encode()))
        return latest


class RequestMemory:
    """What a verifier remembers of the credentials that it admitted."""

    __slots__ = ("_nonce_owners", "_shapes", "_verifier")

    def __init__(self, verifier: FullReader) -> None:
        self._verifier = verifier
        self._shapes: Bounded[bytes, Shape] = Bounded(MAX_SHAPES)
        self._nonce_owners: Bounded[bytes, NonceOwner] = Bounded(MAX_NONCES)

    def read_known(self, authorization: bytes, request: Request) -> KnownClaim | None:
        """The claim, where all is as it was before but for what changes with each request; None: read it strictly."""
        parts = authorization.split(b'"')
        outside = b'"'.join(parts[::2])
        start = outside.find(b"nc=") + 3
        end = start + 8
        shape = self._shapes.get(outside[:start] + outside[end:])
        # The count, for a last string without its end leaves no trace outside.
        if shape is None or shape.count != len(parts) or shape.fixed(parts) != shape.expected:
            return None
        username, nonce, uri, cnonce, response = shape.pick(parts)
        known = self._nonce_owners.get(nonce)
        if known is None or known.octets != username or not cnonce or cnonce.translate(None, _QDTEXT):
            return None
        nc = outside[start:end]
        if len(nc) != 8 or nc.translate(None, _HEX) or nc == b"00000000":
            return None
        target = request.target
        if (
            uri != target
            or target[:1] != b"/"
            or target.translate(None, _TARGET)
            or known.authority != request.authority
            or (not request.exact and b"%" in target)
        ):
            return None
        return KnownClaim(request, known, nc, cnonce, response, self._verifier)

    def learn(self, claim: FullClaim, key: bytes, made: float, until: float) -> None:
        """Remembers genuine credentials, if they are of the usual kind."""
        presented, algorithm = claim.presented, claim.algorithm
        value = claim.request.values(b"authorization")[0]
        if (
            presented.qop != "auth" or presented.hashed or algorithm is None or algorithm.session
            or len(value) > MAX_VALUE or b"\\" in value
        ):  # fmt: skip
            return
        parts = value.split(b'"')
        outside = b'"'.join(parts[::2])
        start = outside.find(b"nc=") + 3
        text = outside[:start] + outside[start + 8 :]
        shape = self._shapes.get(text)
        if shape is None or shape.count != len(parts) or shape.fixed(parts) != shape.expected:
            index = _places(parts)
            if outside[start - 4 : start - 3] not in (b" ", b",", b"\t") or not index.keys() >= {b"realm", *_VARYING}:
                return
            if len(index) != len(parts) // 2:
                return
            shape = Shape(index, parts)
        read = (outside[start : start + 8], *shape.pick(parts)[1:])
        if read != (
            presented.nc.encode(), presented.nonce, presented.uri, presented.cnonce, presented.response.encode(),
        ):  # fmt: skip
            return
        known = NonceOwner(claim, shape.pick(parts)[0], key, made, until)
        self._shapes.put(text, shape)
        self._nonce_owners.put(presented.nonce, known)


def _places(parts: Sequence[bytes]) -> dict[bytes, int]:
    """Which of the pieces between quotes is which parameter's."""
    index = {}
    for place in range(1, len(parts), 2):
        name = _NAME.search(parts[place - 1])
        if name is not None:
            index[name[1].lower()] = place
    return index


class KnownClaim:
    """Credentials with a nonce that the same user has used before; not yet verified."""

    __slots__ = ("_cnonce", "_known", "_nc", "_response", "guesses", "needs", "request", "verifier")

    flight: None = None
    body: BodyNeed = UNUSED

    def __init__(
        self, request: Request, known: NonceOwner, nc: bytes, cnonce: bytes, response: bytes, verifier: FullReader
    ) -> None:
        self.request = request
        self.verifier = verifier
        self.needs = known.needs
        self.guesses = known.guesses
        self._known = known
        self._nc = nc
        self._cnonce = cnonce
        self._response = response

    def __repr__(self) -> str:
        return f"KnownClaim(username={self._known.username!r})"

    @property
    def claimed(self) -> str:
        """The username that was sent."""
        return self._known.username

    def in_full(self) -> FullClaim:
        """The same credentials, read strictly."""
        return self.verifier.read_in_full(self.request)

    def slow(self, found: Found) -> bool:
        """Never: two hashes."""
        return False

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision | More:
        """Who it is; what doesn't fit is read strictly and judged by that.

        Raises:
            Rejected: as `DigestClaim.decide`.
        """
        return self._decide_if_genuine(found, now) or self.in_full().decide(found, body, now, random)

    def _decide_if_genuine(self, found: Found, now: float) -> Decision | None:
        known = self._known
        record, key = found.get(known.owner), found.get(NONCE_KEY)
        if (
            record is None
            or record.disabled
            or key is None
            or key.key != known.key  # both ours: which octets differ is no secret
            or not self.verifier.freshness.holds(known.made, now)
        ):
            return None
        request, digest = self.request, known.hash
        _, identity, secret, owner = known.proven_by(record)
        a2 = digest(b"%b:%b" % (request.method.encode("utf-8", "replace"), request.target)).hexdigest().encode()
        start = b"%b%b:%b:auth:" % (secret, self._nc, self._cnonce)
        if not compare(digest(start + a2).hexdigest().encode(), self._response):
            return None
        until = known.made + self.verifier.freshness.retention
        mark = Once(("digest", known.nonce, self._nc.decode().lower()), until, owner)
        return Decision(identity, (mark,), seal=Seal(False, partial(self._prove, start, found)))

    def _prove(
        self, start: bytes, found: Found, answer: Response, body: bytes | None, now: float, random: Random
    ) -> Headers:
        """Authentication-Info; `start` is what the response began with before it was hashed."""
        known = self._known
        a2 = known.hash(b":" + self.request.target).hexdigest().encode()
        proof = known.hash(start + a2).hexdigest().encode()
        said = b"cnonce=%b, nc=%b, qop=auth" % (quoted(self._cnonce), self._nc)
        return authentication_info(self.verifier, known.algorithm, proof, said, found, known.until, now, random)

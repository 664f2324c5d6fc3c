"""Digest (RFC 7616) with qop=auth: a proof of the password over method and target. Both halves."""

from __future__ import annotations

import math
import threading
from binascii import b2a_base64
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from watchword.core.identity import Identity
from watchword.core.message import Request, Response
from watchword.core.records import Add, Found, Once, Put, Ref, Spent
from watchword.core.rejection import ConfigurationError, Reason, Rejected, Rejection
from watchword.core.scheme import (
    UNUSED, Address, Body, BodyNeed, Check, Context, Decision, Flow, Random, Refusal, Send,
)  # fmt: skip
from watchword.crypto.digests import compare
from watchword.fields.auth_params import parse_credentials
from watchword.fields.target import check_target
from watchword.schemes.digest.computation import (
    DigestSecret, algorithm_named, checked_algorithms, hash_a1, hash_a2, response, session_key,
)  # fmt: skip
from watchword.schemes.digest.credentials import (
    CONTROL, Offer, Presented, check_uri, credentials_form, read_credentials, read_offers, written,
)  # fmt: skip
from watchword.schemes.digest.nonces import NONCE_KEY, NonceKey, NonceState, make_nonce, read_nonce

__all__ = ["DigestAuth", "DigestClaim", "DigestVerifier"]

MAX_ORIGINS: Final = 256
MAX_REALMS: Final = 64
MAX_COUNT: Final = 0xFFFFFFFF

Origin = tuple[str, str]


# ---- the client half -------------------------------------------------------------------------------------------------


class Session:
    """The answers to one challenge: its secret, and how many there were."""

    __slots__ = ("_cnonce", "_count", "_form", "_ha1", "_lock", "offer")

    def __init__(self, offer: Offer, username: str, password: str, cnonce: bytes) -> None:
        user, secret = _octets(username, password, offer.utf8)
        ha1 = hash_a1(offer.algorithm, user, offer.realm, secret)
        self.offer = offer
        self._form = credentials_form(offer, user)
        # A "-sess" secret is bound to the first cnonce. It is kept for later requests too: then the servers that take
        # the current one into the secret, against RFC 7616 §3.4.2, agree as well.
        self._cnonce = cnonce if offer.algorithm.session else None
        self._ha1 = session_key(offer.algorithm, ha1, offer.nonce, cnonce) if offer.algorithm.session else ha1
        self._count = 0
        self._lock = threading.Lock()

    def is_used_up(self) -> bool:
        """Whether nc has no further value (RFC 7616 §3.4)."""
        return self._count >= MAX_COUNT

    def sign(self, request: Request, cnonce: bytes) -> Request:
        """The request with the next answer."""
        with self._lock:
            self._count += 1
            count = self._count
        offer, cnonce, nc = self.offer, self._cnonce or cnonce, b"%08x" % count
        proof = response(
            offer.algorithm, self._ha1, offer.nonce, nc, cnonce, b"auth",
            hash_a2(offer.algorithm, request.method.encode(), request.target),
        )  # fmt: skip
        value = self._form.fill(request.target, nc, cnonce, proof)
        return request.with_headers(((b"authorization", value),))


def _octets(username: str, password: str, utf8: bool) -> tuple[bytes, bytes]:
    """Both in UTF-8 if the server asks for it (RFC 7616 §4), else in HTTP's old ISO 8859-1 if they fit."""
    if not utf8:
        try:
            return username.encode("latin-1"), password.encode("latin-1")
        except UnicodeEncodeError:
            pass
    return username.encode(), password.encode()


class Space:
    """What is known of one origin: the session to go on with, and how strong each of its realms has been."""

    __slots__ = ("session", "strengths")

    def __init__(self) -> None:
        self.session: Session | None = None
        self.strengths: dict[bytes, int] = {}


class DigestAuth:
    """Answers Digest challenges; sends nothing until it is challenged, then goes on with the nonce that it was given.

    It takes the strongest algorithm that it knows (SHA-512-256, SHA-256, MD5, in this order) and, once it has answered
    a realm of an origin with one, no weaker one there for as long as the object lives. One object serves any number of
    threads and tasks. A request is sent three times at most: unasked, in answer to a challenge, and once more if the
    server says that only the nonce was stale (RFC 7616 §3.3). A 401 that can't be answered is the caller's answer.

    Args:
        username: any text without control characters.
        password: any text.

    Raises:
        ConfigurationError: a username that no header can carry.

    >>> DigestAuth("Mufasa", "Circle of Life")
    DigestAuth(username='Mufasa')
    """

    __slots__ = ("__weakref__", "_lock", "_password", "_spaces", "_username")

    def __init__(self, username: str, password: str) -> None:
        if CONTROL.search(username):
            raise ConfigurationError("a username can't hold control characters: remove them")
        try:
            username.encode(), password.encode()
        except UnicodeEncodeError:
            raise ConfigurationError("username or password holds half of a surrogate pair") from None
        self._username = username
        self._password = password
        self._spaces: dict[Origin, Space] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"DigestAuth(username={self._username!r})"

    def flow(self, request: Request, context: Context) -> Flow:
        """The request, with an answer if a nonce is at hand; then answers to at most two challenges."""
        check_target(request)
        origin = (request.scheme, request.authority.lower())
        session = self._session(origin)
        received = yield Send(request if session is None else session.sign(request, _cnonce(context)))
        answers = 0
        while received.response.status == 401:
            if session is not None:
                self._forget(origin, session)
            offer = self._choose(origin, received.response)
            if offer is None or not _is_worth_answering(offer, session, answers):
                return
            session = Session(offer, self._username, self._password, _cnonce(context))
            answers += 1
            received = yield Send(session.sign(request, _cnonce(context)))
        if answers and session is not None:
            self._keep(origin, session)

    def _session(self, origin: Origin) -> Session | None:
        with self._lock:
            space = self._spaces.get(origin)
            session = None if space is None else space.session
        return None if session is None or session.is_used_up() else session

    def _choose(self, origin: Origin, answer: Response) -> Offer | None:
        """The strongest challenge that isn't weaker than what was used in its realm; from now on it is the measure."""
        offers = read_offers(answer.values(b"www-authenticate"))
        with self._lock:
            space = self._space(origin)
            for offer in offers:
                if offer.algorithm.strength >= space.strengths.get(offer.realm, 0):
                    space.strengths[offer.realm] = offer.algorithm.strength
                    _shrink(space.strengths, MAX_REALMS)
                    return offer
        return None

    def _keep(self, origin: Origin, session: Session) -> None:
        with self._lock:
            self._space(origin).session = session

    def _forget(self, origin: Origin, session: Session) -> None:
        """Refused credentials are not tried unasked again."""
        with self._lock:
            space = self._space(origin)
            if space.session is session:
                space.session = None

    def _space(self, origin: Origin) -> Space:
        space = self._spaces.get(origin)
        if space is None:
            space = self._spaces[origin] = Space()
            _shrink(self._spaces, MAX_ORIGINS)
        return space


def _is_worth_answering(offer: Offer, session: Session | None, answers: int) -> bool:
    """After an answer of ours only if it was stale, and never with the nonce that was refused."""
    if session is None:
        return True
    return offer.nonce != session.offer.nonce and (answers == 0 or (answers == 1 and offer.stale))


def _shrink(mapping: dict[Any, Any], size: int) -> None:
    while len(mapping) > size:
        del mapping[next(iter(mapping))]


def _cnonce(context: Context) -> bytes:
    return b2a_base64(context.random(18), newline=False)


# ---- the server half -------------------------------------------------------------------------------------------------

_ONLY_THE_NONCE: Final = frozenset({Reason.STALE_NONCE, Reason.REPLAYED, Reason.UNKNOWN_NONCE})


class DigestVerifier:
    """Verifies Digest credentials against `DigestSecret` records (`store.add_user(…, realm=…, digest_algorithms=…)`).

    Each (nonce, nc) is accepted once, in any order, by any worker that shares the store. A response without qop
    (RFC 2069) is refused. What is malformed gets 401 and a fresh challenge (RFC 7616 §3.4 asks for some 4xx); a `uri`
    that isn't the request's gets 400 (§3.4.6).

    `stale=true` tells the client to try again without asking its user. It is said if and only if the digest was right
    for the nonce that was sent (§3.3): the nonce has expired, was used with this nc before, or isn't ours, as after the
    key was lost with a `MemoryStore`. Of a nonce that somebody made up, that tells them no more than a nonce of ours
    would: whether a digest is right.

    Args:
        realm: what the user is asked to log in to; no control characters.
        algorithms: among "SHA-512-256", "SHA-256" and "MD5"; each is offered in a challenge of its own, the
            strongest first. Some clients break off at a first challenge with SHA-512-256 (httpx, httpx2) or compute it
            wrongly (curl of 2023 and before).
        qop: ("auth",).
        nonce_lifetime: seconds for which a nonce is good.

    Raises:
        ConfigurationError: one of these is something else.

    >>> DigestVerifier(realm="orders", algorithms=["MD5", "SHA-256"])
    DigestVerifier(realm='orders', algorithms=['SHA-256', 'MD5'])
    """

    scheme: ClassVar[str] = "digest"
    single_use: ClassVar[bool] = True
    rank: ClassVar[int] = 20
    addresses: ClassVar[Sequence[Address]] = (Address(word="digest"),)
    kinds: ClassVar[Sequence[type]] = (DigestSecret, NonceKey, Spent)
    standing: ClassVar[Sequence[Ref[Any]]] = (NONCE_KEY,)

    __slots__ = ("algorithms", "nonce_lifetime", "realm", "realm_octets")

    def __init__(
        self,
        *,
        realm: str,
        algorithms: Sequence[str] = ("SHA-256",),
        qop: Sequence[str] = ("auth",),
        nonce_lifetime: float = 300,
    ) -> None:
        if CONTROL.search(realm):
            raise ConfigurationError("a realm is a quoted string: remove its control characters")
        if isinstance(qop, str) or list(qop) != ["auth"]:
            raise ConfigurationError("the qop that is spoken is auth: qop=['auth']")
        if not (nonce_lifetime > 0 and math.isfinite(nonce_lifetime)):
            raise ConfigurationError("nonce_lifetime is a positive number of seconds, for example 300")
        rows = checked_algorithms(algorithms)
        if any(row.session for row in rows):
            raise ConfigurationError("a -sess algorithm can't be offered: name it without -sess")
        try:
            self.realm_octets = realm.encode()
        except UnicodeEncodeError:
            raise ConfigurationError("the realm holds half of a surrogate pair") from None
        self.realm = realm
        self.algorithms = {row.name: row for row in rows}
        self.nonce_lifetime = nonce_lifetime

    def __repr__(self) -> str:
        return f"DigestVerifier(realm={self.realm!r}, algorithms={list(self.algorithms)!r})"

    def read(self, request: Request) -> DigestClaim:
        """The parameters, checked against the grammar (RFC 7616 §3.4).

        Raises:
            Rejected: MALFORMED_CREDENTIALS, TARGET_REFUSED.
        """
        presented = read_credentials(parse_credentials(request.values(b"authorization")[0]).params)
        check_target(request)
        return DigestClaim(presented, request, self)

    def refuse(self, rejection: Rejection, found: Found, now: float, random: Random) -> Refusal:
        """A fresh challenge for each algorithm, with `stale=true` where only the nonce was at fault."""
        status = rejection.reason.status
        if status != 401:
            return Refusal(status)
        key = found.get(NONCE_KEY)
        writes: list[Put] = []
        if key is None:  # the first worker of all; if another one is faster, the guard asks again with that one's key
            key = NonceKey(random(32))
            writes.append(Put(NONCE_KEY, key, if_version=0))
        stale = rejection.genuine and rejection.reason in _ONLY_THE_NONCE
        challenges = [
            written(self.realm, row, make_nonce(key, self.realm, row.name, now, random(12)), stale)
            for row in self.algorithms.values()
        ]
        return Refusal(status, challenges, (), writes)


class DigestClaim:
    """Digest credentials, not yet verified."""

    __slots__ = ("algorithm", "needs", "presented", "ref", "request", "verifier")

    reserve: ClassVar[Sequence[Add]] = ()
    body: ClassVar[BodyNeed] = UNUSED

    def __init__(self, presented: Presented, request: Request, verifier: DigestVerifier) -> None:
        self.presented = presented
        self.request = request
        self.verifier = verifier
        row = algorithm_named(presented.algorithm)
        self.algorithm = None if row is None else verifier.algorithms.get(row.name)
        # The realm is ours, never the client's.
        name = "" if self.algorithm is None else self.algorithm.name
        self.ref = Ref(DigestSecret, (name, verifier.realm, presented.username))
        self.needs: Sequence[Ref[Any]] = () if self.algorithm is None else (self.ref,)

    def __repr__(self) -> str:
        return f"DigestClaim(username={self.presented.username!r})"

    def slow(self, found: Found) -> bool:
        """Never: three hashes."""
        return False

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision:
        """Whose challenge and which request it is about, then the proof, then the nonce's age.

        Raises:
            Rejected: as its parts; `genuine` if the digest was right for the nonce that was sent.
        """
        presented, verifier, algorithm = self.presented, self.verifier, self.algorithm
        if presented.realm != verifier.realm_octets:
            raise Rejected(Reason.WRONG_REALM, "credentials for another realm", where="authorization realm")
        if algorithm is None:
            raise Rejected(Reason.WRONG_ALGORITHM, "an algorithm that is not offered", where="authorization algorithm")
        if presented.qop != "auth":
            # Without qop (RFC 2069) a response covers neither nc nor cnonce; RFC 7616 §3.3 has it used by all.
            raise Rejected(Reason.MALFORMED_CREDENTIALS, "qop=auth is demanded", where="authorization qop")
        check_uri(presented.uri, self.request)
        record = found.get(self.ref)
        key = found.get(NONCE_KEY)
        nonce = read_nonce(key, verifier.realm, algorithm.name, presented.nonce, now, verifier.nonce_lifetime)
        # An unknown user costs the same hashes and the same comparison.
        ha1 = _NOBODY if record is None else record.ha1.encode()
        fits = compare(self.expected(ha1), presented.response.encode()) and record is not None
        # Of a disabled user nothing is proven: stale=true, or an attempt given back, would tell that the digest fits.
        proven = fits and record is not None and not record.disabled
        if nonce.state is NonceState.FOREIGN:
            detail = "a nonce that this server did not make for this realm and algorithm"
            raise Rejected(Reason.UNKNOWN_NONCE, detail, where="authorization nonce", genuine=proven)
        if record is None:
            raise Rejected(Reason.UNKNOWN_SUBJECT, "no such user", where="authorization username")
        if fits and not proven:
            raise Rejected(Reason.DISABLED, "the user is disabled", where="authorization username")
        if not proven:
            detail = "the response is of another password, method or uri"
            raise Rejected(Reason.WRONG_SECRET, detail, where="authorization response")
        if nonce.state is NonceState.EXPIRED:
            raise Rejected(
                Reason.STALE_NONCE, f"made {now - nonce.made:.0f} s ago", where="authorization nonce", genuine=True
            )
        subject = presented.username if record.subject is None else record.subject
        once = Once(("digest", presented.nonce.decode(), presented.nc.lower()), nonce.made + verifier.nonce_lifetime)
        return Decision(Identity(subject, "digest", scopes=frozenset(record.scopes)), (once,))

    def expected(self, ha1: bytes, method: str | None = None) -> bytes:
        """The response that whoever knows `ha1` would have sent with these parameters."""
        presented, algorithm = self.presented, self.algorithm
        assert algorithm is not None
        a2 = hash_a2(
            algorithm, (self.request.method if method is None else method).encode("utf-8", "replace"), presented.uri
        )
        return response(
            algorithm, ha1, presented.nonce, presented.nc.encode(), presented.cnonce, presented.qop.encode(), a2
        )

    def explain(self, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
        """Every parameter, and the canonical string with its secret masked."""
        from watchword.schemes.digest.explanation import explain_digest  # noqa: PLC0415 -- only when asked why

        return explain_digest(self, found, now)


_NOBODY: Final = b"0" * 64
"""A hash that no password has been found for; as long as a real one."""

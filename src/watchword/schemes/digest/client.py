"""The client half of Digest (RFC 7616): `DigestAuth` answers challenges and checks what the server proves in return."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

from watchword.structures.bounded import Bounded
from watchword.core.message import Request, Response
from watchword.core.rejection import ConfigurationError, CredentialsUnavailable
from watchword.effects import Context, Flow, Hold, Received, Release, Send
from watchword.schemes.client_half import ClientHalf, need_text
from watchword.schemes.sending import reaches_proxy
from watchword.fields.auth_params import parse_auth_info
from watchword.fields.target import check_target
from watchword.schemes.digest.computation import ALGORITHMS, Algorithm, checked_algorithms
from watchword.schemes.digest.credentials import CONTROL, Offer, read_offers
from watchword.schemes.digest.session import MAX_COUNT, Session, Signed

__all__ = ["DigestAuth", "ServerUnproven", "Unproven", "UnprovenWarning"]

MAX_ORIGINS: Final = 256
MAX_SESSIONS: Final = 16
MAX_OPEN: Final = 256

LEASE: Final = 5.0
"""Seconds for which requests to a place that may challenge wait for the first one of them to learn whether it does."""
_LOCKS: Final = 64

Origin = tuple[str, str]


class Unproven(NamedTuple):
    """A server that was sent credentials and did not show that it knows the password too (RFC 7616 §3.5).

    Args:
        origin: "https://api.example".
        realm: the realm that was logged in to.
        why: "no proof", which is how most servers are; "a wrong proof", which is how an impostor would be.
    """

    origin: str
    realm: str
    why: str


class ServerUnproven(CredentialsUnavailable):
    """The server did not prove that it knows the password, and `require_mutual=True`; the answer is not to be believed."""


class UnprovenWarning(UserWarning):
    """A server's proof was wrong, and nobody asked to be told (`on_unproven`)."""


class Fields(NamedTuple):
    """Where an origin speaks of Digest, or a proxy (RFC 7616 §3.8)."""

    status: int
    challenge: bytes
    credentials: bytes
    info: bytes


_ORIGIN = Fields(401, b"www-authenticate", b"authorization", b"authentication-info")
_PROXY = Fields(407, b"proxy-authenticate", b"proxy-authorization", b"proxy-authentication-info")


class Space:
    """What is known of one origin.

    Its sessions, the last one first; how strong the answers were that it has accepted, in whichever realm; the folders
    that have answered unchallenged.
    """

    __slots__ = ("_sole", "open", "sessions", "strength")

    def __init__(self) -> None:
        self.replace(())
        self.strength = 0
        self.open: Bounded[bytes, bool] = Bounded(MAX_OPEN)

    def replace(self, sessions: tuple[Session, ...]) -> None:
        """Has these sessions instead; they are read without the lock."""
        self.sessions = sessions
        self._sole = sessions[0] if len(sessions) == 1 and not sessions[0].domain else None

    def session_for(self, target: bytes) -> Session | None:
        """The session with the longest prefix of `target` in its domain; of equals, the last one. None if its count is used up."""
        best = self._sole
        if best is None:
            fit, best = max(((one.covers(target), one) for one in self.sessions), key=itemgetter(0), default=(-1, None))
            if fit < 0:
                return None
        return None if best is None or best.count >= MAX_COUNT else best


class DigestAuth(ClientHalf):
    """Answers Digest challenges; sends nothing until it is challenged, then goes on with the nonce that it was given.

    It takes the strongest algorithm that it knows and, once an origin has accepted an answer with one, no weaker one
    there for as long as the object lives, whatever the realm is called: the realm is chosen by whoever made the
    challenge. What nobody has accepted is no measure, so that a forged challenge locks nobody out. One object serves any number of threads and tasks: the first request to
    a place learns the challenge, the others wait for it. A request is sent three times at most: unasked, in answer to a
    challenge, and once more if the server says that only the nonce was stale (RFC 7616 §3.3). A 401 that can't be
    answered is the caller's answer.

    Args:
        username: any text without control characters.
        password: any text.
        algorithms: those that are answered, of "SHA-512-256", "SHA-256", "MD5" and their "-sess" variants, whatever an
            origin has accepted before; by default all that this host can compute.
        require_mutual: raise `ServerUnproven` instead of giving the caller an answer whose server did not prove that it
            knows the password too (RFC 7616 §3.5). Under auth-int the body of the answer is read and proven with it.
        on_unproven: called with each `Unproven` server; without it a wrong proof gives an `UnprovenWarning`.
        auth_int: cover the body wherever the server offers that; by default only where it offers nothing else.
        proxy: answer a proxy (407, Proxy-Authenticate) instead of the origin. What goes past it or through a tunnel that it
            made has no answer in it.
        allow_legacy_rfc2069: answer challenges without qop, as servers of before 1999 send: the answer covers neither a
            count nor a client nonce, so the server chooses all that is hashed with the password.

    Raises:
        ConfigurationError: a username that no header can carry, or an algorithm that is unknown.

    >>> DigestAuth("Mufasa", "Circle of Life")
    DigestAuth(username='Mufasa')
    """

    __slots__ = (
        "__weakref__", "_algorithms", "_auth_int", "_fields", "_goes_lower", "_judging", "_legacy", "_lock", "_on_unproven",
        "_password", "_require_mutual", "_spaces", "_username",
    )  # fmt: skip

    def __init__(
        self,
        username: str,
        password: str,
        *,
        algorithms: Sequence[str] | None = None,
        require_mutual: bool = False,
        on_unproven: Callable[[Unproven], object] | None = None,
        auth_int: bool = False,
        proxy: bool = False,
        allow_legacy_rfc2069: bool = False,
    ) -> None:
        need_text("the username", username)
        need_text("the password", password)
        if CONTROL.search(username):
            raise ConfigurationError("a username can't hold control characters: remove them")
        try:
            f"{username}{password}".encode()
        except UnicodeEncodeError:
            raise ConfigurationError("username or password holds half of a surrogate pair") from None
        self._username = username
        self._password = password
        self._algorithms = frozenset(_computable() if algorithms is None else checked_algorithms(algorithms))
        self._goes_lower = algorithms is not None
        self._require_mutual = require_mutual
        self._on_unproven = on_unproven
        self._judging = require_mutual or on_unproven is not None
        self._auth_int = auth_int
        self._fields = _PROXY if proxy else _ORIGIN
        self._legacy = allow_legacy_rfc2069
        self._spaces: Bounded[Origin, Space] = Bounded(MAX_ORIGINS)
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"DigestAuth(username={self._username!r})"

    @property
    def every_answer(self) -> bool:
        """Whether no answer may reach the caller but through a flow: a library may send one request twice."""
        return self._require_mutual

    def flow(self, request: Request, context: Context) -> Flow:
        """The request, with an answer if a nonce is at hand; then answers to at most two challenges."""
        place = _Place(request, self._fields)
        space = self._spaces.get(place.origin)
        # The authority of an origin that is known was looked at before; all targets of a proxy have one origin.
        check_target(request, request.authority if space is not None and self._fields is _ORIGIN else None)
        if self._fields is _PROXY and not reaches_proxy(request):
            yield Send(request)
            return
        session = None if space is None else space.session_for(place.uri)
        learning = False
        if session is None and not self._is_open(place):
            # It will probably have to be sent twice.
            context.check_repeatable()
            learning = yield Hold(place.lock, LEASE, across_send=True)
            session = self._session(place)
            if learning and session is not None:  # whoever held it before has learned it
                yield Release(place.lock)
                learning = False
        signed = (
            None
            if session is None
            else session.sign(request, place.uri, context, self._fields.credentials, self._judging)
        )
        received: Received = yield Send(request) if signed is None else signed.send
        answers = 0
        while received.response.status == self._fields.status:
            session = self._answerable(received.response, place, session, answers, context)
            if session is None:
                return
            answers += 1
            signed = session.sign(request, place.uri, context, self._fields.credentials, self._judging)
            if learning:
                yield Release(place.lock)
                learning = False
            received = yield signed.send
        if signed is None:
            self._note_open(place)
            if learning:
                yield Release(place.lock)
        self._conclude(place, signed, received)

    # ---- what is remembered ----

    def _session(self, place: _Place) -> Session | None:
        space = self._spaces.get(place.origin)
        return None if space is None else space.session_for(place.uri)

    def _is_open(self, place: _Place) -> bool:
        with self._lock:
            space = self._spaces.get(place.origin)
            return space is not None and place.folder in space.open

    def _note_open(self, place: _Place) -> None:
        """Requests to where nobody is challenged need not wait for each other."""
        with self._lock:
            self._space(place.origin).open.put(place.folder, True)

    def _answerable(
        self, answer: Response, place: _Place, refused: Session | None, answers: int, context: Context
    ) -> Session | None:
        """A session for the challenge in `answer`; None if it is not to be answered.

        The strongest challenge that isn't weaker than what the origin has accepted counts, nor weaker than what was just
        answered. What was refused is not tried unasked again.
        """
        offers = read_offers(answer.values(self._fields.challenge), legacy=self._legacy)
        with self._lock:
            space = self._space(place.origin)
            space.open.pop(place.folder)
            space.replace(tuple(one for one in space.sessions if one is not refused))
            answered = refused.offer.algorithm.strength if refused is not None and answers else 0
            floor = 0 if self._goes_lower else max(space.strength, answered)
        offer = next(
            (one for one in offers if one.algorithm in self._algorithms and one.algorithm.strength >= floor), None
        )
        if offer is None or not _is_worth_answering(offer, refused, answers):
            return None
        session = Session(
            offer, self._username, self._password, context,
            auth_int=self._auth_int, domain=place.within(offer.domain),
        )  # fmt: skip
        self._keep(place, session)
        return session

    def _note_strength(self, place: _Place, strength: int) -> None:
        with self._lock:
            space = self._space(place.origin)
            space.strength = max(space.strength, strength)

    def _keep(self, place: _Place, session: Session, instead_of: Session | None = None) -> None:
        with self._lock:
            space = self._space(place.origin)
            if instead_of is not None and instead_of not in space.sessions:
                return  # of many answers that bring a next nonce the first one counts
            # Of one realm and domain there is one session, and of whatever else a server makes up, a few.
            others = [one for one in space.sessions if not one.is_of_the_space_of(session)]
            space.replace((session, *others[: MAX_SESSIONS - 1]))

    def _space(self, origin: Origin) -> Space:
        space = self._spaces.get(origin)
        if space is None:
            space = Space()
            self._spaces.put(origin, space)
        return space

    # ---- what the server proves ----

    def _conclude(self, place: _Place, signed: Signed | None, received: Received) -> None:
        """The answer is not a refusal: goes on with the next nonce, and holds the server to its proof (RFC 7616 §3.5).

        Raises:
            ServerUnproven: `require_mutual`.
        """
        if signed is None:
            if self._require_mutual:
                raise ServerUnproven(f"{place.shown} asked for no credentials, so it proved nothing")
            return
        session = signed.session
        session.confirmed = True
        lines, fits = received.response.values(self._fields.info), None
        if not lines and session.proven and not self._judging:
            return  # as most answers are
        if lines:
            info = parse_auth_info(b", ".join(lines))
            fits = signed.fits(info, received)
            if fits is not False and (following := session.following(info)) is not None:
                self._keep(place, following, instead_of=session)
        # Who gives a wrong proof doesn't know the password.
        if not session.proven and fits is not False and received.response.status < 400:
            self._note_strength(place, session.offer.algorithm.strength)
            session.proven = True
        if fits or (fits is None and not self._judging):
            return
        unproven = Unproven(
            place.shown, session.offer.realm.decode("latin-1"), "a wrong proof" if fits is False else "no proof"
        )
        if self._on_unproven is not None:
            self._on_unproven(unproven)
        elif fits is False and not self._require_mutual:
            warnings.warn(
                f"{unproven.origin} gave {unproven.why} that it knows the password", UnprovenWarning, stacklevel=2
            )
        if self._require_mutual:
            raise ServerUnproven(f"{unproven.origin} gave {unproven.why} that it knows the password")


class _Place:
    """Where a request goes, as protection spaces see it."""

    __slots__ = ("origin", "request", "uri")

    def __init__(self, request: Request, fields: Fields) -> None:
        self.request = request
        self.uri = request.target
        self.origin: Origin = (request.scheme, request.authority.lower())
        if fields is _PROXY:
            # All targets are of the one proxy, which is sent them in absolute form (RFC 9112 §3.2.2).
            if self.uri[:1] == b"/":
                self.uri = self.shown.encode() + self.uri
            self.origin = ("", "")

    @property
    def shown(self) -> str:
        """The origin of the request as URIs begin."""
        return f"{self.request.scheme}://{self.request.authority.lower()}"

    @property
    def folder(self) -> bytes:
        """What the target begins with, up to the last slash of its path."""
        return self.uri.partition(b"?")[0].rpartition(b"/")[0]

    @property
    def lock(self) -> str:
        """The lock for those who wait for this origin's challenge; a few origins share one."""
        return f"digest {hash(self.origin) % _LOCKS}"

    def within(self, domain: str) -> tuple[bytes, ...]:
        """The prefixes of a challenge's `domain` that are of this origin (RFC 7616 §3.3); none: all of it.

        All of it too, where the list leaves out the very request that was challenged. Other origins are passed over:
        nothing is ever sent there unasked.
        """
        if not domain or self.origin == ("", ""):
            return ()
        prefixes = []
        for uri in domain.encode("latin-1").split():
            path = uri
            if uri.lower().startswith(self.shown.encode()):
                path = uri[len(self.shown) :] or b"/"
            if path[:1] == b"/":
                prefixes.append(path)
        return tuple(prefixes) if any(self.uri.startswith(prefix) for prefix in prefixes) else ()


def _computable() -> list[Algorithm]:
    rows: list[Algorithm] = []
    for row in ALGORITHMS:
        try:
            rows += checked_algorithms([row.name])
        except ConfigurationError:  # MD5 under FIPS: such challenges are passed over
            continue
    return rows


def _is_worth_answering(offer: Offer, refused: Session | None, answers: int) -> bool:
    """After an answer of ours only if it was stale; with the nonce that was refused only if it had been good before."""
    if refused is None:
        return True
    if answers > 1:
        return False
    if offer.nonce == refused.offer.nonce:
        # WEBrick makes one nonce a second, and the secret of "-sess" anew with each nextnonce: only a fresh start will do.
        return answers == 0 and refused.confirmed
    if offer.stale:
        return True
    # A secret that was right before may be answering an old nonce; one that never was is wrong.
    return answers == 0 and (refused.confirmed or offer.realm != refused.offer.realm)

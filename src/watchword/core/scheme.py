"""The two halves of a scheme: `Verifier` (server) and `Auth` (client), and all that they exchange with their drivers.

Server: read > fetch > body > decide > commit. `read` is pure and cheap; `decide` is pure and may be dear. Everything that
they need comes in as an argument, and everything that they want remembered goes out as a value. Client: a generator of effects.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, runtime_checkable

import msgspec

from watchword.core.address import Address
from watchword.core.answer import Random, Refusal, Seal
from watchword.core.identity import Identity
from watchword.core.limits import Limits
from watchword.core.message import Headers, Peer, Request, Response
from watchword.core.records import Found, Once, Ref, Source, Write
from watchword.core.rejection import Reason, Refuser, Rejected
from watchword.core.streams import BodyStream

__all__ = [
    "NO_BODY", "ORIGINAL", "STREAM", "UNUSED", "WHOLE", "Address", "Ask", "Auth", "Bindable", "Body", "BodyNeed", "BodyStream", "Call", "Changes",
    "Check", "Claim", "Context", "Decision", "Digests", "Effect", "Flow", "GuardReader", "Hasher", "Hold", "Load", "More", "Proof",
    "Random", "Received", "Refusal", "Release", "Save", "Seal", "Send", "Sleep", "Verifier",
]  # fmt: skip

# ---- the server half -------------------------------------------------------------------------------------------------


class Hasher(Protocol):
    """An incremental hash, as hashlib makes them."""

    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


class BodyNeed(NamedTuple):
    """The part of the body that `decide` needs: nothing (UNUSED), all of it (WHOLE), or to see it pass afterwards (STREAM)."""

    name: str


UNUSED: Final = BodyNeed("UNUSED")
WHOLE: Final = BodyNeed("WHOLE")
STREAM: Final = BodyNeed("STREAM")


class Digests(NamedTuple):
    """`decide` needs these digests of the body; `new(algorithm)` makes the hasher that the guard feeds as it reads."""

    algorithms: tuple[str, ...]
    new: Callable[[str], Hasher]


class Body:
    """The body, as far as the guard read it: `data`, and `digest(name)` for the algorithms that the claim asked for.

    >>> Body(b"hello").data
    b'hello'
    """

    __slots__ = ("_digests", "data")

    def __init__(self, data: bytes = b"", digests: Mapping[str, bytes] | None = None) -> None:
        self.data = data
        self._digests = digests or {}

    def digest(self, algorithm: str) -> bytes:
        """The digest that the claim's `Digests` named; KeyError for any other."""
        return self._digests[algorithm]


NO_BODY: Final = Body()


class Decision(msgspec.Struct, frozen=True, eq=False):
    """The answer of `decide` for genuine credentials. The guard commits `writes` before it believes the identity.

    Args:
        identity: who made the request.
        writes: the changes without which the verdict would not be true: a nonce that is used up.
        response_headers: field lines that the answer gets.
        seal: proves the answer.
        stream: checks the body as the application reads it.
        notes: committed after `writes`, if they can be; nothing that becomes of them changes the verdict (a last use).
        learn: called once everything is committed. Caches learn here and nowhere else, so that a request which is only
            explained, or whose verdict nobody waits for, changes nothing.
        provisional: those of `writes` that stand only if the application succeeds. They are taken back where it fails, so
            that the same request may come again. This is for schemes whose senders do that, webhooks; a replay of any
            other credentials is an attack, whatever became of the first request.
    """

    identity: Identity[Any]
    writes: Sequence[Write] = ()
    response_headers: Headers = ()
    seal: Seal | None = None
    stream: BodyStream | None = None
    notes: Sequence[Write] = ()
    learn: Callable[[], None] | None = None
    provisional: Sequence[Once] = ()


class More(NamedTuple):
    """`decide` needs further records; it is called again with them, twice at most.

    Args:
        refs: to be fetched from the guard's store.
        asks: to be fetched from a verifier's own sources.
    """

    refs: Sequence[Ref[Any]] = ()
    asks: Sequence[tuple[Source, Sequence[Ref[Any]]]] = ()


class Check(NamedTuple):
    """One step of `explain`.

    Args:
        name: the name of the check: "signature", "nonce", "exp".
        passed: True or False; None if it could not be tried.
        component: the part of the request that it is about: "@target", "header Digest uri", "claim exp".
        expected: the value of a genuine request; masked if secret.
        received: the value of this one; masked if secret.
        mend: what to do about it.
    """

    name: str
    passed: bool | None
    component: str = ""
    expected: str = ""
    received: str = ""
    mend: str = ""


class Claim(Protocol):
    """Credentials as presented, not yet judged; immutable."""

    @property
    def needs(self) -> Sequence[Ref[Any]]:
        """Records to look up, known after `read`."""
        ...

    @property
    def body(self) -> BodyNeed | Digests: ...

    def slow(self, found: Found) -> bool:
        """True: `decide` takes milliseconds and runs off the event loop."""
        ...

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision | More:
        """The verdict; pure; raises `Rejected`."""
        ...


@runtime_checkable
class Proof(Protocol):
    """A claim that proves possession of a key, and so can confirm that a token is bound to that key (RFC 7800 §3.1).

    `methods` are the members of `cnf` for which it can: "jkt", "x5t#S256".
    """

    @property
    def methods(self) -> Collection[str]: ...

    def confirm(self, cnf: Mapping[str, object], token: bytes) -> None:
        """Nothing, if the key that this claim proves is the one that `cnf` names; whether it does is for `decide`.

        Raises:
            Rejected: BINDING_MISMATCH.
        """
        ...


@runtime_checkable
class Bindable(Protocol):
    """A claim whose credentials may be bound to a key; by itself it refuses those that are."""

    def confirmed_by(self, proofs: Sequence[Proof]) -> Claim:
        """The same claim, where the credentials have to be bound to the keys that all of `proofs` prove."""
        ...


class Verifier(Refuser, Protocol):
    """The server half of a scheme.

    `scheme` names it in SCHEMES. `addresses` say where its credentials arrive, `kinds` which records it uses (none: it
    needs no store), `always_needed` which of them every verdict and every refusal needs. `realm` is None if it has no opinion.
    `single_use` is True if the same credentials are never accepted twice. `ambient` is True if a browser sends them by itself, so
    that another site can have requests made with them (cross-site request forgery): passwords that it was asked for, cookies.
    `rank` orders the challenges, low first,
    after those of Digest and before those of Basic, unless the guard takes them as listed.

    It may have `described`, a sentence about its credentials for the OpenAPI document of a framework, and `bearer_format`.
    """

    @property
    def single_use(self) -> bool: ...
    @property
    def ambient(self) -> bool: ...
    @property
    def rank(self) -> int: ...
    @property
    def addresses(self) -> Sequence[Address]: ...
    @property
    def kinds(self) -> Sequence[type]: ...
    @property
    def always_needed(self) -> Sequence[Ref[Any]]: ...
    @property
    def realm(self) -> str | None: ...

    def read(self, request: Request) -> Claim | None:
        """Pure and cheap. None: not addressed to me. Malformed: raises `Rejected`."""
        ...


Changes = Callable[[type], "int | None"]
"""`changes(kind)` grows with each write of that kind of record through a guard's store object; None: not known."""


@runtime_checkable
class GuardReader(Protocol):
    """A verifier whose reading depends on the guard: on its limits, or on changes in its store."""

    def reader(
        self, limits: Limits, changes: Changes | None, /, *, remembering: bool
    ) -> Callable[[Request], Claim | None]:
        """Called when a guard is made; gives the function that this guard calls in place of `read`.

        With `remembering` it may answer with a cheaper claim for credentials that were admitted before, and forget what
        it remembers; it learns by `Decision.learn` only. Without (for `explain`) it only reads.
        """
        ...


# ---- the client half -------------------------------------------------------------------------------------------------

ORIGINAL: Final = None
"""As the body of `Send`: the caller's own request body, unchanged."""


class Send(NamedTuple):
    """Send `request`. With body ORIGINAL it is the caller's request, else one of the flow's own (a token request).

    Of the caller's request a flow may change the fields, the target's query, and with `content` the body, which is sent
    instead of the caller's. Answered by `Received`; with `want` its body is read, under the driver's limit.

    With `head` the driver first shows the answer without its body, and reads as many octets as `head` says, or nothing where it
    says None. A body that is longer is not handed over, and the rest not read: then `Received.body` is None. An exception of
    `head` ends the flow, and is the caller's.
    """

    request: Request
    body: bytes | None = ORIGINAL
    want: bool = False
    content: bytes | None = None
    head: Callable[[Received], int | None] | None = None

    def __repr__(self) -> str:
        # A token request's body may hold the client's secret.
        body = "ORIGINAL" if self.body is None else f"{len(self.body)} octets"
        return f"Send({self.request!r}, body: {body}, want={self.want})"


class Received(NamedTuple):
    """The answer to `Send`; `sent` is the request as it went out, where a driver has changed it (cookies)."""

    response: Response
    body: bytes | None = None
    sent: Request | None = None

    def __repr__(self) -> str:
        # The body may be a token.
        body = "none" if self.body is None else f"{len(self.body)} octets"
        return f"Received({self.response!r}, body: {body})"


class Load(NamedTuple):
    """Fetch from the caller's token store; answered by `Found`."""

    refs: Sequence[Ref[Any]]


class Save(NamedTuple):
    """Commit to the caller's token store; answered by an `Outcome`."""

    writes: Sequence[Write]


class Hold(NamedTuple):
    """Wait for the lock `key` of this Auth, across threads and tasks; answered by whether it is held now.

    It is let go by `Release`, when the caller's own request goes out, when the flow ends, however it ends, and when
    others wait and it has been held for `lease` seconds. Waiting ends with `CredentialsUnavailable` after `lease` seconds.

    With `across_send` the caller's own request does not let it go, for flows that learn from its answer what the others
    wait for. As nobody knows when that answer comes, or whether it is ever read, waiting is then no duty: after `lease`
    seconds the flow goes on without the lock, and at once where the thread or task that holds it is its own.
    """

    key: str
    lease: float
    across_send: bool = False


class Release(NamedTuple):
    """Let the lock `key` go."""

    key: str


class Sleep(NamedTuple):
    """Wait."""

    seconds: float


class Call(NamedTuple):
    """Call a function of the caller's, which may take its time or be a coroutine function.

    Answered by what it returns, or by the `Exception` that it raises.
    """

    function: Callable[[], Any]


class Ask(NamedTuple):
    """Let a person do something: open `url`, enter `code`; answered by the text that came back."""

    interaction: str
    url: str
    code: str = ""


Effect = Send | Load | Save | Hold | Release | Sleep | Call | Ask
Flow = Generator[Effect, Any, None]


class Context(Protocol):
    """The means that a flow may use besides its effects."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def random(self, n: int, /) -> bytes:
        """n unpredictable bytes."""
        ...

    def body(self) -> bytes:
        """The caller's request body; `ConfigurationError` if it can't be read and sent as well."""
        ...

    def check_repeatable(self) -> None:
        """`ConfigurationError` if the caller's request has a body that can't be sent twice."""
        ...

    def peer(self, request: Request, /) -> Peer:
        """Who is connected to for a request of the flow's own; asked before a secret is put into it."""
        ...

    @property
    def stored(self) -> bool:
        """True if there is a token store for Load and Save."""
        ...


class Auth(Protocol):
    """The client half of a scheme: one object serves any number of requests, threads and tasks.

    If it has a true `every_answer`, an adapter gives the caller no answer that no flow has seen.
    """

    def flow(self, request: Request, context: Context, /) -> Flow:
        """Sends `request` with credentials, again if the answer asks for it; its last Send is the caller's answer."""
        ...


def malformed(detail: str, where: str = "authorization") -> Rejected:
    """The rejection of credentials that don't follow their scheme's grammar."""
    return Rejected(Reason.MALFORMED_CREDENTIALS, detail, where=where)

"""The server half of a scheme: `Verifier`, and all that it exchanges with its guard. The client half is in `watchword.effects`.

read > fetch > body > decide > commit. `read` is pure and cheap; `decide` is pure and may be dear. Everything that
they need comes in as an argument, and everything that they want remembered goes out as a value.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, runtime_checkable

import msgspec

from watchword.core.address import Address
from watchword.core.answer import Random, Refusal, Seal
from watchword.core.identity import Identity
from watchword.core.limits import Limits
from watchword.core.message import Headers, Request
from watchword.core.records import Found, Once, Ref, Source, Write
from watchword.core.rejection import Reason, Refuser, Rejected
from watchword.structures.streams import BodyStream

__all__ = [
    "NO_BODY", "STREAM", "UNUSED", "WHOLE", "Address", "Bindable", "Body", "BodyNeed", "BodyStream", "Changes", "Check", "Claim",
    "Decision", "Digests", "GuardReader", "Hasher", "More", "Proof", "Random", "Refusal", "Seal", "Verifier", "malformed",
]  # fmt: skip


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

    It may have `committed_together`, the kinds of records that one verdict of it writes in one commit; without it these are its marks
    of use. It may have `described`, a sentence about its credentials for the OpenAPI document of a framework, and `bearer_format`.
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


def malformed(detail: str, where: str = "authorization") -> Rejected:
    """The rejection of credentials that don't follow their scheme's grammar."""
    return Rejected(Reason.MALFORMED_CREDENTIALS, detail, where=where)

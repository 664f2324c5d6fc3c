"""The client half of a scheme: `Auth`, whose flow is a generator of effects, and the means that a driver has.

A flow does nothing itself. It yields what is to be done (`Send`, `Hold`, `Sleep`, …), and a driver does it, blocking or awaited,
and answers. The server half is in `core.scheme`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, Final, NamedTuple, Protocol

from watchword.core.message import Peer, Request, Response
from watchword.core.records import Ref, Write

__all__ = [
    "ORIGINAL", "Ask", "Auth", "Call", "Context", "Effect", "Flow", "Hold", "Load", "NotSent", "Received", "Release", "Save", "Send", "SendTerms",
    "Sleep",
]  # fmt: skip

ORIGINAL: Final = None
"""As the body of `Send`: the caller's own request body, unchanged."""


class SendTerms(NamedTuple):
    """Under which a request of a flow's own is sent. Whatever they say, no redirect of it is followed and no cookie goes along.

    Args:
        timeout: seconds for all of it, where it goes over a connection of its own; an adapter goes by the caller's time limit.
        max_size: octets of the answer that are of use.
        repeatable: False: once any of it has been sent, no transport sends it a second time.
        learnt_from: the host of the caller's own URL, where this one was learnt from an answer. It is then sent to an address
            that is not on the public internet only if that host has such an address too. "": it is the caller's own URL.
    """

    timeout: float = 30.0
    max_size: int = 512 * 1024
    repeatable: bool = False
    learnt_from: str = ""


class Send(NamedTuple):
    """Send `request`. With body ORIGINAL it is the caller's request, else one of the flow's own (a token request).

    Of the caller's request a flow may change the fields, the target's query, and with `content` the body, which is sent
    instead of the caller's. Answered by `Received`; with `want` its body is read, under the driver's limit.

    With `head` the driver first shows the answer without its body, and reads as many octets as `head` says, or nothing where it
    says None. A body that is longer is not handed over, and the rest not read: then `Received.body` is None. An exception of
    `head` ends the flow, and is the caller's.

    A request of the flow's own has `terms`. If it certainly never left, `NotSent` is raised in the flow, which can do
    nothing more but note that.
    """

    request: Request
    body: bytes | None = ORIGINAL
    want: bool = False
    content: bytes | None = None
    head: Callable[[Received], int | None] | None = None
    terms: SendTerms | None = None

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
    With `of` it is that object's lock instead, for what several Auths share.

    With `across_send` the caller's own request does not let it go, for flows that learn from its answer what the others
    wait for. As nobody knows when that answer comes, or whether it is ever read, waiting is then no duty: after `lease`
    seconds the flow goes on without the lock, and at once where the thread or task that holds it is its own.
    """

    key: str
    lease: float
    across_send: bool = False
    of: object = None


class Release(NamedTuple):
    """Let the lock `key` go."""

    key: str


class NotSent(Exception):
    """Raised in a flow that waits for the answer to a request of its own: nothing of it was sent, nobody was connected to."""


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

    @property
    def asks(self) -> bool:
        """True if there is somebody who answers Ask."""
        ...


class Auth(Protocol):
    """The client half of a scheme: one object serves any number of requests, threads and tasks.

    If it has a true `every_answer`, an adapter gives the caller no answer that no flow has seen.
    """

    def flow(self, request: Request, context: Context, /) -> Flow:
        """Sends `request` with credentials, again if the answer asks for it; its last Send is the caller's answer."""
        ...

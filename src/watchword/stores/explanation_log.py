"""Explanations of refusals, made when they happen and kept by request id: for whoever is asked later why it was refused.

An explanation takes a thousand times as long as a refusal, and whoever sends a request chooses that there is one. So no
answer waits for it (a thread makes it, after the refusal went out, and how long it takes tells nobody anything), and there are
only so many a minute, of which one kind of refusal of one client gets a part. The thread rests nine times as long as it worked, so
it has a tenth of one core at most, whatever requests it is given. What is over the budget is counted, and no more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from inspect import iscoroutinefunction
from logging import getLogger
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Lock, Thread
from time import sleep, thread_time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from watchword.core.answer import Random, Refusal
from watchword.core.guard import Guard
from watchword.core.message import Request
from watchword.core.plan import Plan, Refused
from watchword.core.records import Found, Outcome, Ref, Store, Write
from watchword.core.rejection import ConfigurationError, Reason, Rejected, StoreUnavailable
from watchword.core.scheme import NO_BODY, WHOLE, Check
from watchword.schemes.explaining import explain
from watchword.schemes.explaining.masking import Mask
from watchword.schemes.explaining.program import Explanation
from watchword.schemes.explaining.remedies import REMEDIES, expected_instead
from watchword.stores.explanation_files import REQUEST_ID, ExplanationFiles, KeptExplanation
from watchword.structures.line import ClientGone
from watchword.structures.networks import network_of

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

__all__ = ["ExplanationLog"]

MINUTE: Final = 60.0
WAITING: Final = 8
"""Explanations that wait to be made."""
SHARE: Final = 3
"""One reason for one client has the budget divided by this."""
IDLE: Final = 5.0
"""Seconds after which a thread that has nothing to do ends."""
PATIENCE: Final = 30.0
"""Seconds for which it waits for a store on an event loop."""
REST: Final = 9
"""How many times as long as it worked the thread rests before the next one."""
MAX_REST: Final = 60.0
MAX_BODY: Final = 64 * 1024
"""Octets of a body that the guard had no need of, and that is read for the explanation."""
WITHOUT_CAUSE: Final = frozenset({Reason.TOO_MANY_ATTEMPTS, Reason.TOO_BUSY, Reason.STALE_NONCE})
"""Nothing more could be said of them than the reason; the last belongs to Digest's usual course."""

_UNREAD: Final = "the body was not read when the request was refused, so nothing is said but the reason"
_SINCE: Final = "when this was made, shortly after, the guard would have judged otherwise: its records had changed"


class RefusedRequest(NamedTuple):
    """A request that was refused, with what is needed to explain that later.

    Args:
        plan: the guard's.
        request: as the server saw it.
        body: its body; None if it has one that was not read to its end.
        rejected: why.
        address: the client's, as far as the guard knows it.
        request_id: under which the explanation is kept.
        at: when, in seconds since the epoch.
    """

    plan: Plan
    request: Request
    body: bytes | None
    rejected: Rejected
    address: str
    request_id: str
    at: float


class ExplanationLog:
    """Keeps explanations of refusals in a directory: `Policy(explanations=ExplanationLog("/var/lib/app/explanations"))`.

    Every refusal of the guard then has an `X-Request-ID`: the one that the request had, or a new one. The explanation is found by
    it: `watchword explain --id ID --log DIRECTORY`. What could admit a request is masked in it, and the request itself is not
    kept. No password is tried but the one that was sent.

    Args:
        directory: where; made if it is not there, for its owner only. Processes may share it.
        keep: how many explanations; the oldest give way.
        per_minute: how many are made in a minute, in each process; what is over that is counted in `dropped`.

    Raises:
        ConfigurationError: a number that can't be meant.

    >>> log = ExplanationLog("/var/lib/app/explanations", keep=200, per_minute=6)
    >>> log.dropped
    0
    """

    def __init__(self, directory: str | Path, *, keep: int = 1000, per_minute: int = 6) -> None:
        if not 1 <= keep <= 100_000:
            raise ConfigurationError("keep is how many explanations there may be: 1 to 100000")
        if not 1 <= per_minute <= 600:
            raise ConfigurationError("per_minute is how many explanations are made in a minute: 1 to 600")
        self._files = ExplanationFiles(Path(directory), keep)
        self._per_minute = per_minute
        self._lock = Lock()
        self._began = float("-inf")
        self._made: Counter[tuple[str, Reason]] = Counter()
        self._queue: Queue[tuple[RefusedRequest, AbstractEventLoop | None]] = Queue(WAITING)
        self._thread: Thread | None = None
        self.dropped = 0

    def has_room(self, address: str, rejected: Rejected, now: float, /) -> bool:
        """Whether the budget of this minute has room for this refusal; counts it if so, and as dropped if not."""
        if rejected.reason in WITHOUT_CAUSE:
            return False
        kind = (network_of(address), rejected.reason)
        with self._lock:
            if not 0 <= now - self._began < MINUTE:
                self._began = now
                self._made.clear()
            if self._made.total() >= self._per_minute or self._made[kind] >= max(1, self._per_minute // SHARE):
                self.dropped += 1
                return False
            self._made[kind] += 1
        return True

    async def told(self, refused: Refused, refusal: Refusal, /) -> Refusal:
        """The refusal with its `X-Request-ID`; a thread explains the request in its own time, if the budget has room."""
        plan, request, case = refused.plan, refused.request, refused.case
        request_id = _request_id(request, plan.random)
        now, address = plan.clock(), (request if case is None else case.request).peer.address
        if self.has_room(address, refused.rejected, now):
            body = await _body(refused)
            self._keep(RefusedRequest(plan, request, body, refused.rejected, address, request_id, now))
        return refusal._replace(headers=(*refusal.headers, (b"x-request-id", request_id.encode())))

    def _keep(self, refused: RefusedRequest) -> None:
        """Has a thread explain it and keep the explanation; it is dropped where too many wait."""
        loop = None
        if iscoroutinefunction(getattr(refused.plan.store, "fetch", None)):
            from asyncio import get_running_loop  # noqa: PLC0415 -- only for stores of an event loop

            loop = get_running_loop()
        with self._lock:
            try:
                self._queue.put_nowait((refused, loop))
            except Full:
                self.dropped += 1
                return
            if self._thread is None or not self._thread.is_alive():  # it ended, or this is a child of a fork
                self._thread = Thread(target=self._work, name="watchword-explain", daemon=True)
                self._thread.start()

    def flush(self) -> None:
        """Returns once all that was handed over is kept."""
        self._queue.join()

    def read(self, request_id: str) -> list[KeptExplanation]:
        """The explanations that are kept of a request id, the oldest first.

        Raises:
            StoreUnavailable: the directory can't be read.
        """
        try:
            return self._files.read(request_id)
        except OSError as error:
            raise StoreUnavailable(f"the directory of explanations can't be read: {error.strerror}") from None

    def _work(self) -> None:
        while True:
            try:
                refused, loop = self._queue.get(timeout=IDLE)
            except Empty:
                with self._lock:
                    if self._queue.empty():
                        self._thread = None
                        return
                continue
            began = thread_time()
            try:
                self._files.write(_kept(refused, loop))
            except Exception as error:  # noqa: BLE001 -- whatever it is, the next one is made all the same
                # By its type: its text and traceback may quote the request.
                getLogger("watchword").error("an explanation could not be kept: %s", type(error).__name__)  # noqa: TRY400
            finally:
                self._queue.task_done()
            sleep(min(MAX_REST, REST * (thread_time() - began)))


def _request_id(request: Request, random: Random) -> str:
    """X-Request-ID, if it is one that can be kept as it is; else one of our own."""
    given = [value.decode("latin-1") for value in request.values(b"x-request-id")]
    if len(given) == 1 and REQUEST_ID.fullmatch(given[0]):
        return given[0]
    return random(16).hex()


async def _body(refused: Refused) -> bytes | None:
    """The request's body; None if it has one that is not known whole.

    One that the guard had no need of is read if it is short and on its way: adapters read it before they refuse in any case.
    """
    request, case = refused.request, refused.case
    if case is not None and case.body is not NO_BODY:
        return case.body.data
    lengths = request.values(b"content-length")
    if not lengths and not request.values(b"transfer-encoding"):
        return b""
    short = len(lengths) == 1 and lengths[0].isdigit() and int(lengths[0][:8]) <= MAX_BODY
    if not short or request.values(b"transfer-encoding") or request.values(b"expect"):
        return None
    try:
        return (await refused.io.read(refused.receive, WHOLE, min(MAX_BODY, refused.plan.limits.body))).data
    except (Rejected, StoreUnavailable, ClientGone):
        return None


class _OnTheLoop:
    """A store of an event loop, asked from another thread."""

    blocking = True

    def __init__(self, store: Any, loop: AbstractEventLoop) -> None:
        self._store = store
        self._loop = loop
        self.kinds: frozenset[type] | None = getattr(store, "kinds", None)

    def fetch(self, refs: Sequence[Ref[Any]]) -> Found:
        from asyncio import run_coroutine_threadsafe  # noqa: PLC0415 -- only for stores of an event loop

        found: Found = run_coroutine_threadsafe(self._store.fetch(refs), self._loop).result(PATIENCE)
        return found

    def commit(self, writes: Sequence[Write]) -> Outcome:
        raise AssertionError("an explanation commits nothing")


def _kept(refused: RefusedRequest, loop: AbstractEventLoop | None) -> KeptExplanation:
    plan, request, rejected = refused.plan, refused.request, refused.rejected
    mask, note = Mask(request, refused.body or b"", ()), ""
    if refused.body is None:
        explanation, note = _bare(rejected, mask), _UNREAD
    else:
        store: Store | None = plan.store if loop is None else _OnTheLoop(plan.store, loop)
        guard = Guard.by(plan, store)
        explanation = explain(request, guard, refused.body, at=refused.at, try_passwords=False)
        if explanation.reason is not rejected.reason:
            note = _SINCE
    path = mask.value(request.target[:1024].partition(b"?")[0].decode("latin-1"))
    address, method = refused.address, mask.value(request.method)
    return KeptExplanation(
        refused.request_id, refused.at, rejected.reason, address, method, path, explanation, note
    )  # fmt: skip


def _bare(rejected: Rejected, mask: Mask) -> Explanation:
    """What the rejection says of itself."""
    told, scheme = rejected.rejection, None if rejected.verifier is None else rejected.verifier.scheme
    detail, where = mask.text(told.detail), mask.text(told.where)
    cause = Check(
        told.reason.value, False, where or "credentials", expected_instead(told.reason), detail, REMEDIES[told.reason]
    )
    return Explanation(False, told.reason, detail, where, scheme, None, "", (cause,))

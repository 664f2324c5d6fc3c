"""The outside, as programs ask for it: look-ups, commits, a request's body, slow work, a place in a line.

A program is a coroutine that awaits these verbs and nothing else, so it is written once. `Direct` does everything in the
caller's thread and never suspends: `drive` runs the program to its end. `Awaited` suspends where an event loop has to wait.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextvars import copy_context
from inspect import isawaitable, iscoroutinefunction
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol, TypeVar

from watchword.core.body import BodyReader
from watchword.structures.line import Place, WaitingLine
from watchword.core.records import AsyncStore, Found, Outcome, Ref, Source, Store, Write
from watchword.core.rejection import ConfigurationError, too_busy
from watchword.structures.room import FOR_TASKS, FOR_THREADS
from watchword.structures.seats import NoSeat, Seats
from watchword.core.scheme import Body, BodyNeed, Digests, More

__all__ = [
    "IO", "AsyncChunks", "Awaited", "Chunks", "Direct", "done", "drive", "fetch_more", "is_async", "once",
    "once_async",
]  # fmt: skip

if TYPE_CHECKING:
    from asyncio import Future  # `import watchword` must not load asyncio

PATIENCE: Final = 30.0
"""Seconds for which slow work waits for its turn."""
WAITING: Final = 6
"""Requests of one guard that may wait for other servers in threads: servers commonly have eight, and other requests need some."""

T = TypeVar("T")
R_contra = TypeVar("R_contra", contravariant=True)
G_contra = TypeVar("G_contra", contravariant=True)

Chunks = Callable[[], bytes]
"""Gives the next chunk of a body, b"" at its end."""
AsyncChunks = Callable[[], Awaitable[bytes]]
Fetch = Callable[[Sequence[Ref[Any]]], Any]
Commit = Callable[[Sequence[Write]], Any]


class IO(Protocol[R_contra, G_contra]):
    """The verbs. `R` gives a body's chunks, `G` tells whether the client has left."""

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found | Awaitable[Found]:
        """The records that the store has of `refs`; awaitable where that takes waiting."""
        ...

    async def ask(self, source: Source, refs: Sequence[Ref[Any]], /) -> Found:
        """The records that a verifier's own source has of `refs`.

        Raises:
            Rejected: TOO_BUSY: it would have to wait for another server, and as many requests do as may.
        """
        ...

    def commit(self, writes: Sequence[Write], /) -> Outcome | Awaitable[Outcome]:
        """All writes or none; awaitable where that takes waiting."""
        ...

    async def read(self, receive: R_contra, need: BodyNeed | Digests, limit: int, /) -> Body:
        """The body.

        Raises:
            Rejected: BODY_TOO_LARGE, it has more than `limit` octets.
        """
        ...

    async def work(self, call: Callable[[], T], /) -> T:
        """The result of `call`, which takes milliseconds and must not hold up an event loop."""
        ...

    async def work_apart(self, call: Callable[[], T], /) -> T:
        """The result of `call`, which is slow work in its turn: it keeps no thread that look-ups or other work wait for."""
        ...

    def join(self, line: WaitingLine, known: bool, networks: Sequence[str], flight: bytes | None, /) -> Place:
        """A place in `line`; see `WaitingLine.join`."""
        ...

    async def wait(self, line: WaitingLine, place: Place, gone: G_contra | None, /) -> None:
        """Returns once the work at `place` may begin.

        Raises:
            ClientGone: the client left first.
            LineFull: the line did not move for too long.
        """
        ...


class Direct:
    """Everything in the caller's thread; no verb suspends.

    Raises:
        ConfigurationError: `store` is an `AsyncStore`.
    """

    def __init__(self, store: Store | None) -> None:
        if store is not None and iscoroutinefunction(store.fetch):
            raise ConfigurationError(
                f"{type(store).__name__} is an AsyncStore; use AsyncGuard, or the store's sync counterpart"
            )
        self.fetch, self.commit = _verbs(store)
        self._waiting = Seats(WAITING)

    async def ask(self, source: Source, refs: Sequence[Ref[Any]], /) -> Found:
        waits = getattr(source, "waits", None)
        if waits is None or not waits(refs):
            return source.fetch(refs)
        try:
            with self._waiting.one():
                return source.fetch(refs)
        except NoSeat:
            raise too_busy("as many requests wait for keys of other servers as may") from None

    async def read(self, receive: Chunks, need: BodyNeed | Digests, limit: int, /) -> Body:
        reader = BodyReader(need, limit)
        while chunk := receive():
            reader.feed(chunk)
        return reader.body()

    async def work(self, call: Callable[[], T], /) -> T:
        return call()

    async def work_apart(self, call: Callable[[], T], /) -> T:
        return call()

    def join(self, line: WaitingLine, known: bool, networks: Sequence[str], flight: bytes | None, /) -> Place:
        return line.join(known, networks, flight, FOR_THREADS)

    async def wait(self, line: WaitingLine, place: Place, gone: Callable[[], bool] | None, /) -> None:
        line.wait(place, PATIENCE, gone)


class Awaited:
    """On an event loop: slow work, and stores that block, in threads."""

    def __init__(self, store: Store | AsyncStore | None) -> None:
        self.fetch, self.commit = _verbs(store)
        if store is not None and not iscoroutinefunction(store.fetch) and getattr(store, "blocking", True):
            self.fetch, self.commit = _threaded(self.fetch), _threaded(self.commit)

    async def ask(self, source: Source, refs: Sequence[Ref[Any]], /) -> Found:
        return await source.afetch(refs)

    async def read(self, receive: AsyncChunks, need: BodyNeed | Digests, limit: int, /) -> Body:
        reader = BodyReader(need, limit)
        while chunk := await receive():
            reader.feed(chunk)
        return reader.body()

    async def work(self, call: Callable[[], T], /) -> T:
        from asyncio import to_thread  # noqa: PLC0415 -- `import watchword` must not load asyncio

        return await to_thread(call)

    async def work_apart(self, call: Callable[[], T], /) -> T:
        from asyncio import get_running_loop  # noqa: PLC0415 -- `import watchword` must not load asyncio
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 -- loads logging

        # A new thread takes a thousandth of a hash's time. It waits for none of the loop's own threads, which are few, and
        # a hash that hangs keeps no thread from the next one.
        thread = ThreadPoolExecutor(1, "watchword-hash")
        try:
            return await get_running_loop().run_in_executor(thread, copy_context().run, call)
        finally:
            thread.shutdown(wait=False)

    def join(self, line: WaitingLine, known: bool, networks: Sequence[str], flight: bytes | None, /) -> Place:
        return line.join(known, networks, flight, FOR_TASKS)

    async def wait(self, line: WaitingLine, place: Place, gone: Callable[[], Future[object]] | None, /) -> None:
        watched = gone() if gone is not None and place.waits else None  # watching costs something
        await line.wait_async(place, PATIENCE, watched)


async def done(answer: T | Awaitable[T]) -> T:
    """The answer of a verb, awaited if it has to be."""
    if isawaitable(answer):
        waited: T = await answer
        return waited
    return answer


async def fetch_more(io: IO[Any, Any], more: More, found: Found) -> Found:
    """`found`, and the records that `more` asks for."""
    if more.refs:
        found = found.merged(await done(io.fetch(more.refs)), more.refs)
    for source, refs in more.asks:
        found = found.merged(await io.ask(source, refs), refs)
    return found


def is_async(lookup: Callable[..., object]) -> bool:
    """Whether it is a coroutine function, or an object whose calls are."""
    return iscoroutinefunction(lookup) or iscoroutinefunction(getattr(lookup, "__call__", None))  # noqa: B004 -- an object with async __call__


def drive(program: Coroutine[Any, Any, T]) -> T:
    """The result of a program over `Direct`."""
    try:
        program.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    program.close()
    raise RuntimeError("a program without an event loop never waits")


def once(body: bytes) -> Chunks:
    """`body` as one chunk."""
    if not body:
        return bytes
    chunks = iter((body, b""))
    return lambda: next(chunks, b"")


def once_async(body: bytes) -> AsyncChunks:
    """`body` as one chunk, awaited."""
    chunks = iter((body, b""))

    async def receive() -> bytes:
        return next(chunks, b"")

    return receive


def _verbs(store: Any) -> tuple[Fetch, Commit]:
    return (_nothing, _nothing) if store is None else (store.fetch, store.commit)


def _nothing(_: object) -> NoReturn:
    raise AssertionError("a verifier needs records, and its kinds don't say so")


def _threaded(verb: Callable[[Any], Any]) -> Callable[[Any], Awaitable[Any]]:
    async def call(argument: Any) -> Any:
        from asyncio import to_thread  # noqa: PLC0415 -- `import watchword` must not load asyncio

        return await to_thread(verb, argument)

    return call

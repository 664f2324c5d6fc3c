"""Running steps: in the caller's thread (`Driver`) or on its event loop (`AsyncDriver`).

A program of steps is a generator that yields what has to be done outside, as `core.pipeline` does; it is written once and
these two short classes are all that knows whether the caller waits or awaits.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import suppress
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from watchword.core.body import BodyReader
from watchword.core.lock import Turn
from watchword.core.records import AsyncStore, Store
from watchword.core.rejection import ConfigurationError, StoreUnavailable
from watchword.core.steps import Acquire, Commit, Fetch, ReadBody, Step, Work

__all__ = ["AsyncChunks", "AsyncDriver", "Chunks", "Driver", "once", "once_async"]

T = TypeVar("T")

Chunks = Callable[[], bytes]
"""Gives the next chunk of a body, b"" at its end."""
AsyncChunks = Callable[[], Awaitable[bytes]]


class Driver:
    """Runs steps in the caller's thread.

    Raises:
        ConfigurationError: `store` is an `AsyncStore`.
    """

    __slots__ = ("_store",)

    def __init__(self, store: Store | None) -> None:
        if store is not None and iscoroutinefunction(store.fetch):
            raise ConfigurationError(
                f"{type(store).__name__} is an AsyncStore; use AsyncGuard, or the store's sync counterpart"
            )
        self._store: Any = store

    def run(self, steps: Generator[Step, Any, T], receive: Chunks) -> T:
        """What the steps return; a failed step is raised inside them."""
        answer: object = None
        failure: Exception | None = None
        while True:
            try:
                step = steps.send(answer) if failure is None else steps.throw(failure)
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]
            answer = failure = None
            try:
                if isinstance(step, Commit):  # with Fetch, what nearly every request needs
                    answer = self._store.commit(step.writes)
                elif isinstance(step, Fetch):
                    answer = (self._store if step.source is None else step.source).fetch(step.refs)
                else:
                    answer = _done(step, receive)
            except Exception as error:  # noqa: BLE001 -- raised again inside the steps, which know what it means
                failure = error
            except BaseException:  # cancelled: what the steps hold must not wait until the traceback is forgotten
                steps.close()
                raise


class AsyncDriver:
    """Runs steps on the event loop; slow work, and stores that block, in a thread."""

    __slots__ = ("_commit", "_fetch", "_in_thread")

    def __init__(self, store: Store | AsyncStore | None) -> None:
        from asyncio import to_thread  # noqa: PLC0415 -- `import watchword` must not load asyncio

        self._in_thread = to_thread
        self._fetch: Any = None
        self._commit: Any = None
        if store is None:
            return
        if iscoroutinefunction(store.fetch):
            self._fetch, self._commit = store.fetch, store.commit
        else:
            colour = _threaded if getattr(store, "blocking", True) else _direct
            self._fetch, self._commit = colour(store.fetch), colour(store.commit)

    async def run(self, steps: Generator[Step, Any, T], receive: AsyncChunks) -> T:
        """What the steps return; a failed step is raised inside them."""
        answer: object = None
        failure: Exception | None = None
        while True:
            try:
                step = steps.send(answer) if failure is None else steps.throw(failure)
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]
            answer = failure = None
            try:
                answer = await self._do(step, receive)
            except Exception as error:  # noqa: BLE001 -- raised again inside the steps, which know what it means
                failure = error
            except BaseException:  # cancelled: what the steps hold must not wait until the traceback is forgotten
                steps.close()
                raise

    async def _do(self, step: Step, receive: AsyncChunks) -> object:
        if isinstance(step, Fetch):
            return await (self._fetch if step.source is None else step.source.afetch)(step.refs)
        if isinstance(step, Commit):
            return await self._commit(step.writes)
        if isinstance(step, Work):
            return await self._in_thread(step.call)
        if isinstance(step, Acquire):
            return await _acquired_async(step)
        reader = BodyReader(step.need, step.limit)
        while chunk := await receive():
            reader.feed(chunk)
        return reader.body()


def _done(step: Work | Acquire | ReadBody, receive: Chunks) -> object:
    if isinstance(step, Work):
        return step.call()
    if isinstance(step, Acquire):
        return _acquired(step)
    reader = BodyReader(step.need, step.limit)
    while chunk := receive():
        reader.feed(chunk)
    return reader.body()


def _acquired(step: Acquire) -> Turn:
    turn = _queued(step)
    deadline = time.monotonic() + step.patience
    try:
        while turn.handed is not None and not turn.handed.done():
            left = _patience(step, deadline)
            with suppress(TimeoutError):
                turn.handed.result(timeout=left)
    except BaseException:
        step.lock.abandon(turn)
        raise
    return turn


async def _acquired_async(step: Acquire) -> Turn:
    from asyncio import wait, wrap_future  # noqa: PLC0415 -- `import watchword` must not load asyncio

    turn = _queued(step)
    deadline = time.monotonic() + step.patience
    try:
        while turn.handed is not None and not turn.handed.done():
            await wait([wrap_future(turn.handed)], timeout=_patience(step, deadline))
    except BaseException:
        step.lock.abandon(turn)
        raise
    return turn


def _queued(step: Acquire) -> Turn:
    turn = step.lock.acquire(step.lease)
    assert turn is not None  # only a lock held across a sending is refused at once
    return turn


def _patience(step: Acquire, deadline: float) -> float:
    left = min(step.lock.patience(), deadline - time.monotonic())
    if time.monotonic() >= deadline:
        raise StoreUnavailable(f"waited {step.patience:g} s for other slow work")
    return max(0.0, left)


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


def _direct(verb: Callable[[Any], Any]) -> Callable[[Any], Awaitable[Any]]:
    async def call(argument: Any) -> Any:
        return verb(argument)

    return call


def _threaded(verb: Callable[[Any], Any]) -> Callable[[Any], Awaitable[Any]]:
    from asyncio import to_thread  # noqa: PLC0415 -- `import watchword` must not load asyncio

    async def call(argument: Any) -> Any:
        return await to_thread(verb, argument)

    return call

"""Driving the client half: the two drivers of `Auth.flow`.

An adapter supplies `Send`; the drivers answer every other effect. An adapter whose library inverts control (requests'
hooks, httpx's own generator) uses `Drive` directly: `advance(answer)` runs the flow up to its next `Send`.
"""

from __future__ import annotations

import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress
from inspect import isawaitable, iscoroutinefunction
from threading import get_ident
from typing import Any

from watchword.structures.lock import Lock, Turn, lock_of
from watchword.core.message import Peer, Request
from watchword.core.records import AsyncStore, Store
from watchword.core.rejection import ConfigurationError, CredentialsUnavailable, Rejected
from watchword.effects import (
    ORIGINAL, Ask, Auth, Call, Effect, Flow, Hold, Load, NotSent, Received, Release, Save, Send, Sleep,
)  # fmt: skip
from watchword.schemes.sending import unsendable
from watchword.transport.never_sent import never_sent
from watchword.transport.whereto import check_address

__all__ = ["AsyncDrive", "ClientContext", "Drive", "HostContext", "arun", "run"]

Asker = Callable[[Ask], str]


def _repeatable() -> None:
    """Allows a repetition: a caller that drives a flow by hand has the body at hand as well."""


def _unknown(request: Request) -> Peer:
    """The peer of the request itself: a caller that drives a flow by hand tells by it where the request goes, or not at all."""
    return request.peer


class HostContext(ABC):
    """A context with the clock and the randomness of this host; a subclass has the other means as methods."""

    stored = False
    asks = False
    now = staticmethod(time.time)
    random = staticmethod(os.urandom)

    @abstractmethod
    def body(self) -> bytes: ...
    @abstractmethod
    def check_repeatable(self) -> None: ...
    @abstractmethod
    def peer(self, request: Request, /) -> Peer: ...


class ClientContext:
    """The means that flows may use: clock, randomness, the request body, and whether there is a token store.

    Args:
        body: gives the caller's request body; raises `ConfigurationError` if it can't be read and sent as well.
        check_repeatable: raises `ConfigurationError` if the body can't be sent twice.
        stored: whether Load and Save are answered.
        now: seconds since the epoch.
        random: n unpredictable bytes.
        peer: who is connected to for a request of the flow's own.

    `asks` says whether there is somebody who answers Ask; the driver sets it.
    """

    asks = False

    def __init__(
        self,
        body: Callable[[], bytes],
        *,
        check_repeatable: Callable[[], None] = _repeatable,
        stored: bool = False,
        now: Callable[[], float] = time.time,
        random: Callable[[int], bytes] = os.urandom,
        peer: Callable[[Request], Peer] = _unknown,
    ) -> None:
        self.body = body
        self.check_repeatable = check_repeatable
        self.stored = stored
        self.now = now
        self.random = random
        self.peer = peer


def _given_up(lock: Lock, turn: Turn, hold: Hold) -> bool:
    """Leaves the queue; who may go on without the lock does."""
    if not hold.across_send:
        raise CredentialsUnavailable(f"waited {hold.lease:g} s for {hold.key!r} in vain")
    lock.abandon(turn)
    return False


def _called(call: Call) -> object:
    if not iscoroutinefunction(call.function):
        try:
            result = call.function()
        except Exception as error:  # noqa: BLE001 -- the flow's to judge
            return error
        if not isawaitable(result):
            return result
        close = getattr(result, "close", None)  # a coroutine that nobody awaits would warn
        if close is not None:
            close()
    raise ConfigurationError(
        "a coroutine function is given, which an async client can call: pass a plain function here"
    )


async def _awaited(function: Callable[[], Any]) -> object:
    import asyncio  # noqa: PLC0415 -- `import watchword` must not load asyncio

    try:
        result = function() if iscoroutinefunction(function) else await asyncio.to_thread(function)
        return await result if isawaitable(result) else result
    except Exception as error:  # noqa: BLE001 -- the flow's to judge
        return error


def _lock_of(auth: Auth, hold: Hold) -> Lock:
    """The lock that is asked for: by default of this Auth, so that one object adapted to several libraries has one token."""
    owner = auth if hold.of is None else hold.of
    try:
        return lock_of(owner, hold.key)
    except TypeError:
        raise ConfigurationError(f"{type(owner).__name__} holds locks: add '__weakref__' to its __slots__") from None


class _Held:
    """The locks that a flow holds. Most flows hold none, and have no such object."""

    def __init__(self) -> None:
        self._turns: dict[str, tuple[Lock, Turn]] = {}

    def take(self, key: str, lock: Lock, turn: Turn) -> None:
        self.release(key)
        self._turns[key] = (lock, turn)

    def release(self, key: str) -> None:
        held = self._turns.pop(key, None)
        if held is not None:
            held[0].release(held[1])

    def release_all(self) -> None:
        for key in list(self._turns):
            self.release(key)

    def release_but_across(self) -> None:
        """All but those that are held while the caller's request is sent."""
        for key in [key for key, (_, turn) in self._turns.items() if not turn.across]:
            self.release(key)

    # A library that failed to send drops the flow without a word; a lock held across the sending ends with it.
    __del__ = release_all


class _DriveBase:
    """The part that both drivers share: the flow, and the locks that it holds."""

    def __init__(
        self,
        auth: Auth,
        request: Request,
        context: ClientContext | HostContext,
        *,
        store: Store | AsyncStore | None = None,
        ask: Asker | None = None,
    ) -> None:
        if store is not None:
            context.stored = True
        if ask is not None:
            context.asks = True
        self._auth = auth
        self._flow: Flow = auth.flow(request, context)
        self._store: Any = store
        self._ask = ask
        self._held: _Held | None = None
        self._last: Send | None = None
        self._waits = False  # for the answer to a request of the flow's own
        self._handled: BaseException | None = None

    def close(self) -> None:
        """Ends the flow wherever it is, and lets its locks go.

        While an exception is handled, that is how sending failed: the flow is told if nothing was sent.
        """
        try:
            if self._waits and never_sent(sys.exception(), self._handled):
                with suppress(NotSent, StopIteration):
                    self._flow.throw(NotSent())
            self._flow.close()
        finally:
            self._release_all()

    def _next(self, answer: object) -> Effect | None:
        self._waits = False
        try:
            effect = self._flow.send(answer)
        except StopIteration as stop:
            self._release_all()
            self._ended(stop.value)
            return None
        except Rejected as rejected:  # what a server would say of it is the developer's to mend here
            self._release_all()
            raise unsendable(rejected) from None
        except BaseException:
            self._release_all()
            raise
        if isinstance(effect, Send):
            self._last, self._handled, self._waits = effect, sys.exception(), effect.terms is not None
            if effect.body is ORIGINAL and self._held is not None:
                # It may take hours, and not every library says when it has failed.
                self._held.release_but_across()
        return effect

    def _ended(self, result: object) -> None:
        """The flow has ended with `result`; what belongs to a request of the caller's has sent that last."""
        if self._last is None or self._last.body is not ORIGINAL:
            raise CredentialsUnavailable("the flow ended without the answer to the caller's request") from None

    def _take(self, key: str, lock: Lock, turn: Turn) -> None:
        if self._held is None:
            self._held = _Held()
        self._held.take(key, lock, turn)

    def _release(self, key: str) -> None:
        if self._held is not None:
            self._held.release(key)

    def _release_all(self) -> None:
        if self._held is not None:
            self._held.release_all()

    def _need_store(self) -> Any:
        if self._store is None:
            raise ConfigurationError("this flow keeps tokens: pass a token store, adapt(auth, store=MemoryStore())")
        return self._store

    def _answer_to(self, ask: Ask) -> str:
        if self._ask is None:
            raise ConfigurationError(f"this flow asks a person ({ask.interaction}): pass adapt(auth, ask=…)")
        return self._ask(ask)


class Drive(_DriveBase):
    """Runs a flow in the caller's thread, from one `Send` to the next.

    Raises:
        ConfigurationError: the flow needs a token store or an asker and there is none, or the store is an `AsyncStore`.
        CredentialsUnavailable: another flow kept a lock for longer than its lease, or the flow ended without an answer.
    """

    def advance(self, answer: Received | None = None) -> Send | None:
        """The next request to send; None once the flow has ended."""
        effect = self._next(answer)
        while effect is not None and not isinstance(effect, Send):
            try:
                result = self._perform(effect)
            except BaseException:
                self.close()
                raise
            effect = self._next(result)
        if effect is not None and effect.terms is not None and effect.terms.learnt_from:
            try:
                check_address(effect.request, effect.terms)
            except BaseException:
                self.close()
                raise
        return effect

    def _perform(self, effect: Effect) -> object:
        if isinstance(effect, Hold):
            return self._hold(effect)
        if isinstance(effect, Release):
            self._release(effect.key)
        elif isinstance(effect, Sleep):
            time.sleep(effect.seconds)
        elif isinstance(effect, Call):
            return _called(effect)
        elif isinstance(effect, Load):
            return self._need_store().fetch(effect.refs)
        elif isinstance(effect, Save):
            return self._need_store().commit(effect.writes)
        elif isinstance(effect, Ask):
            return self._answer_to(effect)
        return None

    def _need_store(self) -> Any:
        store = super()._need_store()
        if iscoroutinefunction(store.fetch):
            raise ConfigurationError(
                f"{type(store).__name__} is an AsyncStore; a sync client needs its sync counterpart"
            )
        return store

    def _hold(self, hold: Hold) -> bool:
        lock = _lock_of(self._auth, hold)
        turn = lock.acquire(hold.lease, get_ident(), across=hold.across_send)
        if turn is None:
            return False
        deadline = time.monotonic() + hold.lease
        try:
            while turn.granted is not None and not turn.granted.done():
                left = min(lock.patience(), deadline - time.monotonic())
                if left <= 0 and not turn.granted.done():
                    return _given_up(lock, turn, hold)
                with suppress(TimeoutError):
                    turn.granted.result(timeout=left)
        except BaseException:
            lock.abandon(turn)
            raise
        self._take(hold.key, lock, turn)
        return True


class AsyncDrive(_DriveBase):
    """`Drive` on the event loop: the same effects, awaited. A store that blocks is used in a thread."""

    async def advance(self, answer: Received | None = None) -> Send | None:
        """The next request to send; None once the flow has ended."""
        effect = self._next(answer)
        while effect is not None and not isinstance(effect, Send):
            try:
                result = await self._perform(effect)
            except BaseException:
                self.close()
                raise
            effect = self._next(result)
        if effect is not None and effect.terms is not None and effect.terms.learnt_from:
            import asyncio  # noqa: PLC0415 -- as above

            try:
                await asyncio.to_thread(check_address, effect.request, effect.terms)
            except BaseException:
                self.close()
                raise
        return effect

    async def _perform(self, effect: Effect) -> object:
        import asyncio  # noqa: PLC0415 -- `import watchword` must not load asyncio

        if isinstance(effect, Hold):
            return await self._hold(effect)
        if isinstance(effect, Release):
            self._release(effect.key)
        elif isinstance(effect, Sleep):
            await asyncio.sleep(effect.seconds)
        elif isinstance(effect, Call):
            return await _awaited(effect.function)
        elif isinstance(effect, Load):
            return await self._call(self._need_store().fetch, effect.refs)
        elif isinstance(effect, Save):
            return await self._call(self._need_store().commit, effect.writes)
        elif isinstance(effect, Ask):
            return await asyncio.to_thread(self._answer_to, effect)
        return None

    async def _call(self, verb: Callable[[Any], Any], argument: object) -> object:
        import asyncio  # noqa: PLC0415 -- as above

        if not iscoroutinefunction(verb) and getattr(self._store, "blocking", True):
            return await asyncio.to_thread(verb, argument)
        result = verb(argument)
        return await result if isawaitable(result) else result

    async def _hold(self, hold: Hold) -> bool:
        import asyncio  # noqa: PLC0415 -- as above

        lock = _lock_of(self._auth, hold)
        turn = lock.acquire(hold.lease, asyncio.current_task(), across=hold.across_send)
        if turn is None:
            return False
        deadline = time.monotonic() + hold.lease
        try:
            while turn.granted is not None and not turn.granted.done():
                left = min(lock.patience(), deadline - time.monotonic())
                if left <= 0 and not turn.granted.done():
                    return _given_up(lock, turn, hold)
                await asyncio.wait([asyncio.wrap_future(turn.granted)], timeout=left)
        except BaseException:
            lock.abandon(turn)
            raise
        self._take(hold.key, lock, turn)
        return True


def run(
    auth: Auth,
    request: Request,
    send: Callable[[Send], Received],
    context: ClientContext,
    *,
    store: Store | None = None,
    ask: Asker | None = None,
) -> Received:
    """Drives a whole flow with `send`; the answer to the caller's request.

    >>> from watchword import BasicAuth, Response
    >>> def send(effect):
    ...     print(effect.request.values(b"authorization"))
    ...     return Received(Response(200))
    >>> run(BasicAuth("a", "b"), Request("GET", "https", "api.example", "/"), send, ClientContext(bytes)).response
    [b'Basic YTpi']
    Response(200, fields: )
    """
    drive = Drive(auth, request, context, store=store, ask=ask)
    answer: Received | None = None
    try:
        while (effect := drive.advance(answer)) is not None:
            answer = send(effect)
    finally:
        drive.close()
    assert answer is not None  # `advance` gives None only after a Send of the caller's request
    return answer


async def arun(
    auth: Auth,
    request: Request,
    send: Callable[[Send], Awaitable[Received]],
    context: ClientContext,
    *,
    store: Store | AsyncStore | None = None,
    ask: Asker | None = None,
) -> Received:
    """`run`, awaited."""
    drive = AsyncDrive(auth, request, context, store=store, ask=ask)
    answer: Received | None = None
    try:
        while (effect := await drive.advance(answer)) is not None:
            answer = await send(effect)
    finally:
        drive.close()
    assert answer is not None  # as above
    return answer

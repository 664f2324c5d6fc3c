"""Driving the client half: the two drivers of `Auth.flow`, and the lock that spans threads and tasks.

An adapter supplies `Send`; the drivers answer every other effect. An adapter whose library inverts control (requests'
hooks, httpx's own generator) uses `Drive` directly: `advance(answer)` runs the flow up to its next `Send`.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from watchword.core.message import Request
from watchword.core.records import AsyncStore, Store
from watchword.core.rejection import ConfigurationError, CredentialsUnavailable
from watchword.core.scheme import Ask, Auth, Effect, Flow, Hold, Load, Received, Release, Save, Send, Sleep

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["AsyncDrive", "ClientContext", "Drive", "arun", "refuse_cleartext", "run"]

Asker = Callable[[Ask], str]


class ClientContext:
    """What flows may use: clock, randomness, the request body, and whether there is a token store.

    Args:
        body: gives the caller's request body; raises `ConfigurationError` if it can't be read and sent as well.
        stored: whether Load and Save are answered.
        now: seconds since the epoch.
        random: n unpredictable bytes.
    """

    __slots__ = ("body", "now", "random", "stored")

    def __init__(
        self,
        body: Callable[[], bytes],
        *,
        stored: bool = False,
        now: Callable[[], float] = time.time,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.body = body
        self.stored = stored
        self.now = now
        self.random = random


class _Lock:
    """A lock that threads wait for by blocking and tasks by awaiting; waiters get it in the order in which they came."""

    __slots__ = ("_held", "_mutex", "_waiters")

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._held = False
        self._waiters: deque[Future[None]] = deque()

    def acquire(self) -> Future[None] | None:
        """None: it is yours. Else a future that is done once it is."""
        from concurrent.futures import Future  # noqa: PLC0415 -- only under contention; loads logging

        with self._mutex:
            if not self._held:
                self._held = True
                return None
            waiter: Future[None] = Future()
            self._waiters.append(waiter)
            return waiter

    def release(self) -> None:
        with self._mutex:
            while self._waiters:
                waiter = self._waiters.popleft()
                if waiter.set_running_or_notify_cancel():
                    waiter.set_result(None)
                    return
            self._held = False

    def abandon(self, waiter: Future[None]) -> None:
        """Stop waiting; passes the lock on if it was handed over meanwhile."""
        if not waiter.cancel():
            self.release()


_LOCKS: WeakKeyDictionary[Auth, dict[str, _Lock]] = WeakKeyDictionary()
_LOCKS_GUARD = threading.Lock()


def _lock_of(auth: Auth, key: str) -> _Lock:
    with _LOCKS_GUARD:
        return _LOCKS.setdefault(auth, {}).setdefault(key, _Lock())


class _DriveBase:
    """What both drivers share: the flow, and the locks that it holds."""

    def __init__(
        self,
        auth: Auth,
        request: Request,
        context: ClientContext,
        *,
        store: Store | AsyncStore | None = None,
        ask: Asker | None = None,
    ) -> None:
        context.stored = store is not None
        self._auth = auth
        self._flow: Flow = auth.flow(request, context)
        self._store: Any = store
        self._ask = ask
        self._held: dict[str, _Lock] = {}

    def close(self) -> None:
        """Ends the flow wherever it is, and lets its locks go."""
        self._flow.close()
        self._release_all()

    def _next(self, answer: object) -> Effect | None:
        try:
            return self._flow.send(answer)
        except StopIteration:
            self._release_all()
            return None
        except BaseException:
            self._release_all()
            raise

    def _release(self, key: str) -> None:
        lock = self._held.pop(key, None)
        if lock is not None:
            lock.release()

    def _release_all(self) -> None:
        for key in list(self._held):
            self._release(key)

    def _need_store(self) -> Any:
        if self._store is None:
            raise ConfigurationError("this flow keeps tokens: pass a token store, adapt(auth, store=MemoryStore())")
        return self._store

    def _answer_to(self, ask: Ask) -> str:
        if self._ask is None:
            raise ConfigurationError(f"this flow asks a person ({ask.interaction}): pass adapt(auth, ask=…)")
        return self._ask(ask)


class Drive(_DriveBase):
    """Runs a flow in the caller's thread, from one `Send` to the next."""

    def advance(self, answer: Received | None = None) -> Send | None:
        """The next request to send; None once the flow has ended."""
        effect = self._next(answer)
        while effect is not None and not isinstance(effect, Send):
            effect = self._next(self._perform(effect))
        return effect

    def _perform(self, effect: Effect) -> object:
        if isinstance(effect, Hold):
            self._hold(effect)
        elif isinstance(effect, Release):
            self._release(effect.key)
        elif isinstance(effect, Sleep):
            time.sleep(effect.seconds)
        elif isinstance(effect, Load):
            return self._need_store().fetch(effect.refs)
        elif isinstance(effect, Save):
            return self._need_store().commit(effect.writes)
        elif isinstance(effect, Ask):
            return self._answer_to(effect)
        return None

    def _hold(self, hold: Hold) -> None:
        lock = _lock_of(self._auth, hold.key)
        waiter = lock.acquire()
        if waiter is not None:
            try:
                waiter.result(timeout=hold.lease)
            except TimeoutError:
                lock.abandon(waiter)
                raise CredentialsUnavailable(f"waited {hold.lease:g} s for {hold.key!r} in vain") from None
        self._held[hold.key] = lock


class AsyncDrive(_DriveBase):
    """Runs a flow on the event loop, from one `Send` to the next."""

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
        return effect

    async def _perform(self, effect: Effect) -> object:
        import asyncio  # noqa: PLC0415 -- `import watchword` must not load asyncio

        if isinstance(effect, Hold):
            await self._hold(effect)
        elif isinstance(effect, Release):
            self._release(effect.key)
        elif isinstance(effect, Sleep):
            await asyncio.sleep(effect.seconds)
        elif isinstance(effect, Load):
            return await _awaited(self._need_store().fetch(effect.refs))
        elif isinstance(effect, Save):
            return await _awaited(self._need_store().commit(effect.writes))
        elif isinstance(effect, Ask):
            return await asyncio.to_thread(self._answer_to, effect)
        return None

    async def _hold(self, hold: Hold) -> None:
        import asyncio  # noqa: PLC0415 -- `import watchword` must not load asyncio

        lock = _lock_of(self._auth, hold.key)
        waiter = lock.acquire()
        if waiter is not None:
            try:
                await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(waiter)), hold.lease)
            except TimeoutError:
                lock.abandon(waiter)
                raise CredentialsUnavailable(f"waited {hold.lease:g} s for {hold.key!r} in vain") from None
            except asyncio.CancelledError:
                lock.abandon(waiter)
                raise
        self._held[hold.key] = lock


async def _awaited(result: Any) -> Any:
    return await result if isawaitable(result) else result


def run(auth: Auth, request: Request, send: Callable[[Send], Received], context: ClientContext) -> Received | None:
    """Drives a whole flow with `send`; the answer to its last Send of the caller's request.

    >>> from watchword import BasicAuth, Response
    >>> def send(effect):
    ...     print(effect.request.values(b"authorization"))
    ...     return Received(Response(200))
    >>> run(BasicAuth("a", "b"), Request("GET", "https", "api.example", "/"), send, ClientContext(bytes)).response
    [b'Basic YTpi']
    Response(200, fields: )
    """
    drive = Drive(auth, request, context)
    answer: Received | None = None
    try:
        effect = drive.advance()
        while effect is not None:
            answer = send(effect)
            effect = drive.advance(answer)
    finally:
        drive.close()
    return answer


async def arun(
    auth: Auth, request: Request, send: Callable[[Send], Awaitable[Received]], context: ClientContext
) -> Received | None:
    """`run`, awaited."""
    drive = AsyncDrive(auth, request, context)
    answer: Received | None = None
    try:
        effect = await drive.advance()
        while effect is not None:
            answer = await send(effect)
            effect = await drive.advance(answer)
    finally:
        drive.close()
    return answer


LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def host_of(authority: str) -> str:
    """The host of an authority, lower case, without port and brackets.

    >>> host_of("[::1]:8000"), host_of("API.example:443")
    ('::1', 'api.example')
    """
    if authority.startswith("["):
        return authority[1:].partition("]")[0].lower()
    return authority.rpartition("@")[2].partition(":")[0].lower()


def refuse_cleartext(request: Request, allow_cleartext: bool) -> None:
    """Bare secrets travel over TLS or loopback only.

    Raises:
        ConfigurationError: the request would show the secret to the network.
    """
    if allow_cleartext or request.scheme in ("https", "wss"):
        return
    host = host_of(request.authority)
    if host in LOOPBACK or host.endswith(".localhost") or (host.startswith("127.") and host.count(".") == 3):
        return
    raise ConfigurationError(
        f"the secret would travel in the clear to {host}: use https, or allow_cleartext=True if the network is trusted"
    )

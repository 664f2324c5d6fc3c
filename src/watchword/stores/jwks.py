"""Key sets that an issuer publishes (RFC 7517 §5): found, fetched, kept fresh, and kept when the issuer is down."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import contextmanager
from math import inf
from typing import Any, Final, Literal, NamedTuple

from watchword.core.records import Found, Outcome, Ref, Write
from watchword.core.rejection import ConfigurationError, StoreUnavailable, too_busy
from watchword.crypto.keys import KeySet
from watchword.schemes.key_source import PublishedKeys
from watchword.stores.publisher import Fetch, Loaded, Publisher
from watchword.structures.seats import NoSeat, Seats
from watchword.transport.get import Fault, FetchFailed, Terms

__all__ = ["RemoteKeySet", "State"]

State = Literal["empty", "fresh", "refreshing", "cooling_down", "stale"]

_RENEW: Final = 0.8
"""The part of that time after which they are renewed."""
THREADS: Final = 4
"""Requests that wait for one key set in threads: each holds one that others may need."""
TASKS: Final = 1024
"""Requests that wait for it in tasks, which hold nothing else."""


class _Flight(NamedTuple):
    """A fetch under way: it lands with its failure, or None. After `lost_at` (monotonic) nobody counts on it any more."""

    landing: Future[FetchFailed | None]
    started: float
    lost_at: float


class RemoteKeySet:
    """The keys that an issuer publishes; give it to `JWTVerifier(keys=…)`.

    Nothing is fetched and no thread runs until the first use. A guard that meets an unknown key id waits for one fetch,
    however many requests do; between two of them lies `cool_down`. Shortly before the keys' time is over, the next use
    renews them in the background, and so it does after it for as long as the issuer allows (`stale-while-revalidate`, RFC 5861).
    While the issuer fails, the keys that are known stay good for `stale` more seconds.

    A token is judged by all that needs no key before one is fetched for it. A fetch has a thread of its own. Four requests of
    a `Guard` wait for it at most, since each holds a thread; others that need it are refused (TOO_BUSY, 503) at once.
    A thousand tasks wait. A request that needs no fetch waits for none.

    Args:
        url: where the key set is. Or else:
        issuer: whose metadata says where (OpenID Connect Discovery 1.0 §4, RFC 8414 §3); tokens must be this issuer's.
        algorithms: those that are permitted; needed where keys don't name their own (`KeySet.from_jwks`).
        least: seconds for which keys are good, even if Cache-Control says less.
        most: seconds for which keys are good, even if it says more.
        stale: further seconds for which they serve while they can't be renewed.
        cool_down: seconds between two fetches that nobody asked for but the tokens.
        timeout: seconds for one fetch.
        allow_cleartext: also fetch by plain http.
        allow_private: also fetch from addresses that are not on the public internet.
        ca_file: a PEM file of the certificate authorities to trust; None: the system's.
        max_size: octets of an answer that are read.
        fetch: fetches in place of urllib3, for hosts that need a proxy; what it lets through is on it.
        clock: seconds since the epoch; the same as the verifier's.

    Raises:
        ConfigurationError: no URL to fetch from, times that contradict each other; or `pip install 'watchword[urllib3]'`.

    >>> keys = RemoteKeySet(issuer="https://id.example", algorithms=["RS256"])
    >>> keys
    RemoteKeySet('https://id.example', empty)
    """

    kinds: frozenset[type] | None = frozenset({PublishedKeys})
    blocking = True

    def __init__(
        self,
        url: str | None = None,
        *,
        issuer: str | None = None,
        algorithms: Iterable[str] | None = None,
        least: float = 60,
        most: float = 86_400,
        stale: float = 86_400,
        cool_down: float = 30,
        timeout: float = 5,
        allow_cleartext: bool = False,
        allow_private: bool = False,
        ca_file: str | None = None,
        max_size: int = 512 * 1024,
        fetch: Fetch | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not (0 < least <= most and stale >= 0 and cool_down > 0 and timeout > 0):
            raise ConfigurationError("in seconds: 0 < least <= most, 0 <= stale, 0 < cool_down, 0 < timeout")
        terms = Terms(timeout, max_size, allow_cleartext=allow_cleartext, allow_private=allow_private, ca_file=ca_file)
        self._stale, self._cool_down = stale, cool_down
        self._publisher = self._publisher_of(url, issuer, algorithms, terms, fetch, (least, most))
        self.name = self._publisher.name
        self.issuer = issuer
        self.algorithms = self._publisher.algorithms
        self._clock = clock
        self._patience = 1.0 + timeout * (1 if issuer is None else 4)  # three places of metadata, then the keys
        self._lock = threading.Lock()
        self._flight: _Flight | None = None
        self._thread: threading.Thread | None = None
        self._threads, self._tasks = self._seats()
        self._closed = False
        self._loaded: Loaded | None = None
        self._attempt = -inf
        self._restless = False  # the last attempt failed, or was made for an unknown key id
        self.last_error: FetchFailed | None = None
        self.keys: KeySet | None = None
        self.since, self.due, self.good_until, self._dead = -inf, -inf, -inf, -inf

    def _publisher_of(self, *arguments: Any) -> Publisher:
        return Publisher(*arguments)

    def _seats(self) -> tuple[Seats, Seats]:
        """For requests that wait in threads, and in tasks."""
        return Seats(THREADS), Seats(TASKS)

    def _permit(self) -> Callable[[], None] | None:
        """Room for one more fetch, and what to call when it has ended; None: there is no room."""
        return _nothing

    def _ended(self) -> None:
        """Called after each fetch, outside the lock and before anybody who waits goes on."""

    # ---- what is known ---------------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """How things are now: "empty", "refreshing", "stale" (past their time), "cooling_down" or "fresh".

        It is cooling down while an unknown key id would not be fetched, after one that was, or after a failure.
        """
        now = self._clock()
        if self._alive() is not None:
            return "refreshing"
        if self.keys is None or now >= self._dead:
            return "empty"
        if self._loaded is not None and now >= self.since + self._loaded.lifetime:
            return "stale"
        return "cooling_down" if self._restless and self._cooling(now) else "fresh"

    def snapshot(self) -> KeySet:
        """The keys that are known now, without waiting; starts to renew them if it is time.

        Raises:
            StoreUnavailable: none are known, or they could not be renewed for too long.
        """
        now = self._clock()
        keys = self.keys
        if not self.since <= now < self.due:
            self._depart("due", now)
        if keys is None or now >= self._dead:
            raise self._unavailable()
        return keys

    def missed(self, key_id: str, /) -> None:
        """A token names `key_id`, which isn't known; starts to renew the keys unless they were just now."""
        if self.keys is None or not self.keys.holds(key_id):
            self._depart("unknown", self._clock())

    def _unavailable(self) -> StoreUnavailable:
        if self.last_error is not None:
            return self.last_error.again()
        return StoreUnavailable(f"the keys of {self.name} are not there yet: call refresh() when the program starts")

    # ---- asking for more ----------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Fetches the keys now, or waits for the fetch that is under way.

        Raises:
            FetchFailed: why not; the keys that were known are kept.
            ConfigurationError: closed.
        """
        flight = self._asked()
        _raise(self._landed(flight))

    async def arefresh(self) -> None:
        """`refresh`, awaited."""
        flight = self._asked()
        _raise(await self._landed_async(flight))

    def waits(self, refs: Sequence[Ref[Any]], /) -> bool:
        """Whether `fetch` would wait now."""
        if self._wish(refs, self._clock()) is None:
            return False
        return self._alive() is not None or not (self._closed or self._cooling(self._clock()))

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        """For guards: the keys, renewed first if they are old or lack a key id of `refs`.

        Raises:
            Rejected: TOO_BUSY: as many threads wait for them as may; the fetch goes on without this one.
            StoreUnavailable: there are none.
        """
        flight = self._wanted(refs)
        if flight is not None:
            with self._seated(self._threads):
                self._landed(flight)
                # It may have begun before the key was published: then one more is made.
                flight = self._wanted(refs)
                if flight is not None:
                    self._landed(flight)
        return self._found(refs)

    async def afetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        """`fetch`, awaited; however many wait, one thread fetches."""
        flight = self._wanted(refs)
        if flight is not None:
            with self._seated(self._tasks):
                await self._landed_async(flight)
                flight = self._wanted(refs)
                if flight is not None:
                    await self._landed_async(flight)
        return self._found(refs)

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        """Nothing can be written.

        Raises:
            ConfigurationError: always.
        """
        raise ConfigurationError("a RemoteKeySet keeps nothing: combine(remote_keys, MemoryStore())")

    def close(self) -> None:
        """Fetches no more; waits for a fetch that is under way. The keys that are known still serve."""
        with self._lock:
            self._closed = True
            thread = self._thread
        if thread is not None:
            thread.join(self._patience)

    def __enter__(self) -> RemoteKeySet:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"RemoteKeySet({self.name!r}, {self.state})"

    def _asked(self) -> _Flight:
        flight = self._depart("asked", self._clock())
        if flight is None:
            raise ConfigurationError("this RemoteKeySet is closed: make another")
        return flight

    def _wish(self, refs: Sequence[Ref[Any]], now: float) -> Literal["due", "unknown"] | None:
        """Why a fetch is wanted, if one is."""
        if self.keys is None or not self.since <= now < self.good_until:
            return "due"
        return None if all(self.keys.holds(ref.key[-1]) for ref in refs) else "unknown"

    def _wanted(self, refs: Sequence[Ref[Any]]) -> _Flight | None:
        now = self._clock()
        why = self._wish(refs, now)
        return None if why is None else self._depart(why, now)

    @contextmanager
    def _seated(self, seats: Seats) -> Iterator[None]:
        try:
            with seats.one():
                yield
        except NoSeat:
            raise too_busy(f"the keys of {self.name} are being fetched") from None

    def _found(self, refs: Sequence[Ref[Any]]) -> Found:
        record = PublishedKeys(self.snapshot())
        return Found({ref: (record, 1) for ref in refs if ref.kind is PublishedKeys})

    # ---- one fetch at a time ------------------------------------------------------------------------------------------

    def _alive(self) -> _Flight | None:
        flight = self._flight
        return None if flight is None or time.monotonic() >= flight.lost_at else flight

    def _cooling(self, now: float) -> bool:
        # From the start of the last attempt: a key that was published before it began was seen by it.
        return 0 <= now - self._attempt < self._cool_down

    def _depart(self, why: Literal["asked", "due", "unknown"], now: float) -> _Flight | None:
        """The fetch that is under way, or a new one; None while cooling down, or closed."""
        if why != "asked" and self._flight is None and self._cooling(now):
            return None  # the usual answer to made-up key ids needs no lock
        with self._lock:
            flight = self._alive()
            if flight is not None:
                return flight
            if self._closed or (why != "asked" and self._cooling(now)):
                return None
            flight = _Flight(Future(), now, time.monotonic() + self._patience)
            flight.landing.set_running_or_notify_cancel()  # who stops waiting can't cancel it for the others
            self._flight, self._attempt, self._restless = flight, now, why == "unknown"
            landed = self._permit()
            if landed is None:
                return self._grounded(flight, "as many fetches as may are under way")
            self._thread = threading.Thread(target=self._fly, args=(flight, landed), name="watchword-keys", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # no more threads, or the interpreter is ending
                self._thread = None
                landed()
                return self._grounded(flight, "no thread can be started")
            return flight

    def _grounded(self, flight: _Flight, why: str) -> _Flight:
        """A fetch that could not begin, as one that failed; under the lock."""
        self._land(flight, FetchFailed(Fault.BUSY, why))
        flight.landing.set_result(self.last_error)
        return flight

    def _fly(self, flight: _Flight, landed: Callable[[], None]) -> None:
        result: Loaded | FetchFailed
        try:
            result = self._publisher.load(self._loaded, flight.started)
        except FetchFailed as failed:
            result = failed.again()  # without the traceback, which would keep what it saw alive
        except Exception as error:  # noqa: BLE001 -- what a stranger's fetch= raises must not end the thread in silence
            result = FetchFailed(Fault.UNUSABLE, f"fetching {self.name} raised {type(error).__name__}")
        finally:  # whatever ends the thread
            landed()
        with self._lock:
            if self._flight is flight:  # else it came too late, and another has taken its place
                self._land(flight, result)
        self._ended()
        flight.landing.set_result(result if isinstance(result, FetchFailed) else None)

    def _land(self, flight: _Flight, result: Loaded | FetchFailed) -> None:
        """Takes over what came; under the lock."""
        now = self._clock()
        if isinstance(result, FetchFailed):
            self.last_error = result
            self._restless = True
            self._publisher.forget()
            self.since = min(self.since, now)
            # From now on nobody waits for what fails: the next attempts are made in the background.
            self.good_until = self._dead
            self.due = self.due if self.due > now else min(flight.started + self._cool_down, self._dead)
        else:
            self.last_error = None
            self._loaded = result
            self.since = flight.started
            self.good_until = self.since + result.lifetime + result.grace
            self._dead = self.since + result.lifetime + max(self._stale, result.grace)
            self.due = self.since + _RENEW * result.lifetime
            self.keys = result.keys
        self._flight = None

    def _landed(self, flight: _Flight) -> FetchFailed | None:
        try:
            return flight.landing.result(self._patience)
        except NotYet:
            return self._overdue()

    async def _landed_async(self, flight: _Flight) -> FetchFailed | None:
        import asyncio  # noqa: PLC0415 -- sync users must not load asyncio

        waiting = asyncio.wrap_future(flight.landing)
        try:
            await asyncio.wait([waiting], timeout=self._patience)
            return waiting.result() if waiting.done() else self._overdue()
        finally:
            waiting.cancel()

    def _overdue(self) -> FetchFailed:
        return FetchFailed(Fault.TIMEOUT, f"the keys of {self.name} did not come within {self._patience:g} s")


def _raise(failed: FetchFailed | None) -> None:
    if failed is not None:
        raise failed.again()


def _nothing() -> None:
    """Nothing has to be given back."""

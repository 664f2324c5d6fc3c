"""Clock and chance in the hand of an attack, for the time that a function of the user's takes to sign one request."""

from __future__ import annotations

import datetime as dt
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Self
from unittest.mock import patch

from watchword.testing.attacks.watching import innermost

__all__ = ["held"]


@contextmanager
def held(way: object, now: float, octets: Callable[[int], bytes]) -> Iterator[None]:
    """Has it be `now`, and chance give `octets`, as most signing code reads them: `time`, `datetime`, `os.urandom`, `secrets`, `uuid`, `random`.

    The module in which the function stands may have them by `from time import time`. Another module that has, or a library in C, is not reached.
    """
    state = random.getstate()
    gmtime, localtime = time.gmtime, time.localtime
    clocks: dict[Any, Any] = {
        time.time: lambda: now,
        time.time_ns: lambda: int(now) * 10**9,
        gmtime: lambda seconds=None: gmtime(now if seconds is None else seconds),
        localtime: lambda seconds=None: localtime(now if seconds is None else seconds),
        dt.datetime: _datetime_at(now),
    }
    with ExitStack() as patches:
        for name in ("time", "time_ns", "gmtime", "localtime"):
            patches.enter_context(patch.object(time, name, clocks[getattr(time, name)]))
        patches.enter_context(patch.object(dt, "datetime", clocks[dt.datetime]))
        patches.enter_context(patch.object(os, "urandom", octets))
        patches.enter_context(patch.object(random, "_urandom", octets))
        function = innermost(way) or innermost(getattr(way, "__call__", None))  # noqa: B004 -- an object that is called has its function there
        if function is not None:
            own = {
                name: clock for name, value in function.__globals__.items() for real, clock in clocks.items() if value is real
            }  # fmt: skip
            patches.enter_context(patch.dict(function.__globals__, own))
        random.seed(octets(8))
        try:
            yield
        finally:
            random.setstate(state)


def _datetime_at(now: float) -> type[dt.datetime]:
    class Held(dt.datetime):
        """Knows one present only."""

        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Self:
            return cls.fromtimestamp(now, tz)

        @classmethod
        def utcnow(cls) -> Self:
            return cls.fromtimestamp(now, dt.UTC).replace(tzinfo=None)

        @classmethod
        def today(cls) -> Self:
            return cls.fromtimestamp(now)

    return Held

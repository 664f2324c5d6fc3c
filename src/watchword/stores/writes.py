"""Rules for writes that every store which remembers keeps."""

from __future__ import annotations

from math import isfinite

from watchword.core.records import Counter, Once, Put, Spent, Take
from watchword.core.rejection import ConfigurationError

__all__ = ["GRACE", "check_once", "check_ref", "check_until"]

GRACE = 60.0
"""Seconds past its `until` for which an entry is kept, so that clocks which differ a little forget nothing too early."""


def check_until(until: float) -> None:
    """A time that a store can order by; `ConfigurationError` for what is none."""
    if not isfinite(until):
        raise ConfigurationError(f"until={until}: seconds since the epoch, a finite number")


def check_once(write: Once) -> None:
    """A mark that a store can keep; `ConfigurationError` for what is none."""
    if isfinite(write.until) and write.owner != "":
        return
    check_until(write.until)
    raise ConfigurationError("a mark's owner is None or has a name")


def check_ref(write: Put | Take) -> None:
    """`Put` and `Take` may not touch what `Once` and `Add` keep, and a record goes where its class belongs.

    Raises:
        ConfigurationError: the write breaks one of these.
    """
    kind = write.ref.kind
    if kind is Spent or kind is Counter:
        raise ConfigurationError(f"{kind.__name__} records are written by {'Once' if kind is Spent else 'Add'} only")
    if isinstance(write, Put) and type(write.record) is not kind:
        raise ConfigurationError(f"a {type(write.record).__name__} can't be put where a {kind.__name__} is kept")
